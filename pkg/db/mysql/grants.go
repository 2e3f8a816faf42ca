package mysql

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// grants is what an account may do, as SHOW GRANTS prints it, with the privileges of its active roles.
type grants []grant

type grant struct {
	privileges []string // upper case
	database   string   // "*" or a pattern with % and _ (manual, "GRANT Statement")
	table      string   // "*" or a name
}

var grantLine = regexp.MustCompile("(?i)^GRANT (.+?) ON (?:TABLE )?(\\*|`(?:[^`]|``)+`)\\.(\\*|`(?:[^`]|``)+`) TO ")

// readGrants returns the privileges of the account, those of its active roles included.
func (s *server) readGrants(ctx context.Context) (grants, error) {
	statement := "SHOW GRANTS"
	if s.flavor.Family == schema.MySQL && s.flavor.Version >= 80000 {
		var roles string
		if err := s.admin.QueryRowContext(ctx, "SELECT CURRENT_ROLE()").Scan(&roles); err != nil {
			return nil, wire.Classify(err)
		}
		if roles != "NONE" {
			statement += " FOR CURRENT_USER() USING " + roles
		}
	}
	var current string
	if err := s.admin.QueryRowContext(ctx, "SELECT CURRENT_USER()").Scan(&current); err != nil {
		return nil, wire.Classify(err)
	}
	s.mu.Lock()
	s.current = current
	s.mu.Unlock()
	rows, err := s.rows(ctx, statement)
	if err != nil {
		return nil, fmt.Errorf("read grants: %w", err)
	}
	lines, err := db.ReadAll(rows)
	if err != nil {
		return nil, fmt.Errorf("read grants: %w", err)
	}
	var all grants
	for _, line := range lines {
		m := grantLine.FindStringSubmatch(string(line[0]))
		if m == nil {
			continue
		}
		g := grant{database: unquote(m[2]), table: unquote(m[3])}
		for _, p := range strings.Split(strings.ToUpper(m[1]), ",") {
			p, _, _ = strings.Cut(strings.TrimSpace(p), "(") // column privileges do not count as the table's
			g.privileges = append(g.privileges, strings.TrimSpace(p))
		}
		all = append(all, g)
	}
	return all, nil
}

func unquote(s string) string {
	if s == "*" {
		return s
	}
	return strings.ReplaceAll(s[1:len(s)-1], "``", "`")
}

// allow tells whether one of the privileges is held on the table. The zero name asks for *.*, a table * for all of a
// database. Partial revokes (MySQL 8.0.16) are not subtracted: such an account meets the server's refusal later.
func (all grants) allow(table schema.Name, privileges ...string) bool {
	for _, g := range all {
		if g.covers(table) && (slices.Contains(g.privileges, "ALL PRIVILEGES") ||
			slices.ContainsFunc(privileges, func(p string) bool {
				return slices.Contains(g.privileges, p)
			})) {
			return true
		}
	}
	return false
}

// covers tells whether a grant is for the table. A grant on a database is for all of its tables; column privileges
// were left out when the grants were read.
func (g grant) covers(table schema.Name) bool {
	switch {
	case g.database == "*":
		return true
	case table.IsZero():
		return false
	case g.table != "*" && g.table != table.Table:
		return false
	default:
		return likeMatch(g.database, table.Database)
	}
}

// likeMatch matches the pattern of a database grant: % and _ are wildcards there, also in names that only happen to
// have them. For example, a grant on `my_db`.* covers my1db too, and one on `my\\_db`.* does not.
func likeMatch(pattern, s string) bool {
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		case c == '%':
			b.WriteString(".*")
		case c == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	matched, err := regexp.MatchString("(?s)"+b.String()+"$", s)
	return err == nil && matched
}

// isPrivilege tells whether the server refused a statement for want of a privilege.
func isPrivilege(err error) bool { return errors.Is(wire.Classify(err), db.ErrAccess) }

// need reports a privilege that is missing, with the statement that grants it.
func (l *checklist) need(all grants, table schema.Name, names ...string) bool {
	n := l.want(all, table, names...)
	if n.Met {
		return true
	}
	l.add(db.Fail, "privileges", n.On, "no "+strings.Join(l.s.flavor.Privileges(names...), " or "),
		fmt.Sprintf("GRANT %s ON %s TO %s", n.Privilege, n.On, n.Account))
	return false
}

// want notes a privilege that the move needs. names are alternatives, the narrowest first: the first that this server
// knows is the one to grant.
func (l *checklist) want(all grants, table schema.Name, names ...string) db.Need {
	on := "*.*"
	if !table.IsZero() {
		on = dialect.Quoted(table)
		if table.Table == "*" {
			on = dialect.Quote(table.Database) + ".*"
		}
	}
	n := db.Need{
		On: on, Privilege: l.s.flavor.Privileges(names...)[0], Account: l.s.grantee(),
		Met: all.allow(table, names...),
	}
	if !slices.Contains(l.needs, n) {
		l.needs = append(l.needs, n)
	}
	return n
}

