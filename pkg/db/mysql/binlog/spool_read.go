package binlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"

	"wherry/pkg/db"
)

// errSpoolEnd ends a stream that is read from a spool: the source has what follows.
var errSpoolEnd = errors.New("the spool is read to its end")

// spooled is a stream that reads a spool first, and then goes on with the source's own log, from the end of the last
// transaction that is whole in the spool. A transaction of which the spool has only the begin is rolled back, and read
// as a whole from the source.
type spooled struct {
	db.Stream
	over func(ctx context.Context, pos db.Position) (db.Stream, error) // nil once it is called
}

// Next implements db.Stream. The server is connected to only when the spool is at its end: reading a spool may take
// hours, in which an idle connection would be lost.
func (s *spooled) Next(ctx context.Context, wait time.Duration) (*db.Part, error) {
	part, err := s.Stream.Next(ctx, wait)
	if s.over == nil || !errors.Is(err, errSpoolEnd) {
		return part, err
	}
	next, err := s.over(ctx, s.Position())
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, errors.Join(err, next.Close())
	}
	s.Stream, s.over = next, nil
	return s.Stream.Next(ctx, wait)
}

// openSpooled opens the log from the spool, or returns nil when that does not have the position, or nothing behind it.
func openSpooled(ctx context.Context, cfg Config) (db.Stream, error) {
	files, err := spoolFiles(cfg.SpoolDir)
	if err != nil {
		return nil, err
	}
	at := spoolIndex(files, cfg.From, cfg.Tag)
	if at < 0 {
		return nil, nil
	}
	if last := at == len(files)-1; last && cfg.byFile() {
		if end, _, err := files[at].end(); err != nil || end <= cfg.From.Offset {
			return nil, err
		}
	}
	st := &stream{queue: newStreamQueue(cfg.From, cfg.Tag, streamParts*cfg.part()), done: make(chan struct{})}
	reading, cancel := context.WithCancelCause(ctx)
	st.cancel = cancel
	go st.runSpool(reading, &cfg, files[at:])
	return &spooled{Stream: st, over: func(ctx context.Context, pos db.Position) (db.Stream, error) {
		follow := cfg
		var err error
		if follow.From, err = ParsePosition(pos); err != nil {
			return nil, err
		}
		return openStream(ctx, follow)
	}}, nil
}

