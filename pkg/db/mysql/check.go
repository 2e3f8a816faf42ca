package mysql

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
)

// checklist collects the findings of one end.
type checklist struct {
	s        *server
	end      string
	findings []db.Finding
	needs    []db.Need
}

func (l *checklist) add(level db.Level, check, subject, what, fix string) {
	l.findings = append(l.findings, db.Finding{
		Check: check, End: l.end, Level: level, Subject: subject, What: what,
		Fix: fix,
	})
}

// ok adds a finding that all is well. Such findings are shown too: the operator sees what was looked at.
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
	// Some numeric settings are shown with a fraction, such as long_query_time.
	n, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0, fmt.Errorf("read @@%s: %w", name, err)
	}
	return int64(n), nil
}

// named is a check and the phases that rely on it, which repeat it when they begin: a setting may have changed since.
// What a phase would run into anyway, with an error that says as much, is not repeated.
type named struct {
	check  func(context.Context, db.Plan) error
	phases []db.Phase
}

// Phases that rely on a check. Nothing has been made when init-schema begins, so it is there that a move is refused.
var (
	everyPhase = []db.Phase{db.InitSchema, db.InitCopy, db.StartReplica, db.Verify, db.Cutover}
	atFirst    = []db.Phase{db.InitSchema}
	untilCopy  = []db.Phase{db.InitSchema, db.InitCopy}
	whileWrite = []db.Phase{db.InitSchema, db.InitCopy, db.StartReplica}
	atCutover  = []db.Phase{db.InitSchema, db.Cutover}
	adviceOnly []db.Phase // no phase: it only warns, or a later step checks by itself
)

// each runs checks in order and stops at one that could not be made.
func (l *checklist) each(ctx context.Context, plan db.Plan, checks ...named) ([]db.Finding, error) {
	for _, c := range checks {
		if plan.Phase != "" && !slices.Contains(c.phases, plan.Phase) {
			continue
		}
		if err := c.check(ctx, plan); err != nil {
			return l.findings, err
		}
	}
	if n := len(l.findings); n > 0 {
		l.findings[n-1].Needs = l.needs
	}
	return l.findings, nil
}

// sessionSettings proves that a connection is what the row path needs: the wanted sql_mode, UTC and binary strings. A
// server's init_connect or a proxy may have set others.
func (l *checklist) sessionSettings(ctx context.Context, _ db.Plan) error {
	rows, err := l.s.rows(ctx, "SELECT @@SESSION.sql_mode, @@SESSION.time_zone, @@SESSION.character_set_client, "+
		"@@SESSION.character_set_results")
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
		wanted = wire.StrictMode
	}
	for _, m := range strings.Split(wanted, ",") {
		if !strings.Contains(mode, m) {
			l.add(db.Fail, "sql_mode", "@@sql_mode", "is "+mode+" although wherry set "+wanted,
				"look for init_connect, or a proxy between")
			return nil
		}
	}
	if strings.Contains(mode, "NO_BACKSLASH_ESCAPES") || strings.Contains(mode, "ANSI_QUOTES") {
		l.add(db.Fail, "sql_mode", "@@sql_mode", "is "+mode+" although wherry set another",
			"look for init_connect, or a proxy between")
		return nil
	}
	l.ok("sql_mode", "set per session, the server's own does not matter")
	if zone != "+00:00" || client != "binary" || results != "binary" && results != "" {
		l.add(db.Fail, "time_zone", "session", fmt.Sprintf("time zone %s, character sets %s and %s although wherry "+
			"set UTC and binary", zone, client, results),
			"look for init_connect, or a proxy between")
		return nil
	}
	l.ok("time_zone", "set per session to UTC, the server's own does not matter")
	return nil
}
