package cutover

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// Foreign keys that act on whatever is written (schema.Dialect.LateForeignKeys) are added between the seal and the
// switch: before the seal somebody may still apply changes, after the switch applications may write rows that reference
// nothing. That the rows which are there reference something is looked at after the switch: it reads whole tables, and
// writes need not be blocked for it.

// lateTables returns what tables get after the takeover.
func (c *Cutover) lateTables() []db.LateTable {
	if c.opts.Tables == nil {
		return nil
	}
	return c.opts.Tables()
}

// completeTables adds the foreign keys that tables lack, and makes their triggers. Those of an interrupted run are
// there.
func (f *takeover) completeTables(ctx context.Context, tables []db.LateTable) error {
	if len(tables) > 0 {
		f.c.observe(StepObjects, "foreign keys and triggers of "+count.Of(len(tables), "table"))
	}
	for _, late := range tables {
		err := retry(ctx, func() error {
			for {
				want, statements, err := f.lacking(ctx, late)
				if err != nil || want == 0 {
					return err
				}
				if err := f.c.target.Execute(ctx, statements[0]); err != nil {
					return err
				}
			}
		})
		if err != nil {
			return fmt.Errorf("add foreign keys of %s: %w", late.Table, err)
		}
		for _, statement := range late.Triggers {
			if err := retry(ctx, func() error { return f.c.target.Execute(ctx, statement) }); err != nil {
				return fmt.Errorf("make triggers of %s: %w", late.Table, err)
			}
		}
	}
	return nil
}

// lacking returns how many of the keys a table of the target does not have, and the statements that are left to run.
func (f *takeover) lacking(ctx context.Context, late db.LateTable) (n int, statements []string, err error) {
	found, err := f.c.target.Tables(ctx, late.Table.Equal)
	if err != nil {
		return 0, nil, err
	}
	if len(found) != 1 {
		f.c.opts.Log.Warn().Stringer("table", late.Table).Msg("the table is not on the target any more")
		return 0, nil, nil
	}
	want := found[0].Clone()
	for _, key := range late.Keys {
		if !slices.ContainsFunc(found[0].ForeignKeys, func(x schema.ForeignKey) bool { return x.Name == key.Name }) {
			want.ForeignKeys, n = append(want.ForeignKeys, key), n+1
		}
	}
	return n, f.c.target.Dialect().AddForeignKeys(want, found[0]), nil
}

// proveKeys has the target look whether the rows that were there reference something. Before the cutover began they did
// as on the source: a key that some rows break there too stays unproved, and is reported.
func (f *takeover) proveKeys(ctx context.Context) error {
	fact, err := db.ReadObjects(ctx, f.c.target.Ledger())
	if err != nil {
		return err
	}
	for _, late := range fact.Tables {
		_, statements, err := f.lacking(ctx, late)
		if err != nil {
			return fmt.Errorf("prove foreign keys of %s: %w", late.Table, err)
		}
		for _, s := range statements {
			err := retry(ctx, func() error { return f.c.target.Execute(ctx, s) })
			if errors.Is(err, db.ErrUnsupported) {
				f.c.opts.Log.Error().Err(err).Stringer("table", late.Table).
					Msg("some rows reference nothing, as on the source: the foreign key holds for new rows only")
				continue
			}
			if err != nil {
				return fmt.Errorf("prove foreign keys of %s: %w", late.Table, err)
			}
		}
	}
	return nil
}
