package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// readers is how many tables are compared at the same time.
const readers = 2

// seal is the target as it was when it took over: read-only transactions that see that moment, whatever is
// written afterwards.
type seal struct {
	conns []*sql.Conn
}

// openConns connects ahead of time, so that taking a seal takes no longer than its statements.
func openConns(ctx context.Context, db *sql.DB, n int) ([]*sql.Conn, error) {
	var conns []*sql.Conn
	for range n {
		conn, err := db.Conn(ctx)
		if err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		conns = append(conns, conn)
	}
	return conns, nil
}

// takeSeal fixes what the connections see. Nobody may be writing.
func takeSeal(ctx context.Context, p *pool, conns []*sql.Conn) (*seal, error) {
	for _, conn := range conns {
		if err := p.freeze(ctx, conn); err != nil {
			return nil, fmt.Errorf("take a snapshot: %w", err)
		}
	}
	return &seal{conns: conns}, nil
}

// comparison is what the comparison of one table found.
type comparison struct {
	table string
	rows  int64
	err   error // how the two sides differ
}

// compare reads every table of the frozen source and of the sealed target in the order of its key, and compares
// all bytes of all rows.
func compare(ctx context.Context, source []*sql.Conn, target *seal, tables []table, sights []string) ([]comparison,
	error,
) {
	found := make([]comparison, len(tables))
	next := make(chan int, len(tables))
	for i := range tables {
		next <- i
	}
	close(next)
	group, ctx := errgroup.WithContext(ctx)
	for i := range target.conns {
		group.Go(func() error {
			for n := range next {
				rows, differ, err := compareTable(ctx, source[i], target.conns[i], tables[n], sights[n])
				if err != nil {
					return fmt.Errorf("compare %s: %w", tables[n].name, err)
				}
				found[n] = comparison{table: tables[n].name, rows: rows, err: differ}
			}
			return nil
		})
	}
	return found, group.Wait()
}

// compareTable returns the rows that are equal, and the first difference; err is that comparing went wrong.
func compareTable(ctx context.Context, source, target *sql.Conn, t table, sight string) (
	equal int64, differ, err error,
) {
	leftRows, err := source.QueryContext(ctx, t.ordered())
	if err != nil {
		return 0, nil, err
	}
	defer leftRows.Close()
	rightRows, err := target.QueryContext(ctx, sight)
	if err != nil {
		return 0, nil, err
	}
	defer rightRows.Close()
	if equal, differ, err = compareRows(leftRows, rightRows); err == nil {
		err = errors.Join(leftRows.Err(), rightRows.Err())
	}
	return equal, differ, err
}

// compareRows compares two results row by row.
func compareRows(leftRows, rightRows *sql.Rows) (equal int64, differ, err error) {
	left, err := newCursor(leftRows)
	if err != nil {
		return 0, nil, err
	}
	right, err := newCursor(rightRows)
	if err != nil {
		return 0, nil, err
	}
	if fmt.Sprint(left.columns) != fmt.Sprint(right.columns) {
		return 0, fmt.Errorf("columns %v on the source, %v on the target", left.columns, right.columns), nil
	}
	for {
		hasLeft, err := left.next()
		if err != nil {
			return equal, nil, err
		}
		hasRight, err := right.next()
		if err != nil {
			return equal, nil, err
		}
		switch {
		case !hasLeft && !hasRight:
			return equal, nil, nil
		case !hasRight:
			return equal, fmt.Errorf("source row %s is missing on the target, or its order differs", left), nil
		case !hasLeft:
			return equal, fmt.Errorf("target row %s is not on the source", right), nil
		}
		if column := left.unlike(right); column >= 0 {
			return equal, fmt.Errorf("%s: source row %s, target row %s", left.columns[column], left, right), nil
		}
		equal++
	}
}

// cursor is a table that is being read.
type cursor struct {
	rows    *sql.Rows
	columns []string
	values  []sql.RawBytes
	into    []any
}

// newCursor returns a cursor over rows, which are the caller's to close.
func newCursor(rows *sql.Rows) (*cursor, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	c := &cursor{rows: rows, columns: columns, values: make([]sql.RawBytes, len(columns))}
	for i := range c.values {
		c.into = append(c.into, &c.values[i])
	}
	return c, nil
}

func (c *cursor) next() (bool, error) {
	if !c.rows.Next() {
		return false, c.rows.Err()
	}
	return true, c.rows.Scan(c.into...)
}

// unlike returns the first column in which the rows differ, -1 if none.
func (c *cursor) unlike(other *cursor) int {
	for i, value := range c.values {
		if (value == nil) != (other.values[i] == nil) ||
			string(value) != string(other.values[i]) && !sameDocument(value, other.values[i]) {
			return i
		}
	}
	return -1
}

// String is the row, shortened.
func (c *cursor) String() string {
	text := "("
	for i, value := range c.values {
		if i > 0 {
			text += ", "
		}
		if value == nil {
			text += "NULL"
		} else {
			text += fmt.Sprintf("%.40q", string(value))
		}
	}
	return text + ")"
}
