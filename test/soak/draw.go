package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// draw makes the tables of an episode.
type draw struct {
	from, to string // flavors
	features featureSet
	seed     uint64
	odd      bool // names
}

func (d *draw) on(feature string) bool { return d.features[feature] }

func (d *draw) crossing() bool { return d.from != d.to }

// tables draws all of them.
func (d *draw) tables(r *rand.Rand, databases []string) []*table {
	d.odd = d.on("names") && r.IntN(3) == 0
	var all []*table
	for i := range 1 + r.IntN(8) {
		all = append(all, d.table(r, pick(r, databases...), i))
	}
	return all
}

// names that ask to be quoted well.
var oddNames = []string{
	"select", "a b", "quote`d", "it's", `say "x"`, "dot.ted", "percent%s", "naïve", "中文", "x-y", "100", "back\\slash",
	"semi;colon", "MiXeD",
	"very_long_name_" + strings.Repeat("x", 46), "#hash", "--dash", "tab_$1", "{brace}", "question?", "col,on:",
}

func (d *draw) tableName(r *rand.Rand, i int) string {
	if d.odd && r.IntN(2) == 0 {
		name := []rune(fmt.Sprintf("%s%d", pick(r, oddNames...), i))
		return string(name[max(0, len(name)-64):])
	}
	return fmt.Sprintf("t%d", i)
}

func (d *draw) columnName(r *rand.Rand, what string, i int) string {
	if d.odd && r.IntN(4) == 0 {
		name := []rune(fmt.Sprintf("%s%s%d", pick(r, oddNames...), what, i))
		return string(name[max(0, len(name)-64):])
	}
	return fmt.Sprintf("%s%d", what, i)
}

// table draws one: its key, columns with unique indexes, others, and their order.
func (d *draw) table(r *rand.Rand, database string, i int) *table {
	t := &table{database: database, name: d.tableName(r, i), primary: r.IntN(5) > 0}
	t.rows = pick(r, 0, 1, 30, 300, 300, 1000, 2000)
	if d.on("keyless") && r.IntN(5) == 0 {
		t.rows = min(t.rows, 600)
	} else {
		d.key(r, t)
	}
	for n := range pick(r, 0, 0, 1, 2) {
		c := column{name: d.columnName(r, "u", n), kind: d.uniqueKind(r), nullable: true}
		t.columns = append(t.columns, c)
		t.unique = append(t.unique, c.name)
	}
	if r.IntN(4) == 0 {
		for n := range 2 {
			c := column{name: d.columnName(r, "p", n), kind: integer(r), nullable: true}
			t.columns = append(t.columns, c)
			t.pairs = append(t.pairs, c.name)
		}
	}
	for n := range 1 + r.IntN(9) {
		t.columns = append(t.columns, d.plainColumn(r, n))
	}
	d.generated(r, t)
	if r.IntN(3) > 0 {
		r.Shuffle(len(t.columns), func(a, b int) { t.columns[a], t.columns[b] = t.columns[b], t.columns[a] })
	}
	d.indexes(r, t)
	d.filter(r, t)
	// last, of a stream of its own: all else is drawn as without it
	d.sorts(stream(d.seed, 1000+uint64(len(t.columns))), t)
	return t
}

func (d *draw) uniqueKind(r *rand.Rand) kind {
	switch r.IntN(4) {
	case 0:
		return d.characters(r, false)
	case 1:
		return binary(r)
	default:
		return integer(r)
	}
}

// plainColumn draws a column of any type.
func (d *draw) plainColumn(r *rand.Rand, n int) column {
	c := column{name: d.columnName(r, "c", n), kind: d.plainKind(r), nullable: r.IntN(3) > 0}
	for c.kind.class == "json" && !d.on("json") || c.kind.class == "geometry" && !d.on("geometry") || c.kind.lossy &&
		d.crossing() && !d.on("losses") {
		c.kind = d.plainKind(r)
	}
	if c.kind.class == "int" && r.IntN(4) == 0 {
		c.standard = "7"
	}
	if n > 0 && c.nullable && r.IntN(12) == 0 { // one column has to be visible
		c.invisible = true
	}
	return c
}

