package mysql

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"wherry/pkg/db"
)

// checklist collects the findings of one end.
type checklist struct {
	s        *server
	end      string
	findings []db.Finding
}

func (l *checklist) add(level db.Level, check, subject, what, fix string) {
	l.findings = append(l.findings, db.Finding{Check: check, End: l.end, Level: level, Subject: subject, What: what, Fix: fix})
}

func (l *checklist) ok(check, what string) { l.add(db.OK, check, "", what, "") }

// is finds a setting right when it has one of the wanted values.
func (l *checklist) is(ctx context.Context, level db.Level, name, fix string, want ...string) error {
	value, err := l.s.variable(ctx, name)
	if err != nil {
		return err
	}
	for _, w := range want {
		if strings.EqualFold(value, w) {
			l.add(db.OK, name, "@@"+name, "is "+value, "")
			return nil
		}
	}
	if value == "" {
		value = "not known to this server"
	}
	l.add(level, name, "@@"+name, "is "+value+", wanted "+strings.Join(want, " or "), fix)
	return nil
}

// number reads a numeric setting; absent is 0.
func (l *checklist) number(ctx context.Context, name string) (int64, error) {
	value, err := l.s.variable(ctx, name)
	if err != nil || value == "" {
		return 0, err
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0, fmt.Errorf("read @@%s: %w", name, err)
	}
	return int64(n), nil
}

// each runs checks in order and stops at one that could not be made.
func (l *checklist) each(ctx context.Context, plan db.Plan, checks ...func(context.Context, db.Plan) error) ([]db.Finding, error) {
	for _, check := range checks {
		if err := check(ctx, plan); err != nil {
			return l.findings, err
		}
	}
	return l.findings, nil
}

// version refuses servers that are older than what is tested or known.
func (l *checklist) version(context.Context, db.Plan) error {
	oldest := 50700
	if l.s.flavor.MariaDB {
		oldest = 100300
	}
	if l.s.flavor.Version < oldest {
		l.add(db.Fail, "version", l.s.version, "is too old", "upgrade to MySQL 5.7 or MariaDB 10.3 at least")
		return nil
	}
	l.ok("version", l.s.flavor.String())
	return nil
}

// sessionSettings proves that a connection is what the row path needs: the wanted sql_mode, UTC and binary strings. A server's
// init_connect or a proxy may have set others.
func (l *checklist) sessionSettings(ctx context.Context, _ db.Plan) error {
	rows, err := l.s.rows(ctx, "SELECT @@SESSION.sql_mode, @@SESSION.time_zone, @@SESSION.character_set_client, @@SESSION.character_set_results")
	if err != nil {
		return err
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return err
	}
	mode, zone, client, results := string(found[0][0]), string(found[0][1]), string(found[0][2]), string(found[0][3])
	wanted := ""
	if l.end == "target" {
		wanted = strictMode
	}
	for _, m := range strings.Split(wanted, ",") {
		if !strings.Contains(mode, m) {
			l.add(db.Fail, "sql_mode", "@@sql_mode", "is "+mode+" although wherry set "+wanted, "look for init_connect, or a proxy between")
			return nil
		}
	}
	if strings.Contains(mode, "NO_BACKSLASH_ESCAPES") || strings.Contains(mode, "ANSI_QUOTES") {
		l.add(db.Fail, "sql_mode", "@@sql_mode", "is "+mode+" although wherry set another", "look for init_connect, or a proxy between")
		return nil
	}
	l.ok("sql_mode", "set per session, the server's own does not matter")
	if zone != "+00:00" || client != "binary" || results != "binary" && results != "" {
		l.add(db.Fail, "time_zone", "session", fmt.Sprintf("time zone %s, character sets %s and %s although wherry set UTC and binary", zone, client, results),
			"look for init_connect, or a proxy between")
		return nil
	}
	l.ok("time_zone", "set per session to UTC, the server's own does not matter")
	return nil
}
