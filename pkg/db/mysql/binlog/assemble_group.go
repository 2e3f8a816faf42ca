package binlog

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/replication"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// previous keeps the list of all transactions before a file. A position that began as file and offset alone gets its
// GTIDs from it, at the first transaction of the file. An artificial one is made for this connection and may be
// shorter.
func (a *assembler) previous(e *logEvent) error {
	if !e.artificial() && !a.known && !a.group.open {
		var err error
		if a.mariadb {
			a.before, err = parseListEvent(e.body)
		} else {
			a.before, err = decodeGTIDSet(e.body)
		}
		if err != nil {
			return err
		}
	}
	a.pass(nil)
	return nil
}

// parseListEvent reads MariaDB's list at the start of a file: the number of entries with flags (4 bytes), and of each
// the domain (4), the server (4) and the sequence number (8).
func parseListEvent(body []byte) (GTIDs, error) {
	r := logReader{data: body}
	list := GTIDList{}
	for n := r.uint(4) & (1<<28 - 1); n > 0 && !r.bad; n-- { // the upper bits are flags
		run := GTIDRun{Domain: uint32(r.uint(4)), Server: uint32(r.uint(4)), First: r.uint(8)}
		run.Last = run.First
		list.Add(run) // the newest of a domain comes last
	}
	if r.bad {
		return nil, errEvent
	}
	return list, nil
}

// Flags of a MariaDB GTID event (sql/log_event.h, Gtid_log_event).
const (
	mariaStandalone  = 1
	mariaGroupCommit = 2
	mariaPreparedXA  = 64
	mariaCompletedXA = 128
	// Of the second byte of flags: the begin of a two-phase ALTER TABLE (binlog_alter_two_phase), its end, and its
	// being given up.
	mariaAlterBegun     = 2
	mariaAlterCommitted = 4
	mariaAlterGivenUp   = 8
	mariaAlterUndone    = mariaAlterBegun | mariaAlterGivenUp
)

// begin opens a group with its GTID, or without. A group that is still open then never ended: see abandon. A MySQL GTID
// event is: flags (1 byte), server's UUID (16), number (8), and since 5.7 the logical timestamps (1+16) and since 8.0.1
// the commit time in microseconds (7 bytes, of which the highest bit tells that a second time follows).
func (a *assembler) begin(e *logEvent) error {
	if err := a.abandon(); err != nil {
		return err
	}
	g := a.opened(e)
	r := logReader{data: e.body}
	switch e.kind {
	case replication.MARIADB_GTID_EVENT:
		g.run.First, g.run.Domain = r.uint(8), uint32(r.uint(4)) //nolint:gosec // 4 bytes
		g.run.Last, g.run.Server, g.hasRun = g.run.First, e.server, true
		flags := r.uint(1)
		g.begun = flags&mariaStandalone == 0
		if !r.bad {
			g.alter = mariaExtra(r, flags)
		}
	case replication.GTID_TAGGED_LOG_EVENT:
		var event replication.GtidTaggedLogEvent
		if err := event.Decode(bytes.Clone(e.body)); err != nil {
			return fmt.Errorf("%w: %w", errEvent, err)
		}
		copy(g.run.uuid[:], event.SID)
		g.run.tag, g.run.First, g.hasRun = event.Tag.String(), uint64(event.GNO), true //nolint:gosec // positive
		g.run.Last = g.run.First
		if event.ImmediateCommitTimestamp != 0 {
			g.time = time.UnixMicro(int64(event.ImmediateCommitTimestamp)) //nolint:gosec // 55 bits
		}
	default:
		r.bytes(1) // flags
		copy(g.run.uuid[:], r.bytes(16))
		g.run.First = r.uint(8)
		g.run.Last, g.hasRun = g.run.First, e.kind == replication.GTID_EVENT
		g.anonymous = !g.hasRun
		bad := r.bad
		if r.uint(1) == replication.LogicalTimestampTypeCode {
			r.bytes(16) // last committed, sequence number
			if micros := r.uint(7) &^ (1 << 55); micros != 0 && !r.bad {
				g.time = time.UnixMicro(int64(micros)) //nolint:gosec // 55 bits
			}
		}
		r.bad = bad
	}
	if r.bad {
		return errEvent
	}
	a.group = g
	return nil
}

