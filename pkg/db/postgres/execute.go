package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// ddlLockWait is how long a schema statement waits for a table. Others wait behind it meanwhile, so it gives up, and is
// tried again by who runs it.
const ddlLockWait = "SET LOCAL lock_timeout = '50s'"

// buildSettings are for building indexes: the default is for servers of the last century.
const buildSettings = "SELECT pg_catalog.set_config('maintenance_work_mem', '256MB', true) WHERE " +
	"pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) < 268435456"

// Execute runs one schema statement.
func (t *Target) Execute(ctx context.Context, statement string) error {
	return t.pool.Do(ctx, func(c *wire.Conn) error { return t.guarded(ctx, c, statement, nil) })
}

// Announce does nothing: the list of the move's tables commits with each statement.
func (t *Target) Announce(context.Context, []schema.Name) (func(context.Context) error, error) {
	return func(context.Context) error { return nil }, nil
}

// guarded runs a schema statement if it is about tables of the move alone, and keeps the list of these, in one
// transaction. See db.Target. With a moment it is as of then.
func (t *Target) guarded(ctx context.Context, c *wire.Conn, statement string, at *db.Moment) error {
	acts, err := dialect.ReadStatement(statement)
	if err != nil {
		return err
	}
	err = c.InTx(ctx, func(c *wire.Conn) error {
		if err := c.Exec(ctx, ddlLockWait+"; "+buildSettings); err != nil {
			return err
		}
		g := &guard{t: t, l: t.ledger(), c: c}
		done, err := g.allow(ctx, acts)
		if err != nil || done {
			return err
		}
		if err := fitsMoment(statement, at); err != nil {
			return err
		}
		if err := c.Exec(ctx, statement); err != nil {
			if n, taken := g.taken(err, acts); taken { // since it was looked for
				return notOurs("create", n)
			}
			return g.explained(ctx, statement, err)
		}
		return g.l.own(ctx, c, g.put, g.gone)
	})
	if err != nil && !errors.Is(err, db.ErrNotOwned) {
		return fmt.Errorf("execute %.200s: %w", statement, err)
	}
	return err
}

// guard looks whose the tables of a statement are.
type guard struct {
	t    *Target
	l    *ledger
	c    *wire.Conn
	put  db.Owned      // what the list has afterwards
	gone []schema.Name // and what not any more
}

// allow refuses statements on tables that are not the move's. done tells that there is nothing to do.
func (g *guard) allow(ctx context.Context, acts []dialect.Act) (done bool, err error) {
	owned, err := g.owned(ctx, acts)
	if err != nil {
		return false, err
	}
	have := maps.Clone(owned)
	for _, a := range acts {
		if a.Name.Database == g.l.schema {
			continue
		}
		if done, err = g.act(ctx, a, have, owned); err != nil || done {
			return done, err
		}
	}
	g.put = db.Owned{}
	for n, origin := range have {
		if owned[n] != origin {
			g.put[n] = origin
		}
	}
	for n := range owned {
		if _, still := have[n]; !still {
			g.gone = append(g.gone, n)
		}
	}
	return false, nil
}

// act changes what the move has by one of a statement's acts.
func (g *guard) act(ctx context.Context, a dialect.Act, have, before db.Owned) (done bool, err error) {
	origin, ours := have[a.Name]
	there := false
	if !ours {
		if there, err = g.there(ctx, a.Name); err != nil {
			return false, err
		}
	}
	switch {
	case a.Kind == dialect.Creates && (ours || there):
		return false, notOurs("create", a.Name)
	case a.Kind == dialect.Creates:
		have[a.Name] = db.Made
		return false, nil
	case !ours && there:
		return false, notOurs(verbs[a.Kind], a.Name)
	case !ours && a.Kind == dialect.Drops:
		return true, nil // gone already
	case !ours:
		return false, fmt.Errorf("%s table %s: no such table on the target", verbs[a.Kind], a.Name)
	}
	switch a.Kind {
	case dialect.Drops:
		delete(have, a.Name)
	case dialect.Renames:
		_, gaveUp := before[a.To]
		_, taken := have[a.To]
		if !gaveUp && !taken {
			if taken, err = g.there(ctx, a.To); err != nil {
				return false, err
			}
		}
		if taken {
			return false, notOurs("rename", a.To)
		}
		delete(have, a.Name)
		have[a.To] = origin
	default:
	}
	return false, nil
}

var verbs = map[dialect.ActKind]string{
	dialect.Drops: "drop", dialect.Renames: "rename", dialect.Changes: "alter", dialect.Creates: "create",
}

func notOurs(verb string, n schema.Name) error {
	return fmt.Errorf("%s table %s: it is on the target, and %w: give it another name there, or exclude the source's "+
		"table (tables.exclude)", verb, n, db.ErrNotOwned)
}

// owned returns which of the tables of a statement are the move's, and keeps others from changing that meanwhile.
func (g *guard) owned(ctx context.Context, acts []dialect.Act) (db.Owned, error) {
	var names []schema.Name
	for _, a := range acts {
		names = append(names, a.Name, a.To)
	}
	homes, tables := split(names)
	found, err := g.c.All(ctx,
		"SELECT home, name, origin FROM "+g.l.table("owned")+" WHERE (home, name) IN (SELECT h, "+
			"n FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (h, n)) FOR UPDATE", texts(homes),
		texts(tables))
	if err == nil || !absent(err) {
		return ownedOf(found), err
	}
	// Without bookkeeping nothing is the move's. The transaction has failed by asking: another one goes on.
	if err := g.c.Rollback(ctx); err != nil {
		return nil, err
	}
	return db.Owned{}, g.c.Exec(ctx, "BEGIN; "+ddlLockWait)
}

// there tells whether anything has a name: indexes and types share it with tables.
func (g *guard) there(ctx context.Context, n schema.Name) (bool, error) {
	row, err := g.c.One(ctx, "SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "+
		"ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2", wire.Text(n.Database), wire.Text(n.Table))
	return row != nil, err
}

// taken tells which table a statement could not make because another one has its name.
func (g *guard) taken(err error, acts []dialect.Act) (n schema.Name, taken bool) {
	if wire.Code(err) == wire.TableExists {
		for _, a := range acts {
			if a.Kind == dialect.Creates {
				return a.Name, true
			}
		}
	}
	return n, false
}

// explained forgives a CREATE SCHEMA IF NOT EXISTS of a schema that is there: it needs a privilege all the same.
func (g *guard) explained(ctx context.Context, statement string, err error) error {
	name, ok := strings.CutPrefix(statement, "CREATE SCHEMA IF NOT EXISTS ")
	if !ok || !errors.Is(err, db.ErrAccess) {
		return err
	}
	if rollback := g.c.Rollback(ctx); rollback != nil {
		return errors.Join(err, rollback)
	}
	if begin := g.c.Exec(ctx, "BEGIN"); begin != nil {
		return errors.Join(err, begin)
	}
	row, looked := g.c.One(ctx, "SELECT FROM pg_catalog.pg_namespace WHERE pg_catalog.quote_ident(nspname) = $1 OR "+
		`'"' || pg_catalog.replace(nspname, '"', '""') || '"' = $1`, wire.Text(name))
	if looked != nil || row == nil {
		return errors.Join(err, looked)
	}
	return nil
}
