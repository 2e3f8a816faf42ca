package mysql

import (
	"context"
	"fmt"
	"slices"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// objects finds kinds of objects that the source does not show to the account, so that some could be missed.
func (l *sourceChecks) objects(ctx context.Context, plan db.Plan) error {
	if len(plan.ObjectGroups) == 0 {
		return nil
	}
	all, err := l.s.readGrants(ctx)
	if err != nil {
		return err
	}
	// SHOW_ROUTINE and the others do not fail a query when they are missing: rows are left out of information_schema,
	// or a definition is NULL. So a missing privilege would lose an object silently.
	good, seen := true, map[string]bool{}
	for _, r := range plan.Routes {
		database := r.Source.Name().Database
		if seen[database] {
			continue
		}
		seen[database] = true
		if slices.Contains(plan.ObjectGroups, "views") { // which are read, and listed only to who may
			l.want(all, schema.Name{Database: database, Table: "*"}, "SELECT")
		}
		for _, group := range plan.ObjectGroups {
			if privilege := showing[group]; privilege != "" {
				good = l.need(all, schema.Name{Database: database, Table: "*"}, privilege) && good
			}
		}
	}
	if slices.Contains(plan.ObjectGroups, "routines") {
		if !l.s.flavor.HasDataDictionary() {
			good = l.need(all, schema.Name{Database: "mysql", Table: "proc"}, "SELECT") && good
		} else {
			good = l.need(all, schema.Name{}, "SHOW_ROUTINE", "SELECT") && good
		}
	}
	if good {
		l.ok("objects", "what moves besides tables can be seen")
	}
	return nil
}

// showing are the privileges that show definitions (MySQL manual 15.7.7, SHOW CREATE VIEW, TRIGGER and EVENT).
var showing = map[string]string{"views": "SHOW VIEW", "triggers": "TRIGGER", "events": "EVENT"}

// making are the privileges that make objects of a kind in a database, besides those that the move needs anyway.
var making = map[schema.ObjectKind][]string{
	schema.ViewObject: {"CREATE VIEW", "SHOW VIEW"}, schema.TriggerObject: {"TRIGGER"}, schema.EventObject: {"EVENT"},
	schema.Procedure: {"CREATE ROUTINE", "ALTER ROUTINE"}, schema.Function: {"CREATE ROUTINE", "ALTER ROUTINE"},
}

// objects finds what keeps objects from being made, or from working.
func (l *targetChecks) objects(ctx context.Context, plan db.Plan) error {
	if len(plan.Objects) == 0 {
		return nil
	}
	all, err := l.s.readGrants(ctx)
	if err != nil {
		return err
	}
	failed := len(l.findings)
	asked := map[string]bool{}
	for _, p := range plan.Objects {
		on := schema.Name{Database: p.Target.Name.Database, Table: "*"}
		databases := []schema.Name{on}
		if p.Target.Kind == schema.TriggerObject {
			// see TryTrigger
			databases = append(databases, schema.Name{Database: Bookkeeping(plan.Bookkeeping), Table: "*"})
		}
		for _, database := range databases {
			for _, privilege := range making[p.Target.Kind] {
				if key := database.String() + privilege; !asked[key] {
					asked[key] = true
					l.need(all, database, privilege)
				}
			}
		}
	}
	for _, check := range []func(context.Context, db.Plan, grants) error{
		l.definers, l.functions, l.scheduler,
		l.databases,
	} {
		if err := check(ctx, plan, all); err != nil {
			return err
		}
	}
	if len(l.findings) == failed {
		l.ok("objects", "what moves besides tables can be made")
	}
	return nil
}

// definers looks for the accounts that objects will belong to, and for the privilege to say so. On MySQL what an
// account that is not there owns fails when it is used, and so it does on MariaDB.
func (l *targetChecks) definers(ctx context.Context, plan db.Plan, all grants) error {
	var current string
	if err := l.s.admin.QueryRowContext(ctx, "SELECT CURRENT_USER()").Scan(&current); err != nil {
		return wire.Classify(err)
	}
	owned := map[schema.Account]int{}
	for _, p := range plan.Objects {
		if a := p.Target.Definer; !a.IsZero() && a.String() != current {
			owned[a]++
		}
	}
	for a, n := range owned {
		exists, known, err := l.s.account(ctx, a)
		if err != nil {
			return err
		}
		fix := "create it on the target, or name another account in cutover.definer"
		switch {
		case !known:
			l.add(db.Warn, "definer", a.String(), "is to own "+count.Of(n, "object")+", and this account cannot see "+
				"whether it exists", fix)
		case !exists:
			l.add(db.Fail, "definer", a.String(), "is to own "+count.Of(n, "object")+" and is not on the target", fix)
		}
	}
	if len(owned) == 0 {
		return nil
	}
	// To make an object for another account than one's own.
	names := []string{"SET_ANY_DEFINER", "SET_USER_ID", "SUPER"} // SET_USER_ID before MySQL 8.2
	if l.s.flavor.Family == schema.MariaDB {
		names = []string{"SET USER", "SUPER"}
	}
	l.need(all, schema.Name{}, names...)
	return nil
}

// functions finds what the target's binary log does not allow (MySQL manual 27.8, MariaDB "Binary Logging of Stored
// Routines").
func (l *targetChecks) functions(ctx context.Context, plan db.Plan, all grants) error {
	for name, off := range map[string]string{"log_bin": "OFF", "log_bin_trust_function_creators": "ON"} {
		if value, err := l.s.variable(ctx, name); err != nil || value == off {
			return err
		}
	}
	fix := "SET GLOBAL log_bin_trust_function_creators = 1 on the target until the cutover is over"
	needs := false
	for _, p := range plan.Objects {
		needs = needs || p.Target.Kind == schema.Function || p.Target.Kind == schema.TriggerObject
		if p.Target.Kind == schema.Function && p.Target.Unsafe {
			l.add(db.Fail, "log_bin_trust_function_creators", p.Target.Name.String(),
				"is declared as neither DETERMINISTIC, NO SQL nor READS SQL DATA: "+
					"the target, which writes a binary log, does not take it", fix+", or declare it")
		}
	}
	if needs && !all.allow(schema.Name{}, "SUPER") {
		l.add(db.Fail, "log_bin_trust_function_creators", "", "functions and triggers take SUPER on a target that "+
			"writes a binary log", fix)
	}
	return nil
}

// scheduler tells that events will not fire.
func (l *targetChecks) scheduler(ctx context.Context, plan db.Plan, _ grants) error {
	if !slices.ContainsFunc(plan.Objects, func(p schema.ObjectPlan) bool {
		return p.Target.Kind == schema.EventObject &&
			p.Source.Enabled
	}) {
		return nil
	}
	value, err := l.s.variable(ctx, "event_scheduler")
	if err == nil && value != "ON" {
		l.add(db.Warn, "event_scheduler", "@@event_scheduler", "is "+value+": no event will fire",
			"SET GLOBAL event_scheduler = ON on the target, when it has taken over at the latest")
	}
	return err
}

// databases compares the default character set and collation of databases. Variables and parameters of routines that
// name no character set get that of the database at the time of CREATE: the same text would be another routine.
func (l *targetChecks) databases(ctx context.Context, plan db.Plan, _ grants) error {
	seen := map[string]bool{}
	for _, p := range plan.Objects {
		database, wanted := p.Target.Name.Database, p.Target.Session.DatabaseCollation
		if wanted == "" || seen[database+wanted] {
			continue
		}
		seen[database+wanted] = true
		found, err := l.s.readAll(ctx, "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM "+
			"information_schema.SCHEMATA WHERE SCHEMA_NAME = "+wire.Quoted(database))
		if err != nil {
			return err
		}
		if len(found) == 0 { // init-schema makes it as the source's is
			continue
		}
		charset, collation, wantedCharset := string(found[0][0]), string(found[0][1]), l.s.collations.Known[wanted]
		if wanted == collation {
			continue
		}
		fix := fmt.Sprintf("ALTER DATABASE %s CHARACTER SET %s COLLATE %s on the target", dialect.Quote(database),
			wantedCharset, wanted)
		what := fmt.Sprintf("has the collation %s and not %s, which %s was created with: variables and parameters in "+
			"routines would have another character set or collation", collation, wanted, p.Source)
		level := db.Fail
		if charset == wantedCharset {
			level = db.Warn
		}
		l.add(level, "database_collation", database, what, fix)
	}
	return nil
}
