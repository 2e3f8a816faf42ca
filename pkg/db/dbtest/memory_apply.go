package dbtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"wherry/pkg/db"
)

// Repair writes a batch in a transaction of its own. The ticket and the seal are checked in the instant of the
// commit.
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
			l := t.s.ledgers[t.move]
			if l != nil && l.sealed() {
				return db.ErrSealed
			}
			if b.Keyless() {
				return l.useTicket(b.Ticket)
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

// applyTable removes first and then writes, as real engines do: a unique value may be handed from a removed row to a
// new one.
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
	// Without a key all values identify a row, one copy at a time.
	key := columns
	if len(rel.Key) > 0 {
		key = make([]int, len(rel.Key))
		for i, at := range rel.Key {
			key[i] = columns[at]
		}
	}
	deleted := int64(0)
	for _, values := range tb.Deletes {
		found := o.find(key, values, 1)
		if len(found) == 0 && len(rel.Key) == 0 {
			return fmt.Errorf("delete row %s of %s: the target has no such row: %w", show(values), rel.Name(),
				db.ErrUnsupported)
		}
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

// upsert makes a row equal to its after-image, as REPLACE does. Rows that hold one of its unique values give way: they
// have been changed too, and are in the same batch.
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
	give, _ := o.conflicts(from, whole)
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

// useTicket counts repairs of tables without a key, which must not be made twice: adding a copy of a row a second time
// would leave one too many. s.mu is held.
func (b *books) useTicket(ticket string) error {
	if b == nil {
		return errors.New("no bookkeeping")
	}
	if ticket != b.facts[db.FactRepairs] {
		return fmt.Errorf("another repair was made since repair %q: %w", ticket, db.ErrRetry)
	}
	n, err := strconv.Atoi("0" + ticket)
	if err != nil {
		return err
	}
	b.facts[db.FactRepairs] = strconv.Itoa(n + 1)
	return nil
}