// opened returns a group whose first event is e.
func (a *assembler) opened(e *logEvent) group {
	return group{open: true, time: time.Unix(int64(e.when), 0), from: place{a.at.file, a.at.offset - uint64(e.size)}}
}

// mariaExtra finds the second byte of flags, which lies behind fields of varying presence. Servers that have none
// write zeros there, or end.
func mariaExtra(r logReader, flags uint64) uint64 {
	if flags&mariaGroupCommit != 0 {
		r.bytes(8)
	}
	if flags&(mariaPreparedXA|mariaCompletedXA) != 0 {
		r.bytes(4)
		r.bytes(int(r.uint(1) + r.uint(1))) //nolint:gosec // two bytes
	}
	return r.uint(1)
}

// end closes the group: its last part goes out, or only the position moves. A group that was rolled back and of which
// no part was handed over leaves nothing; otherwise the consumer must be told to undo what it has applied of it.
func (a *assembler) end(rolledBack bool) error {
	g := a.group
	a.group, a.seeks = group{}, false
	a.maps = a.maps[:0]
	part := a.part
	a.part = nil
	mark := a.endMark(&g)
	if rolledBack && !g.sent {
		part = nil
	}
	if part == nil && !g.sent {
		a.pass(mark)
		return nil
	}
	if part == nil {
		part = &db.Part{Time: g.time}
	}
	part.End, part.Rollback = true, rolledBack
	if rolledBack {
		part.Changes = nil
	}
	a.place(mark)
	return a.queue.push(a.ctx, part, mark)
}

// endMark returns how the position moves at the end of a group. GTIDs are only added to a set that is whole: {A:5}
// alone would claim that 1 to 4 are missing. So a position without GTIDs gets the list before the file first
// (replace, set). Transactions without a GTID, on a server where gtid_mode is being turned off, make the set useless:
// it is given up.
func (a *assembler) endMark(g *group) *streamMark {
	mark := &streamMark{run: g.run, hasRun: g.hasRun, sessions: true, temporary: a.queries.temporary}
	switch {
	case g.hasRun && !a.known && a.before != nil:
		mark.replace, mark.set = true, a.before
		a.known, a.before = true, nil
	case !g.hasRun && g.open && g.anonymous && a.known: // GTIDs are off: they no longer tell where we are
		mark.replace, a.known = true, false
	}
	if g.anonymous {
		a.before = nil
	}
	return mark
}

// flush hands the part over while its transaction goes on. It has no mark: the position stays before the transaction.
func (a *assembler) flush() error {
	part := a.part
	a.part = nil
	a.group.sent = true
	return a.queue.push(a.ctx, part, nil)
}

// query takes a statement: one that begins or ends a transaction, a schema change, or a change of rows in statement
// format.
func (a *assembler) query(e *logEvent) error {
	q, err := parseQueryEvent(e)
	if err != nil {
		return err
	}
	switch verb, name := q.control(); verb {
	case controlBegin:
		if !a.group.open {
			a.group = a.opened(e)
		}
		a.group.begun = true
		return nil
	case controlCommit:
		return a.end(false)
	case controlCommitPrepared, controlRollbackPrepared:
		return a.outcome(e, name, verb == controlCommitPrepared)
	case controlRollback:
		return a.rollback()
	case controlSavepoint:
		if a.group.savepoints == nil {
			a.group.savepoints = map[string]int{}
		}
		a.group.savepoints[name] = a.group.changes
		return nil
	case controlRollbackTo:
		if before, known := a.group.savepoints[name]; a.group.changes > 0 && (!known || before != a.group.changes) {
			return fmt.Errorf("%w: ROLLBACK TO SAVEPOINT after changes to routed tables", db.ErrUnsupported)
		}
		return nil
	case controlPass:
		return nil
	default:
		return a.statement(e, q)
	}
}

