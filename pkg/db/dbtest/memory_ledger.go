package dbtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// books is the bookkeeping of one move. Records are kept as text, so that encoding and decoding are tested too.
type books struct {
	facts   map[string]string
	chunks  map[schema.Name][]db.Chunk
	records map[schema.Name]string // encoded
	owned   db.Owned               // the tables that are the move's
	listed  bool                   // Own was called
}

// amend puts records and removes others. renew forgets the chunks of tables that are to be copied.
func (b *books) amend(put []db.Record, gone []schema.Name, renew bool) error {
	for _, name := range gone {
		delete(b.records, name)
		delete(b.chunks, name)
	}
	for _, r := range put {
		text, err := db.EncodeRecord(r)
		if err != nil {
			return err
		}
		if b.records[r.Source] = text; r.Copy && renew {
			delete(b.chunks, r.Source)
		}
	}
	return nil
}

func (b *books) chunk(table schema.Name, number int) *db.Chunk {
	for i := range b.chunks[table] {
		if b.chunks[table][i].Number == number {
			return &b.chunks[table][i]
		}
	}
	return nil
}

func (b *books) sealed() bool { return b.facts[db.FactCutover] != "" }

// ledger is a move's bookkeeping, as a move sees it.
type ledger struct {
	s    *Server
	move string
}

// Create makes the bookkeeping.
func (l *ledger) Create(ctx context.Context) error {
	return l.do(ctx, "ledger.create", func(b *books) error {
		if b == nil {
			l.s.ledgers[l.move] = &books{
				facts: map[string]string{}, chunks: map[schema.Name][]db.Chunk{},
				records: map[schema.Name]string{}, owned: db.Owned{},
			}
		}
		return nil
	})
}

// Get returns a fact, or "".
func (l *ledger) Get(ctx context.Context, name string) (value string, err error) {
	err = l.do(ctx, "ledger.get", func(b *books) error {
		if b != nil {
			value = b.facts[name]
		}
		return nil
	})
	return value, err
}

// Put sets a fact. A sealed ledger takes no position: that would let an applier go on after the takeover.
func (l *ledger) Put(ctx context.Context, name, value string) error {
	return l.write(ctx, "ledger.put", func(b *books) error {
		if name == db.FactPosition && b.sealed() {
			return db.ErrSealed
		}
		b.facts[name] = value
		return nil
	})
}

// Begin records where the copy begins, once: of two that begin the first wins, and both get its start.
func (l *ledger) Begin(ctx context.Context, start db.Position) (recorded db.Position, err error) {
	err = l.write(ctx, "ledger.begin", func(b *books) error {
		if b.facts[db.FactStart] == "" {
			b.facts[db.FactStart], b.facts[db.FactPosition] = string(start), string(start)
		}
		recorded = db.Position(b.facts[db.FactStart])
		return nil
	})
	return recorded, err
}

// Chunks returns the chunks of a table in order. Bounds are copied: a caller that changes one must not change the
// record.
func (l *ledger) Chunks(ctx context.Context, table schema.Name) (chunks []db.Chunk, err error) {
	err = l.do(ctx, "ledger.chunks", func(b *books) error {
		if b == nil {
			return errors.New("no bookkeeping")
		}
		for _, c := range b.chunks[table] {
			c.Range = db.Range{After: c.Range.After.Clone(), Upto: c.Range.Upto.Clone()}
			chunks = append(chunks, c)
		}
		return nil
	})
	return chunks, err
}

// Begun tells which tables have chunks.
func (l *ledger) Begun(ctx context.Context) (begun func(schema.Name) bool, err error) {
	err = l.do(ctx, "ledger.begun", func(b *books) error {
		if b == nil {
			return errors.New("no bookkeeping")
		}
		tables := map[schema.Name]bool{}
		for name, chunks := range b.chunks {
			tables[name] = len(chunks) > 0
		}
		begun = func(n schema.Name) bool { return tables[n] }
		return nil
	})
	return begun, err
}

