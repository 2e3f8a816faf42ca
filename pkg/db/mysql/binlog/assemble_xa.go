package binlog

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/go-mysql-org/go-mysql/replication"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
)

// A transaction of two phases (XA) is in the log twice: its rows in a group of their own, which ends when it is
// prepared, and its outcome in a later group, perhaps days later. Nobody sees the rows before the outcome. So the
// first group counts as rolled back, and at an XA COMMIT its rows are read again, from where they are in the log, as
// rows of the group that commits them. Nothing is kept for that on either end: it is the same after a restart, in a
// stream that begins between the two groups, and on a server that took the source's place.

// preparedGroup is where in the log the rows of a prepared transaction are. It is remembered only to save a search: if
// it is not known, findPrepared reads back through the files.
type preparedGroup struct {
	from    place
	changes bool // of routed tables
}

// xaName reads the transaction's name from an event that prepares it, in the form in which servers write it into
// statements, in lower case.
func xaName(body []byte) (name string, onePhase bool, err error) {
	r := logReader{data: body}
	onePhase = r.uint(1) != 0
	format, global, branch := int32(r.uint(4)), int(r.uint(4)), int(r.uint(4)) //nolint:gosec // 4 bytes each
	data := r.bytes(global + branch)
	if r.bad || global < 0 || branch < 0 {
		return "", false, errEvent
	}
	return fmt.Sprintf("x'%x',x'%x',%d", data[:global], data[global:], format), onePhase, nil
}

// prepare ends a group with XA PREPARE, or with a commit in one phase (XA COMMIT .. ONE PHASE), which is a commit like
// any other.
func (a *assembler) prepare(e *logEvent) error {
	name, onePhase, err := xaName(e.body)
	if err != nil {
		return err
	}
	if onePhase {
		return a.end(false)
	}
	g := preparedGroup{from: a.group.from, changes: a.group.changes > 0 || len(a.group.passed) > 0}
	if err := a.rollback(); err != nil {
		return err
	}
	if a.prepared == nil {
		a.prepared = map[string]preparedGroup{}
	}
	a.prepared[name] = g
	return nil
}

// outcome ends a prepared transaction. With a commit its rows are read again, unless it is known that it changed no
// routed table: such transactions are most of them on a server with many databases.
func (a *assembler) outcome(e *logEvent, name string, commit bool) error {
	g, known := a.prepared[name]
	delete(a.prepared, name)
	if !a.group.open {
		a.group = a.opened(e)
	}
	if !commit || known && !g.changes {
		return a.end(false)
	}
	a.group.begun = true
	err := error(nil)
	if !known {
		g.from, err = a.findPrepared(name)
	}
	if err == nil {
		err = a.replay(g.from, name)
	}
	if err != nil {
		return fmt.Errorf("read the rows of XA transaction %s: %w", name, err)
	}
	return a.end(false)
}

// errEnough ends the reading of events.
var errEnough = errors.New("enough")

// reread reads the log once more from an event on, over another connection, until handle returns an error; errEnough
// is none. The stream waits meanwhile, so changes keep their order.
func (a *assembler) reread(from place, handle func(e *logEvent, at place) error) error {
	r, err := newReader(a.ctx, Config{
		Dialer: a.cfg.Dialer, Flavor: a.cfg.Flavor, Tag: a.server,
		From: Position{File: from.file, Offset: from.offset, Server: a.server},
	})
	if err != nil {
		return err
	}
	defer func() { _ = r.wire.Close() }()
	stop := context.AfterFunc(a.ctx, r.wire.Abort)
	defer stop()
	if err := r.start(a.ctx); err != nil {
		return streamError(err)
	}
	at := place{file: from.file}
	for {
		e, err := r.next()
		if err != nil {
			return streamError(err)
		}
		if e.kind == replication.ROTATE_EVENT && len(e.body) >= 8 {
			at = place{string(e.body[8:]), binary.LittleEndian.Uint64(e.body)}
		} else {
			at = at.after(&e, a.mariadb)
		}
		// A server that was asked for an offset beyond 4 GiB begins with the file.
		if at.file == from.file && at.offset <= from.offset {
			continue
		}
		if err := handle(&e, at); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
	}
}

