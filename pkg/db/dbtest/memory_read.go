package dbtest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// reader is what a source and a target have in common.
type reader struct{ s *Server }

// Tables returns the tables whose names match.
func (r reader) Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error) {
	if err := r.s.enter(ctx, "tables"); err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var found []*schema.Table
	for name, t := range r.s.tables {
		if !match(name) {
			continue
		}
		def := *t.def
		def.Rows, def.Bytes, def.AutoIncrement, def.Definition = 0, 0, 0, ""
		def.Definition = write(createTable, operands{Table: def})
		def.Rows = int64(len(t.rows))
		if slices.ContainsFunc(def.Columns, func(c schema.Column) bool { return c.AutoIncrement }) {
			def.AutoIncrement = t.next
		}
		for _, rec := range t.rows {
			def.Bytes += int64(rec.row.Size())
		}
		found = append(found, &def)
	}
	slices.SortFunc(found, func(a, b *schema.Table) int { return strings.Compare(a.Name.String(), b.Name.String()) })
	return found, nil
}

// Bound returns the key n rows after the given one.
func (r reader) Bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	if err := r.s.enter(ctx, "bound"); err != nil {
		return nil, fmt.Errorf("find chunk bound of %s: %w", rel.Name(), err)
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return bound(r.s.tables, rel, after, n)
}

func bound(tables map[schema.Name]*table, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	all := *rel
	all.Where = ""
	rows, err := selectRange(tables, &all, db.Range{After: after})
	if err != nil || n < 1 || len(rows) < n {
		return nil, err
	}
	return rows[n-1].Pick(rel.Key).Clone(), nil
}

// Rows streams the rows of a range in key order, as they are now.
func (r reader) Rows(ctx context.Context, rel *route.Relation, rng db.Range) (db.Rows, error) {
	return r.open(ctx, "rows", rel, func() ([]db.Row, error) { return selectRange(r.s.tables, rel, rng) })
}

// Sum returns the checksum of a range.
func (r reader) Sum(ctx context.Context, rel *route.Relation, rng db.Range) (db.Sum, error) {
	rows, err := r.open(ctx, "sum", rel, func() ([]db.Row, error) { return selectRange(r.s.tables, rel, rng) })
	if err != nil {
		return db.Sum{}, err
	}
	return db.SumRows(rows)
}

// Fetch streams the rows that have one of the keys.
func (r reader) Fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	return r.open(ctx, "fetch", rel, func() ([]db.Row, error) { return withKeys(keys, rel)(selectRange(r.s.tables, rel, db.Range{})) })
}

// withKeys keeps the rows that have one of the keys.
func withKeys(keys []db.Row, rel *route.Relation) func([]db.Row, error) ([]db.Row, error) {
	wanted := make(map[string]bool, len(keys))
	for _, key := range keys {
		wanted[encode(key)] = true
	}
	return func(rows []db.Row, err error) ([]db.Row, error) {
		return slices.DeleteFunc(rows, func(row db.Row) bool { return !wanted[encode(row.Pick(rel.Key))] }), err
	}
}

func (r reader) open(ctx context.Context, step string, rel *route.Relation, read func() ([]db.Row, error)) (db.Rows, error) {
	if err := r.s.enter(ctx, step); err != nil {
		return nil, fmt.Errorf("read rows of %s: %w", rel.Name(), err)
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	rows, err := read()
	if err != nil {
		return nil, fmt.Errorf("read rows of %s: %w", rel.Name(), err)
	}
	return &result{ctx: ctx, s: r.s, generation: r.s.generation, rows: rows}, nil
}

// Identity tells which server this is.
func (r reader) Identity(ctx context.Context) (db.Identity, error) {
	err := r.s.enter(ctx, "identity")
	return db.Identity{UUID: r.s.name, Host: r.s.name, Flavor: "memory", Version: "1.0.0", Clock: 0 * time.Second}, err
}

// Close does nothing: there are no connections.
func (r reader) Close() error { return nil }

// selectRange returns a relation's rows of a range in key order. The server's mu is held.
func selectRange(tables map[schema.Name]*table, rel *route.Relation, rng db.Range) ([]db.Row, error) {
	t := tables[rel.Name()]
	if t == nil {
		return nil, fmt.Errorf("open table %s: no such table", rel.Name())
	}
	columns, err := locate(t.def, rel)
	if err != nil {
		return nil, err
	}
	var filter *route.Filter
	if rel.Where != "" {
		if filter, err = route.ParseFilter(rel.Where, rel); err != nil {
			return nil, err
		}
	}
	key := make([]int, len(rel.Key))
	for i, at := range rel.Key {
		key[i] = columns[at]
	}
	if len(key) == 0 && (rng.After != nil || rng.Upto != nil) {
		return nil, fmt.Errorf("read range of %s: the table has no key", rel.Name())
	}
	records := make([]*record, 0, len(t.rows))
	for _, k := range t.sorted() {
		records = append(records, t.rows[k])
	}
	if !slices.Equal(key, t.key) {
		sort.SliceStable(records, func(i, j int) bool {
			return t.compare(key, records[i].row.Pick(key), records[j].row.Pick(key)) < 0
		})
	}
	past := func(bound db.Row) int {
		return sort.Search(len(records), func(i int) bool { return t.compare(key, records[i].row.Pick(key), bound) > 0 })
	}
	from, to := 0, len(records)
	if rng.After != nil {
		from = past(rng.After)
	}
	if rng.Upto != nil {
		to = max(past(rng.Upto), from)
	}
	rows := make([]db.Row, 0, to-from)
	for _, rec := range records[from:to] {
		row := rec.row.Pick(columns)
		if filter == nil || filter.Match(row) {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// locate returns where a relation's columns are in the table as it stands.
func locate(def *schema.Table, rel *route.Relation) ([]int, error) {
	columns := make([]int, len(rel.Columns))
	for i := range rel.Columns {
		if columns[i] = def.Column(rel.Column(i).Name); columns[i] < 0 {
			return nil, fmt.Errorf("open table %s: no column %s", def.Name, rel.Column(i).Name)
		}
	}
	return columns, nil
}

// result streams rows. The row that Next returns is overwritten by the next call, as a real engine's may be.
type result struct {
	ctx        context.Context
	s          *Server
	generation int
	rows       []db.Row
	last       db.Row
}

// Next returns the next row.
func (r *result) Next() (db.Row, error) {
	if err := r.s.enter(r.ctx, "rows.next"); err != nil {
		return nil, fmt.Errorf("read row: %w", err)
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if err := r.s.alive(r.generation); err != nil {
		return nil, err
	}
	for _, v := range r.last {
		for i := range v {
			v[i] = '!'
		}
	}
	if len(r.rows) == 0 {
		return nil, io.EOF
	}
	r.last, r.rows = r.rows[0].Clone(), r.rows[1:]
	return r.last, nil
}

// Close ends the result.
func (r *result) Close() error { return nil }
