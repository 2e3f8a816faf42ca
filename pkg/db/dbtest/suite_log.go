package dbtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// streamed is one transaction that a stream has returned, put together from its parts.
type streamed struct {
	changes []string
	ddl     *db.DDL
	parts   int
	after   db.Position
}

// changeText is a change as "table before after", with - for an image that there is not.
func changeText(c db.Change) string {
	text := c.Route.Source.Name().Table
	for _, row := range []db.Row{c.Before, c.After} {
		if row == nil {
			text += " -"
			continue
		}
		text += " " + show(row)
	}
	return text
}

func (b *bench) safe() db.Position {
	b.Helper()
	pos, err := b.src.SafePosition(b.ctx)
	require.NoError(b, err)
	require.False(b, pos.IsZero())
	return pos
}

func (b *bench) head() db.Position {
	b.Helper()
	pos, err := b.src.Head(b.ctx)
	require.NoError(b, err)
	return pos
}

// reached asks the source whether one position contains another: only its engine can read them.
func (b *bench) reached(at, goal db.Position) bool {
	b.Helper()
	reached, err := b.src.Reached(at, goal)
	require.NoError(b, err)
	return reached
}

// open opens the log after a position that the server still has.
func (b *bench) open(pos db.Position, routes ...*route.Route) db.Stream {
	b.Helper()
	require.NoError(b, b.src.Retained(b.ctx, pos))
	st, err := b.src.Stream(b.ctx, pos, routes, nil)
	require.NoError(b, err)
	b.Cleanup(func() { _ = st.Close() })
	return st
}

// drain reads the log after pos until it has reached its head, on a stream of its own.
func (b *bench) drain(pos db.Position, routes ...*route.Route) []streamed {
	b.Helper()
	st := b.open(pos, routes...)
	found := b.until(st, b.head())
	require.NoError(b, st.Close())
	return found
}

// until reads whole transactions until goal is reached, and checks what a stream promises of its position: within a
// transaction it stays before it, and it never reaches a goal before the transaction that belongs to it was returned.
// A position that runs ahead would be committed with too few rows.
func (b *bench) until(st db.Stream, goal db.Position) (found []streamed) {
	b.Helper()
	var open *streamed
	moved := time.Now()
	for open != nil || !b.reached(st.Position(), goal) {
		require.Less(b, time.Since(moved), patience, "the stream stands at %s and does not reach %s", st.Position(),
			goal)
		before := st.Position()
		part, err := st.Next(b.ctx, 50*time.Millisecond)
		require.NoError(b, err)
		if part != nil || st.Position() != before {
			moved = time.Now()
		}
		if part == nil {
			continue
		}
		if open == nil {
			open = &streamed{}
		} else if !part.End {
			assert.Equal(b, before, st.Position(), "within a transaction the position stays before it")
		}
		if !part.End {
			assert.False(b, b.reached(st.Position(), goal), "the position is ahead of a transaction that has not ended")
		}
		open.parts++
		for _, c := range part.Changes {
			open.changes = append(open.changes, changeText(c))
		}
		open.ddl = part.DDL
		if part.DDL != nil {
			assert.Empty(b, part.Changes)
			assert.True(b, part.End)
		}
		if part.End {
			open.after = st.Position()
			if !part.Rollback {
				found = append(found, *open)
			}
			open = nil
		}
	}
	return found
}

// changesOf returns the changes of transactions. An empty list is not nil, so that it equals the wanted one.
func changesOf(transactions []streamed) [][]string {
	out := [][]string{}
	for _, t := range transactions {
		out = append(out, t.changes)
	}
	return out
}

// testStream compares the changes of several transactions with what was written: the order within and between
// transactions, both images of updates, changed keys, and tables mixed in one transaction.
func testStream(b *bench) {
	r := b.create(items())
	spec, rows, _ := composite()
	other := b.create(spec)
	b.insert(spec.Name, rows[0])
	pos := b.safe()
	n := r.Source.Name()
	one, two, three := Values(1, "one", 10), Values(2, nil, nil), Values(3, "", 30)
	b.insert(n, one, two, three)
	moved := Values(4, "moved", 30)
	b.write(Write{Table: n, Before: one, After: Values(1, "uno", 10)}, Write{Table: n, Before: three, After: moved},
		Write{Table: spec.Name, Before: rows[0]}, Write{Table: n, Before: two})
	for _, row := range rows[1:] {
		b.insert(spec.Name, row)
	}
	want := [][]string{
		{"items - " + show(one), "items - " + show(two), "items - " + show(three)},
		{
			"items " + show(one) + " " + show(Values(1, "uno", 10)), "items " + show(three) + " " + show(moved),
			"composite " + show(rows[0]) + " -", "items " + show(two) + " -",
		},
	}
	for _, row := range rows[1:] {
		want = append(want, []string{"composite - " + show(row)})
	}
	assert.Equal(b, want, changesOf(b.drain(pos, r, other)))
}

