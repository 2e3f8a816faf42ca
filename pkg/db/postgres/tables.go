package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// describedAtOnce is how many tables one query describes.
const describedAtOnce = 200

// Tables returns the tables and views whose names match.
func (t *Target) Tables(ctx context.Context, match func(schema.Name) bool) (tables []*schema.Table, err error) {
	var names []schema.Name
	err = t.pool.Do(ctx, func(c *wire.Conn) error {
		found, err := c.All(ctx, dialect.NamesSQL)
		for _, row := range found {
			if n := (schema.Name{Database: string(row[0]), Table: string(row[1])}); match(n) {
				names = append(names, n)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	for some := range slices.Chunk(names, describedAtOnce) {
		described, err := t.describe(ctx, some)
		if err != nil {
			return nil, fmt.Errorf("describe tables: %w", err)
		}
		tables = append(tables, described...)
	}
	return tables, nil
}

// describe reads tables back. One that is not there is left out.
func (t *Target) describe(ctx context.Context, names []schema.Name) (tables []*schema.Table, err error) {
	homes, tableNames := split(names)
	err = t.pool.Do(ctx, func(c *wire.Conn) error {
		found, err := c.All(ctx, dialect.CatalogSQL, texts(homes), texts(tableNames))
		if err != nil {
			return err
		}
		for _, row := range found {
			table, err := dialect.ReadTable(row[0])
			if err != nil {
				return err
			}
			tables = append(tables, table)
		}
		return nil
	})
	return tables, err
}

// Sizes returns how large tables are, as the server estimates.
func (t *Target) Sizes(ctx context.Context, tables []schema.Name) (map[schema.Name]db.Size, error) {
	sizes := map[schema.Name]db.Size{}
	homes, names := split(tables)
	err := t.pool.Do(ctx, func(c *wire.Conn) error {
		found, err := c.All(ctx, sizesSQL, texts(homes), texts(names))
		if err != nil {
			return err
		}
		for _, row := range found {
			var s db.Size
			if s.Rows, err = strconv.ParseInt(string(row[2]), 10, 64); err == nil {
				s.Bytes, err = strconv.ParseInt(string(row[3]), 10, 64)
			}
			if err == nil {
				s.Next, err = strconv.ParseUint(string(row[4]), 10, 64)
			}
			if err != nil {
				return err
			}
			sizes[schema.Name{Database: string(row[0]), Table: string(row[1])}] = s
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read how large tables are: %w", err)
	}
	return sizes, nil
}

// sizesSQL tells of tables: schema, name, rows as of the last ANALYZE scaled to the size, bytes, next value of an
// identity.
const sizesSQL = `SELECT n.nspname::text, c.relname::text,
  (CASE WHEN c.reltuples <= 0 OR c.relpages = 0 THEN 0 ELSE
    c.reltuples * (pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::float8) / c.relpages
  END)::bigint::text,
  pg_catalog.pg_total_relation_size(c.oid)::text,
  coalesce((SELECT greatest(coalesce(pg_catalog.pg_sequence_last_value(q.seqrelid) + q.seqincrement, q.seqstart), 0)
    FROM pg_catalog.pg_sequence q JOIN pg_catalog.pg_depend e ON e.objid = q.seqrelid
      AND e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.deptype = 'i'
    WHERE e.refobjid = c.oid LIMIT 1), 0)::text
FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS w (home, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = w.home
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind IN ('r', 'p', 'm')`

// Obstacles looks for rows and triggers.
func (t *Target) Obstacles(ctx context.Context, tables []schema.Name) (map[schema.Name][]string, error) {
	found := map[schema.Name][]string{}
	err := t.pool.Do(ctx, func(c *wire.Conn) error {
		for _, n := range tables {
			row, err := c.One(ctx, "SELECT FROM "+dialect.Quoted(n)+" LIMIT 1")
			if err != nil {
				return fmt.Errorf("look for rows in %s: %w", n, err)
			}
			if row != nil {
				found[n] = append(found[n], "is not empty")
			}
			triggers, err := c.All(ctx,
				"SELECT g.tgname::text FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c "+
					"ON c.oid = g.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "+
					"WHERE n.nspname = $1 AND "+
					"c.relname = $2 AND NOT g.tgisinternal ORDER BY g.tgname", wire.Text(n.Database),
				wire.Text(n.Table))
			if err != nil {
				return fmt.Errorf("look for triggers of %s: %w", n, err)
			}
			for _, trigger := range triggers {
				found[n] = append(found[n],
					"has the trigger "+string(trigger[0])+", which would fire for every row that "+
						"is copied or changed: drop it, and create it again after the cutover")
			}
		}
		return nil
	})
	return found, err
}