// runSpool decodes files of a spool to their end.
func (s *stream) runSpool(ctx context.Context, cfg *Config, files []spoolFile) {
	defer close(s.done)
	a := newAssembler(ctx, cfg, s.queue)
	defer a.close()
	err := readSpool(ctx, a, cfg, files)
	if err == nil {
		err = a.cut()
	}
	if err == nil {
		err = errSpoolEnd
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	s.queue.fail(fmt.Errorf("read the spool of %s: %w", cfg.Dialer.Address, err))
}

// readSpool hands the events of all files to the assembler, until one is not whole.
func readSpool(ctx context.Context, a *assembler, cfg *Config, files []spoolFile) error {
	a.skip = false
	r := &binlogReader{cfg: cfg, checksum: true}
	d := &spoolDrop{have: cfg.From.GTIDs, byGTID: !cfg.byFile()}
	for i := range files {
		from := uint64(4)
		if i == 0 && !d.byGTID {
			from = cfg.From.Offset
		}
		whole, err := files[i].feed(ctx, a, r, d, from)
		if err != nil {
			return err
		}
		if !whole {
			return nil
		}
	}
	return nil
}

// feed hands the events of a file from an offset on to the assembler. whole tells that the file was read to the
// rotation that ends it, so that the next one follows.
func (f *spoolFile) feed(
	ctx context.Context, a *assembler, r *binlogReader, d *spoolDrop, from uint64,
) (whole bool, err error) {
	file, err := f.open()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	// A server begins a dump with an artificial rotation that names the file and the offset: so the assembler learns
	// where it is in the same way.
	begin := logEvent{kind: replication.ROTATE_EVENT, flags: replication.LOG_EVENT_ARTIFICIAL_F}
	begin.body = append(binary.LittleEndian.AppendUint64(nil, from), f.head.File...)
	if err := a.handle(&begin); err != nil {
		return false, err
	}
	for ctx.Err() == nil {
		data, end, err := file.next()
		// without a rotation: the source died then, or the file is still being written
		if errors.Is(err, errSpoolTorn) {
			return file.complete()
		}
		if err != nil {
			return false, err
		}
		event, ok := parseEventHeader(data)
		if !ok {
			return false, errEvent
		}
		if err := r.verify(&event, data); err != nil {
			return false, err
		}
		switch {
		case event.kind == replication.FORMAT_DESCRIPTION_EVENT && from > 4:
			event.flags |= replication.LOG_EVENT_ARTIFICIAL_F // it says how to read what follows, not where
		case end <= from && event.kind != replication.FORMAT_DESCRIPTION_EVENT:
			continue
		case event.kind == replication.ROTATE_EVENT:
			return true, nil
		}
		if d.drops(&event) {
			continue
		}
		if err := a.handle(&event); err != nil {
			return false, fmt.Errorf("at %s:%d: %w", a.at.file, a.at.offset, err)
		}
	}
	return false, context.Cause(ctx)
}

// spoolDrop passes over transactions that a position given by GTIDs alone has, as a server does.
type spoolDrop struct {
	have   GTIDs
	byGTID bool
	drop   bool
	passed map[uint32]bool // domains of MariaDB of which the position's transaction was seen
}

// drops tells whether an event belongs to a transaction that the position has. Events that stand between transactions
// are never dropped.
func (d *spoolDrop) drops(e *logEvent) bool {
	if !d.byGTID {
		return false
	}
	switch e.kind {
	case replication.GTID_EVENT, replication.GTID_TAGGED_LOG_EVENT:
		d.drop = false
		if run, ok := gtidOf(e); ok {
			one := NewGTIDSet()
			one.Add(run)
			d.drop, _ = d.have.Contains(one)
		}
	case replication.MARIADB_GTID_EVENT:
		d.drop = d.before(e)
	case replication.MARIADB_GTID_LIST_EVENT:
		d.drop = false
		d.begin(e)
	case replication.ANONYMOUS_GTID_EVENT, replication.FORMAT_DESCRIPTION_EVENT, replication.PREVIOUS_GTIDS_EVENT,
		replication.MARIADB_BINLOG_CHECKPOINT_EVENT, replication.MARIADB_START_ENCRYPTION_EVENT,
		replication.STOP_EVENT:
		d.drop = false
	default: // belongs to the transaction that is open
	}
	return d.drop
}

// before tells whether MariaDB's log has come to the position in the domain of a transaction. The order of the log
// counts, not the number: a server that is not in gtid_strict_mode may log a lower number behind the position. A higher
// number is behind it all the same, should the position's own transaction not be in this log.
func (d *spoolDrop) before(e *logEvent) bool {
	r := logReader{data: e.body}
	number, domain := r.uint(8), uint32(r.uint(4)) //nolint:gosec // 4 bytes
	list, _ := d.have.(GTIDList)
	last, known := list[domain]
	if r.bad || !known || d.passed[domain] {
		return false
	}
	if number >= last.Last {
		d.pass(domain)
	}
	return number <= last.Last
}

// begin reads what a file of MariaDB's says about the files before it: the last transactions of every domain, one for
// each server that wrote to it. Where the position's is among them as the newest, the file follows the position.
func (d *spoolDrop) begin(e *logEvent) {
	list, _ := d.have.(GTIDList)
	r := logReader{data: e.body}
	newest := map[uint32]uint64{}
	for range r.uint(4) & (1<<28 - 1) { // the other four bits are flags
		domain := uint32(r.uint(4)) //nolint:gosec // 4 bytes
		r.uint(4)                   // the server
		number := r.uint(8)
		if r.bad {
			return
		}
		newest[domain] = max(newest[domain], number)
	}
	for domain, number := range newest {
		if last, known := list[domain]; known && last.Last == number {
			d.pass(domain)
		}
	}
}

func (d *spoolDrop) pass(domain uint32) {
	if d.passed == nil {
		d.passed = map[uint32]bool{}
	}
	d.passed[domain] = true
}

// gtidOf reads the GTID of an event of MySQL's that has one.
func gtidOf(e *logEvent) (run GTIDRun, ok bool) {
	if e.kind == replication.GTID_TAGGED_LOG_EVENT {
		var event replication.GtidTaggedLogEvent
		if err := event.Decode(slices.Clone(e.body)); err != nil {
			return run, false
		}
		copy(run.uuid[:], event.SID)
		run.tag, run.First = event.Tag.String(), uint64(event.GNO) //nolint:gosec // positive
	} else {
		r := logReader{data: e.body}
		r.bytes(1) // flags
		copy(run.uuid[:], r.bytes(16))
		if run.First = r.uint(8); r.bad {
			return run, false
		}
	}
	run.Last = run.First
	return run, true
}

// cut drops a transaction that is not whole in the spool. Parts of it that were handed over are rolled back. The
// position stays before it: the source has it whole.
func (a *assembler) cut() error {
	sent, part := a.group.sent, &db.Part{Time: a.group.time, End: true, Rollback: true}
	a.group, a.part = group{}, nil
	if !sent {
		return nil
	}
	return a.queue.push(a.ctx, part, &streamMark{})
}
