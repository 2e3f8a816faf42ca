package dbtest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/canon"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// entry is one transaction of the log: changes or a schema change. The position after it is its number, from 1. What
// was removed by Truncate still counts, so a position means the same for ever.
type entry struct {
	changes    []logged
	ddl        *db.DDL
	effects    []schema.Effect // of the schema change
	rolledBack bool
	time       time.Time
}

// logged is a change of one row, with all the columns that the table had then: after a schema change the log still
// has rows of the old shape, as a real one does.
type logged struct {
	table         schema.Name
	before, after db.Row
	cascades      bool // foreign keys acted
}

// source is a server that rows are read from.
type source struct{ reader }

// Check returns the findings that Server.Find has added for the source.
func (s *source) Check(ctx context.Context, _ db.Plan) ([]db.Finding, error) {
	return s.s.check(ctx, "source")
}

// head is the number of transactions that were ever logged, those that Truncate removed included. s.mu is held.
func (s *Server) head() int { return s.first + len(s.log) }

// append logs a transaction. s.mu is held.
func (s *Server) append(e entry) {
	s.log = append(s.log, e)
	s.wake()
}

// position is the text of a place in the log, such as mem:42: after 42 transactions.
func position(n int) db.Position { return db.Position("mem:" + strconv.Itoa(n)) }

func parsePosition(pos db.Position) (int, error) {
	text, ok := strings.CutPrefix(string(pos), "mem:")
	n, err := strconv.Atoi(text)
	if !ok || err != nil || n < 0 {
		return 0, fmt.Errorf("invalid position %q", pos)
	}
	return n, nil
}

// SafePosition returns the end of the log: here a transaction is visible and logged at the same instant, so the end
// is safe. With a real server it is not.
func (s *source) SafePosition(ctx context.Context) (db.Position, error) {
	return s.end(ctx, "safe_position")
}

// Head returns the end of the log.
func (s *source) Head(ctx context.Context) (db.Position, error) { return s.end(ctx, "head") }

func (s *source) end(ctx context.Context, step string) (db.Position, error) {
	if err := s.s.enter(ctx, step); err != nil {
		return "", fmt.Errorf("read position: %w", err)
	}
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	return position(s.s.head()), nil
}

// Seen returns the end of the log.
func (s *source) Seen(ctx context.Context) (db.Position, error) { return s.end(ctx, "seen") }

// Continues tells whether the log reaches from the earliest position to the latest. Tests put another server in the
// source's place with it: one with a shorter log has lost transactions.
func (s *source) Continues(ctx context.Context, from db.Position, seen []db.Position) error {
	if err := s.Retained(ctx, from); err != nil {
		return err
	}
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	for _, pos := range seen {
		n, err := parsePosition(pos)
		if err != nil {
			return err
		}
		if n > s.s.head() {
			return fmt.Errorf("the log ends at mem:%d, before %s: %w", s.s.head(), pos, db.ErrLost)
		}
	}
	return nil
}

// AwaitPending does nothing: a server in memory has no primary.
func (s *source) AwaitPending(context.Context) error { return nil }

// Reached tells whether at is at or after goal.
func (s *source) Reached(at, goal db.Position) (bool, error) {
	a, err := parsePosition(at)
	if err != nil {
		return false, err
	}
	g, err := parsePosition(goal)
	return err == nil && a >= g, err
}

// Retained tells whether the log reaches back to pos.
func (s *source) Retained(ctx context.Context, pos db.Position) error {
	n, err := parsePosition(pos)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	return s.s.retained(n)
}

// retained tells whether the log has what follows a position. A position beyond the end is of another server, or of
// one that was restored: it counts as gone. s.mu is held.
func (s *Server) retained(n int) error {
	if n < s.first {
		return fmt.Errorf("read log after mem:%d: it begins after mem:%d: %w", n, s.first, db.ErrPositionGone)
	}
	if n > s.head() {
		return fmt.Errorf("read log after mem:%d: it ends at mem:%d: %w", n, s.head(), db.ErrPositionGone)
	}
	return nil
}

// Retention returns what Server.Retain set.
func (s *source) Retention(ctx context.Context) (time.Duration, error) {
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	return s.s.retention, context.Cause(ctx)
}

