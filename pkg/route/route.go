// Package route says which source table goes where, with which columns and which rows.
//
// Its one invariant: both relations of a route list the same columns in the same order, so that a row of one is a row
// of the other. It reads no rows and talks to no server.
//
// For example, under the rule shop.* -> newshop.* and the filter `region = 'eu'` the table shop.orders (id, region,
// sum, tax generated) has the route to newshop.orders with the values id, region and sum, the key at position 0, and a
// filter that is decided on the bytes of value 1.
package route

import (
	"fmt"
	"slices"

	"wherry/pkg/schema"
)

// Relation is one end of a route: a table and what rows of it carry.
type Relation struct {
	Table *schema.Table
	// Columns are positions in Table.Columns: value i of a row is the column Columns[i]. Generated columns are left
	// out, since nobody writes them, unless the key has them.
	Columns []int
	Key     []int  // positions within a row, not within the table, of the values that identify it, in key order
	Desc    []bool // per value of Key, whether the index is in descending order of it; nil: none is
	Where   string // a condition in the server's SQL that rows must meet; empty means all rows
	// Rules are, per value, how it is read for the other end; nil: all values stay as they are, always so on a target.
	Rules []Rule
	// Computed is how many values at the end of a row are only compared, see Route.Compared.
	Computed int

	values []*schema.Type // see Value; nil: the columns' own
}

// Column returns the definition of value i of a row.
func (r *Relation) Column(i int) *schema.Column { return &r.Table.Columns[r.Columns[i]] }

// Descends returns whether keys are in descending order of value i of the key. Both relations of a route have one
// order.
func (r *Relation) Descends(i int) bool { return i < len(r.Desc) && r.Desc[i] }

// KeyOnly returns the relation with the values of its key and no others, in key order. Its rows are keys.
func (r *Relation) KeyOnly() *Relation {
	only := *r
	only.Columns, only.Key, only.Rules, only.Computed, only.values = nil, nil, nil, 0, nil
	for i, at := range r.Key {
		only.Columns, only.Key = append(only.Columns, r.Columns[at]), append(only.Key, i)
		only.Rules = append(only.Rules, r.Rule(at))
		only.values = append(only.values, r.Value(at))
	}
	return &only
}

// Written returns whether value i of a row is written to the table. A generated column's is computed by the server,
// which refuses any other.
func (r *Relation) Written(i int) bool { return r.Column(i).Generated == schema.NotGenerated }

// Name returns the table's name.
func (r *Relation) Name() schema.Name { return r.Table.Name }

// Route leads the rows of a source table to a target table.
type Route struct {
	Source Relation
	Target Relation
	Filter *Filter // nil means all rows; the source relation's Where says the same in SQL
	// Apart are stored generated columns whose values may differ between the ends: they depend on the session that
	// wrote the row, such as HOUR(at) of a TIMESTAMP, or that loss was allowed.
	Apart []string

	allowed map[string][]string // see Allow
	plain   *Route              // what Compared was made of
}

// plainAt tells whether a column is there and has to be written, because its server computes no value for it. The
// source's column may be generated all the same, by an expression that the target does not have.
func plainAt(target *schema.Table, at int) bool {
	return at >= 0 && target.Columns[at].Generated == schema.NotGenerated
}

// New builds the route of a source table to the target table that was planned for it. where is the row filter, or
// empty.
//
// Generated columns are left out, unless the key has them or the target's column is a plain one.
//
// The row key is the source's, on both ends: the target may have other unique indexes, or may have none yet while rows
// are copied. A table without a key has a route with an empty Key.
func New(source, target *schema.Table, where string) (*Route, error) {
	r := &Route{Source: Relation{Table: source, Where: where}, Target: Relation{Table: target}}
	position := make(map[int]int, len(source.Columns))
	key := source.Key()
	for i := range source.Columns {
		at := target.ColumnOf(source.Columns[i].Name)
		if source.Columns[i].Generated != schema.NotGenerated && !slices.Contains(key, i) && !plainAt(target, at) {
			continue
		}
		if at < 0 {
			return nil, fmt.Errorf("route %s to %s: no column %s on the target", source.Name, target.Name,
				source.Columns[i].Name)
		}
		position[i] = len(r.Source.Columns)
		r.Source.Columns = append(r.Source.Columns, i)
		r.Target.Columns = append(r.Target.Columns, at)
	}
	for i, column := range key {
		r.Source.Key = append(r.Source.Key, position[column])
		r.Source.Desc = append(r.Source.Desc, source.KeyIndex().Parts[i].Desc)
	}
	r.Target.Key, r.Target.Desc = r.Source.Key, r.Source.Desc
	r.compile()
	if where == "" {
		return r, nil
	}
	filter, err := ParseFilter(where, &r.Source)
	if err != nil {
		return nil, fmt.Errorf("filter rows of %s: %w", source.Name, err)
	}
	r.Filter = filter
	return r, nil
}
