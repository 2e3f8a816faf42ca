package mysql

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	protocol "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"wherry/pkg/db"
)

const (
	spoolSync  = time.Second            // how often what was written is synced: a power failure costs at most that, and it is read again
	spoolFlush = 200 * time.Millisecond // how often buffered events go to the file
)

// spooler writes the source's log to a directory.
type spooler struct {
	dir    string
	from   position
	server string
	w      *bufio.Writer
	file   *os.File
	number int
	at     place // the end of what is written
	synced time.Time
	wrote  time.Time
}

// Spool keeps the log from a position on in the configured directory, until ctx ends or an error; what an earlier run has kept is
// gone on with. ErrPositionGone: the source has purged what follows.
func (s *Source) Spool(ctx context.Context, from db.Position) (err error) {
	s.spooling.Store(true)
	defer s.spooling.Store(false)
	p, err := parsePosition(string(from))
	if err != nil {
		return err
	}
	sp := &spooler{dir: s.cfg.SpoolDir, from: p, server: s.tag}
	defer func() {
		if cerr := sp.close(); err == nil {
			err = cerr
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			err = fmt.Errorf("keep the source's log in %s (copy.spool): %w", sp.dir, err)
		}
	}()
	if err := os.MkdirAll(sp.dir, 0o700); err != nil {
		return err
	}
	if sp.at, sp.number, err = sp.resume(); err != nil {
		return err
	}
	if sp.at.file == "" {
		if sp.at, err = s.spoolBegin(ctx, p); err != nil {
			return err
		}
	}
	cfg := s.cfg
	cfg.ServerID = pickServerID()
	r := &binlogReader{cfg: &streamConfig{
		server: &cfg, mariadb: s.flavor.MariaDB, serverTag: s.tag, heartbeat: streamHeartbeat,
		from: position{file: sp.at.file, offset: sp.at.offset, server: s.tag},
	}}
	if r.wire, err = dialSame(ctx, &cfg, s.flavor.MariaDB, s.tag, "SET SESSION "+wholeSession()); err != nil {
		return err
	}
	defer func() { _ = r.wire.close() }()
	done := r.wire.guard(ctx)
	if err := r.start(ctx); err != nil {
		return done(streamError(err))
	}
	err = sp.run(r)
	var local localError
	if errors.As(err, &local) {
		return local.error
	}
	return done(streamError(err))
}

// localError is one of this machine's, such as a full disk: no server can help it.
type localError struct{ error }

// spoolBegin returns where in the source's files a spool for a position has to begin: at the start of the newest file before
// which there is nothing that the position lacks.
func (s *Source) spoolBegin(ctx context.Context, p position) (place, error) {
	if p.file != "" && p.server == s.tag {
		return place{p.file, 4}, nil
	}
	if p.gtid == nil || s.flavor.MariaDB {
		return place{}, fmt.Errorf("position %q is not one of this server's files: %w", p, db.ErrPositionGone)
	}
	logs, err := s.logs(ctx)
	if err != nil {
		return place{}, err
	}
	for i := len(logs) - 1; i >= 0; i-- {
		before, err := s.previousGTIDs(ctx, logs[i])
		if err != nil {
			return place{}, err
		}
		if before == nil || before.empty() {
			return place{logs[i], 4}, nil
		}
		if yes, _ := p.gtid.contains(before); yes {
			return place{logs[i], 4}, nil
		}
	}
	return place{}, fmt.Errorf("the log begins after %q: %w", p, db.ErrPositionGone)
}

// previousGTIDs reads what MySQL executed before a file of its log.
func (s *Source) previousGTIDs(ctx context.Context, file string) (gtids, error) {
	rows, err := s.rows(ctx, "SHOW BINLOG EVENTS IN "+quoted(file)+" LIMIT 3")
	if err != nil {
		return nil, err
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return nil, err
	}
	for _, row := range found {
		if string(row[2]) == "Previous_gtids" {
			if strings.TrimSpace(string(row[5])) == "" {
				return newGTIDSet(), nil
			}
			return parseGTIDs(string(row[5]))
		}
	}
	return nil, nil
}

// resume looks at what is there: where it ends, or nowhere after making room for a new spool. A torn tail is cut off.
func (sp *spooler) resume() (place, int, error) {
	p := sp.from
	files, err := spoolFiles(sp.dir)
	if err != nil {
		return place{}, 0, err
	}
	if spoolIndex(files, p, sp.server) >= 0 {
		last := &files[len(files)-1]
		offset, whole, err := last.end()
		if err != nil {
			return place{}, 0, err
		}
		if p.file == last.head.File && p.offset > offset {
			return place{}, 0, removeSpool(sp.dir) // the target is further
		}
		if sp.file, err = os.OpenFile(last.path, os.O_WRONLY, 0o600); err != nil {
			return place{}, 0, err
		}
		if err := sp.file.Truncate(whole); err != nil {
			return place{}, 0, err
		}
		if _, err := sp.file.Seek(whole, io.SeekStart); err != nil {
			return place{}, 0, err
		}
		sp.w = bufio.NewWriterSize(sp.file, 1<<20)
		return place{last.head.File, offset}, last.number(), nil
	}
	return place{}, 0, removeSpool(sp.dir)
}

