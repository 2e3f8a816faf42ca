package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/evolve"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// On the way back schema changes are followed as on the way forward: from the tables as the target had them when it took over. The
// source's tables are there already, and only what a change changes may be carried over to them. So a table is left as it is, and a change
// of it refused, unless the source has exactly what would be made there for the target's table.

// backSchema is what the way back knows of the tables besides their records.
type backSchema struct {
	begun []db.Record // as of the takeover
	rules *route.Reversed
	fixed map[string]fixedTable // by the target's tables
	plan  *plan.Return
}

// fixedTable is a table whose definition cannot be carried over.
type fixedTable struct {
	Why    string `json:"why"`
	Record string `json:"record"` // of the source's table as it was when the way back began, encoded
}

// recordReturn keeps on the target what its tables are when it takes over: the way back begins with their rows in that shape. A schema
// change that is followed afterwards, up to the takeover, makes the cutover begin anew.
func (s *session) recordReturn(ctx context.Context) error {
	ledger := s.target.Ledger()
	sealed, err := ledger.Get(ctx, db.FactCutover)
	if err != nil || sealed != "" || s.back != nil {
		return err
	}
	sources := map[schema.Name]schema.Name{}
	for _, r := range s.plan.Routes {
		sources[r.Target.Name()] = r.Source.Name()
	}
	tables, err := s.target.Tables(ctx, func(n schema.Name) bool { _, moved := sources[n]; return moved })
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

// readReturn reads what recordReturn kept, and turns the rules round.
func (s *session) readReturn(ctx context.Context, b *backSchema) error {
	text, err := s.target.Ledger().Get(ctx, db.FactReturnTables)
	if err != nil {
		return err
	}
	if text == "" {
		return fmt.Errorf("%w: there is no way back: the cutover did not record what the target's tables were, it was made by another version of wherry", errRefused)
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
		b.begun = append(b.begun, r)
		known[r.Source] = r.Target
	}
	b.rules = s.rules.Reverse(known)
	return nil
}

// followsBack tells names of the way back, and warns once of each in one of its databases that is not followed.
func (s *session) followsBack(b *backSchema) func(schema.Name) bool {
	databases, warned := map[string]bool{}, map[schema.Name]bool{}
	for _, r := range b.begun {
		databases[r.Source.Database] = true
	}
	return func(n schema.Name) bool {
		follows := b.rules.Follows(n)
		if !follows && databases[n.Database] && !warned[n] {
			warned[n] = true
			s.log.Warn().Stringer("table", n).Msg("the routes do not tell of one table of the source that this one goes back to: it is not followed")
		}
		return follows
	}
}

// planBack plans the way back of the tables as they are recorded on the source, or before they are, as of the takeover.
func (s *session) planBack(ctx context.Context) (err error) {
	b, ledger := &s.back.schema, s.back.old.Ledger()
	if s.records, err = ledger.Records(ctx); err != nil {
		return err
	}
	begun := len(s.records) > 0
	if !begun {
		s.records = b.begun
	}
	b.plan = &plan.Return{Dialect: s.back.old.Dialect(), Rules: b.rules, Options: s.planOptions()}
	b.plan.Options.Dangling = true
	names := map[schema.Name]bool{}
	for _, r := range s.records {
		names[r.Target] = true
	}
	old, err := s.back.old.Tables(ctx, func(n schema.Name) bool { return names[n] })
	if err != nil {
		return fmt.Errorf("read the source's tables: %w", err)
	}
	if err := s.readFixed(ctx, begun, old); err != nil {
		return err
	}
	if b.plan.Fixed, err = b.asFixed(s.records, old); err != nil {
		return err
	}
	s.plan = b.plan.Of(evolve.Shapes(s.records))
	return nil
}

// asFixed returns the source's tables that stay as they are, see plan.Return.
func (b *backSchema) asFixed(records []db.Record, old []*schema.Table) (map[schema.Name][]*schema.Table, error) {
	fixed := map[schema.Name][]*schema.Table{}
	for _, r := range records {
		f, ok := b.fixed[r.Source.String()]
		if !ok {
			continue
		}
		fixed[r.Source] = nil
		for _, t := range old {
			if t.Name == r.Target {
				fixed[r.Source] = append(fixed[r.Source], t)
			}
		}
		if f.Record != "" {
			was, err := db.DecodeRecord(f.Record)
			if err != nil {
				return nil, err
			}
			fixed[r.Source] = append(fixed[r.Source], was.Shape)
		}
	}
	return fixed, nil
}

// readFixed reads which tables stay as they are; before the way back has begun it finds out.
func (s *session) readFixed(ctx context.Context, begun bool, old []*schema.Table) error {
	b := &s.back.schema
	b.fixed = map[string]fixedTable{}
	if begun {
		text, err := s.back.old.Ledger().Get(ctx, db.FactFixed)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(text), &b.fixed); err != nil {
			return fmt.Errorf("read fact %s: %w", db.FactFixed, err)
		}
		return nil
	}
	for name, why := range b.plan.Unlike(evolve.Shapes(s.records), old) {
		b.fixed[name.String()] = fixedTable{Why: why}
	}
	return nil
}

