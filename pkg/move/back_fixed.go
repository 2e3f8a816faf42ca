package move

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/evolve"
	"wherry/pkg/schema"
)

// asFixed returns the definitions of the source's tables that stay as they are, see plan.Return. Each has up to two:
// the one that it has now, and the one that was recorded when the way back began. They differ if its owner changed it
// by hand, as start-replica --skip-ddl asks for; rows from before that change need the recorded one.
func (b *back) asFixed(records []db.Record, old []*schema.Table) (map[schema.Name][]*schema.Table, error) {
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

// readFixed reads which tables stay as they are. Before the way back has begun, that is found by comparing definitions.
// Afterwards the recorded answer counts, since changes that came over the way back are in the definitions by then.
func (b *back) readFixed(ctx context.Context, begun bool, old []*schema.Table) error {
	b.fixed = map[string]fixedTable{}
	if begun {
		text, err := b.old.Ledger().Get(ctx, db.FactFixed)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(text), &b.fixed); err != nil {
			return fmt.Errorf("read fact %s: %w", db.FactFixed, err)
		}
		return nil
	}
	for name, why := range b.returns.Unlike(evolve.Shapes(b.m.records), old) {
		b.fixed[name.String()] = fixedTable{Why: why}
	}
	return nil
}

// describeFixed adds the source's definitions to the tables that stay as they are, to be recorded with them.
func (b *back) describeFixed(ctx context.Context) error {
	of := map[schema.Name]string{}
	for _, r := range b.atTakeover {
		if _, ok := b.fixed[r.Source.String()]; ok {
			of[r.Target] = r.Source.String()
		}
	}
	tables, err := b.m.target.Tables(ctx, func(n schema.Name) bool { return of[n] != "" })
	for _, t := range tables {
		f := b.fixed[of[t.Name]]
		record, encodeErr := db.EncodeRecord(db.Record{Source: t.Name, Shape: t})
		f.Record, err = record, errors.Join(err, encodeErr)
		b.fixed[of[t.Name]] = f
	}
	return err
}
