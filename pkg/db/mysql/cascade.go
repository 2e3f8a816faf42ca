package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	dialect "wherry/pkg/schema/mysql"
)

// lookupBytes limits a lookup in bytes, beyond its last row: 1,000 rows of 16 MiB each must not be held at once. The
// caller asks once more until nothing is found.
const lookupBytes = 8 << 20

// Referencing finds rows by the values of a foreign key's columns, and locks them.
func (a *applier) Referencing(ctx context.Context, l *db.Lookup) ([]db.Row, error) {
	if err := a.begin(ctx); err != nil {
		return nil, err
	}
	rows, err := a.referencing(ctx, l)
	if err != nil {
		return nil, fmt.Errorf("look for rows of %s that reference others: %w", l.Route.Target.Name(),
			a.blocked(ctx, wire.Classify(err)))
	}
	return rows, nil
}

func (a *applier) referencing(ctx context.Context, l *db.Lookup) (found []db.Row, err error) {
	rel := &l.Route.Target
	b := append([]byte{}, "SELECT "+selectList(rel, allColumns(rel))+" FROM "+dialect.Quoted(rel.Name())+" WHERE ("...)
	b = append(appendReferences(b, rel, l), ')')
	if l.Except != nil {
		b = appendExcept(b, rel, l)
	}
	// FOR UPDATE: a plain SELECT would read the snapshot of the transaction's first read, and miss what was applied
	// since.
	b = append(b, " LIMIT "+strconv.Itoa(db.LookupRows)+" FOR UPDATE"...)
	rows, err := a.wires[0].Query(ctx, string(b))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for size := 0; size < lookupBytes; {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		found = append(found, row.Clone())
		size += row.Size()
	}
	return found, nil
}

// appendReferences appends a condition that the columns hold one of the values, in the form that uses an index of them:
// for one column IN, for several an OR of ANDs, as in (a=1 AND b=2) OR (a=3 AND b=4).
func appendReferences(b []byte, rel *route.Relation, l *db.Lookup) []byte {
	if len(l.Columns) == 1 {
		c := rel.Column(l.Columns[0])
		b = append(b, dialect.Quote(c.Name)+" IN ("...)
		for i, v := range l.Values {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendKey(b, &c.Type, v[0])
		}
		return append(b, ')')
	}
	for i, v := range l.Values {
		if i > 0 {
			b = append(b, " OR "...)
		}
		b = append(b, '(')
		for j, p := range l.Columns {
			if j > 0 {
				b = append(b, " AND "...)
			}
			c := rel.Column(p)
			b = append(append(b, dialect.Quote(c.Name)...), '=')
			b = appendKey(b, &c.Type, v[j])
		}
		b = append(b, ')')
	}
	return b
}

// appendExcept leaves out rows that hold certain bytes already, see db.Lookup.Except. Text is compared as bytes: with
// ON UPDATE CASCADE from 'a' to 'A' the row that still holds 'a' must be found, though the collation calls both equal.
func appendExcept(b []byte, rel *route.Relation, l *db.Lookup) []byte {
	b = append(b, " AND NOT ("...)
	first := true
	for i, p := range l.Columns {
		if l.Except[i] == nil {
			continue
		}
		if !first {
			b = append(b, " AND "...)
		}
		first = false
		c := rel.Column(p)
		if c.Type.IsText() {
			b = append(b, "CAST("+dialect.Quote(c.Name)+" AS BINARY)="...)
			b = wire.AppendHex(b, l.Except[i])
			continue
		}
		b = append(append(b, dialect.Quote(c.Name)...), '=')
		b = appendKey(b, &c.Type, l.Except[i])
	}
	if first {
		b = append(b, "FALSE"...)
	}
	return append(b, ')')
}
