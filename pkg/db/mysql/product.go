package mysql

import (
	"context"
	"fmt"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// Many servers and proxies speak MySQL's protocol, and some call themselves MySQL. Their logs, locks and isolation
// differ, which would show only in lost rows. So a server is judged by its version and its variables, before any
// statement that it may not know.

// oldestMySQL and oldestMariaDB are the oldest versions that are accepted, as major*10000 + minor*100 + patch: 50708 is
// 5.7.8.
const (
	oldestMySQL   = 50708
	oldestMariaDB = 100300
)

// verdict is what is wrong with a kind of server.
type verdict struct {
	level     db.Level
	what, fix string
}

// otherProducts are products of their own, by a word in VERSION() or @@version_comment. TiDB, for example, answers
// "8.0.11-TiDB-v7.5.0".
var otherProducts = []struct{ word, name string }{
	{"tidb", "TiDB"},
	{"vitess", "Vitess"},
	{"oceanbase", "OceanBase"},
	{"singlestore", "SingleStore"},
	{"memsql", "SingleStore"},
	{"dolt", "Dolt"},
	{"starrocks", "StarRocks"},
	{"doris", "Apache Doris"},
	{"xpand", "MariaDB Xpand"},
	{"proxysql", "ProxySQL"},
}

// otherProduct judges a server by what it calls itself.
func otherProduct(version, comment string) *verdict {
	text := strings.ToLower(version + " " + comment)
	for _, s := range otherProducts {
		if strings.Contains(text, s.word) {
			return &verdict{
				db.Fail,
				fmt.Sprintf("is %s (%s), which speaks MySQL's protocol and is not MySQL or MariaDB", s.name, version),
				"wherry moves from and to MySQL and MariaDB",
			}
		}
	}
	return nil
}

// tooOld judges a version.
func tooOld(f dialect.Flavor) *verdict {
	if f.Family == schema.MariaDB && f.Version >= oldestMariaDB ||
		f.Family == schema.MySQL && f.Version >= oldestMySQL {
		return nil
	}
	return &verdict{db.Fail, f.String() + " is too old", "upgrade to MySQL 5.7.8 or MariaDB 10.3 at least"}
}

// judge judges a server by its variables. Aurora calls itself plain MySQL in VERSION() and has variables of its own; a
// Galera node is a MariaDB or MySQL whose read_only stops writes on that node only.
func judge(version string, has map[string]string) (all []verdict) {
	if aurora := has["aurora_version"]; aurora != "" || strings.Contains(version, "aurora") {
		all = append(all, verdict{
			db.Fail, strings.TrimSpace("is Amazon Aurora "+aurora) + ", whose storage, log and read_only are its " +
				"own, and which wherry is not made for",
			"replicate it to a MySQL server, and move from that one; as a target use a MySQL server",
		})
	}
	if strings.EqualFold(has["wsrep_on"], "ON") || has["wsrep_on"] == "1" {
		all = append(all, verdict{
			db.Fail, "is a node of a Galera cluster (wsrep_on): its read_only and locks do not stop writes on the " +
				"other nodes",
			"as a source use a replica of the cluster that is no node of it, with cutover.fence: hook; as a target a " +
				"server that is no node (wsrep_on=OFF)",
		})
	}
	if strings.Contains(has["version_comment"], "Percona") {
		all = append(all, verdict{
			db.Warn, "is Percona Server (" + version + "), which wherry is not tested with",
			"tables of what only it has, such as compressed columns with dictionaries, are refused",
		})
	}
	return all
}

// unsupported is a verdict as an error.
func (v *verdict) unsupported() error {
	return fmt.Errorf("the server %s; nothing was changed; %s: %w", v.what, v.fix, db.ErrUnsupported)
}

// explained adds to an error of a server's that it is of a kind that is not supported, if it is.
func (s *server) explained(err error) error {
	for _, v := range s.verdicts {
		if v.level == db.Fail {
			return fmt.Errorf("%w (%w)", v.unsupported(), err)
		}
	}
	return err
}

// product tells what the server is, before anything else.
func (l *checklist) product(ctx context.Context, _ db.Plan) error {
	for _, v := range l.s.verdicts {
		l.add(v.level, "product", l.s.version, v.what, v.fix)
	}
	l.ok("version", l.s.flavor.String())
	return l.direct(ctx)
}

// direct checks that the server itself answers. A proxy that understands the protocol greets with a connection number
// of its own, which differs from the server's. (One that only passes bytes on does no harm.) The query has "+ 0",
// because proxies answer the plain SELECT CONNECTION_ID() themselves.
func (l *checklist) direct(ctx context.Context) error {
	w, err := l.s.get(ctx)
	if err != nil {
		return err
	}
	defer l.s.put(w)
	rows, err := w.Query(ctx, "SELECT CONNECTION_ID() + 0")
	if err != nil {
		return wire.Classify(err)
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return wire.Classify(err)
	}
	var id uint64
	if _, err := fmt.Sscan(string(found[0][0]), &id); err != nil {
		return fmt.Errorf("read CONNECTION_ID(): %w", err)
	}
	if uint32(id) != w.ID { //nolint:gosec // the greeting has room for 32 bits only
		l.add(db.Fail, "proxy", l.s.cfg.Address(), fmt.Sprintf("a proxy answers here (ProxySQL, MaxScale or the "+
			"like): it calls the connection %d, and the server behind it %d", w.ID, id),
			"give the address of the server itself: a proxy shares, splits and rewrites what belongs to one session")
	}
	return nil
}

// group refuses fences that do not stop the primary of a replication group that the source is a secondary of.
func (l *sourceChecks) group(ctx context.Context, plan db.Plan) error {
	name, err := l.s.variable(ctx, "group_replication_group_name")
	if err != nil || name == "" {
		return err
	}
	rows, err := l.s.rows(ctx, "SELECT COALESCE(SUM(MEMBER_ID = @@server_uuid AND MEMBER_ROLE = 'PRIMARY'), 0), "+
		"COALESCE(SUM(MEMBER_ROLE = 'PRIMARY'), 0), COUNT(*) "+
		"FROM performance_schema.replication_group_members WHERE MEMBER_STATE = 'ONLINE'")
	if err != nil {
		if isPrivilege(err) || wire.Number(err) == 1054 { // roles are shown since MySQL 8.0.2
			l.add(db.Warn, "group", "", "is configured for a replication group, whose members cannot be read",
				"GRANT SELECT ON performance_schema.replication_group_members to the account")
			return nil
		}
		return err
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return err
	}
	primary, primaries, members := string(found[0][0]) == "1", string(found[0][1]), string(found[0][2])
	stops := plan.Fence != db.FenceReadOnly && plan.Fence != db.FenceLockTables
	const fix = "use cutover.fence: hook with hooks.fence that stops writes in the whole group and returns when the " +
		"source has received them all"
	switch what := "is a member of a replication group of " + members; {
	case members == "0":
		l.ok("group", "the source is in no replication group at the moment")
	case primary && primaries == "1":
		l.ok("group", what+", and its only primary")
	case stops:
		l.add(db.Warn, "group", "cutover.fence", what+", and not its only primary",
			"stop writes in the whole group at the cutover; wherry waits until the source has applied what it has "+
				"received")
	default:
		l.add(db.Fail, "group", "cutover.fence", what+", and not its only primary: "+string(plan.Fence)+
			" here does not stop writes there", fix)
	}
	return nil
}
