package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// lookupBytes is how many bytes of rows a lookup brings at most, beyond the last one.
const lookupBytes = 8 << 20

// Referencing finds rows by the values of a foreign key's columns, and locks them.
func (a *applier) Referencing(ctx context.Context, l *db.Lookup) ([]db.Row, error) {
	if err := a.begin(ctx); err != nil {
		return nil, err
	}
	rows, err := a.referencing(ctx, l)
	if err != nil {
		return nil, fmt.Errorf("look for rows of %s that reference others: %w", l.Route.Target.Name(), err)
	}
	return rows, nil
}

func (a *applier) referencing(ctx context.Context, l *db.Lookup) (found []db.Row, err error) {
	c, err := newColumns(&l.Route.Target)
	if err != nil {
		return nil, err
	}
	values := newArrays(c, l.Columns)
	for _, v := range l.Values {
		if err := values.add(v, l.Columns); err != nil {
			return nil, err
		}
	}
	params := values.params()
	where := values.among(c, l.Columns)
	var except []string
	for i, p := range l.Columns {
		if l.Except == nil || l.Except[i] == nil {
			continue
		}
		param, expr, err := c.scalar(p, len(params)+1, l.Except[i])
		if err != nil {
			return nil, err
		}
		params, except = append(params, param), append(except, c.names[p]+" = "+expr)
	}
	if except != nil {
		where += " AND NOT (" + strings.Join(except, " AND ") + ")"
	}
	w := a.wires[0]
	rows, err := reading{t: a.t, get: func(context.Context) (*wire.Conn, func(), error) { return w, func() {}, nil }}.
		query(ctx, c, c.codecs, "SELECT "+c.list(c.all(), "")+" FROM "+c.table+" WHERE "+where+" LIMIT "+
			strconv.Itoa(db.LookupRows)+" FOR UPDATE", params)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for size := 0; ; { // to the end: the connection is to be used again
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if size < lookupBytes {
			found = append(found, row.Clone())
			size += row.Size()
		}
	}
}

// Orphans counts rows that reference a row which is not there.
func (t *Target) Orphans(ctx context.Context, rel, parent *route.Relation, key schema.ForeignKey, limit int) (n int64,
	err error,
) {
	var present, equal []string
	for i := range key.Columns {
		from := "c." + dialect.Quote(nameHere(rel, key.Columns[i]))
		present = append(present, from+" IS NOT NULL")
		equal = append(equal, "p."+dialect.Quote(nameHere(parent, key.ParentColumns[i]))+" = "+from)
	}
	filtered := func(rel *route.Relation, alias string) string {
		where := ""
		if rel.Where != "" {
			where = " WHERE (" + rel.Where + ")"
		}
		return "(SELECT * FROM " + dialect.Quoted(rel.Name()) + where + ") AS " + alias
	}
	err = t.pool.Do(ctx, func(conn *wire.Conn) error {
		row, err := conn.One(ctx, "SELECT pg_catalog.count(*)::text FROM (SELECT FROM "+filtered(rel, "c")+" WHERE "+
			strings.Join(present, " AND ")+" AND NOT EXISTS (SELECT FROM "+filtered(parent, "p")+" WHERE "+
			strings.Join(equal, " AND ")+") LIMIT "+strconv.Itoa(limit)+") AS orphans")
		if err != nil {
			return err
		}
		n, err = strconv.ParseInt(string(row[0]), 10, 64)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("look for rows of %s that reference nothing by %s: %w", rel.Name(), key.Name, err)
	}
	return n, nil
}

// nameHere returns the name of the column that is for one of the source.
func nameHere(rel *route.Relation, column string) string {
	if at := rel.Table.ColumnOf(column); at >= 0 {
		return rel.Table.Columns[at].Name
	}
	return column
}