// Plan records a chunk of each table. Recording the same number a second time changes nothing, also when the bounds
// differ: what was loaded was loaded by the first.
func (l *ledger) Plan(ctx context.Context, c db.Chunk, tables ...schema.Name) error {
	return l.write(ctx, "ledger.plan", func(b *books) error {
		c.Done, c.Rows, c.Position, c.Seen = false, 0, "", ""
		for _, table := range tables {
			if b.chunk(table, c.Number) != nil {
				continue
			}
			c.Range = db.Range{After: c.Range.After.Clone(), Upto: c.Range.Upto.Clone()}
			b.chunks[table] = append(b.chunks[table], c)
			slices.SortFunc(b.chunks[table], func(x, y db.Chunk) int { return cmp.Compare(x.Number, y.Number) })
		}
		return nil
	})
}

// Records returns the tables of the move, in the order of their sources' names.
func (l *ledger) Records(ctx context.Context) (records []db.Record, err error) {
	err = l.do(ctx, "ledger.records", func(b *books) error {
		if b == nil {
			return nil
		}
		for _, name := range slices.SortedFunc(maps.Keys(b.records), func(x, y schema.Name) int {
			return cmp.Compare(x.String(), y.String())
		}) {
			record, err := db.DecodeRecord(b.records[name])
			if err != nil {
				return err
			}
			records = append(records, record)
		}
		return nil
	})
	return records, err
}

// Amend puts records and takes others away.
func (l *ledger) Amend(ctx context.Context, put []db.Record, gone []schema.Name) error {
	return l.write(ctx, "ledger.amend", func(b *books) error { return b.amend(put, gone, true) })
}

// Owned returns the tables that are the move's; nil as long as Own was not called, as with bookkeeping of an earlier
// version.
func (l *ledger) Owned(ctx context.Context) (owned db.Owned, err error) {
	err = l.do(ctx, "ledger.owned", func(b *books) error {
		if b != nil && b.listed {
			owned = maps.Clone(b.owned)
		}
		return nil
	})
	return owned, err
}

// Own records tables as the move's and removes others. With nil and nil it changes nothing, and does not begin the
// list.
func (l *ledger) Own(ctx context.Context, put db.Owned, gone []schema.Name) error {
	return l.write(ctx, "ledger.own", func(b *books) error {
		for _, n := range gone {
			delete(b.owned, n)
		}
		maps.Copy(b.owned, put)
		b.listed = b.listed || put != nil || gone != nil
		return nil
	})
}

// Seal records the takeover and turns the position into the final one. FactReturn is the end of this server's own
// log: all that appliers committed here is before it.
func (l *ledger) Seal(ctx context.Context, record string) (final db.Position, err error) {
	err = l.write(ctx, "ledger.seal", func(b *books) error {
		if b.sealed() {
			final = db.Position(b.facts[db.FactFinal])
			return nil
		}
		pos := b.facts[db.FactPosition]
		if pos == "" {
			return errors.New("no position on the target")
		}
		delete(b.facts, db.FactPosition)
		b.facts[db.FactFinal], b.facts[db.FactCutover] = pos, record
		b.facts[db.FactReturn] = position(l.s.head()).String()
		final = db.Position(pos)
		return nil
	})
	return final, err
}

// Drop removes the bookkeeping.
func (l *ledger) Drop(ctx context.Context) error {
	return l.do(ctx, "ledger.drop", func(*books) error {
		delete(l.s.ledgers, l.move)
		return nil
	})
}

// write changes bookkeeping that must be there. A fence on this server, as on the way back, stops it too.
func (l *ledger) write(ctx context.Context, step string, f func(b *books) error) error {
	return l.do(ctx, step, func(b *books) error {
		switch {
		case b == nil:
			return errors.New("no bookkeeping")
		case l.s.readOnly && !l.s.leaky:
			return errReadOnly
		}
		return f(b)
	})
}

// do runs f with the move's bookkeeping, nil when there is none, with the lock held. The step's ".after" follows when
// f has succeeded.
func (l *ledger) do(ctx context.Context, step string, f func(b *books) error) error {
	err := l.s.enter(ctx, step)
	if err == nil {
		l.s.mu.Lock()
		err = f(l.s.ledgers[l.move])
		l.s.mu.Unlock()
	}
	if err == nil {
		err = l.s.step(step + ".after")
	}
	if err != nil {
		return fmt.Errorf("%s of move %s: %w", step, l.move, err)
	}
	return nil
}
