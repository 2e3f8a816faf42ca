package dbtest

import (
	"context"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Faulty wraps a target.
func Faulty(t db.Target, f Fault) db.Target {
	return &faultyTarget{faultyReader: faultyReader{t, f}, target: t}
}

// faultyTarget asks before every call that changes the target, and after it: these are the calls whose lost answers
// matter.
type faultyTarget struct {
	faultyReader
	target db.Target
}

func (t *faultyTarget) Misfits(r *route.Route) (db.Misfits, error) { return t.target.Misfits(r) }

func (t *faultyTarget) Check(ctx context.Context, plan db.Plan) ([]db.Finding, error) {
	return get(t.f, "check", func() ([]db.Finding, error) { return t.target.Check(ctx, plan) })
}

func (t *faultyTarget) Execute(ctx context.Context, statement string) error {
	return t.f.run("execute", func() error { return t.target.Execute(ctx, statement) })
}

func (t *faultyTarget) Load(ctx context.Context, from db.RowReader, r *route.Route, c db.Chunk) (db.Loaded, error) {
	return get(t.f, "load", func() (db.Loaded, error) { return t.target.Load(ctx, from, r, c) })
}

func (t *faultyTarget) Announce(ctx context.Context, tables []schema.Name) (func(context.Context) error, error) {
	made, err := get(t.f, "announce", func() (func(context.Context) error, error) {
		return t.target.Announce(ctx, tables)
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return t.f.run("announce", func() error { return made(ctx) }) }, nil
}

func (t *faultyTarget) Obstacles(ctx context.Context, tables []schema.Name) (map[schema.Name][]string, error) {
	return get(t.f, "obstacles", func() (map[schema.Name][]string, error) { return t.target.Obstacles(ctx, tables) })
}

func (t *faultyTarget) Snapshot(ctx context.Context) (db.Snapshot, error) {
	return faultSnapshot(t.f, func() (db.Snapshot, error) { return t.target.Snapshot(ctx) })
}

func (t *faultyTarget) Repair(ctx context.Context, b *db.Batch) error {
	return t.f.run("repair", func() error { return t.target.Repair(ctx, b) })
}

func (t *faultyTarget) NewApplier(ctx context.Context, opts db.ApplyOptions) (db.Applier, error) {
	a, err := begin(t.f, "applier", func() (db.Applier, error) { return t.target.NewApplier(ctx, opts) })
	if err != nil {
		return nil, err
	}
	return &faultyApplier{a, t.f}, nil
}

func (t *faultyTarget) Ledger() db.Ledger { return &faultyLedger{t.target.Ledger(), t.f} }

// faultyApplier asks about the calls of a transaction. Amend is part of one, and shows its error at the commit.
type faultyApplier struct {
	db.Applier
	f Fault
}

func (a *faultyApplier) Apply(ctx context.Context, b *db.Batch) (db.Applied, error) {
	return get(a.f, "apply", func() (db.Applied, error) { return a.Applier.Apply(ctx, b) })
}

func (a *faultyApplier) Referencing(ctx context.Context, l *db.Lookup) ([]db.Row, error) {
	return get(a.f, "referencing", func() ([]db.Row, error) { return a.Applier.Referencing(ctx, l) })
}

func (a *faultyApplier) Commit(ctx context.Context, pos db.Position) error {
	return a.f.run("commit", func() error { return a.Applier.Commit(ctx, pos) })
}

func (a *faultyApplier) Rollback(ctx context.Context) error {
	return a.f.run("rollback", func() error { return a.Applier.Rollback(ctx) })
}

func (a *faultyApplier) Execute(ctx context.Context, statement string, at db.Moment) error {
	return a.f.run("applier.execute", func() error { return a.Applier.Execute(ctx, statement, at) })
}

// faultyLedger does not embed the ledger: a method that is added to db.Ledger must not pass unasked.
type faultyLedger struct {
	ledger db.Ledger
	f      Fault
}

func (l *faultyLedger) Create(ctx context.Context) error {
	return l.f.run("ledger.create", func() error { return l.ledger.Create(ctx) })
}

func (l *faultyLedger) Get(ctx context.Context, name string) (string, error) {
	return get(l.f, "ledger.get", func() (string, error) { return l.ledger.Get(ctx, name) })
}

func (l *faultyLedger) Put(ctx context.Context, name, value string) error {
	return l.f.run("ledger.put", func() error { return l.ledger.Put(ctx, name, value) })
}

func (l *faultyLedger) Begin(ctx context.Context, start db.Position) (db.Position, error) {
	return get(l.f, "ledger.begin", func() (db.Position, error) { return l.ledger.Begin(ctx, start) })
}

func (l *faultyLedger) Begun(ctx context.Context) (func(schema.Name) bool, error) {
	return get(l.f, "ledger.begun", func() (func(schema.Name) bool, error) { return l.ledger.Begun(ctx) })
}

func (l *faultyLedger) Chunks(ctx context.Context, table schema.Name) ([]db.Chunk, error) {
	return get(l.f, "ledger.chunks", func() ([]db.Chunk, error) { return l.ledger.Chunks(ctx, table) })
}

func (l *faultyLedger) Plan(ctx context.Context, c db.Chunk, tables ...schema.Name) error {
	return l.f.run("ledger.plan", func() error { return l.ledger.Plan(ctx, c, tables...) })
}

func (l *faultyLedger) Records(ctx context.Context) ([]db.Record, error) {
	return get(l.f, "ledger.records", func() ([]db.Record, error) { return l.ledger.Records(ctx) })
}

func (l *faultyLedger) Amend(ctx context.Context, put []db.Record, gone []schema.Name) error {
	return l.f.run("ledger.amend", func() error { return l.ledger.Amend(ctx, put, gone) })
}

func (l *faultyLedger) Owned(ctx context.Context) (db.Owned, error) {
	return get(l.f, "ledger.owned", func() (db.Owned, error) { return l.ledger.Owned(ctx) })
}

func (l *faultyLedger) Own(ctx context.Context, put db.Owned, gone []schema.Name) error {
	return l.f.run("ledger.own", func() error { return l.ledger.Own(ctx, put, gone) })
}

func (l *faultyLedger) Seal(ctx context.Context, record string) (db.Position, error) {
	return get(l.f, "ledger.seal", func() (db.Position, error) { return l.ledger.Seal(ctx, record) })
}

func (l *faultyLedger) Drop(ctx context.Context) error {
	return l.f.run("ledger.drop", func() error { return l.ledger.Drop(ctx) })
}
