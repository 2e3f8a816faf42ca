package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// step is a statement that changes the schema, and the tables after it; nil where it changes none.
type step struct {
	statement string
	tables    []*table
}

// changer draws changes of the schema.
type changer struct {
	*rand.Rand
	draw *draw
	made int // names drawn so far
}

func (c *changer) name(what string) string {
	c.made++
	return fmt.Sprintf("%s%d", what, c.made)
}

// change draws one: the statements of it, of which each needs the one before.
func (c *changer) change(tables []*table) []step {
	t := tables[c.IntN(len(tables))]
	changes := []func([]*table, *table) []step{
		c.addColumn, c.addColumn, c.addColumn, c.dropColumn, c.dropColumn, c.renameColumn, c.modify, c.modify,
		c.addIndex, c.dropIndex,
	}
	if t.filter == "" && !t.family { // names in filters and foreign keys stay
		changes = append(changes, c.truncate, c.create, c.createLike, c.createSelect, c.drop, c.rename, c.rename,
			c.swap, c.swap, c.ghost)
		if c.draw.on("leave") {
			changes = append(changes, c.leave)
		}
	}
	return changes[c.IntN(len(changes))](tables, t)
}

// alter is one statement that changes a table.
func alter(tables []*table, t *table, clause string, change func(*table)) []step {
	return []step{{"ALTER TABLE " + t.quoted() + " " + clause, with(tables, t, t.changed(change))}}
}

func (c *changer) addColumn(tables []*table, t *table) []step {
	if len(t.columns) > 25 {
		return c.dropColumn(tables, t)
	}
	added := c.draw.plainColumn(c.Rand, 0)
	added.name = c.name("a")
	added.nullable = added.standard == "" || c.IntN(2) == 0
	place, at := "", len(t.columns)
	switch c.IntN(3) {
	case 0:
		place, at = " FIRST", 0
	case 1:
		after := c.IntN(len(t.columns))
		place, at = " AFTER "+quote(t.columns[after].name), after+1
	}
	return alter(tables, t, "ADD COLUMN "+added.definition()+place, func(t *table) {
		t.columns = slices.Insert(t.columns, at, added)
	})
}

// free are the columns that no filter and no foreign key names.
func (c *changer) free(t *table, all []*column) []*column {
	return slices.DeleteFunc(all, func(x *column) bool {
		return strings.Contains(t.filter, x.name) || strings.Contains(strings.Join(t.references, " "), quote(x.name))
	})
}

func (c *changer) dropColumn(tables []*table, t *table) []step {
	columns := c.free(t, t.plain())
	if len(t.plain()) < 3 || len(columns) == 0 {
		return nil
	}
	name := pick(c.Rand, columns...).name
	return alter(tables, t, "DROP COLUMN "+quote(name), func(t *table) {
		t.columns = slices.DeleteFunc(t.columns, func(x column) bool { return x.name == name })
	})
}

func (c *changer) renameColumn(tables []*table, t *table) []step {
	columns := c.free(t, t.written())
	if t.family || len(columns) == 0 {
		return nil
	}
	old, name := pick(c.Rand, columns...).name, c.name("r")
	return alter(tables, t, "RENAME COLUMN "+quote(old)+" TO "+quote(name), func(t *table) {
		t.column(old).name = name
		for _, list := range [][]string{t.key, t.unique, t.pairs} {
			if i := slices.Index(list, old); i >= 0 {
				list[i] = name
			}
		}
		for i := range t.indexes {
			t.indexes[i] = strings.Replace(t.indexes[i], "("+quote(old), "("+quote(name), 1)
		}
	})
}

// modify widens a number, or has a column take NULL.
func (c *changer) modify(tables []*table, t *table) []step {
	columns := c.free(t, t.plain())
	if len(columns) == 0 {
		return nil
	}
	now := *pick(c.Rand, columns...)
	if now.kind.class == "int" && !now.auto {
		now.kind.sql = "BIGINT" + map[bool]string{true: " UNSIGNED"}[strings.Contains(now.kind.sql, "UNSIGNED")]
	} else if !now.auto {
		now.nullable = true
	}
	place := pick(c.Rand, "", "", " FIRST")
	return alter(tables, t, "MODIFY COLUMN "+now.definition()+place, func(t *table) {
		i := slices.IndexFunc(t.columns, func(x column) bool { return x.name == now.name })
		t.columns[i] = now
		if place != "" {
			t.columns = append([]column{now}, slices.Delete(t.columns, i, i+1)...)
		}
	})
}

func (c *changer) addIndex(tables []*table, t *table) []step {
	// Beside an index of the same column a server may drop one of them, and which cannot be told from the statement.
	columns := slices.DeleteFunc(t.plain(), func(x *column) bool {
		return !slices.Contains([]string{"int", "decimal", "temporal"}, x.kind.class) ||
			strings.Contains(strings.Join(t.indexes, " "), quote(x.name))
	})
	if len(columns) == 0 || len(t.indexes) > 8 {
		return c.dropIndex(tables, t)
	}
	name, column := c.name("x"), quote(pick(c.Rand, columns...).name)
	after := with(tables, t, t.changed(func(t *table) { t.indexes = append(t.indexes, "KEY "+name+" ("+column+")") }))
	return []step{{pick(c.Rand, "CREATE INDEX "+name+" ON "+t.quoted()+" ("+column+")",
		"ALTER TABLE "+t.quoted()+" ADD KEY "+name+" ("+column+")"), after}}
}