func (d *draw) plainKind(r *rand.Rand) kind {
	switch r.IntN(16) {
	case 0, 1, 2:
		return integer(r)
	case 3:
		return decimal(r)
	case 4, 5:
		return temporal(r)
	case 6:
		return d.characters(r, d.on("losses"))
	case 7:
		return d.longText(r)
	case 8:
		return longBytes(r)
	case 9:
		return binary(r)
	case 10:
		return d.floating(r)
	case 11:
		return bit(r)
	case 12:
		return enumeration(r)
	case 13:
		return set(r)
	case 14:
		return json(r)
	default:
		if d.from == mariadbOnly && d.on("mariadb") && r.IntN(2) == 0 {
			return mariadbType(r)
		}
		return geometry(r)
	}
}

// sorts adds columns that others make in every way that no session changes. Families write most of them differently,
// and are refused what they might compute differently.
func (d *draw) sorts(r *rand.Rand, t *table) {
	if !d.on("sorts") || d.crossing() || r.IntN(3) > 0 {
		return
	}
	for i := range t.columns {
		c := &t.columns[i]
		if c.auto || c.generated != "" || r.IntN(3) > 0 {
			continue
		}
		name := quote(c.name)
		if strings.HasPrefix(c.kind.sql, "CHAR") {
			// MariaDB takes no stored column of the bare one: what it reads as depends on PAD_CHAR_TO_FULL_LENGTH.
			name = "RTRIM(" + name + ")"
		}
		kinds := map[string][]kind{
			"int":      {{sql: "BIGINT"}, {sql: "DECIMAL(40,2)"}, {sql: "VARCHAR(60) CHARACTER SET latin1"}},
			"decimal":  {{sql: "DECIMAL(65,30)"}, {sql: "INT"}},
			"text":     {{sql: "INT"}, {sql: "VARCHAR(400) CHARACTER SET utf8mb4"}},
			"binary":   {{sql: "INT"}},
			"temporal": {{sql: "INT"}},
		}[c.kind.class]
		expressions := map[string][]string{
			"int":      {"(" + name + " % 7) * 3", name + " % 100 + 0.25", "CONCAT('n', " + name + ")"},
			"decimal":  {"ABS(" + name + ")", name + " IS NULL"},
			"text":     {"CHAR_LENGTH(" + name + ")", "LEFT(CONCAT('<', " + name + "), 80)"},
			"binary":   {"LENGTH(" + name + ")"},
			"temporal": {name + " IS NULL"},
		}[c.kind.class]
		if len(kinds) == 0 {
			continue
		}
		at := r.IntN(len(kinds))
		kind := kinds[at]
		kind.class = "made"
		t.columns = append(t.columns, column{
			name: d.columnName(r, "s", i), stored: r.IntN(2) == 0, kind: kind,
			generated: expressions[at],
		})
		return
	}
}

// generated adds a column that another one makes.
func (d *draw) generated(r *rand.Rand, t *table) {
	if !d.on("gencol") || r.IntN(3) > 0 {
		return
	}
	for i := range t.columns {
		if c := &t.columns[i]; c.kind.class == "int" && !c.auto {
			t.columns = append(t.columns, column{
				name: d.columnName(r, "g", i), stored: r.IntN(2) == 0,
				kind: kind{class: "int", sql: "BIGINT"}, generated: quote(c.name) + " % 1000",
			})
			return
		}
	}
}

// indexes adds some that hold nothing unique.
func (d *draw) indexes(r *rand.Rand, t *table) {
	for i, c := range t.columns {
		if r.IntN(4) > 0 {
			continue
		}
		part := quote(c.name)
		switch {
		case c.kind.class == "json" || c.kind.class == "geometry":
			continue
		case strings.Contains(c.kind.sql, "TEXT") || strings.Contains(c.kind.sql, "BLOB"):
			part += "(5)"
		case r.IntN(3) == 0:
			part += " DESC"
		}
		t.indexes = append(t.indexes, fmt.Sprintf("KEY i%d (%s)", i, part))
	}
}

// filter lets only some rows of a table move.
func (d *draw) filter(r *rand.Rand, t *table) {
	if !d.on("filters") || r.IntN(8) > 0 || len(t.key) == 0 || strings.Trim(t.name, "t0123456789") != "" {
		return
	}
	for _, c := range t.columns {
		if c.kind.class == "int" && c.generated == "" &&
			strings.Trim(c.name, "abcdefghijklmnopqrstuvwxyz0123456789") == "" {
			t.filter = pick(r, c.name+" < 900", c.name+" >= 50 OR "+c.name+" IS NULL", c.name+" NOT IN (0, 1, 2, 3)")
			return
		}
	}
}
