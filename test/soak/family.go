package main

import (
	"fmt"
	"math/rand/v2"
)

// family draws tables whose foreign keys act: parents, children and grandchildren, with keys that meet.
func family(r *rand.Rand, database string) []*table {
	small := kind{class: "int", sql: "INT", value: func(r *rand.Rand) string { return fmt.Sprint(1 + r.IntN(60)) }}
	var all []*table
	for i := range 3 {
		t := &table{
			database: database, name: fmt.Sprintf("f%d", i), key: []string{"k0"}, descending: []bool{false},
			primary: true, rows: 60, family: true,
		}
		t.columns = []column{
			{name: "k0", kind: small},
			{name: "c0", kind: small, nullable: true},
			{name: "c1", kind: small},
		}
		for n, parent := range r.Perm(i)[:min(i, 1+r.IntN(2))] {
			name := fmt.Sprintf("p%d", n)
			t.columns = append(t.columns, column{name: name, kind: small, nullable: true})
			t.indexes = append(t.indexes, fmt.Sprintf("KEY p%d (%s)", n, quote(name)))
			t.references = append(t.references, fmt.Sprintf("CONSTRAINT f%d_%d FOREIGN KEY (%s) REFERENCES f%d (k0) "+
				"ON DELETE %s ON UPDATE %s",
				i, n, quote(name), parent, pick(r, "CASCADE", "CASCADE", "SET NULL", "RESTRICT"),
				pick(r, "CASCADE", "CASCADE", "SET NULL", "RESTRICT")))
		}
		all = append(all, t)
	}
	return all
}
