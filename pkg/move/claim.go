package move

import (
	"context"

	"wherry/pkg/db"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// claim notes on the target, before the first table is created, that the move has begun with these tables. found are
// tables that exist already and become the move's (schema.existing: accept).
//
// Identity and owners come before the records. A crash in between leaves a move that owns tables it has no record of,
// and the next init-schema completes it. The other order could leave records of tables that nobody owns, and every
// later statement on them would be refused.
func (m *Move) claim(ctx context.Context, tables, found []schema.Name) error {
	ledger := m.target.Ledger()
	if err := ledger.Create(ctx); err != nil {
		return err
	}
	if err := m.recordIdentity(ctx); err != nil {
		return err
	}
	owned := db.Owned{}
	for _, n := range found {
		owned[n] = db.Found
	}
	if err := ledger.Own(ctx, owned, nil); err != nil {
		return err
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.String()
	}
	if err := db.PutNames(ctx, ledger, db.FactTables, names); err != nil {
		return err
	}
	have, err := ledger.Records(ctx)
	if err != nil {
		return err
	}
	recorded := make(map[schema.Name]bool, len(have))
	for _, h := range have {
		recorded[h.Source] = true
	}
	var records []db.Record
	for _, r := range m.plan.Routes {
		// A table that is recorded may be copied already. To record it again would forget its chunks.
		if !recorded[r.Source.Name()] {
			records = append(records, db.Record{
				Source: r.Source.Name(), Target: r.Target.Name(), Shape: r.Source.Table, Copy: true,
			})
		}
	}
	return ledger.Amend(ctx, records, nil)
}

// list keeps in the state file which tables the move has now: schema changes add and remove some. People read it,
// nothing depends on it: an error is only logged. Of tables that the file knows already, rows and status stay.
func (f forward) list(ctx context.Context) {
	records, err := f.target.Ledger().Records(ctx)
	if err == nil && len(records) > 0 {
		err = f.file.Update(func(st *state.State) error {
			var tables []state.Table
			for _, r := range records {
				if r.Shape == nil {
					continue
				}
				t := state.Table{Source: r.Source.String(), Status: state.TableIndexed, Definition: r.Shape.Shape()}
				if r.Copy {
					t.Status, t.RowsEstimate = state.TableCreated, r.Shape.Rows
				}
				if known := st.Table(t.Source); known != nil {
					t = *known
				}
				t.Target = r.Target.String()
				tables = append(tables, t)
			}
			st.Tables = tables
			return nil
		})
	}
	if err != nil {
		f.log.Warn().Err(err).Msg("state file not updated")
	}
}

// recordTables lists the planned tables in the state file, in place of what an earlier attempt had listed.
func (m *Move) recordTables() error {
	return m.file.Update(func(st *state.State) error {
		st.Tables = st.Tables[:0]
		for _, r := range m.plan.Routes {
			st.Tables = append(st.Tables, state.Table{
				Source: r.Source.Name().String(), Target: r.Target.Name().String(), Status: state.TableCreated,
				RowsEstimate: r.Source.Table.Rows, Definition: r.Source.Table.Shape(),
			})
		}
		return nil
	})
}
