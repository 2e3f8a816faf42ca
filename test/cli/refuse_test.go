package cli

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/state"
	"wherry/test/internal/harness"
)

// scene is what a row may change before the program runs.
type scene struct {
	*testing.T
	dir            string
	config         settings
	source, target *harness.Server
	environ        []string
}

// row is one wrong input. Commands are run one after another, and must all do the same.
type row struct {
	name    string
	change  func(s *scene)
	command string // words; several commands are separated by |
	code    int
	says    []string
	within  time.Duration // 0: no matter
}

func set(key string, value any) func(*scene) { return func(s *scene) { s.config.set(key, value) } }

func source(statements ...string) func(*scene) {
	return func(s *scene) { s.source.Exec(s.T, statements...) }
}

// grant makes the account of one end one that has only what is granted here.
func grant(end string, grants ...string) func(*scene) {
	return func(s *scene) {
		on := s.source
		if end == "target" {
			on = s.target
		}
		on.Exec(s.T, "DROP USER IF EXISTS "+few+"@'%'", "CREATE USER "+few+"@'%' IDENTIFIED BY '"+secret+"'")
		for _, g := range grants {
			if on.Flavor == "mariadb" {
				g = strings.ReplaceAll(g, "SYSTEM_VARIABLES_ADMIN", "READ_ONLY ADMIN")
				g = strings.ReplaceAll(g, "REPLICATION CLIENT", "BINLOG MONITOR")
			}
			on.Exec(s.T, "GRANT "+g+" TO "+few+"@'%'")
		}
		s.config.set(end+".user", few)
	}
}

