package postgres

import (
	"context"
	"fmt"
	"strings"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// staging is where the rows of a chunk wait until those that are in their way are gone.
const staging = `pg_temp."wherry_rows"`

// stage makes it, with the target's columns and nothing else.
func stage(ctx context.Context, conn *wire.Conn, c *columns) error {
	err := conn.Exec(ctx,
		"DROP TABLE IF EXISTS "+staging+"; CREATE TEMPORARY TABLE \"wherry_rows\" ON COMMIT DROP AS SELECT "+
			c.list(c.written, "")+" FROM "+c.table+" LIMIT 0")
	if err != nil {
		return fmt.Errorf("prepare to load rows into %s: %w", c.rel.Name(), err)
	}
	return nil
}

// displaceStaged removes the rows that hold a unique value of one that waits, and writes these. A row that has the key
// of one that waits stays, and is an error: no other chunk has such keys.
func displaceStaged(ctx context.Context, conn *wire.Conn, c *columns, indexes []*schema.Index, rows int64) (int64,
	error,
) {
	var displaced int64
	for _, index := range indexes {
		n, err := conn.Run(ctx, c.removal(index, staging+" AS v"))
		if err != nil {
			return 0, fmt.Errorf("make way for rows of %s: %w", c.rel.Name(), err)
		}
		displaced += n
	}
	list := c.list(c.written, "")
	n, err := conn.Run(ctx, "INSERT INTO "+c.table+" ("+list+") SELECT "+list+" FROM "+staging)
	if err != nil {
		return 0, fmt.Errorf("load rows into %s: %w", c.rel.Name(), err)
	}
	if n != rows {
		return 0, fmt.Errorf("load %s into %s: the target took %d: %w", count.Of(rows, "row"), c.rel.Name(), n,
			db.ErrUnsupported)
	}
	return displaced, nil
}

// removal is the statement that removes rows with a unique value of a row of v, except those that have the key of one.
// NULL is in nobody's way.
func (c *columns) removal(index *schema.Index, v string) string {
	parts := make([]string, len(index.Parts))
	for i, p := range index.Parts {
		parts[i] = part(p)
	}
	list := strings.Join(parts, ", ")
	return "DELETE FROM " + c.table + " WHERE (" + list + ") IN (SELECT " + list + " FROM " + v + ") AND (" +
		c.list(c.rel.Key, "") + ") NOT IN (SELECT " + c.list(c.rel.Key, "") + " FROM " + v + ")"
}

// part is what an index has of a row: a column, the beginning of one, or an expression.
func part(p schema.Part) string {
	switch {
	case p.Expr != "":
		return "(" + p.Expr + ")"
	case p.Prefix > 0:
		return "pg_catalog.left(" + dialect.Quote(p.Column) + ", " + fmt.Sprint(p.Prefix) + ")"
	default:
		return dialect.Quote(p.Column)
	}
}
