package dbtest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/canon"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// reader is what a source and a target have in common.
type reader struct{ s *Server }

// Sizes returns how large tables are: exactly here, while servers estimate. A table that is not there is left out.
func (r reader) Sizes(ctx context.Context, tables []schema.Name) (map[schema.Name]db.Size, error) {
	if err := r.s.enter(ctx, "sizes"); err != nil {
		return nil, fmt.Errorf("read sizes of tables: %w", err)
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	sizes := map[schema.Name]db.Size{}
	for _, name := range tables {
		if t := r.s.tables[name]; t != nil {
			size := db.Size{Rows: int64(len(t.rows))}
			if slices.ContainsFunc(t.def.Columns, func(c schema.Column) bool { return c.AutoIncrement }) {
				size.Next = t.next
			}
			for _, rec := range t.rows {
				size.Bytes += int64(rec.row.Size())
			}
			sizes[name] = size
		}
	}
	return sizes, nil
}

// Tables returns the tables whose names match. The definition is printed from the parts that count, so that it is
// equal for equal tables, whatever their rows.
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

// bound returns the key n rows after the given one. The filter is left out: chunks are cut by all rows of the table,
// so that both ends cut alike whatever the filter.
func bound(tables map[schema.Name]*table, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	reading, own, err := ownRange(rel, db.Range{After: after})
	if err != nil {
		return nil, err
	}
	keys := rel.KeyOnly()
	keys.Where = ""
	sel, err := selection(tables, keys)
	if err != nil {
		return nil, err
	}
	records, err := sel.within(own, n)
	if err != nil || n < 1 || len(records) < n {
		return nil, err
	}
	return reading.Key(records[n-1].row.Pick(sel.columns).Clone())
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
	return r.open(ctx, "fetch", rel, func() ([]db.Row, error) { return selectKeys(r.s.tables, rel, keys) })
}

// selectKeys returns the rows that have one of the keys, each once, however often its key is asked for. The server's
// mu is held.
func selectKeys(tables map[schema.Name]*table, rel *route.Relation, keys []db.Row) ([]db.Row, error) {
	sel, err := selection(tables, rel)
	if err != nil {
		return nil, err
	}
	keys = sel.reading.OwnKeys(keys)
	if !slices.Equal(sel.key, sel.t.key) {
		wanted := make(map[string]bool, len(keys))
		for _, key := range keys {
			wanted[encode(key)] = true
		}
		records, err := sel.within(db.Range{}, 0)
		if err != nil {
			return nil, err
		}
		return sel.rows(slices.DeleteFunc(records, func(rec *record) bool {
			return !wanted[encode(rec.row.Pick(sel.key))]
		}))
	}
	records, seen := []*record(nil), map[string]bool{}
	for _, key := range keys {
		k := encode(key)
		if rec := sel.t.rows[k]; rec != nil && !seen[k] {
			records = append(records, rec)
		}
		seen[k] = true
	}
	return sel.rows(records)
}

// open reads all rows at once, in the instant of the call, as one statement of a real server does.
func (r reader) open(ctx context.Context, step string, rel *route.Relation, read func() ([]db.Row, error)) (db.Rows,
	error,
) {
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
	return r.s.identity(), err
}

// Close does nothing: there are no connections.
func (r reader) Close() error { return nil }

// selectRange returns a relation's rows of a range in key order. The server's mu is held.
func selectRange(tables map[schema.Name]*table, rel *route.Relation, rng db.Range) ([]db.Row, error) {
	sel, err := selection(tables, rel)
	if err != nil {
		return nil, err
	}
	_, own, err := ownRange(rel, rng)
	if err != nil {
		return nil, err
	}
	records, err := sel.within(own, 0)
	if err != nil {
		return nil, err
	}
	return sel.rows(records)
}

// ownRange returns how a relation's rows are read, and a range as the server has it.
func ownRange(rel *route.Relation, rng db.Range) (*canon.Reading, db.Range, error) {
	reading, err := canon.NewReading(rel)
	if err != nil {
		return nil, rng, err
	}
	own, err := reading.OwnRange(rng)
	return reading, own, err
}

// selected is a relation in the table as it stands.
type selected struct {
	t       *table
	reading *canon.Reading
	columns []int // of the relation's values
	key     []int // of its key
	filter  *route.Filter
	all     []int // the filter's columns: every one
}

// selection finds a relation in the table as it stands, with its filter.
func selection(tables map[schema.Name]*table, rel *route.Relation) (*selected, error) {
	t := tables[rel.Name()]
	if t == nil {
		return nil, fmt.Errorf("open table %s: no such table", rel.Name())
	}
	columns, err := locate(t.def, rel)
	if err != nil {
		return nil, err
	}
	reading, err := canon.NewReading(rel)
	if err != nil {
		return nil, err
	}
	sel := &selected{t: t, reading: reading, columns: columns, key: make([]int, len(rel.Key))}
	for i, at := range rel.Key {
		sel.key[i] = columns[at]
	}
	if rel.Where == "" {
		return sel, nil
	}
	whole := &route.Relation{Table: t.def}
	for i := range t.def.Columns {
		whole.Columns = append(whole.Columns, i)
	}
	sel.all = whole.Columns
	sel.filter, err = route.ParseFilter(rel.Where, whole)
	return sel, err
}

// within returns the records of a range in key order, at most limit of them (0: all), also those that the filter
// passes over. A route's key may be another one than the table's primary key: then they are sorted here.
func (sel *selected) within(rng db.Range, limit int) ([]*record, error) {
	t, key := sel.t, sel.key
	if len(key) == 0 && (rng.After != nil || rng.Upto != nil) {
		return nil, fmt.Errorf("read range of %s: the table has no key", t.def.Name)
	}
	order := t.sorted()
	if !slices.Equal(key, t.key) {
		order = slices.Clone(order)
		sort.SliceStable(order, func(i, j int) bool {
			return t.compare(key, t.rows[order[i]].row.Pick(key), t.rows[order[j]].row.Pick(key)) < 0
		})
	}
	past := func(bound db.Row) int {
		return sort.Search(len(order), func(i int) bool {
			return t.compare(key, t.rows[order[i]].row.Pick(key), bound) > 0
		})
	}
	from, to := 0, len(order)
	if rng.After != nil {
		from = past(rng.After)
	}
	if rng.Upto != nil {
		to = max(past(rng.Upto), from)
	}
	if limit > 0 {
		to = min(to, from+limit)
	}
	records := make([]*record, 0, to-from)
	for _, k := range order[from:to] {
		records = append(records, t.rows[k])
	}
	return records, nil
}

// rows returns the relation's rows of records that the filter keeps.
func (sel *selected) rows(records []*record) ([]db.Row, error) {
	rows := make([]db.Row, 0, len(records))
	for _, rec := range records {
		if sel.filter == nil || sel.filter.Match(rec.row.Pick(sel.all)) {
			row, err := sel.reading.Row(rec.row.Pick(sel.columns))
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// locate returns where a relation's columns are in the table as it stands, by name: the table may have been altered
// since the relation was made.
func locate(def *schema.Table, rel *route.Relation) ([]int, error) {
	columns := make([]int, len(rel.Columns))
	for i := range rel.Columns {
		if columns[i] = def.Column(rel.Column(i).Name); columns[i] < 0 {
			return nil, fmt.Errorf("open table %s: no column %s", def.Name, rel.Column(i).Name)
		}
	}
	return columns, nil
}

// result streams rows. The row that Next returns is overwritten by the next call, as a real engine's may be: a phase
// that keeps a row without cloning it reads exclamation marks.
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