// closed returns the port of nobody.
func closed(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// mute returns the port of a server that takes connections and never says anything.
func mute(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func stateFile(content string) func(*scene) {
	return func(s *scene) { write(s.T, filepath.Join(s.dir, "state.yaml"), content) }
}

const goodState = "version: 1\nmove: " + database + "\nphases:\n  - name: init-schema\n    status: running\n...\n"

// offline are rows that need no server.
var offline = []row{
	{
		name: "unknown key", change: set("copy.wrokers", 2), command: "check", code: 78,
		says: []string{"copy.wrokers: unknown key, did you mean copy.workers?", "wherry.yaml:"},
	},
	{
		name: "wrong type", change: set("copy.workers", "many"), command: "check|status", code: 78,
		says: []string{"copy.workers", "many"},
	},
	{
		name: "out of range", change: set("verify.workers", 0), command: "check", code: 78,
		says: []string{"verify.workers: 0 is out of range, expected 1 to 64"},
	},
	{
		name: "no unit", change: set("cutover.timeout", 30), command: "check", code: 78,
		says: []string{"cutover.timeout"},
	},
	{name: "no config file", change: func(s *scene) {
		require.NoError(s.T, os.Remove(filepath.Join(s.dir, "wherry.yaml")))
	}, command: "check|run|status", code: 78, says: []string{"wherry.yaml", "no such file"}},
	{name: "no password file", change: func(s *scene) {
		s.config.set("source.password", "")
		s.config.set("source.password_file", filepath.Join(s.dir, "nowhere"))
	}, command: "check", code: 78, says: []string{"source.password_file", "nowhere", "no such file"}},
	{name: "password command fails", change: func(s *scene) {
		s.config.set("source.password", "")
		s.config.set("source.password_command", "echo "+secret+"; exit 3")
	}, command: "check", code: 78, says: []string{"source.password_command", "exit status 3"}},
	{name: "password command prints nothing", change: func(s *scene) {
		s.config.set("source.password", "")
		s.config.set("source.password_command", "true")
	}, command: "check", code: 78, says: []string{"source.password_command", "printed nothing"}},
	{
		name: "two passwords", change: set("source.password_file", "/dev/null"), command: "check", code: 78,
		says: []string{"source.password, source.password_file", "only one"},
	},
	{
		name: "ddl: skip", change: set("replicate.ddl", "skip"), command: "check", code: 78,
		says: []string{"replicate.ddl", "skip", "apply, stop, ignore"},
	},
	{
		name: "engine: postgres", change: set("target.engine", "postgres"), command: "check", code: 78,
		says: []string{"target.database: required with engine postgres"},
	},
	{
		name: "alter", change: set("alter", []settings{{"table": database + ".t", "ddl": "ADD COLUMN x INT"}}),
		command: "check", code: 78, says: []string{"alter: in-place change is not available in this version"},
	},
	{name: "target at the source's address", change: func(s *scene) {
		s.config.set("target.host", "localhost")
		s.config.set("target.port", s.config["source"].(settings)["port"])
	}, command: "check", code: 78, says: []string{"target: same server as source"}},
	{name: "several problems at once", change: func(s *scene) {
		s.config.set("move", "My Shop")
		s.config.set("source.user", "")
		s.config.set("cutover.fence", "wall")
	}, command: "check", code: 78, says: []string{
		"3 problems", "My Shop", "source.user: required", "cutover.fence",
		"read_only",
	}},
	{
		name: "invalid route", change: set("routes", []settings{{"from": "shop", "to": "x.y"}}), command: "check",
		code: 78, says: []string{"routes", "shop"},
	},
	{name: "nobody listens", change: func(s *scene) {
		s.config.set("source.port", closed(s.T))
	}, command: "check|init-schema", code: 1, says: []string{
		"source: connect to 127.0.0.1:", "no connection: ",
		"connection refused",
	}, within: 3 * time.Second},
	{
		name: "a server that says nothing", change: func(s *scene) {
			s.config.set("source.port", mute(s.T))
			s.config.set("source.connect_timeout", "500ms")
		}, command: "check", code: 1, says: []string{"source: connect to 127.0.0.1:", "no answer within 500ms"},
		within: 5 * time.Second,
	},
	{
		name: "a name that is nobody's", change: set("source.host", "no-such-host.invalid"), command: "check", code: 1,
		says: []string{"no-such-host.invalid"},
	},
	{name: "state file of another move", change: stateFile(strings.Replace(goodState, "move: "+database, "move: other",
		1)), command: "check|init-schema|status|cutover --abort", code: 10, says: []string{
		"state.yaml", "other",
		"state file of its own",
	}},
	{name: "state file of other tables", change: stateFile(strings.Replace(goodState, "\nphases",
		"\nfingerprint: abc\nphases", 1)), command: "check|init-schema|status", code: 10, says: []string{
		"state.yaml",
		"filters and alter must stay as they were",
	}},
	{name: "state file of a newer version", change: stateFile(strings.Replace(goodState, "version: 1", "version: 99",
		1)), command: "check|init-schema|status", code: 10, says: []string{"state.yaml", "newer", "99"}},
	{
		name: "state file cut off", change: stateFile("version: 1\nmove: " + database + "\nphases:\n  - name: ini\"t"),
		command: "check|init-schema|status", code: 10, says: []string{"state.yaml", "damaged", "left as it is"},
	},
	{
		name: "state file empty", change: stateFile(""), command: "check|init-schema|status", code: 10,
		says: []string{"state.yaml", "damaged"},
	},
	{
		name: "state file in a strange format", change: set("state", "state.txt"), command: "check", code: 78,
		says: []string{"state", "state.txt", ".yaml"},
	},
	{name: "no directory for the state file", change: func(s *scene) {
		s.config.set("state", filepath.Join(write(s.T, filepath.Join(s.dir, "file"), ""), "state.yaml"))
	}, command: "init-schema|check", code: 78, says: []string{
		"not a directory", "file/state.yaml",
		"trying again does not help",
	}},
	{
		name: "another holds the lock", change: hold("init-copy"),
		command: "check|init-schema|init-copy|start-replica|verify|run|cutover --confirm=" + database, code: 11,
		says: []string{
			"wherry init-copy holds it", "pid " + strconv.Itoa(os.Getpid()),
			"wait for the other wherry, or stop it",
		},
	},
	{
		name: "start-replica holds the lock", change: hold("start-replica"),
		command: "init-schema|init-copy|start-replica|run", code: 11, says: []string{
			"wherry start-replica holds it",
			"pid " + strconv.Itoa(os.Getpid()),
		},
	},
	{name: "cutover not confirmed", command: "cutover|run --cutover", code: 12, says: []string{
		"must be confirmed",
		"--confirm=" + database,
	}},
	{
		name: "cutover of another move confirmed", command: "cutover --confirm=shop|run --cutover --confirm=shop",
		code: 12, says: []string{"--confirm=shop is not the name of the move", database},
	},
	{name: "unknown flag", command: "check --everything|run --force", code: 64, says: []string{
		"unknown flag: --",
		"--help",
	}},
	{name: "unknown command", command: "chekc|start-replicate", code: 64, says: []string{"unknown command"}},
	{name: "an argument too many", command: "check shop|verify shop.orders", code: 64, says: []string{"shop"}},
	{
		name: "flags that exclude each other", command: "start-replica --until=x --until-caught-up", code: 64,
		says: []string{"--until and --until-caught-up exclude each other"},
	},
	{name: "a flag's value of the wrong kind", command: "status --every=often", code: 64, says: []string{
		"--every",
		"often",
	}},
}

func hold(phase string) func(*scene) {
	return func(s *scene) {
		file, err := state.Open(filepath.Join(s.dir, "state.yaml"), state.OpenOptions{Move: database})
		require.NoError(s.T, err)
		lock, err := file.Lock(phase)
		require.NoError(s.T, err)
		s.Cleanup(func() { _ = lock.Release() })
	}
}

// online are rows that need servers. The source has tables t (with a key) and u.
var online = []row{
	{name: "nothing is wrong", command: "check", code: 0, says: []string{"0 failed"}},
	{
		name: "phases out of order", command: "init-copy|start-replica|verify|cutover --confirm=" + database, code: 12,
		says: []string{"init-schema is not done", "run `wherry init-schema` first"},
	},
	{name: "wrong password", change: func(s *scene) {
		s.config.set("target.password", secret+"-wrong")
	}, command: "check|init-schema", code: 78, says: []string{
		"target: connect to", "as " + account, "Access denied",
		"trying again does not help",
	}},
	{
		name: "no REPLICATION SLAVE", change: grant("source", "SELECT ON *.*", "REPLICATION CLIENT ON *.*",
			"SYSTEM_VARIABLES_ADMIN ON *.*"), command: "check", code: 12,
		says: []string{"GRANT REPLICATION SLAVE ON *.* TO"},
	},
	{
		name: "no SELECT", change: grant("source", "INSERT ON "+database+".*", "REPLICATION SLAVE ON *.*",
			"REPLICATION CLIENT ON *.*", "SYSTEM_VARIABLES_ADMIN ON *.*"), command: "check", code: 12,
		says: []string{"GRANT SELECT ON `" + database + "`"},
	},
	{
		name: "no privilege on the tables", change: grant("source", "REPLICATION SLAVE ON *.*",
			"REPLICATION CLIENT ON *.*", "SYSTEM_VARIABLES_ADMIN ON *.*"), command: "check", code: 12,
		says: []string{"no table of the source is included", "GRANT SELECT"},
	},
	{name: "no CREATE on the target", change: grant("target", "SELECT, INSERT, UPDATE, DELETE, ALTER, INDEX, DROP, "+
		"REFERENCES ON *.*"), command: "check", code: 12, says: []string{
		"GRANT CREATE ON `" + database + "`.*",
		"GRANT CREATE ON `wherry_" + database + "`.*",
	}},
	{name: "statement format", change: func(s *scene) {
		s.source.Set(s.T, "binlog_format", "'STATEMENT'")
	}, command: "check", code: 12, says: []string{
		"binlog_format", "is STATEMENT, wanted ROW",
		"SET GLOBAL binlog_format = 'ROW'",
	}},
	{name: "minimal row image", change: func(s *scene) {
		s.source.Set(s.T, "binlog_row_image", "'MINIMAL'")
	}, command: "check", code: 12, says: []string{
		"binlog_row_image", "is MINIMAL, wanted FULL",
		"SET GLOBAL binlog_row_image = 'FULL'",
	}},
	{name: "read-only target", change: func(s *scene) {
		s.target.Set(s.T, "read_only", "1")
	}, command: "check", code: 12, says: []string{"@@read_only", "SET GLOBAL read_only = OFF on the target"}},
	{
		name: "table without key", change: source("CREATE TABLE " + database + ".bare (a INT, b INT, UNIQUE KEY (a))"),
		command: "check", code: 0, says: []string{
			database + ".bare", "no primary key",
			"add a key, or exclude the table",
		},
	},
	{
		name: "MyISAM", change: source("CREATE TABLE " + database + ".old (id INT PRIMARY KEY) ENGINE=MyISAM"),
		command: "check|init-schema", code: 12, says: []string{database + ".old", "MyISAM", "ENGINE=InnoDB"},
	},
	{name: "view by name", change: func(s *scene) {
		source("CREATE VIEW " + database + ".v AS SELECT id FROM " + database + ".t")(s)
		s.config.set("tables.include", []string{database + ".t", database + ".v"})
	}, command: "check|init-schema", code: 12, says: []string{database + ".v", "is a view", "exclude it"}},
	{
		name: "view by pattern", change: source("CREATE VIEW " + database + ".v AS SELECT id FROM " + database + ".t"),
		command: "check", code: 0, says: []string{database + ".v", "is a view"},
	},
	{
		name: "no table matches", change: set("tables.include", []string{database + ".nothing*"}),
		command: "check|init-schema", code: 12, says: []string{"no table of the source is included", "tables.include"},
	},
	{name: "target table exists", change: func(s *scene) {
		s.target.Exec(s.T, "CREATE DATABASE "+database, "CREATE TABLE "+database+".t (id INT PRIMARY KEY)")
	}, command: "check|init-schema", code: 12, says: []string{database + ".t"}},
	{
		name: "filter that nobody can evaluate", change: set("filters",
			[]settings{{"table": database + ".t", "where": "v LIKE 'a%'"}}), command: "check|init-schema", code: 12,
		says: []string{"LIKE", database + ".t", "supported are"},
	},
	{
		name: "filter of a column that is not there", change: set("filters",
			[]settings{{"table": database + ".t", "where": "tenant = 1"}}), command: "check|init-schema", code: 12,
		says: []string{"no column tenant in table " + database + ".t"},
	},
	{
		name: "routes collide", change: set("routes", []settings{
			{"from": database + ".t", "to": "wherry_cli_moved.x"},
			{"from": database + ".u", "to": "wherry_cli_moved.x"},
		}), command: "check|init-schema", code: 12,
		says: []string{database + ".t, " + database + ".u all go to wherry_cli_moved.x"},
	},
	{name: "foreign key to a table that stays", change: func(s *scene) {
		source("CREATE TABLE " + database + ".child (id INT PRIMARY KEY, t INT, CONSTRAINT parent FOREIGN KEY (t) " +
			"REFERENCES " + database + ".t (id))")(s)
		s.config.set("tables.exclude", []string{database + ".t"})
	}, command: "check|init-schema", code: 12, says: []string{
		database + ".child.parent",
		"references " + database + ".t, which is not moved", "include " + database + ".t",
	}},
	{name: "one server by two ways", change: func(s *scene) {
		s.config.set("target.socket", s.source.Text(s.T, "SELECT @@socket"))
	}, command: "check", code: 12, says: []string{
		"source and target are the same server",
		"set target to another server",
	}},
	{name: "everything at once", change: func(s *scene) {
		source("CREATE TABLE "+database+".old (id INT) ENGINE=MyISAM", "CREATE TABLE "+database+".bare (a INT)")(s)
		s.target.Set(s.T, "read_only", "1")
		grant("source", "SELECT ON *.*")(s)
	}, command: "check", code: 12, says: []string{
		database + ".old", database + ".bare", "GRANT REPLICATION SLAVE",
		"@@read_only",
	}},
}

// TestRefused runs every row without servers, in words and as JSON.
func TestRefused(t *testing.T) {
	one := nobody(closed(t))
	other := nobody(closed(t) + 1)
	for _, r := range offline {
		t.Run(r.name, func(t *testing.T) { r.play(t, one, other, false, true) })
	}
}

// TestRefusedByServers runs every row with servers: in words on MySQL, as JSON on MariaDB.
func TestRefusedByServers(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		for _, r := range online {
			t.Run(r.name, func(t *testing.T) {
				for _, s := range []*harness.Server{source, target} {
					s.Exec(t, "DROP DATABASE IF EXISTS "+database, "DROP DATABASE IF EXISTS wherry_"+database)
				}
				source.Exec(t, "CREATE DATABASE "+database+" CHARACTER SET utf8mb4",
					"CREATE TABLE "+database+".t (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL)",
					"INSERT INTO "+database+".t VALUES (1, 'a')",
					"CREATE TABLE "+database+".u (id INT PRIMARY KEY)")
				r.play(t, source, target, true, source.Flavor == "mariadb")
			})
		}
	})
}

