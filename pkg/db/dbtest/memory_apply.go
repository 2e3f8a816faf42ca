package dbtest

import (
	"context"
	"fmt"

	"wherry/pkg/db"
)

// Repair writes a batch in a transaction of its own.
func (t *target) Repair(ctx context.Context, b *db.Batch) error {
	if err := t.s.enter(ctx, "repair"); err != nil {
		return fmt.Errorf("repair rows: %w", err)
	}
	v := newView(t.s)
	t.s.mu.Lock()
	_, err := v.apply(b)
	t.s.mu.Unlock()
	if err == nil {
		err = v.commit(ctx, false, func() error {
			if b := t.s.ledgers[t.move]; b != nil && b.sealed() {
				return db.ErrSealed
			}
			return nil
		})
	}
	if err == nil {
		err = t.s.step("repair.after")
	}
	if err != nil {
		return fmt.Errorf("repair rows: %w", err)
	}
	return nil
}

// apply writes a batch within the transaction. s.mu is held.
func (v *view) apply(b *db.Batch) (applied db.Applied, err error) {
	for i := range b.Tables {
		if err := v.applyTable(&b.Tables[i], &applied); err != nil {
			return applied, err
		}
	}
	return applied, nil
}

func (v *view) applyTable(tb *db.TableBatch, applied *db.Applied) error {
	rel := &tb.Route.Target
	o, err := v.table(rel.Name())
	if err != nil {
		return err
	}
	columns, err := locate(o.t.def, rel)
	if err != nil {
		return err
	}
	key := columns // without a key all values identify a row, one at a time
	if len(rel.Key) > 0 {
		key = make([]int, len(rel.Key))
		for i, at := range rel.Key {
			key[i] = columns[at]
		}
	}
	deleted := int64(0)
	for _, values := range tb.Deletes {
		found := o.find(key, values, 1)
		for _, k := range found {
			if err := v.write(o, k, nil); err != nil {
				return err
			}
		}
		deleted += int64(len(found))
	}
	applied.Deleted += deleted
	applied.Absent += max(tb.Expect-deleted, 0)
	for _, row := range tb.Upserts {
		whole, _, err := o.widen(rel, row)
		if err != nil {
			return err
		}
		if len(rel.Key) == 0 {
			err = v.write(o, "", whole)
		} else {
			err = v.upsert(o, key, whole)
		}
		if err != nil {
			return err
		}
		applied.Upserted++
	}
	return nil
}

// upsert makes a row equal to its after-image. Rows that hold one of its unique values give way: they have been changed
// too, and are in the same batch.
func (v *view) upsert(o *overlay, key []int, whole db.Row) error {
	found := o.find(key, whole.Pick(key), 0)
	from := ""
	if len(found) > 0 {
		from = found[0]
		for i := range o.t.def.Columns { // an automatic column that the route does not carry keeps its value
			if o.t.def.Columns[i].AutoIncrement && whole[i] == nil {
				whole[i] = o.get(from).row[i]
			}
		}
	}
	give, _ := o.rivals(from, whole)
	if o.t.key != nil {
		if to := encode(whole.Pick(o.t.key)); to != from && o.get(to) != nil {
			give = append(give, to)
		}
	}
	for _, k := range append(give, found[min(len(found), 1):]...) {
		if o.get(k) == nil {
			continue
		}
		if err := v.write(o, k, nil); err != nil {
			return err
		}
	}
	return v.write(o, from, whole)
}
