package postgres

import (
	"context"
	"fmt"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// checklist collects the findings of the target.
type checklist struct {
	t        *Target
	c        *wire.Conn
	findings []db.Finding
	needs    []db.Need
}

func (l *checklist) add(level db.Level, check, subject, what, fix string) {
	l.findings = append(l.findings, db.Finding{
		Check: check, End: "target", Level: level, Subject: subject, What: what, Fix: fix,
	})
}

func (l *checklist) ok(check, what string) { l.add(db.OK, check, "", what, "") }

// named is a check and the phases that rely on it: they make it again, at the moment at which they do.
type named struct {
	check  func(context.Context, db.Plan) error
	phases []db.Phase
}

// Check returns what is right and wrong for this move on the target.
func (t *Target) Check(ctx context.Context, plan db.Plan) (findings []db.Finding, err error) {
	err = t.pool.Do(ctx, func(c *wire.Conn) error {
		l := &checklist{t: t, c: c}
		every := []db.Phase{db.InitSchema, db.InitCopy, db.StartReplica, db.Verify, db.Cutover}
		for _, one := range []named{
			{l.version, []db.Phase{db.InitSchema}},
			{l.writable, every},
			{l.encoding, []db.Phase{db.InitSchema, db.InitCopy}},
			{l.privileges, []db.Phase{db.InitSchema, db.InitCopy, db.StartReplica}},
			{l.values, []db.Phase{db.InitSchema, db.InitCopy, db.StartReplica, db.Verify}},
			{l.replicas, nil},
		} {
			if plan.Phase != "" && !slices.Contains(one.phases, plan.Phase) {
				continue
			}
			if err := one.check(ctx, plan); err != nil {
				return err
			}
		}
		if n := len(l.findings); n > 0 {
			l.findings[n-1].Needs = l.needs
		}
		findings = l.findings
		return nil
	})
	return findings, err
}

func (l *checklist) version(context.Context, db.Plan) error {
	if major := l.t.version / 10000; major != 15 {
		l.add(db.Warn, "version", "PostgreSQL "+l.t.shown, "is accepted and not among the tested versions (15)", "")
		return nil
	}
	l.ok("version", "PostgreSQL "+l.t.shown)
	return nil
}

// writable refuses a standby, and a database that takes only reads.
func (l *checklist) writable(ctx context.Context, _ db.Plan) error {
	row, err := l.c.One(ctx, "SELECT pg_catalog.pg_is_in_recovery()::text, "+
		"pg_catalog.current_setting('transaction_read_only')")
	switch {
	case err != nil:
		return err
	case string(row[0]) == "true":
		l.add(db.Fail, "read_only", "pg_is_in_recovery()", "is true: the server is a standby",
			"give its primary as target")
	case string(row[1]) == "on":
		l.add(db.Fail, "read_only", "default_transaction_read_only", "is on", "ALTER ROLE "+dialect.Quote(l.t.cfg.User)+
			" SET default_transaction_read_only = off, or the same for the database or server")
	default:
		l.ok("read_only", "the server takes writes")
	}
	return nil
}

func (l *checklist) encoding(ctx context.Context, _ db.Plan) error {
	row, err := l.c.One(ctx, "SELECT pg_catalog.current_setting('server_encoding')")
	if err != nil {
		return err
	}
	if encoding := string(row[0]); encoding != "UTF8" {
		l.add(db.Fail, "encoding", "database "+l.t.cfg.Database, "has the encoding "+encoding+", in which not every "+
			"character can be written", "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0, and give it as "+
			"target.database")
		return nil
	}
	l.ok("encoding", "is UTF8")
	return nil
}

// values finds columns whose values have no way to the target's type.
func (l *checklist) values(_ context.Context, plan db.Plan) error {
	good := true
	var tables []*schema.Table
	for _, r := range plan.Routes {
		tables = append(tables, r.Source.Table)
		if _, err := newColumns(&r.Target); err != nil {
			good = false
			l.add(db.Fail, "types", r.Source.Name().String(), err.Error(),
				"give the column another type, or exclude the "+
					"table")
		}
	}
	for _, unused := range l.t.dialect.Unused(tables) {
		good = false
		l.add(db.Fail, "types", unused, "no column of the move is meant by this entry of schema.types",
			"correct its name, as db.table.column, or take it out")
	}
	if good {
		l.ok("types", "every column has a way to its type on the target")
	}
	return nil
}

// replicas warns of standbys that every commit waits for.
func (l *checklist) replicas(ctx context.Context, _ db.Plan) error {
	row, err := l.c.One(ctx, "SELECT pg_catalog.current_setting('synchronous_standby_names')")
	if err != nil {
		return err
	}
	if names := string(row[0]); names != "" {
		l.add(db.Warn, "synchronous_standbys", "synchronous_standby_names",
			"is "+names+": every change waits for these "+
				"servers", "watch the lag, or leave them out for the time of the move")
	}
	return nil
}

// privileges asks for each one, so that all that lack are told at once.
func (l *checklist) privileges(ctx context.Context, plan db.Plan) error {
	schemas := []string{Bookkeeping(plan.Bookkeeping)}
	for _, r := range plan.Routes {
		if name := r.Target.Name().Database; !slices.Contains(schemas, name) {
			schemas = append(schemas, name)
		}
	}
	good, absent := true, false
	for _, name := range schemas {
		row, err := l.c.One(ctx, "SELECT pg_catalog.has_schema_privilege(oid, 'CREATE')::text, "+
			"pg_catalog.has_schema_privilege(oid, 'USAGE')::text FROM pg_catalog.pg_namespace WHERE nspname = $1",
			wire.Text(name))
		if err != nil {
			return err
		}
		if row == nil {
			absent = true
			continue
		}
		for i, privilege := range []string{"CREATE", "USAGE"} {
			good = l.need("SCHEMA "+dialect.Quote(name), privilege, string(row[i]) == "true") && good
		}
	}
	row, err := l.c.One(ctx,
		"SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')::text, "+
			"pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')::text, "+
			"pg_catalog.current_database()::text")
	if err != nil {
		return err
	}
	database := "DATABASE " + dialect.Quote(string(row[2]))
	if absent || plan.Phase == "" { // the scratch schemas of check are never there before
		good = l.need(database, "CREATE", string(row[0]) == "true") && good
	}
	good = l.need(database, "TEMPORARY", string(row[1]) == "true") && good
	tables, err := l.tables(ctx, plan)
	if err != nil {
		return err
	}
	if good && tables {
		l.ok("privileges", "all that are needed")
	}
	return nil
}

// tables looks whether those that are there already are the account's: only an owner may alter a table.
func (l *checklist) tables(ctx context.Context, plan db.Plan) (good bool, err error) {
	var names []schema.Name
	for _, r := range plan.Routes {
		names = append(names, r.Target.Name())
	}
	homes, tables := split(names)
	found, err := l.c.All(ctx, "SELECT n.nspname::text, c.relname::text, pg_catalog.pg_get_userbyid(c.relowner)::text "+
		"FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS w (home, name) "+
		"JOIN pg_catalog.pg_namespace n "+
		"ON n.nspname = w.home JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name "+
		"WHERE NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')", texts(homes), texts(tables))
	for _, row := range found {
		n := schema.Name{Database: string(row[0]), Table: string(row[1])}
		l.add(db.Fail, "privileges", n.String(), "belongs to "+string(row[2])+", and only its owner may alter it",
			fmt.Sprintf("ALTER TABLE %s OWNER TO %s, or GRANT %s TO %s", dialect.Quoted(n), dialect.Quote(l.t.cfg.User),
				dialect.Quote(string(row[2])), dialect.Quote(l.t.cfg.User)))
	}
	return len(found) == 0, err
}

// need notes a privilege that the move needs, and reports one that is missing with the statement that grants it.
func (l *checklist) need(on, privilege string, met bool) bool {
	account := dialect.Quote(l.t.cfg.User)
	l.needs = append(l.needs, db.Need{On: on, Privilege: privilege, Account: account, Met: met})
	if !met {
		l.add(db.Fail, "privileges", on, "no "+privilege, "GRANT "+privilege+" ON "+on+" TO "+account)
	}
	return met
}
