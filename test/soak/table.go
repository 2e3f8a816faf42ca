package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// column is one of a table.
type column struct {
	name      string
	kind      kind
	nullable  bool
	auto      bool   // AUTO_INCREMENT
	invisible bool   // not in SELECT *
	generated string // the expression, or ""
	stored    bool
	standard  string // DEFAULT, or ""
}

// table is one that moves.
type table struct {
	database, name string
	columns        []column
	key            []string // the columns that tell rows apart; none for a table without a key
	primary        bool     // the key is the primary one
	descending     []bool
	unique         []string // nullable columns, each with a unique index of its own
	pairs          []string // two nullable columns with one unique index
	indexes        []string // further indexes, as in CREATE TABLE
	rows           int      // to begin with
	references     []string // foreign keys, as in CREATE TABLE
	family         bool     // with foreign keys, or named by them
	filter         string   // the rows that move, or ""
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func (t *table) quoted() string { return quote(t.database) + "." + quote(t.name) }

func (t *table) column(name string) *column {
	return &t.columns[slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })]
}

// written are the columns that statements may set.
func (t *table) written() []*column {
	var all []*column
	for i := range t.columns {
		if t.columns[i].generated == "" {
			all = append(all, &t.columns[i])
		}
	}
	return all
}

// plain are the columns that are neither in the key nor in a unique index.
func (t *table) plain() []*column {
	return slices.DeleteFunc(t.written(), func(c *column) bool {
		return slices.Contains(t.key, c.name) || slices.Contains(t.unique, c.name) || slices.Contains(t.pairs, c.name)
	})
}

func (c *column) definition() string {
	text := quote(c.name) + " " + c.kind.sql
	switch {
	case c.generated != "":
		text += " GENERATED ALWAYS AS (" + c.generated + ")" + map[bool]string{
			true:  " STORED",
			false: " VIRTUAL",
		}[c.stored]
	case !c.nullable:
		text += " NOT NULL"
	default:
		text += " NULL"
	}
	if c.standard != "" {
		text += " DEFAULT " + c.standard
	}
	if c.auto {
		text += " AUTO_INCREMENT"
	}
	if c.invisible {
		text += " INVISIBLE"
	}
	return text
}

// create is the statement.
func (t *table) create() string {
	var parts []string
	for i := range t.columns {
		parts = append(parts, t.columns[i].definition())
	}
	if len(t.key) > 0 {
		var list []string
		for i, name := range t.key {
			part := quote(name)
			if t.descending[i] {
				part += " DESC"
			}
			list = append(list, part)
		}
		kind := "UNIQUE KEY `the key`"
		if t.primary {
			kind = "PRIMARY KEY"
		}
		parts = append(parts, kind+" ("+strings.Join(list, ", ")+")")
	}
	for i, name := range t.unique {
		parts = append(parts, fmt.Sprintf("UNIQUE KEY u%d (%s)", i, quote(name)))
	}
	if len(t.pairs) > 0 {
		parts = append(parts, fmt.Sprintf("UNIQUE KEY pair (%s, %s)", quote(t.pairs[0]), quote(t.pairs[1])))
	}
	parts = append(append(parts, t.indexes...), t.references...)
	return "CREATE TABLE " + t.quoted() + " (\n  " + strings.Join(parts, ",\n  ") + "\n) ENGINE=InnoDB"
}

// insert is a statement of n rows; verb is INSERT, REPLACE and their like, tail comes after the rows. Columns that
// count by themselves are left to it now and then.
func (t *table) insert(r *rand.Rand, verb string, n int, tail string) string {
	columns := t.written()
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = quote(c.name)
	}
	rows := make([]string, n)
	for i := range rows {
		values := make([]string, len(columns))
		for j, c := range columns {
			values[j] = c.value(r)
			if c.auto && r.IntN(3) > 0 {
				values[j] = "DEFAULT"
			}
		}
		rows[i] = "(" + strings.Join(values, ", ") + ")"
	}
	return fmt.Sprintf("%s INTO %s (%s) VALUES %s%s", verb, t.quoted(), strings.Join(names, ", "),
		strings.Join(rows, ", "), tail)
}

func (c *column) value(r *rand.Rand) string {
	if c.nullable && r.IntN(6) == 0 {
		return "NULL"
	}
	return c.kind.value(r)
}
