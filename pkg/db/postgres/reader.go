package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/codec"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/route"
)

// reading is how rows are asked for: on any connection, or on that of a snapshot.
type reading struct {
	t *Target
	// get returns a connection, and what gives it back.
	get func(ctx context.Context) (*wire.Conn, func(), error)
}

func (t *Target) reading() reading {
	return reading{t: t, get: func(ctx context.Context) (*wire.Conn, func(), error) {
		c, err := t.pool.Get(ctx)
		if err != nil {
			return nil, nil, err
		}
		return c, func() { t.pool.Put(c) }, nil
	}}
}

// Rows streams the rows of a range, in key order.
func (t *Target) Rows(ctx context.Context, rel *route.Relation, r db.Range) (db.Rows, error) {
	return t.reading().rows(ctx, rel, r, true)
}

// Bound returns the key n rows after the given one.
func (t *Target) Bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	return t.reading().bound(ctx, rel, after, n)
}

// Fetch streams the rows that have one of the keys.
func (t *Target) Fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	return t.reading().fetch(ctx, rel, keys)
}

// Sum returns the checksum of a range, computed here: no function of the server knows canonical bytes.
func (t *Target) Sum(ctx context.Context, rel *route.Relation, r db.Range) (db.Sum, error) {
	return t.reading().sum(ctx, rel, r)
}

func (q reading) rows(ctx context.Context, rel *route.Relation, r db.Range, ordered bool) (db.Rows, error) {
	c, err := newColumns(rel)
	if err != nil {
		return nil, err
	}
	where, params, err := c.within(r)
	if err != nil {
		return nil, err
	}
	statement := "SELECT " + c.list(c.all(), "") + " FROM " + c.table + where
	if ordered {
		statement += c.order()
	}
	return q.query(ctx, c, c.codecs, statement, params)
}

func (q reading) bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	only := *rel
	only.Where = ""
	c, err := newColumns(&only)
	if err != nil {
		return nil, err
	}
	where, params, err := c.within(db.Range{After: after})
	if err != nil {
		return nil, err
	}
	codecs := make([]codec.Codec, len(rel.Key))
	for i, p := range rel.Key {
		codecs[i] = c.codecs[p]
	}
	rows, err := q.query(ctx, c, codecs, "SELECT "+c.list(rel.Key, "")+" FROM "+c.table+where+c.order()+" OFFSET "+
		strconv.Itoa(n-1)+" LIMIT 1", params)
	if err != nil {
		return nil, err
	}
	found, err := db.ReadAll(rows)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func (q reading) fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	c, err := newColumns(rel)
	if err != nil {
		return nil, err
	}
	a := newArrays(c, rel.Key)
	for _, key := range keys {
		if err := a.add(key, rel.Key); err != nil {
			return nil, err
		}
	}
	statement := "SELECT " + c.list(c.all(), "") + " FROM " + c.table + " WHERE " + a.among(c, rel.Key)
	if rel.Where != "" {
		statement += " AND (" + rel.Where + ")"
	}
	return q.query(ctx, c, c.codecs, statement, a.params())
}

func (q reading) sum(ctx context.Context, rel *route.Relation, r db.Range) (db.Sum, error) {
	rows, err := q.rows(ctx, rel, r, false)
	if err != nil {
		return db.Sum{}, err
	}
	return db.SumRows(rows)
}

func (q reading) query(ctx context.Context, c *columns, codecs []codec.Codec, statement string,
	params []wire.Param,
) (db.Rows, error) {
	conn, release, err := q.get(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.rel.Name(), err)
	}
	return &rows{
		from: conn.Query(ctx, statement, params...), release: release, codecs: codecs,
		row: make(db.Row, len(codecs)), ends: make([]int, len(codecs)), buffer: make([]byte, 0, 1<<10),
		rel: c.rel,
	}, nil
}

// rows are fields turned into canonical bytes. Those that are the same on both ends are views into what was received.
type rows struct {
	from    *wire.Rows
	release func()
	codecs  []codec.Codec
	rel     *route.Relation

	row    db.Row
	buffer []byte
	ends   []int // of each value within the buffer
}

// Next returns the next row.
func (r *rows) Next() (db.Row, error) {
	fields, err := r.from.Next()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			err = fmt.Errorf("read %s: %w", r.rel.Name(), err)
		}
		return nil, err
	}
	r.buffer = r.buffer[:0]
	for i, field := range fields {
		if decode := r.codecs[i].Decode; field != nil && decode != nil {
			if r.buffer, err = decode(r.buffer, field); err != nil {
				return nil, fmt.Errorf("read %s: %w", r.rel.Name(), err)
			}
		}
		r.ends[i] = len(r.buffer)
	}
	from := 0
	for i, field := range fields {
		r.row[i] = field
		if field != nil && r.codecs[i].Decode != nil {
			r.row[i] = r.buffer[from:r.ends[i]:r.ends[i]]
		}
		from = r.ends[i]
	}
	return r.row, nil
}

// Close gives the connection back.
func (r *rows) Close() error {
	if r.release == nil {
		return nil
	}
	err := r.from.Close()
	r.release()
	r.release = nil
	return err
}

// order returns the clause that sorts by the key.
func (c *columns) order() string {
	if len(c.rel.Key) == 0 {
		return ""
	}
	parts := make([]string, len(c.rel.Key))
	for i, p := range c.rel.Key {
		parts[i] = c.names[p]
		if c.rel.Descends(i) {
			parts[i] += " DESC"
		}
	}
	return " ORDER BY " + strings.Join(parts, ", ")
}

// within returns the condition of a range, and its parameters.
func (c *columns) within(r db.Range) (where string, params []wire.Param, err error) {
	var parts []string
	for _, bound := range []struct {
		key   db.Row
		after bool
	}{{r.After, true}, {r.Upto, false}} {
		if bound.key == nil {
			continue
		}
		values := make([]string, len(c.rel.Key))
		for i, p := range c.rel.Key {
			var param wire.Param
			if param, values[i], err = c.scalar(p, len(params)+1, bound.key[i]); err != nil {
				return "", nil, err
			}
			params = append(params, param)
		}
		parts = append(parts, c.beyond(values, bound.after))
	}
	if c.rel.Where != "" {
		parts = append(parts, "("+c.rel.Where+")")
	}
	if parts == nil {
		return "", nil, nil
	}
	return " WHERE " + strings.Join(parts, " AND "), params, nil
}

// beyond returns a condition that keys come after a bound, or that they do not.
func (c *columns) beyond(values []string, after bool) string {
	mixed := false
	for i := range c.rel.Key {
		mixed = mixed || c.rel.Descends(i)
	}
	if !mixed {
		operator := " <= "
		if after {
			operator = " > "
		}
		return "(" + c.list(c.rel.Key, "") + ")" + operator + "(" + strings.Join(values, ", ") + ")"
	}
	// In one order that is not the same for all columns: the first that differs decides.
	var parts []string
	equal := ""
	for i, p := range c.rel.Key {
		operator := " > "
		if c.rel.Descends(i) {
			operator = " < "
		}
		parts = append(parts, "("+equal+c.names[p]+operator+values[i]+")")
		equal += c.names[p] + " = " + values[i] + " AND "
	}
	condition := "(" + strings.Join(parts, " OR ") + ")"
	if !after {
		condition = "NOT " + condition
	}
	return condition
}
