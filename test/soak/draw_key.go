package main

import (
	"math/rand/v2"
	"strings"
)

// key draws the columns that tell a table's rows apart.
func (d *draw) key(r *rand.Rand, t *table) {
	count := pick(r, 1, 1, 1, 2, 2, 3)
	width := 0
	for n := range count {
		c := column{name: d.columnName(r, "k", n), kind: d.keyKind(r)}
		if wide := strings.Contains(c.kind.sql, "(40)"); wide && width > 0 {
			c.kind = integer(r) // a key has at most 3072 bytes
		} else if wide {
			width++
		}
		if count == 1 && c.kind.class == "int" && r.IntN(2) == 0 {
			c.auto = true
		}
		c.invisible = t.primary && r.IntN(10) == 0 && d.mayHide(&c)
		t.columns = append(t.columns, c)
		t.key = append(t.key, c.name)
		t.descending = append(t.descending, r.IntN(8) == 0)
	}
	r.Shuffle(count, func(a, b int) { t.key[a], t.key[b] = t.key[b], t.key[a] })
	if c := t.column(t.key[0]); c.auto {
		t.descending[0] = false
	}
}

// mayHide tells whether a column can be invisible on both ends: MariaDB demands a default of it.
func (d *draw) mayHide(c *column) bool {
	return c.auto || d.from == mysqlOnly && d.to == mysqlOnly
}

func (d *draw) keyKind(r *rand.Rand) kind {
	switch r.IntN(12) {
	case 0, 1, 2, 3:
		return integer(r)
	case 4:
		return decimal(r)
	case 5:
		return temporal(r)
	case 6, 7, 8:
		return d.characters(r, false)
	case 9:
		return binary(r)
	case 10:
		return uuid(r)
	default:
		if d.on("oddkeys") {
			return pick(r, d.floating, bit, enumeration, set)(r)
		}
		return integer(r)
	}
}
