package evolve

import (
	"context"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// Drift returns the first of the tables that the source has otherwise than given, or not at all, though its log after
// the position has no schema change of it, and what is different; "" when there is none. Then the tables are not what
// they were at that position.
func (e *Evolver) Drift(ctx context.Context, from db.Position, tables []*schema.Table) (schema.Name, string, error) {
	wanted, found := map[schema.Name]bool{}, map[schema.Name]*schema.Table{}
	for _, t := range tables {
		wanted[t.Name] = true
	}
	now, err := e.source.Tables(ctx, func(n schema.Name) bool { return wanted[n] })
	if err != nil {
		return schema.Name{}, "", err
	}
	for _, t := range now {
		found[t.Name] = t
	}
	for _, t := range tables {
		what := "it is gone"
		if got := found[t.Name]; got != nil {
			differences := e.source.Dialect().Differences(t, got, true, true)
			if len(differences) == 0 {
				continue
			}
			what = differences[0]
		}
		touched := map[schema.Name]bool{t.Name: true}
		for i := range t.ForeignKeys {
			touched[t.ForeignKeys[i].Parent] = true
		}
		log, err := e.later(ctx, from, touched)
		if err != nil {
			return schema.Name{}, "", err
		}
		if len(touching(log, touched)) == 0 {
			return t.Name, what, nil
		}
	}
	return schema.Name{}, "", nil
}
