package mysql

import (
	"context"
	"fmt"
	"hash/maphash"
	"strings"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	dialect "wherry/pkg/schema/mysql"
)

// split gives every key to one connection. Each part lists the same tables, so that counts can be added up by index.
// Rows that may wait for each other's locks go to one connection: connections commit together, so the wait would never
// end.
func (a *applier) split(b *db.Batch) []db.Batch {
	parts := make([]db.Batch, len(a.wires))
	for _, tb := range b.Tables {
		tables := make([]db.TableBatch, len(parts))
		for i := range tables {
			tables[i].Route = tb.Route
		}
		if len(tb.Route.Target.Key) == 0 || competes(tb) { // rows without a key commit with the position
			tables[0] = tb
		} else {
			for _, key := range tb.Deletes {
				t := &tables[a.worker(key)]
				t.Deletes = append(t.Deletes, key)
			}
			for _, row := range tb.Upserts {
				t := &tables[a.worker(row.Pick(tb.Route.Target.Key))]
				t.Upserts = append(t.Upserts, row)
			}
		}
		for i := range tables {
			parts[i].Tables = append(parts[i].Tables, tables[i])
		}
	}
	return parts
}

// competes tells whether rows of different keys may be in each other's way: by the values of another unique key;
// because bytes that differ are one key to the server ('a' that becomes 'A' is a removal and a write); or because a
// DELETE of many keys reads a small table as a whole, and waits for every row in it that another connection has
// written.
func competes(tb db.TableBatch) bool {
	return tb.Route.Target.Table.OtherUnique() || len(tb.Deletes) > 0 || comparesOtherwise(tb.Route)
}

// worker hashes a key to a connection. Equal bytes go to the same one, so later changes of a row come after earlier
// ones. The zero byte keeps ("ab", "c") and ("a", "bc") apart often enough; a collision costs nothing but balance.
func (a *applier) worker(key db.Row) int {
	var h maphash.Hash
	h.SetSeed(a.seed)
	for _, v := range key {
		_, _ = h.Write(v)
		_ = h.WriteByte(0)
	}
	return int(h.Sum64() % uint64(len(a.wires)))
}

// part writes a batch on one connection and returns how many rows of each table it removed.
func (a *applier) part(ctx context.Context, i int, b *db.Batch) (deleted []int64, err error) {
	deleted = make([]int64, len(b.Tables))
	for j := range b.Tables {
		tb := &b.Tables[j]
		if len(tb.Route.Target.Key) == 0 {
			if deleted[j], err = a.keyless(ctx, i, tb); err != nil {
				return deleted, fmt.Errorf("apply changes to %s: %w", tb.Route.Target.Name(), err)
			}
			continue
		}
		if comparesOtherwise(tb.Route) {
			if deleted[j], err = a.exactly(ctx, i, tb); err != nil {
				return deleted, fmt.Errorf("apply changes to %s: %w", tb.Route.Target.Name(), err)
			}
			continue
		}
		if deleted[j], err = a.delete(ctx, i, &tb.Route.Target, tb.Deletes, false); err != nil {
			return deleted, fmt.Errorf("delete rows of %s: %w", tb.Route.Target.Name(), err)
		}
		if err := a.upsert(ctx, i, tb); err != nil {
			return deleted, fmt.Errorf("write rows of %s: %w", tb.Route.Target.Name(), err)
		}
	}
	return deleted, nil
}

// delete removes rows by their keys, and returns how many there were. Fewer than keys is no error here: the caller
// knows how many the target must hold.
func (a *applier) delete(ctx context.Context, i int, rel *route.Relation, keys []db.Row, exact bool) (deleted int64,
	err error,
) {
	for len(keys) > 0 {
		n := min(len(keys), deleteKeys)
		b := append(wire.Begin(a.del[i]), "DELETE FROM "+dialect.Quoted(rel.Name())+" WHERE "...)
		if exact {
			b = appendEachKey(b, rel, keys[:n], true)
		} else {
			b = appendKeys(b, rel, keys[:n])
		}
		a.del[i] = b
		keys = keys[n:]
		res, err := a.wires[i].ExecPacket(ctx, b)
		if err != nil {
			return deleted, wire.Classify(err)
		}
		deleted += int64(res.Affected)
	}
	return deleted, nil
}

func (a *applier) upsert(ctx context.Context, i int, tb *db.TableBatch) error {
	if len(tb.Upserts) == 0 {
		return nil
	}
	st := a.cache[i][tb.Route]
	if st == nil {
		st = newUpsert(a.t, &tb.Route.Target)
		a.cache[i][tb.Route] = st
	}
	return a.overwrite(ctx, i, st, tb.Upserts)
}

// overwrite writes rows in the place of those that are in their way.
func (a *applier) overwrite(ctx context.Context, i int, st *statement, rows []db.Row) error {
	for _, row := range rows {
		if !st.fits(row) {
			if err := a.runUpsert(ctx, i, st); err != nil {
				return err
			}
		}
		var err error
		if st.huge(row) {
			err = st.stream(ctx, a.wires[i], row, true)
		} else {
			err = st.add(row)
		}
		if err != nil {
			return err
		}
	}
	return a.runUpsert(ctx, i, st)
}

// runUpsert sends the rows added. Affected rows say nothing here: MySQL counts 1 for an insert, 2 for an update and 0
// for a row that was the same. Warnings count: a value that was changed on its way brings one.
func (a *applier) runUpsert(ctx context.Context, i int, st *statement) error {
	if st.rows == 0 {
		return nil
	}
	res, err := st.run(ctx, a.wires[i])
	if err == nil && res.Warnings != 0 {
		err = fmt.Errorf("%s: %s: %w", count.Of(res.Warnings, "warning"), a.wires[i].Warnings(ctx), db.ErrUnsupported)
	}
	return err
}

// newUpsert makes rows equal to their after-images. If the table has another unique key, it is a REPLACE: all rows of a
// batch are final images of one state of the source, so a row that it displaces has been changed too and is itself in
// the batch. ON DUPLICATE KEY UPDATE would then update the displaced row instead, whichever unique index the server
// finds first.
//
// The alias is for MySQL from 8.0.19 on, where VALUES() in an update is deprecated; MariaDB has no alias.
func newUpsert(t *Target, rel *route.Relation) *statement {
	if rel.Table.OtherUnique() {
		return newStatement(t, rel, "REPLACE INTO ", "")
	}
	alias, tail := "", ""
	if t.flavor.HasRowAlias() {
		alias = dialect.Quote(freeAlias(rel))
	}
	for i := range rel.Columns {
		if !rel.Written(i) {
			continue
		}
		name := dialect.Quote(rel.Column(i).Name)
		value := alias + "." + name
		if alias == "" {
			value = "VALUES(" + name + ")"
		}
		if tail != "" {
			tail += ", "
		}
		// Key columns are set too: the bytes of a key may differ where the server calls them equal ('a' and 'A').
		tail += name + " = " + value
	}
	if alias != "" {
		alias = " AS " + alias
	}
	return newStatement(t, rel, "INSERT INTO ", alias+" ON DUPLICATE KEY UPDATE "+tail)
}

// freeAlias returns a name for the new rows of a statement that neither the table, nor its database, nor any of its
// columns has.
func freeAlias(rel *route.Relation) string {
	taken := map[string]bool{strings.ToLower(rel.Name().Table): true, strings.ToLower(rel.Name().Database): true}
	for i := range rel.Columns {
		taken[strings.ToLower(rel.Column(i).Name)] = true
	}
	alias := "new_row"
	for taken[alias] {
		alias += "_"
	}
	return alias
}