// testResume opens the log at the position after each transaction: exactly the later ones must come. One too many
// would be applied twice, one too few would be lost. Positions are also compared with each other.
func testResume(b *bench) {
	r := b.create(items())
	pos := b.safe()
	var want [][]string
	for i := range 12 {
		row := Values(i, "v", nil)
		b.insert(r.Source.Name(), row)
		want = append(want, []string{"items - " + show(row)})
	}
	all := b.drain(pos, r)
	require.Equal(b, want, changesOf(all))
	for i, t := range all {
		assert.Equal(b, want[i+1:], changesOf(b.drain(t.after, r)), "after %s", t.after)
		assert.True(b, b.reached(t.after, pos))
		assert.True(b, b.reached(t.after, t.after))
		assert.False(b, b.reached(pos, t.after), "%s is before %s", pos, t.after)
	}
}

// testPassedOver has an idle log and changes of other tables. The position must move on over them: otherwise a table
// that rests would keep the source's log from being purged, and the drain of a cutover would never end.
func testPassedOver(b *bench) {
	r := b.create(items())
	other := keyless()
	b.create(other)
	pos := b.safe()
	st := b.open(pos, r)
	assert.Empty(b, b.until(st, b.head()), "an idle log")
	// The stream's consumer has other things to do, such as to commit what has waited long enough.
	began := time.Now()
	part, err := st.Next(b.ctx, 100*time.Millisecond)
	require.NoError(b, err)
	assert.Nil(b, part)
	assert.Less(b, time.Since(began), 20*time.Second, "Next waits no longer than asked")
	for i := range 5 {
		b.insert(other.Name, Values(i, nil))
	}
	assert.Empty(b, b.until(st, b.head()), "changes of other tables")
	assert.Empty(b, b.drain(st.Position(), r), "nor are they returned a second time")
	// A transaction may change routed tables and others. Only the former come, and it is still one transaction.
	mixed := Values(1, "mixed", nil)
	b.write(Write{Table: other.Name, After: Values(6, nil)}, Write{Table: r.Source.Name(), After: mixed},
		Write{Table: other.Name, After: Values(7, nil)})
	assert.Equal(b, [][]string{{"items - " + show(mixed)}}, changesOf(b.until(st, b.head())))
	ended, cancel := context.WithCancel(b.ctx)
	cancel()
	_, err = st.Next(ended, time.Minute)
	require.ErrorIs(b, err, context.Canceled)
}

// testLarge streams one transaction in several parts and gives up in the middle. The position must be before it, so
// that a restart gets it as a whole.
func testLarge(b *bench) {
	r := b.create(items())
	b.insert(r.Source.Name(), Values(-1, "before", nil))
	pos := b.safe()
	var rows []db.Row
	var want []string
	for i := range b.h.Large {
		row := Values(i, strings.Repeat("x", 100), i)
		rows, want = append(rows, row), append(want, "items - "+show(row))
	}
	b.insert(r.Source.Name(), rows...)
	after := Values(-2, "after", nil)
	b.insert(r.Source.Name(), after)

	// The first part is read and dropped, as by a process that is killed then.
	st := b.open(pos, r) // gives up in the middle
	var first *db.Part
	for deadline := time.Now().Add(patience); first == nil; {
		require.True(b, time.Now().Before(deadline))
		var err error
		first, err = st.Next(b.ctx, time.Second)
		require.NoError(b, err)
	}
	require.False(b, first.End, "%d rows come in several parts", b.h.Large)
	resume := st.Position()
	require.NoError(b, st.Close())

	found := b.drain(resume, r)
	require.Len(b, found, 2)
	assert.Greater(b, found[0].parts, 1)
	assert.Equal(b, want, found[0].changes)
	assert.Equal(b, []string{"items - " + show(after)}, found[1].changes)
}

// testRolledBack leaves nothing in the log of a transaction that was rolled back by its client.
func testRolledBack(b *bench) {
	r := b.create(items())
	pos := b.safe()
	tx, err := b.w.Begin(b.ctx)
	require.NoError(b, err)
	require.NoError(b, tx.Write(b.ctx, Write{Table: r.Source.Name(), After: Values(1, "gone", nil)}))
	require.NoError(b, tx.Rollback())
	b.insert(r.Source.Name(), Values(2, "stays", nil))
	assert.Equal(b, [][]string{{"items - " + show(Values(2, "stays", nil))}}, changesOf(b.drain(pos, r)))
	b.holds(b.src, &r.Source, Values(2, "stays", nil))
}