// removeSpool empties the directory.
func removeSpool(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// run writes events until an error.
func (sp *spooler) run(r *binlogReader) error {
	for {
		if err := r.wire.nc.SetReadDeadline(time.Now().Add(10 * streamHeartbeat)); err != nil {
			return err
		}
		packet, err := r.wire.readPacket()
		switch {
		case err != nil:
			return err
		case packet[0] == protocol.ERR_HEADER:
			return serverError(packet)
		case packet[0] == protocol.EOF_HEADER:
			return fmt.Errorf("%w: the server ended its log", protocol.ErrBadConn)
		case packet[0] != protocol.OK_HEADER:
			return fmt.Errorf("%w: packet 0x%02x", errEvent, packet[0])
		}
		data := packet[1:]
		event, ok := parseEventHeader(data)
		if !ok {
			return errEvent
		}
		if err := r.verify(&event, data); err != nil {
			return err
		}
		if err := sp.take(&event, data, r.cfg.mariadb); err != nil {
			return localError{err}
		}
	}
}

// take writes an event that is in the source's file.
func (sp *spooler) take(e *logEvent, data []byte, mariadb bool) error {
	switch {
	case e.kind == replication.HEARTBEAT_EVENT || e.kind == replication.HEARTBEAT_LOG_EVENT_V2:
		return sp.flush(true)
	case e.kind == replication.ROTATE_EVENT:
		return sp.rotate(e, data)
	case e.kind == replication.FORMAT_DESCRIPTION_EVENT:
		if sp.file != nil && sp.at.offset > 4 { // repeated after a reconnect
			return nil
		}
		sp.at.offset = 4 + uint64(e.size)
	case e.artificial():
		return nil
	case e.next != 0:
		sp.at.offset = extendOffset(sp.at.offset, e.next)
	case mariadb:
		sp.at.offset += uint64(e.size)
	}
	if sp.file == nil {
		if err := sp.create(); err != nil {
			return err
		}
	}
	if err := sp.write(data); err != nil {
		return err
	}
	return sp.flush(false)
}

// rotate goes over to another file. An event that is in the file itself is kept: it ends a file that is whole.
func (sp *spooler) rotate(e *logEvent, data []byte) error {
	if len(e.body) < 8 {
		return errEvent
	}
	to := place{string(e.body[8:]), binary.LittleEndian.Uint64(e.body)}
	if !e.artificial() && sp.file != nil {
		if e.next != 0 {
			sp.at.offset = extendOffset(sp.at.offset, e.next)
		}
		if err := sp.write(data); err != nil {
			return err
		}
	}
	if to.file == sp.at.file {
		return nil
	}
	if err := sp.close(); err != nil {
		return err
	}
	sp.at = place{to.file, 4}
	return nil
}

// create begins the next file.
func (sp *spooler) create() (err error) {
	sp.number++
	path := filepath.Join(sp.dir, spoolName(sp.number, sp.at.file))
	if sp.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		return err
	}
	line, err := json.Marshal(spoolHead{Server: sp.server, File: sp.at.file, From: sp.from.String()})
	if err != nil {
		return err
	}
	if _, err := sp.file.Write(append(line, '\n')); err != nil {
		return err
	}
	sp.w = bufio.NewWriterSize(sp.file, 1<<20)
	return nil
}

func (sp *spooler) write(event []byte) error {
	var head [spoolFrame]byte
	binary.LittleEndian.PutUint32(head[:], uint32(len(event))) //nolint:gosec // far below 4 GiB
	binary.LittleEndian.PutUint64(head[8:], sp.at.offset)
	binary.LittleEndian.PutUint32(head[4:], crc32.Update(crc32.Checksum(head[8:], spoolTable), spoolTable, event))
	if _, err := sp.w.Write(head[:]); err != nil {
		return err
	}
	_, err := sp.w.Write(event)
	return err
}

// flush brings what is written to the file, and now and then to the disk.
func (sp *spooler) flush(idle bool) error {
	if sp.file == nil || !idle && time.Since(sp.wrote) < spoolFlush {
		return nil
	}
	sp.wrote = time.Now()
	if err := sp.w.Flush(); err != nil {
		return err
	}
	if time.Since(sp.synced) < spoolSync {
		return nil
	}
	sp.synced = time.Now()
	return sp.file.Sync()
}

// close ends the file that is open.
func (sp *spooler) close() error {
	if sp.file == nil {
		return nil
	}
	err := errors.Join(sp.w.Flush(), sp.file.Sync(), sp.file.Close())
	sp.file, sp.w = nil, nil
	return err
}

// Trim removes what the target durably has of the spool, and all of it once nothing is left that it lacks.
func (s *Source) Trim(pos db.Position) error {
	files, err := spoolFiles(s.cfg.SpoolDir)
	if err != nil || len(files) == 0 {
		return err
	}
	p, err := parsePosition(string(pos))
	if err != nil {
		return err
	}
	if files[0].head.Server != s.tag { // of a server that was the source before
		if s.spooling.Load() {
			return nil
		}
		return os.RemoveAll(s.cfg.SpoolDir)
	}
	if p.file == "" || p.server != s.tag {
		return nil
	}
	for i, f := range files {
		whole := position{file: f.head.File, offset: 1 << 62, server: s.tag} // any later file is beyond it
		if i == len(files)-1 {
			if s.spooling.Load() {
				return nil
			}
			if whole.offset, _, err = f.end(); err != nil {
				return err
			}
		}
		if done, err := reached(p, whole); err != nil || !done {
			return err
		}
		if err := os.Remove(f.path); err != nil {
			return err
		}
	}
	return os.RemoveAll(s.cfg.SpoolDir)
}