// statement takes a statement that does not bound a transaction. A statement of no consequence for the move's tables
// still ends its group, unless BEGIN came before it: DDL commits by itself.
func (a *assembler) statement(e *logEvent, q *queryEvent) error {
	if a.queries.byText(q) {
		if err := q.decode(a.ctx, a.texts); err != nil {
			return err
		}
	}
	v := a.queries.classify(q)
	if v.unsupported != "" {
		return fmt.Errorf("%w: %s: %s", db.ErrUnsupported, v.unsupported, queryExcerpt(q.statement))
	}
	if a.cfg.Schema == nil {
		if err := errors.Join(a.statementRows(v.rows, q), a.doubtful(v, q)); err != nil {
			return err
		}
	}
	if (len(v.tables) > 0 || v.database != "") && a.group.alter&mariaAlterUndone == 0 {
		return a.schemaChange(e, q, &v)
	}
	switch {
	case a.group.begun:
	case queryStartsTransaction(q.statement): // CREATE TABLE .. SELECT of MySQL 8.0.21: rows and a commit follow
		if !a.group.open {
			a.group = a.opened(e)
		}
		a.group.begun = true
	default:
		return a.end(false)
	}
	return nil
}

// statementRows refuses rows that were changed in statement format, apart from those of tables that were copied since.
// The statement may do something else on the target: UPDATE t SET a = RAND() LIMIT 10, for example.
func (a *assembler) statementRows(tables []schema.Name, q *queryEvent) error {
	changed, err := a.notContained(tables)
	if err != nil || len(changed) == 0 {
		return err
	}
	return &db.CopyAgain{
		Tables: changed,
		Why: fmt.Sprintf("rows of %s changed in statement format, which cannot be carried exactly: %s; "+
			"set binlog_format to ROW for every session of the source, then copy it again: wherry init-copy --table %s",
			changed[0], queryExcerpt(q.statement), changed[0]),
	}
}

// doubtful refuses a statement of which it is unknown whether it changed tables, apart from those that were copied
// since.
func (a *assembler) doubtful(v queryVerdict, q *queryEvent) error {
	tables, err := a.notContained(v.doubt)
	if err != nil || len(tables) == 0 {
		return err
	}
	return &db.CopyAgain{
		Tables: tables,
		Why: fmt.Sprintf("it cannot be told what became of %s, because %s: %s; copy it again: wherry init-copy "+
			"--table %s",
			tables[0], v.why, queryExcerpt(q.statement), tables[0]),
	}
}

// notContained returns those of the tables whose rows do not hold the open group already.
func (a *assembler) notContained(tables []schema.Name) (open []schema.Name, err error) {
	for _, t := range tables {
		passed, err := a.passed(a.routes[t.Database+"\x00"+t.Table])
		if err != nil {
			return nil, err
		}
		if !passed {
			open = append(open, t)
		}
	}
	return open, nil
}

// schemaChange hands over a schema change. The rows of CREATE TABLE .. SELECT follow in the same group.
func (a *assembler) schemaChange(e *logEvent, q *queryEvent, v *queryVerdict) error {
	if !a.group.open {
		a.group = a.opened(e)
	}
	part := &db.Part{DDL: q.change(e.when, a.queries.flavor, v), Time: a.group.time, Bytes: 256 + len(q.statement)}
	a.part = part
	switch {
	case !a.group.begun && !queryStartsTransaction(q.statement):
		return a.end(false)
	case a.group.changes > 0 || a.group.sent:
		a.part = nil
		return fmt.Errorf("%w: a schema change after rows in one transaction: %s",
			db.ErrUnsupported, queryExcerpt(q.statement))
	default:
		a.group.begun = true
		return a.flush()
	}
}

// rollback ends a group that was rolled back. A source logs such a group only if it changed a table without
// transactions: those changes stay, and cannot be told from the ones that were undone.
func (a *assembler) rollback() error {
	if a.group.permanent != "" {
		return fmt.Errorf("%w: ROLLBACK of a transaction that changed %s, which has no transactions",
			db.ErrUnsupported, a.group.permanent)
	}
	return a.end(true)
}

// queryStartsTransaction tells a CREATE TABLE .. SELECT as MySQL logs it since 8.0.21: CREATE TABLE t (..) START
// TRANSACTION, whose rows and commit follow.
func queryStartsTransaction(statement string) bool {
	return strings.HasSuffix(strings.TrimRight(statement, " \t\r\n;"), "START TRANSACTION")
}
