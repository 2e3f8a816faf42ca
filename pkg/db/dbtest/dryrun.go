package dbtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

var errDry = errors.New("a dry run writes nothing")

// DryRun wraps a target so that nothing is written to it: statements go to w, each ended by a semicolon, and what would
// be recorded goes there as comments. Records can be read back from the wrapper; tables and rows are the target's own.
// Load, Repair, Seal, Drop and NewApplier are errors.
func DryRun(t db.Target, w io.Writer) db.Target {
	return &dryTarget{Target: t, ledger: &dryLedger{Ledger: t.Ledger(), w: w, facts: map[string]string{}, planned: map[schema.Name][]db.Chunk{}}}
}

type dryTarget struct {
	db.Target
	ledger *dryLedger
}

func (t *dryTarget) Execute(_ context.Context, statement string) error {
	return t.ledger.print("%s;\n", statement)
}

func (t *dryTarget) Ledger() db.Ledger { return t.ledger }

func (t *dryTarget) Load(context.Context, db.RowReader, *route.Route, db.Chunk) (db.Loaded, error) {
	return db.Loaded{}, errDry
}

func (t *dryTarget) Repair(context.Context, *db.Batch) error { return errDry }

func (t *dryTarget) NewApplier(context.Context, db.ApplyOptions) (db.Applier, error) {
	return nil, errDry
}

// dryLedger keeps in memory what it would record, over what is recorded.
type dryLedger struct {
	db.Ledger
	mu      sync.Mutex
	w       io.Writer
	facts   map[string]string
	planned map[schema.Name][]db.Chunk
}

func (l *dryLedger) print(format string, args ...any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := fmt.Fprintf(l.w, format, args...)
	return err
}

func (l *dryLedger) Create(context.Context) error { return l.print("-- create the bookkeeping\n") }

func (l *dryLedger) Get(ctx context.Context, name string) (string, error) {
	l.mu.Lock()
	value, ok := l.facts[name]
	l.mu.Unlock()
	if ok {
		return value, nil
	}
	return l.Ledger.Get(ctx, name)
}

func (l *dryLedger) Put(_ context.Context, name, value string) error {
	l.mu.Lock()
	l.facts[name] = value
	l.mu.Unlock()
	return l.print("-- record %s: %q\n", name, value)
}

func (l *dryLedger) Begin(ctx context.Context, start db.Position) (db.Position, error) {
	recorded, err := l.Get(ctx, db.FactStart)
	if err != nil || recorded != "" {
		return db.Position(recorded), err
	}
	return start, errors.Join(l.Put(ctx, db.FactStart, start.String()), l.Put(ctx, db.FactPosition, start.String()))
}

// Chunks returns the target's chunks and those that were planned here. Where the bookkeeping is absent there are none.
func (l *dryLedger) Chunks(ctx context.Context, table schema.Name) ([]db.Chunk, error) {
	chunks, err := l.Ledger.Chunks(ctx, table)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && len(l.planned[table]) == 0 {
		return nil, err
	}
	for _, c := range l.planned[table] {
		if !slices.ContainsFunc(chunks, func(have db.Chunk) bool { return have.Number == c.Number }) {
			chunks = append(chunks, c)
		}
	}
	slices.SortFunc(chunks, func(x, y db.Chunk) int { return cmp.Compare(x.Number, y.Number) })
	return chunks, nil
}

func (l *dryLedger) Plan(_ context.Context, table schema.Name, c db.Chunk) error {
	l.mu.Lock()
	l.planned[table] = append(l.planned[table], c)
	l.mu.Unlock()
	return l.print("-- plan chunk %s[%d]: after %s up to %s\n", table, c.Number, show(c.Range.After), show(c.Range.Upto))
}

func (l *dryLedger) Amend(_ context.Context, put []db.Record, gone []schema.Name) error {
	return l.print("-- record %d tables, forget %d\n", len(put), len(gone))
}

func (l *dryLedger) Seal(context.Context, string) (db.Position, error) { return "", errDry }

func (l *dryLedger) Drop(context.Context) error { return errDry }