// Stream opens the log after pos.
func (s *source) Stream(ctx context.Context, pos db.Position, routes []*route.Route, since db.Since) (db.Stream,
	error,
) {
	if err := s.s.enter(ctx, "stream"); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	n, err := parsePosition(pos)
	if err != nil {
		return nil, err
	}
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	st := &stream{
		s: s.s, generation: s.s.generation, at: n, routes: map[schema.Name]*route.Route{},
		since: map[schema.Name]int{},
	}
	for _, r := range routes {
		st.routes[r.Source.Name()] = r
	}
	for r, pos := range since {
		if st.since[r.Source.Name()], err = parsePosition(pos); err != nil {
			return nil, err
		}
	}
	return st, s.s.retained(n)
}

// stream is an open log. It keeps no rows: each call finds its place by number, so that Truncate and Disconnect are
// noticed.
type stream struct {
	s          *Server
	generation int
	routes     map[schema.Name]*route.Route
	since      map[schema.Name]int
	at         int // transactions wholly returned or passed over
	done       int // changes returned of the one after
}

// Position returns the position after the last whole transaction.
func (st *stream) Position() db.Position { return position(st.at) }

// Close ends the stream.
func (st *stream) Close() error { return nil }

// Next returns the next part of a transaction, or nil.
func (st *stream) Next(ctx context.Context, wait time.Duration) (*db.Part, error) {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		if err := st.s.enter(ctx, "stream.next"); err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		part, changed, err := st.next()
		if part != nil || err != nil || wait <= 0 {
			return part, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-timeout.C:
			return nil, nil
		case <-changed:
		}
	}
}

// next returns the next part that is there, or what is closed when there may be more. Transactions in which nothing
// is routed are passed over at once, and the position moves over them.
func (st *stream) next() (*db.Part, <-chan struct{}, error) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	if err := st.s.alive(st.generation); err != nil {
		return nil, nil, err
	}
	if err := st.s.retained(st.at); err != nil {
		return nil, nil, err
	}
	for st.at < st.s.head() {
		e := st.s.log[st.at-st.s.first]
		part, err := st.part(e)
		if err != nil {
			return nil, nil, err
		}
		if part == nil || part.End {
			st.at, st.done = st.at+1, 0
		}
		if part != nil {
			return part, nil, nil
		}
	}
	return nil, st.s.changed, nil
}

// part returns the next part of a transaction, or nil when nothing in it is routed. A row with another number of
// columns than the route knows is CopyAgain, as a real engine says it when the log has rows of an older or newer
// definition.
func (st *stream) part(e entry) (*db.Part, error) {
	if e.ddl != nil {
		change := st.s.touching(e.ddl, func(n schema.Name) bool { return st.routes[n] != nil })
		if change == nil {
			return nil, nil
		}
		return &db.Part{DDL: change, End: true, Time: e.time}, nil
	}
	routed := slices.DeleteFunc(slices.Clone(e.changes), func(c logged) bool {
		return st.routes[c.table] == nil || st.at < st.since[c.table]
	})
	if len(routed) == 0 {
		return nil, nil
	}
	// Parts are small, so that phases meet transactions of several parts without writing thousands of rows.
	upto := min(st.done+partChanges, len(routed))
	part := &db.Part{End: upto == len(routed), Time: e.time}
	part.Rollback = part.End && e.rolledBack
	for _, c := range routed[st.done:upto] {
		change := db.Change{Route: st.routes[c.table], Cascades: c.cascades}
		rel := &change.Route.Source
		if n := max(len(c.before), len(c.after)); n != len(rel.Table.Columns) {
			why := fmt.Sprintf("read change of %s: %d columns in the log, %d in the route", c.table, n,
				len(rel.Table.Columns))
			return nil, &db.CopyAgain{Tables: []schema.Name{c.table}, Why: why}
		}
		reading, err := canon.NewReading(rel)
		if err != nil {
			return nil, err
		}
		for _, image := range []struct {
			of   db.Row
			into *db.Row
		}{{c.before, &change.Before}, {c.after, &change.After}} {
			if image.of == nil {
				continue
			}
			if *image.into, err = reading.Row(image.of.Pick(rel.Columns).Clone()); err != nil {
				return nil, err
			}
		}
		part.Bytes += change.Before.Size() + change.After.Size()
		part.Changes = append(part.Changes, change)
		if change.Cascades && part.Contained == nil {
			part.Contained = map[*route.Route]bool{}
			for name, since := range st.since {
				part.Contained[st.routes[name]] = st.at < since
			}
		}
	}
	st.done = upto
	return part, nil
}
