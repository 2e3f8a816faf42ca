package postgres

import (
	"context"
	"errors"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// ledger keeps facts and chunks in a schema of their own beside the data, so that they commit with it.
type ledger struct {
	t      *Target
	schema string
}

func (l *ledger) table(name string) string {
	return dialect.Quoted(schema.Name{Database: l.schema, Table: name})
}

// mark begins the comments of the bookkeeping's tables: by it they are known.
const mark = "wherry: "

// tables are those of the bookkeeping: name, definition, and what the comment says.
var ledgerTables = [][3]string{
	{"facts", `name text PRIMARY KEY, value text NOT NULL,
		updated_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()`, "what this move has reached"},
	{"chunks", `source text NOT NULL, number integer NOT NULL, after_key bytea, upto_key bytea,
		done boolean NOT NULL DEFAULT false, row_count bigint NOT NULL DEFAULT 0, position text NOT NULL DEFAULT '',
		seen text NOT NULL DEFAULT '', PRIMARY KEY (source, number)`, "key ranges and which of them are copied"},
	{"tables", `source text PRIMARY KEY, record text NOT NULL`, "what the source tables were at the position"},
	{
		"owned", `home text NOT NULL, name text NOT NULL, origin text NOT NULL, PRIMARY KEY (home, name)`,
		"the tables of this database that are the move's",
	},
}

// factOwned is set once the list of owned tables is whole.
const factOwned = "owned"

// Create makes the schema and its tables, or completes them. A schema of that name with tables of others is left alone.
func (l *ledger) Create(ctx context.Context) error {
	err := l.t.pool.InTx(ctx, func(c *wire.Conn) error {
		// Two that create at the same time wait for each other: IF NOT EXISTS alone lets one of them fail.
		if err := c.Exec(ctx,
			"SELECT pg_catalog.pg_advisory_xact_lock("+lockKey(l.t.cfg.Move+"/create")+")"); err != nil {
			return err
		}
		foreign, err := c.One(ctx, `SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
			ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'v', 'm', 'S', 'f', 'p') AND
			coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '') NOT LIKE $2`, wire.Text(l.schema),
			wire.Text(mark+"%"))
		if err != nil {
			return err
		}
		if foreign != nil {
			return fmt.Errorf("schema %s holds %s, which no move made; nothing was changed; give the move another "+
				"name: %w", l.schema, foreign[0], db.ErrUnsupported)
		}
		return l.make(ctx, c)
	})
	if err != nil {
		return fmt.Errorf("create bookkeeping %s: %w", l.schema, err)
	}
	return nil
}

// make makes what is not there. CREATE SCHEMA needs a privilege even where it has nothing to do.
func (l *ledger) make(ctx context.Context, c *wire.Conn) error {
	there, err := c.One(ctx, "SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1", wire.Text(l.schema))
	if err != nil {
		return err
	}
	if there == nil {
		if err := c.Exec(ctx, "CREATE SCHEMA "+dialect.Quote(l.schema)); err != nil {
			return err
		}
	}
	for _, t := range ledgerTables {
		there, err := c.One(ctx, "SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "+
			"ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2", wire.Text(l.schema), wire.Text(t[0]))
		if err != nil {
			return err
		}
		if there != nil {
			continue
		}
		if err := c.Exec(ctx, "CREATE TABLE "+l.table(t[0])+" ("+t[1]+"); COMMENT ON TABLE "+l.table(t[0])+" IS "+
			wire.Quote(mark+t[2])); err != nil {
			return err
		}
	}
	return nil
}

// absent tells that an error is for want of the bookkeeping.
func absent(err error) bool {
	code := wire.Code(err)
	return code == wire.NoTable || code == wire.NoSchema
}

// query runs a query on the bookkeeping; without one there are no rows.
func (l *ledger) query(ctx context.Context, statement string, params ...wire.Param) (found []db.Row, err error) {
	err = l.t.pool.Do(ctx, func(c *wire.Conn) error {
		found, err = c.All(ctx, statement, params...)
		return err
	})
	if absent(err) {
		return nil, nil
	}
	return found, err
}

// run runs one statement on the bookkeeping.
func (l *ledger) run(ctx context.Context, statement string, params ...wire.Param) (n int64, err error) {
	err = l.t.pool.Do(ctx, func(c *wire.Conn) error {
		n, err = c.Run(ctx, statement, params...)
		return err
	})
	return n, err
}

// Get returns a fact, or "".
func (l *ledger) Get(ctx context.Context, name string) (string, error) {
	found, err := l.query(ctx, "SELECT value FROM "+l.table("facts")+" WHERE name = $1", wire.Text(name))
	if err != nil {
		return "", fmt.Errorf("read fact %s: %w", name, err)
	}
	if len(found) == 0 {
		return "", nil
	}
	return string(found[0][0]), nil
}

// putFact is the statement that sets a fact.
func (l *ledger) putFact() string {
	return "INSERT INTO " + l.table("facts") + " (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE " +
		"SET value = EXCLUDED.value, updated_at = pg_catalog.clock_timestamp()"
}

// Put sets a fact.
func (l *ledger) Put(ctx context.Context, name, value string) error {
	if name == db.FactPosition {
		if sealed, err := l.Get(ctx, db.FactCutover); err != nil || sealed != "" {
			return errors.Join(err, fmt.Errorf("record fact %s: %w", name, db.ErrSealed))
		}
	}
	if _, err := l.run(ctx, l.putFact(), wire.Text(name), wire.Text(value)); err != nil {
		return fmt.Errorf("record fact %s: %w", name, err)
	}
	return nil
}

// Begin records where the copy begins. An insert that finds a record waits for its transaction and changes nothing.
func (l *ledger) Begin(ctx context.Context, start db.Position) (recorded db.Position, err error) {
	recorded = start
	err = l.t.pool.InTx(ctx, func(c *wire.Conn) error {
		n, err := c.Run(ctx, "INSERT INTO "+l.table("facts")+" (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
			wire.Text(db.FactStart), wire.Text(start.String()))
		if err != nil {
			return err
		}
		if n == 1 {
			_, err = c.Run(ctx, l.putFact(), wire.Text(db.FactPosition), wire.Text(start.String()))
			return err
		}
		row, err := c.One(ctx, "SELECT value FROM "+l.table("facts")+" WHERE name = $1 FOR SHARE",
			wire.Text(db.FactStart))
		if err == nil && row != nil {
			recorded = db.Position(row[0])
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("record the start: %w", err)
	}
	return recorded, nil
}

// Seal records the takeover and turns the position into the final one, in one transaction. An applier that commits at
// the same time waits for the position's row, and does not find it any more.
func (l *ledger) Seal(ctx context.Context, record string) (pos db.Position, err error) {
	facts := l.table("facts")
	err = l.t.pool.InTx(ctx, func(c *wire.Conn) error {
		row, err := c.One(ctx, "SELECT value FROM "+facts+" WHERE name = $1 FOR UPDATE", wire.Text(db.FactPosition))
		if err != nil {
			return err
		}
		if row == nil {
			if row, err = c.One(ctx, "SELECT value FROM "+facts+" WHERE name = $1",
				wire.Text(db.FactFinal)); err != nil {
				return err
			}
			if row == nil {
				return errors.New("no position on the target")
			}
			pos = db.Position(row[0])
			return nil
		}
		pos = db.Position(row[0])
		for _, step := range []struct{ statement, name, value string }{
			{l.putFact(), db.FactReturn, ""}, // there is no log to begin a way back in
			{"UPDATE " + facts + " SET name = $2 WHERE name = $1", db.FactPosition, db.FactFinal},
			{l.putFact(), db.FactCutover, record},
		} {
			if _, err := c.Run(ctx, step.statement, wire.Text(step.name), wire.Text(step.value)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("seal the move: %w", err)
	}
	return pos, nil
}

// Drop removes the bookkeeping.
func (l *ledger) Drop(ctx context.Context) error {
	err := l.t.pool.Do(ctx, func(c *wire.Conn) error {
		return c.Exec(ctx, l.t.dialect.DropDatabase(l.schema))
	})
	if err != nil {
		return fmt.Errorf("drop bookkeeping %s: %w", l.schema, err)
	}
	return nil
}
