package binlog

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/go-mysql-org/go-mysql/replication"
)

// advance sets at to the end of an event. Offsets in headers have 32 bits and wrap in files beyond 4 GiB, which a large
// transaction makes.
func (a *assembler) advance(e *logEvent) { a.at = a.at.after(e, a.mariadb) }

// after returns the end of an event that begins here.
func (p place) after(e *logEvent, mariadb bool) place {
	switch {
	case e.artificial():
	case e.next != 0:
		p.offset = extendOffset(p.offset, e.next)
	case mariadb && e.kind != replication.FORMAT_DESCRIPTION_EVENT && e.kind != replication.HEARTBEAT_EVENT:
		p.offset += uint64(e.size) // MariaDB 11.4 leaves the offset out within transactions
	}
	return p
}

// extendOffset finds the offset whose low 32 bits are given, at or after before. It assumes steps of less than 2 GiB.
// For example, after 0xFFFFFFF0 the low bits 0x00000010 mean 0x100000010.
func extendOffset(before uint64, low uint32) uint64 {
	offset := before&^(1<<32-1) | uint64(low)
	if offset+1<<31 < before {
		offset += 1 << 32
	}
	return max(offset, before)
}

// skipped tells whether an event is before the place that the stream starts from.
func (a *assembler) skipped(e *logEvent) bool {
	if a.at.file != "" && (a.at.file != a.floor.file || a.at.offset-uint64(e.size) >= a.floor.offset) {
		a.skip = false
		return false
	}
	return e.kind != replication.ROTATE_EVENT && e.kind != replication.FORMAT_DESCRIPTION_EVENT
}

// pass records how far the log has come, if that is between transactions. Within one the position must stay before it:
// a restart has to read the transaction from its begin.
func (a *assembler) pass(mark *streamMark) {
	if a.group.open || a.skip {
		return
	}
	if mark == nil {
		mark = &streamMark{sessions: true, temporary: a.queries.temporary}
	}
	a.place(mark)
	a.queue.pass(mark)
}

// place puts the file position into a mark, unless it is behind where the stream started: a server that seeks by GTID
// begins with a file that is older.
func (a *assembler) place(mark *streamMark) {
	if a.at.file == "" || a.seeks {
		return
	}
	if a.floor.file != "" {
		at, floor := Position{File: a.at.file, Offset: a.at.offset}, Position{
			File:   a.floor.file,
			Offset: a.floor.offset,
		}
		if done, err := reached(at, floor); err == nil && !done {
			return
		}
		a.floor.file = ""
	}
	mark.file, mark.offset = a.at.file, a.at.offset
}

// rotate goes on with another file: the body is the offset (8 bytes) and the file's name. An open transaction ends
// here, for servers never continue one in the next file.
func (a *assembler) rotate(e *logEvent) error {
	if len(e.body) < 8 {
		return errEvent
	}
	file, offset := string(e.body[8:]), binary.LittleEndian.Uint64(e.body)
	// The server repeats the place, for example at the start of each dump.
	if file == a.at.file && offset <= a.at.offset {
		return nil
	}
	if err := a.abandon(); err != nil {
		return err
	}
	a.at = place{file, offset}
	a.pass(nil)
	return nil
}

// format reads the format description, the first event of each file: version (2 bytes), server version (50), time of
// the server's start (4), header length (1), and then for each event type the length of its fixed part. The length of
// Table_map tells how long table numbers are.
func (a *assembler) format(e *logEvent) error {
	const lengths = 2 + 50 + 4 + 1 // version, server version, time, header length
	if len(e.body) < lengths+int(replication.TABLE_MAP_EVENT) {
		return errEvent
	}
	a.idSize = 6
	if e.body[lengths+int(replication.TABLE_MAP_EVENT)-1] == 6 { // before MySQL 5.1.4
		a.idSize = 4
	}
	if e.artificial() || e.next == 0 {
		return nil
	}
	if binary.LittleEndian.Uint32(e.body[2+50:]) != 0 { // the server was started: no session is older
		a.queries.temporary, a.queries.since = nil, 0
	}
	if err := a.abandon(); err != nil {
		return err
	}
	a.pass(nil)
	return nil
}

// abandon ends a transaction that the log does not finish: the source died while it wrote it, so it never committed.
// Its GTID does not count: the server may give it to another transaction.
func (a *assembler) abandon() error {
	if !a.group.open {
		return nil
	}
	a.group.hasRun = false
	return a.end(true)
}

// heartbeat moves the position on while the server has nothing to send: what was filtered out, or GTIDs that the
// position had already. Version 1 has the offset in 32 bits and the file name as its body.
func (a *assembler) heartbeat(e *logEvent) error {
	if a.group.open {
		return nil
	}
	var h replication.HeartbeatEvent
	h.Version = 1
	if e.kind == replication.HEARTBEAT_LOG_EVENT_V2 {
		h.Version = 2
	}
	if err := h.Decode(bytes.Clone(e.body)); err != nil {
		return fmt.Errorf("%w: %w", errEvent, err)
	}
	if h.Version == 1 {
		h.Offset = uint64(e.next)
		if h.Filename == a.at.file {
			h.Offset = extendOffset(a.at.offset, e.next)
		}
	}
	if h.Filename != a.at.file || h.Offset > a.at.offset {
		a.at = place{h.Filename, h.Offset}
	}
	a.seeks = false
	a.pass(nil)
	return nil
}