func (c *changer) dropIndex(tables []*table, t *table) []step {
	if len(t.indexes) == 0 || t.family {
		return nil
	}
	i := c.IntN(len(t.indexes))
	name := strings.Fields(t.indexes[i])[1]
	after := with(tables, t, t.changed(func(t *table) { t.indexes = slices.Delete(t.indexes, i, i+1) }))
	return []step{{
		pick(c.Rand, "DROP INDEX "+name+" ON "+t.quoted(), "ALTER TABLE "+t.quoted()+" DROP KEY "+name),
		after,
	}}
}

func (c *changer) truncate(tables []*table, t *table) []step {
	return []step{{"TRUNCATE TABLE " + t.quoted(), tables}}
}

const manyTables = 12

func (c *changer) create(tables []*table, t *table) []step {
	if len(tables) > manyTables {
		return c.drop(tables, t)
	}
	n := c.draw.table(c.Rand, t.database, 0)
	n.name, n.filter = c.name("n"), ""
	return []step{{n.create(), append(slices.Clone(tables), n)}}
}

func (c *changer) createLike(tables []*table, t *table) []step {
	if len(tables) > manyTables {
		return c.drop(tables, t)
	}
	n := t.clone(c.name("n"))
	return []step{{"CREATE TABLE " + n.quoted() + " LIKE " + t.quoted(), append(slices.Clone(tables), n)}}
}

func (c *changer) createSelect(tables []*table, t *table) []step {
	if len(tables) > manyTables || !c.draw.on("keyless") {
		return c.drop(tables, t)
	}
	n := &table{database: t.database, name: c.name("n")}
	for _, x := range t.written() {
		column := *x
		column.auto, column.invisible = false, false
		n.columns = append(n.columns, column)
	}
	return []step{{
		"CREATE TABLE " + n.quoted() + " AS SELECT " + n.list() + " FROM " + t.quoted() + " LIMIT 100",
		append(slices.Clone(tables), n),
	}}
}

// list is the columns that statements may set.
func (t *table) list() string {
	var names []string
	for _, c := range t.written() {
		names = append(names, c.name)
	}
	return quotedList(names)
}

func (c *changer) drop(tables []*table, t *table) []step {
	if len(tables) < 3 {
		return nil
	}
	return []step{{"DROP TABLE " + t.quoted(), with(tables, t, nil)}}
}

func (c *changer) rename(tables []*table, t *table) []step {
	n := t.clone(c.name("n"))
	return []step{{"RENAME TABLE " + t.quoted() + " TO " + n.quoted(), with(tables, t, n)}}
}

// leave moves a table out of the move and makes it anew, as logs are rotated. Its rows stay on the target, under the
// new name.
func (c *changer) leave(tables []*table, t *table) []step {
	if len(tables) < 3 { // some are there at every moment
		return nil
	}
	gone, anew := t.clone(c.name("gone")), t.clone(t.name)
	gone.database = fmt.Sprintf("soak_elsewhere_%d", c.draw.seed)
	without := with(tables, t, nil)
	return []step{
		{"RENAME TABLE " + t.quoted() + " TO " + gone.quoted(), without},
		{anew.create(), append(slices.Clone(without), anew)},
	}
}

// swap exchanges the names of two tables.
func (c *changer) swap(tables []*table, t *table) []step {
	u := tables[c.IntN(len(tables))]
	if u == t || u.database != t.database || u.filter != "" || u.family {
		return c.rename(tables, t)
	}
	between := t.clone(c.name("n"))
	after := with(with(tables, t, t.clone(u.name)), u, u.clone(t.name))
	return []step{{fmt.Sprintf("RENAME TABLE %s TO %s, %s TO %s, %s TO %s", t.quoted(), between.quoted(), u.quoted(),
		t.quoted(), between.quoted(), u.quoted()), after}}
}

// ghost changes a table as gh-ost does: beside it, under its name in the end.
func (c *changer) ghost(tables []*table, t *table) []step {
	ghost, old := t.clone(c.name("_gho")), t.clone(c.name("_del"))
	steps := []step{{"CREATE TABLE " + ghost.quoted() + " LIKE " + t.quoted(), append(slices.Clone(tables), ghost)}}
	added := c.addColumn(steps[0].tables, ghost)
	if len(added) == 0 {
		return nil
	}
	tables = added[0].tables
	ghost = tables[len(tables)-1]
	copied := step{fmt.Sprintf("INSERT IGNORE INTO %s (%s) SELECT %s FROM %s", ghost.quoted(), t.list(), t.list(),
		t.quoted()), nil}
	swapped := with(with(tables, t, old), ghost, ghost.clone(t.name))
	return append(steps, added[0], copied,
		step{
			fmt.Sprintf("RENAME TABLE %s TO %s, %s TO %s", t.quoted(), old.quoted(), ghost.quoted(), t.quoted()),
			swapped,
		},
		step{"DROP TABLE " + old.quoted(), with(swapped, old, nil)})
}
