package move

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/evolve"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
)

// On the way back schema changes are followed too, from the form that the target's tables had when it took over. The
// source has its tables already. A change is carried over only to a table that is exactly what wherry would create
// there for the target's table; other tables are fixed: they stay, and a change of them is refused.

// fixedTable is a table of the source that stays as it is. Example: it has a trigger, or an index that somebody added
// on the source only, which wherry would not create.
type fixedTable struct {
	Why    string `json:"why"`    // for people
	Record string `json:"record"` // of the source's table as it was when the way back began, encoded
}

// leave records on the target the definitions that its tables have now, just before it takes over. The rows in its log
// after that can only be read with them: the log has values by position, not by name. If a schema change still comes
// before the takeover, the cutover begins anew and calls leave again. After the takeover leave does nothing:
// applications may have changed a table since, and a later definition would misread the first rows.
func (f forward) leave(ctx context.Context) error {
	ledger := f.target.Ledger()
	sealed, err := ledger.Get(ctx, db.FactCutover)
	if err != nil || sealed != "" {
		return err
	}
	sources := map[schema.Name]schema.Name{}
	for _, r := range f.plan.Routes {
		sources[r.Target.Name()] = r.Source.Name()
	}
	tables, err := f.target.Tables(ctx, func(n schema.Name) bool { _, moved := sources[n]; return moved })
	if err != nil {
		return fmt.Errorf("read the target's tables: %w", err)
	}
	records := make([]string, len(tables))
	for i, t := range tables {
		if records[i], err = db.EncodeRecord(db.Record{Source: t.Name, Target: sources[t.Name], Shape: t}); err != nil {
			return err
		}
	}
	text, err := json.Marshal(records)
	if err != nil {
		return err
	}
	return ledger.Put(ctx, db.FactReturnTables, string(text))
}

// readReturn reads what leave recorded, and reverses the rules: each table goes back to the name that it came from.
func (b *back) readReturn(ctx context.Context) error {
	text, err := b.forward.target.Ledger().Get(ctx, db.FactReturnTables)
	if err != nil {
		return err
	}
	if text == "" {
		return fmt.Errorf("%w: there is no way back: the cutover did not record what the target's tables were, "+
			"it was made by another version of wherry", ErrRefused)
	}
	var encoded []string
	if err := json.Unmarshal([]byte(text), &encoded); err != nil {
		return fmt.Errorf("read fact %s: %w", db.FactReturnTables, err)
	}
	known := map[schema.Name]schema.Name{}
	for _, text := range encoded {
		r, err := db.DecodeRecord(text)
		if err != nil {
			return err
		}
		b.atTakeover = append(b.atTakeover, r)
		known[r.Source] = r.Target
	}
	b.reversed = b.m.rules.Reverse(known)
	return nil
}

// follows tells which names the way back follows: those of the takeover, and new ones that exactly one route leads to.
// A name in one of its databases that it does not follow is warned of once. The log asks for every statement again, and
// one table with many changes would fill the log.
func (b *back) follows() func(schema.Name) bool {
	databases, warned := map[string]bool{}, map[schema.Name]bool{}
	for _, r := range b.atTakeover {
		databases[r.Source.Database] = true
	}
	return func(n schema.Name) bool {
		follows := b.reversed.Follows(n)
		if !follows && databases[n.Database] && !warned[n] {
			warned[n] = true
			b.m.log.Warn().Stringer("table", n).
				Msg("no route, or more than one, leads from this table back to the source: it is not followed")
		}
		return follows
	}
}

// replan plans the way back of the tables as the source's ledger has them. Before it has any, the tables of the
// takeover count. The tables that the target has now would be wrong: the log that is still to be read may be older.
func (b *back) replan(ctx context.Context) (err error) {
	ledger := b.old.Ledger()
	if b.m.records, err = ledger.Records(ctx); err != nil {
		return err
	}
	begun := len(b.m.records) > 0
	if !begun {
		b.m.records = b.atTakeover
	}
	b.returns = &plan.Return{Dialect: b.old.Dialect(), Rules: b.reversed, Options: b.m.planOptions()}
	b.returns.Options.Dangling = true
	names := map[schema.Name]bool{}
	for _, r := range b.m.records {
		names[r.Target] = true
	}
	old, err := b.old.Tables(ctx, func(n schema.Name) bool { return names[n] })
	if err != nil {
		return fmt.Errorf("read the source's tables: %w", err)
	}
	if err := b.readFixed(ctx, begun, old); err != nil {
		return err
	}
	if b.returns.Fixed, err = b.asFixed(b.m.records, old); err != nil {
		return err
	}
	b.m.plan = b.returns.Of(evolve.Shapes(b.m.records))
	return nil
}

// unexplained refuses to begin when a table of the target is not what it was at the takeover and no statement in its
// log says why: the rows in the log since then cannot be read. Example: an ALTER in a session with sql_log_bin = 0.
func (b *back) unexplained(ctx context.Context) error {
	if records, err := b.m.target.Ledger().Records(ctx); err != nil || len(records) > 0 {
		return err
	}
	name, what, err := b.m.evolve(false, false).Drift(ctx, b.start, evolve.Shapes(b.atTakeover))
	if err != nil {
		return fmt.Errorf("look for schema changes since the takeover: %w", err)
	}
	if what != "" {
		return fmt.Errorf("%w: table %s on the target is not what it was when the target took over, and the change is "+
			"not in its log: %s; put it back as it was: the rows in the log since could not be read", ErrRefused,
			name, what)
	}
	return nil
}

// recordTables records the tables in the source's ledger, with the definitions that the target had when it took over.
// The order matters: records come last, because the way back counts as begun once there are any. A crash before leaves
// only facts, which the next run writes again.
func (b *back) recordTables(ctx context.Context) error {
	ledger := b.m.target.Ledger()
	if records, err := ledger.Records(ctx); err != nil || len(records) > 0 {
		return err
	}
	objects, err := b.armed(ctx)
	if err != nil {
		return err
	}
	for _, o := range objects {
		for _, r := range b.atTakeover {
			if o.Kind == schema.TriggerObject && o.Table == r.Target {
				why := fmt.Sprintf("%s of the source is made again when you go back, for the table as it is", o)
				b.fixed[r.Source.String()] = fixedTable{Why: why}
			}
		}
	}
	if err := b.describeFixed(ctx); err != nil {
		return err
	}
	text, err := json.Marshal(b.fixed)
	if err != nil {
		return err
	}
	if err := ledger.Put(ctx, db.FactFixed, string(text)); err != nil {
		return err
	}
	found := db.Owned{}
	for _, r := range b.atTakeover {
		found[r.Target] = db.Found
	}
	if err := ledger.Own(ctx, found, nil); err != nil {
		return err
	}
	if err := ledger.Amend(ctx, b.atTakeover, nil); err != nil {
		return err
	}
	return errors.Join(b.replan(ctx), b.m.admissible())
}

// advice says how to go on when a schema change cannot be followed on the way back.
func (b *back) advice(tables []schema.Name) string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = b.reversed.Target(t).String()
	}
	return fmt.Sprintf("make the change by hand on the old source at %s (%s), and run wherry start-replica --reverse "+
		"--skip-ddl; or do without a way back", b.m.cfg.Source.Address(), strings.Join(names, ", "))
}