// play runs the commands of a row.
func (r row) play(t *testing.T, source, target *harness.Server, real, asJSON bool) {
	s := &scene{T: t, dir: t.TempDir(), source: source, target: target}
	s.config = baseSettings(s.dir, source, target)
	path := writeSettings(t, s.dir, s.config)
	if r.change != nil {
		r.change(s)
		if _, err := os.Stat(path); err == nil {
			writeSettings(t, s.dir, s.config)
		}
	}
	for _, command := range strings.Split(r.command, "|") {
		t.Run(command, func(t *testing.T) {
			modes := []bool{asJSON}
			if !real {
				modes = []bool{false, true}
			}
			for _, asJSON := range modes {
				before := ""
				if real {
					before = inventory(t, target)
				}
				stateBefore := s.stateFile(t)
				args := append(strings.Fields(command), "--config", path)
				if asJSON {
					args = append(args, "--json")
				}
				c := wherry(t, s.environ, args...)
				assert.Equal(t, r.code, c.code, c.all())
				text := strings.ReplaceAll(c.all(), `\"`, `"`)
				for _, what := range r.says {
					assert.Contains(t, text, what)
				}
				assert.NotContains(t, c.all(), "goroutine ", "a panic")
				if asJSON {
					c.jsonLines(t)
				}
				if r.code != 0 {
					assert.True(t, strings.HasPrefix(c.stderr, "wherry: ") || strings.Contains(c.stderr, "\nwherry: "),
						"the error on standard error: %s", c.stderr)
				}
				if r.within > 0 {
					assert.Less(t, c.took, r.within)
				}
				assert.Equal(t, stateBefore, s.stateFile(t), "the state file was touched")
				if real {
					assert.Equal(t, before, inventory(t, target), "the target was changed")
				}
			}
		})
	}
}

// stateFile returns what the state file holds, "" when there is none.
func (s *scene) stateFile(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(s.dir, "state.yaml"))
	if err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	return string(content)
}