// grantee is the account that we are, as GRANT has it.
func (s *server) grantee() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	account, err := schema.ParseAccount(s.current)
	if err != nil {
		return wire.Quoted(s.cfg.User)
	}
	return wire.Quoted(account.User) + "@" + wire.Quoted(account.Host)
}

func (l *sourceChecks) privileges(ctx context.Context, plan db.Plan) error {
	all, err := l.s.readGrants(ctx)
	if err != nil {
		return err
	}
	good := l.need(all, schema.Name{}, "REPLICATION SLAVE")
	status := []string{"REPLICATION CLIENT"}
	if l.s.flavor.Family == schema.MariaDB {
		status = []string{"BINLOG MONITOR", "REPLICATION CLIENT", "SUPER"} // renamed in MariaDB 10.5
	}
	good = l.need(all, schema.Name{}, status...) && good
	logged, err := l.s.logsCascades(ctx)
	if err != nil {
		return err
	}
	cascades := route.NewCascades(plan.Routes)
	for _, r := range plan.Routes {
		good = l.need(all, r.Source.Name(), "SELECT") && good
		unseen := !logged && cascades.Involved(r)
		// by LOCK TABLES, see Source.Snapshot
		snapshot := (len(r.Source.Key) == 0 || unseen) && !l.s.flavor.HasSnapshotPosition()
		if snapshot || plan.Fence == db.FenceLockTables {
			good = l.need(all, schema.Name{Database: r.Source.Name().Database, Table: "*"}, "LOCK TABLES") && good
		}
	}
	if plan.Fence == db.FenceReadOnly {
		fence := []string{"SYSTEM_VARIABLES_ADMIN", "SUPER"}
		if l.s.flavor.Family == schema.MariaDB {
			fence = []string{"READ_ONLY ADMIN", "SUPER"}
		}
		good = l.need(all, schema.Name{}, fence...) && good
	}
	if gtid, err := l.s.hasGTID(ctx); err != nil {
		return err
	} else if !gtid {
		good = l.need(all, schema.Name{}, "RELOAD") && good // FLUSH BINARY LOGS finds the start position
	}
	// Without these some checks cannot be made. They warn about that themselves, so here it is no failure.
	for _, names := range [][]string{{"XA_RECOVER_ADMIN"}, {"SLAVE MONITOR"}} {
		maria := l.s.flavor.Family == schema.MariaDB
		if len(l.s.flavor.Privileges(names...)) > 0 && maria == (names[0] == "SLAVE MONITOR") {
			l.want(all, schema.Name{}, names...)
		}
	}
	if good {
		l.ok("privileges", "all that are needed")
	}
	return nil
}

func (l *targetChecks) privileges(ctx context.Context, plan db.Plan) error {
	all, err := l.s.readGrants(ctx)
	if err != nil {
		return err
	}
	good := true
	seen := map[string]bool{}
	databases := []string{Bookkeeping(plan.Bookkeeping)}
	for _, r := range plan.Routes {
		databases = append(databases, r.Target.Name().Database)
	}
	for _, name := range databases {
		if seen[name] {
			continue
		}
		seen[name] = true
		for _, p := range []string{
			"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "INDEX", "DROP",
			"REFERENCES",
		} {
			good = l.need(all, schema.Name{Database: name, Table: "*"}, p) && good
		}
	}
	l.wantScratch(all, plan)
	generated, err := l.s.generatesKeys(ctx)
	if err != nil {
		return err
	}
	if generated && slices.ContainsFunc(plan.Routes, func(r *route.Route) bool {
		return r.Target.Table.Primary == nil
	}) {
		// Wherry turns sql_generate_invisible_primary_key off in its sessions: a restricted variable.
		good = l.need(all, schema.Name{}, "SESSION_VARIABLES_ADMIN", "SYSTEM_VARIABLES_ADMIN", "SUPER") && good
	}
	if !plan.BinlogOnWrite {
		good = l.need(all, schema.Name{}, "SYSTEM_VARIABLES_ADMIN", "SESSION_VARIABLES_ADMIN", "BINLOG ADMIN",
			"SUPER") && good
	}
	if good {
		l.ok("privileges", "all that are needed")
	}
	return nil
}

// wantScratch notes what the trial of the plan needs. Scratch reports what is missing, so here it is no failure.
func (l *targetChecks) wantScratch(all grants, plan db.Plan) {
	var databases []string
	add := func(database string) {
		if !slices.Contains(databases, database) {
			databases = append(databases, database)
		}
	}
	for _, r := range plan.Routes {
		add(r.Target.Name().Database)
	}
	var kinds []schema.ObjectKind
	for _, p := range plan.Objects {
		add(p.Target.Name.Database)
		kinds = append(kinds, p.Target.Kind)
	}
	for i := range databases {
		for _, privilege := range scratchPrivileges(kinds) {
			l.want(all, schema.Name{Database: scratchName(plan.Bookkeeping, i), Table: "*"}, privilege)
		}
	}
}