// untold refuses to begin when tables of the target are not what they were when it took over, and its log does not tell why.
func (s *session) untold(ctx context.Context) error {
	b := &s.back.schema
	if records, err := s.target.Ledger().Records(ctx); err != nil || len(records) > 0 {
		return err
	}
	name, what, err := s.evolver(false, false).Untold(ctx, s.back.start, evolve.Shapes(b.begun))
	if err != nil {
		return fmt.Errorf("look for schema changes since the takeover: %w", err)
	}
	if what != "" {
		return fmt.Errorf("%w: table %s on the target is not what it was when that took over, and its log does not tell of the change: %s; put it back as it was: "+
			"the rows in the log since could not be read", errRefused, name, what)
	}
	return nil
}

// recordBack records the tables on the source, as the target had them when it took over.
func (s *session) recordBack(ctx context.Context) error {
	b, ledger := &s.back.schema, s.target.Ledger()
	if records, err := ledger.Records(ctx); err != nil || len(records) > 0 {
		return err
	}
	objects, err := s.loud(ctx)
	if err != nil {
		return err
	}
	for _, o := range objects {
		for _, r := range b.begun {
			if o.Kind == schema.TriggerObject && o.Table == r.Target {
				b.fixed[r.Source.String()] = fixedTable{Why: fmt.Sprintf("%s of the source is made again when you go back, for the table as it is", o)}
			}
		}
	}
	if err := s.describeFixed(ctx); err != nil {
		return err
	}
	text, err := json.Marshal(b.fixed)
	if err != nil {
		return err
	}
	if err := ledger.Put(ctx, db.FactFixed, string(text)); err != nil {
		return err
	}
	if err := ledger.Amend(ctx, b.begun, nil); err != nil {
		return err
	}
	return errors.Join(s.planBack(ctx), s.admissible())
}

// describeFixed adds the source's definitions to the tables that stay as they are.
func (s *session) describeFixed(ctx context.Context) error {
	b := &s.back.schema
	of := map[schema.Name]string{}
	for _, r := range b.begun {
		if _, ok := b.fixed[r.Source.String()]; ok {
			of[r.Target] = r.Source.String()
		}
	}
	tables, err := s.target.Tables(ctx, func(n schema.Name) bool { return of[n] != "" })
	for _, t := range tables {
		f := b.fixed[of[t.Name]]
		record, encodeErr := db.EncodeRecord(db.Record{Source: t.Name, Shape: t})
		f.Record, err = record, errors.Join(err, encodeErr)
		b.fixed[of[t.Name]] = f
	}
	return err
}

// evolve follows schema changes on the way back.
func (b *backSchema) evolve(source db.Source, target db.Target, opts evolve.Options) *evolve.Evolver {
	fixed := b.fixed
	opts.Plan = b.plan.Of
	opts.Fixed = func(name schema.Name) string {
		if f, ok := fixed[name.String()]; ok {
			return "its definition cannot be carried back: " + f.Why
		}
		return ""
	}
	return evolve.New(source, target, b.rules, opts)
}

// adviceBack says how to go on when a schema change cannot be followed on the way back.
func (s *session) adviceBack(tables []schema.Name) string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = s.back.schema.rules.Target(t).String()
	}
	return fmt.Sprintf("make the change by hand on the old source at %s (%s), and run wherry start-replica --reverse --skip-ddl; or do without a way back",
		s.cfg.Source.Address(), strings.Join(names, ", "))
}