// isGroupStart tells the events that open a group. Each has one, also without GTIDs (then ANONYMOUS_GTID).
func isGroupStart(kind replication.EventType) bool {
	switch kind {
	case replication.GTID_EVENT, replication.ANONYMOUS_GTID_EVENT, replication.GTID_TAGGED_LOG_EVENT,
		replication.MARIADB_GTID_EVENT:
		return true
	default:
		return false
	}
}

// replay takes the rows of a prepared group, which begins at from, into the open group.
func (a *assembler) replay(from place, name string) error {
	groups := 0
	return a.reread(from, func(e *logEvent, at place) error {
		switch {
		case isGroupStart(e.kind):
			if groups++; groups > 1 {
				return fmt.Errorf("%w: %s is not prepared by the group at %s:%d", errEvent, name, from.file,
					from.offset)
			}
			return nil
		case e.kind == replication.XA_PREPARE_LOG_EVENT:
			if found, _, err := xaName(e.body); err != nil || found != name {
				return errors.Join(fmt.Errorf("%w: the group at %s:%d prepares %s", errEvent, from.file, from.offset,
					found), err)
			}
			return errEnough
		case at.file != from.file:
			return fmt.Errorf("%w: no end of the group at %s:%d", errEvent, from.file, from.offset)
		case e.kind == replication.TRANSACTION_PAYLOAD_EVENT:
			return a.payload(e)
		case e.artificial(), e.kind == replication.FORMAT_DESCRIPTION_EVENT, e.kind == replication.HEARTBEAT_EVENT,
			e.kind == replication.HEARTBEAT_LOG_EVENT_V2:
			return nil
		default:
			return a.change(e)
		}
	})
}

// findPrepared searches backwards, file by file, for the group that prepared a transaction: the last one of that name
// before the open group. Names may be used again once a transaction has ended, so an earlier one is another
// transaction. Each file must be read from its start, as events can only be walked forwards.
func (a *assembler) findPrepared(name string) (place, error) {
	files, err := a.logFiles()
	if err != nil {
		return place{}, err
	}
	for i := len(files) - 1; i >= 0; i-- {
		var found, begins place
		err := a.reread(place{files[i], 4}, func(e *logEvent, at place) error {
			switch {
			case at.file != files[i], at.file == a.group.from.file && at.offset > a.group.from.offset:
				return errEnough
			case isGroupStart(e.kind):
				begins = place{at.file, at.offset - uint64(e.size)}
			case e.kind == replication.XA_PREPARE_LOG_EVENT:
				if other, onePhase, err := xaName(e.body); err != nil || other == name && !onePhase {
					found = begins
					return err
				}
			}
			return nil
		})
		if err != nil {
			return place{}, err
		}
		if found.file != "" {
			return found, nil
		}
	}
	return place{}, fmt.Errorf("%w: it was prepared before the oldest log that the server keeps, %s",
		db.ErrPositionGone,
		strings.Join(files[:min(len(files), 1)], ""))
}

// logFiles lists the log's files up to that of the open group, oldest first.
func (a *assembler) logFiles() (files []string, err error) {
	w, err := a.cfg.Dialer.Dial(a.ctx, wire.Streaming)
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Close() }()
	rows, err := w.Query(a.ctx, "SHOW BINARY LOGS")
	if err != nil {
		return nil, wire.Classify(err)
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return nil, err
	}
	for _, row := range found {
		files = append(files, string(bytes.Clone(row[0])))
		if string(row[0]) == a.group.from.file {
			return files, nil
		}
	}
	return nil, fmt.Errorf("%w: log %s is purged", db.ErrPositionGone, a.group.from.file)
}
