package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// objectsSQL lists what there is besides tables: kind, schema, name, schema and name of a trigger's table, definition,
// columns of a view as a JSON list.
const objectsSQL = `SELECT 'view', n.nspname::text, c.relname::text, '', '', pg_catalog.pg_get_viewdef(c.oid),
  (SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum)::text FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), 1
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'trigger', n.nspname::text, g.tgname::text, n.nspname::text, c.relname::text,
  pg_catalog.pg_get_triggerdef(g.oid), '[]', 2
FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE NOT g.tgisinternal
UNION ALL
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, n.nspname::text, p.proname::text, '', '',
  CASE WHEN p.prokind = 'a' THEN '' ELSE pg_catalog.pg_get_functiondef(p.oid) END, '[]', 3
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema' AND p.prokind <> 'a'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT 'sequence', n.nspname::text, c.relname::text, '', '', '', '[]', 4
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')
ORDER BY 8, 2, 3`

// Objects lists views, triggers, routines and sequences. Sequences of identities are their tables'.
func (t *Target) Objects(ctx context.Context, match func(schema.Name) bool) (objects []*schema.Object, err error) {
	err = t.pool.Do(ctx, func(c *wire.Conn) error {
		found, err := c.All(ctx, objectsSQL)
		for _, row := range found {
			o := &schema.Object{
				Kind: schema.ObjectKind(row[0]), Name: schema.Name{Database: string(row[1]), Table: string(row[2])},
				Table: schema.Name{Database: string(row[3]), Table: string(row[4])}, Body: string(row[5]),
				Definition: string(row[5]),
			}
			known := o.Name
			if o.Kind == schema.TriggerObject {
				known = o.Table
			}
			if !match(known) {
				continue
			}
			if err := json.Unmarshal(row[6], &o.Columns); err != nil {
				return err
			}
			objects = append(objects, o)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list views, triggers and routines: %w", err)
	}
	return objects, nil
}

// viewPatience is how long reading one row of a view may take, in milliseconds.
const viewPatience = "5000"

// TryView asks for a view as an application would, in a transaction that only reads.
func (t *Target) TryView(ctx context.Context, view schema.Name, read bool) error {
	err := t.pool.Do(ctx, func(c *wire.Conn) (err error) {
		if err := c.Exec(ctx, "BEGIN READ ONLY; SET LOCAL statement_timeout = "+viewPatience); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.Rollback(ctx)) }()
		limit := "0"
		if read {
			limit = "1"
		}
		_, err = c.All(ctx, "SELECT * FROM "+dialect.Quoted(view)+" LIMIT "+limit)
		if wire.Code(err) == wire.QueryCanceled {
			return nil // it can be read, and has much to do
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", view, err)
	}
	return nil
}

// ExecuteIn is Execute: nothing that PostgreSQL takes depends on a session of MySQL.
func (t *Target) ExecuteIn(ctx context.Context, _ schema.Session, statement string) error {
	return t.Execute(ctx, statement)
}

// TryTrigger refuses: a trigger is a program in the source's language.
func (t *Target) TryTrigger(_ context.Context, o *schema.Object) error {
	return fmt.Errorf("try %s: PostgreSQL speaks another language: %w", o, db.ErrUnsupported)
}
