package evolve

import (
	"context"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// Drift returns the first of the tables whose definition on the source is not the given one, and whose log after the
// position has no schema change that explains it, with the difference in words; "" when there is none. Somebody has
// then changed the table with sql_log_bin off, or before the position. On the way back that must be known before rows
// are applied: the records say what the tables were at the takeover.
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
