package binlog

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
	"time"

	"github.com/go-mysql-org/go-mysql/replication"

	"wherry/pkg/schema"
)

const (
	// spoolSync is how often files are synced. A power failure costs at most that, and the source still has it.
	spoolSync  = time.Second
	spoolFlush = 200 * time.Millisecond // how often buffered events go to the file
)

// spooler writes the source's log to a directory. It copies events as they are and understands only where they are:
// so it keeps up with a source whose rows take longer to apply.
type spooler struct {
	dir    string
	from   Position
	server string
	w      *bufio.Writer
	file   *os.File
	number int
	at     place // the end of what is written
	synced time.Time
	wrote  time.Time
}

// WriteSpool keeps the log after cfg.From in cfg.SpoolDir, until ctx ends or an error comes. It continues what an
// earlier run has kept. If there is nothing of use, begin names the server's file with which the spool is to begin.
// ErrPositionGone: the server has purged what follows.
func WriteSpool(
	ctx context.Context, cfg Config, begin func(context.Context, Position) (file string, err error),
) (err error) {
	sp := &spooler{dir: cfg.SpoolDir, from: cfg.From, server: cfg.Tag}
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
		file, err := begin(ctx, cfg.From)
		if err != nil {
			return err
		}
		sp.at = place{file, 4}
	}
	cfg.From = Position{File: sp.at.file, Offset: sp.at.offset, Server: cfg.Tag}
	r, err := newReader(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = r.wire.Close() }()
	done := r.wire.Guard(ctx)
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

// resume finds where an earlier spool ends and cuts off its torn tail. If that spool is of no use it is removed, and
// the place is zero.
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
		if p.Server == sp.server && p.File == last.head.File && p.Offset > offset {
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

// run writes events until an error.
func (sp *spooler) run(r *binlogReader) error {
	for {
		data, err := r.wire.ReadEvent(10 * streamHeartbeat)
		if err != nil {
			return err
		}
		event, ok := parseEventHeader(data)
		if !ok {
			return errEvent
		}
		if err := r.verify(&event, data); err != nil {
			return err
		}
		if err := sp.keep(&event, data, r.cfg.Flavor.Family == schema.MariaDB); err != nil {
			return localError{err}
		}
	}
}

// keep writes an event that is in the source's file.
func (sp *spooler) keep(e *logEvent, data []byte, mariadb bool) error {
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

// rotate goes over to another file. A rotation that is in the file itself is kept: it shows later that the file is
// whole. An artificial one comes at the begin of each dump.
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

// create begins the next file with its head. Its number goes on from the last file's, so that a name is never used
// twice.
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

// write appends a frame: length, checksum, offset, event. See the top of spool_file.go.
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

// flush brings what is written to the file, and once a second to the disk. A heartbeat (idle) brings it to the file at
// once, so that a reader of the spool does not lag behind an idle source.
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