// testSafePosition reads positions and rows while others commit. What a read after the position misses must come in
// the stream after the position. The end of the log does not do: a transaction is logged before it can be seen, so a
// copy would miss it in the rows and in the stream.
func testSafePosition(b *bench) {
	const writers, each = 4, 60
	r := b.create(items())
	type sample struct {
		pos  db.Position
		seen map[string]bool
	}
	var samples []sample
	var group errgroup.Group
	var done sync.WaitGroup
	done.Add(writers)
	for w := range writers {
		group.Go(func() error {
			defer done.Done()
			for i := range each {
				if err := b.try(b.ctx, Write{Table: r.Source.Name(), After: Values(w*each+i, "x", nil)}); err != nil {
					return fmt.Errorf("insert: %w", err)
				}
			}
			return nil
		})
	}
	over := make(chan struct{})
	go func() { done.Wait(); close(over) }()
	for running := true; running; {
		select {
		case <-over:
			running = false
		default:
		}
		s := sample{pos: b.safe(), seen: map[string]bool{}}
		for _, row := range b.rows(b.src, &r.Source, db.Range{}) {
			s.seen[show(row)] = true
		}
		samples = append(samples, s)
	}
	require.NoError(b, group.Wait())
	all := map[string]bool{}
	for _, row := range b.rows(b.src, &r.Source, db.Range{}) {
		all[show(row)] = true
	}
	require.Len(b, all, writers*each)
	// About ten samples are looked at: each of them reads the log to its end.
	for i := 0; i < len(samples); i += max(1, len(samples)/10) {
		found := maps.Clone(samples[i].seen)
		for _, t := range b.drain(samples[i].pos, r) {
			for _, c := range t.changes {
				found[strings.TrimPrefix(c, "items - ")] = true
			}
		}
		missing := slices.DeleteFunc(slices.Collect(maps.Keys(all)), func(row string) bool { return found[row] })
		assert.Empty(b, missing, "rows that are neither visible at %s nor streamed after it", samples[i].pos)
	}
}

// testOpenTransaction commits a transaction after a position was read that had begun before it. It must come, by a
// stream that was open and by one that is opened at that position later.
func testOpenTransaction(b *bench) {
	r := b.create(items())
	n := r.Source.Name()
	open, err := b.w.Begin(b.ctx)
	require.NoError(b, err)
	late := Values(1, "late", nil)
	require.NoError(b, open.Write(b.ctx, Write{Table: n, After: late}))
	b.insert(n, Values(2, "early", nil))
	pos, head := b.safe(), b.head()
	b.holds(b.src, &r.Source, Values(2, "early", nil))
	st := b.open(pos, r)
	assert.Empty(b, b.until(st, head))
	require.NoError(b, open.Commit(b.ctx))
	// The commit came after the head was read, so the head before must not claim to contain it.
	assert.False(b, b.reached(head, b.head()), "the head moves on")
	assert.Equal(b, [][]string{{"items - " + show(late)}}, changesOf(b.until(st, b.head())),
		"by the stream that was open")
	assert.Equal(b, [][]string{{"items - " + show(late)}}, changesOf(b.drain(pos, r)), "by one that is opened later")
}

// testStreamDDL changes the schema of a routed table and of another one. The first must come in its place between the
// rows: rows before it have the old shape, rows after it the new one.
func testStreamDDL(b *bench) {
	r := b.create(items())
	other := keyless()
	b.create(other)
	pos := b.safe()
	require.NoError(b, b.w.AddColumn(b.ctx, other.Name, "added"))
	row := Values(1, "before", nil)
	b.insert(r.Source.Name(), row)
	require.NoError(b, b.w.AddColumn(b.ctx, r.Source.Name(), "added"))
	found := b.drain(pos, r)
	require.Len(b, found, 2, "the change and the schema change, not the one of another table")
	assert.Equal(b, []string{"items - " + show(row)}, found[0].changes)
	require.NotNil(b, found[1].ddl)
	assert.Contains(b, found[1].ddl.Statement, "added")
	assert.Equal(b, []schema.Name{r.Source.Name()}, found[1].ddl.Tables)
	assert.Empty(b, b.drain(found[1].after, r), "the schema change is returned once")

	// SchemaChanges is asked for tables of the move and others: a phase asks for tables that it is about to take in.
	for _, asked := range [][]schema.Name{{r.Source.Name()}, {r.Source.Name(), other.Name}, {other.Name}, nil} {
		changes, err := b.src.SchemaChanges(b.ctx, pos, b.head(), asked)
		require.NoError(b, err)
		var tables []schema.Name
		for _, d := range changes {
			assert.Contains(b, d.Statement, "added")
			tables = append(tables, d.Tables...)
		}
		assert.ElementsMatch(b, asked, tables)
	}
	changes, err := b.src.SchemaChanges(b.ctx, b.head(), b.head(), []schema.Name{r.Source.Name()})
	require.NoError(b, err)
	assert.Empty(b, changes, "up to the head, after it")
}

// testPurged removes the log that a position needs. That must be ErrPositionGone, by asking and by opening: any other
// error would be tried again for ever, and silence would lose changes.
func testPurged(b *bench) {
	if b.h.Purge == nil {
		b.Skip("this server's log must not be purged")
	}
	r := b.create(items())
	pos := b.safe()
	b.insert(r.Source.Name(), Values(1, "gone", nil))
	b.h.Purge(b.T)
	// Retained is asked before hours of copying are begun, so it must know without opening the log.
	require.ErrorIs(b, b.src.Retained(b.ctx, pos), db.ErrPositionGone)
	st, err := b.src.Stream(b.ctx, pos, []*route.Route{r}, nil)
	if err == nil {
		_, err = st.Next(b.ctx, time.Second)
	}
	require.ErrorIs(b, err, db.ErrPositionGone)
	pos = b.safe()
	b.insert(r.Source.Name(), Values(2, "there", nil))
	assert.Len(b, b.drain(pos, r), 1)
}
