// Package moves runs whole moves against real servers: the wherry that a user runs, under load, killed, cut off and
// lied to. What is on both sides in the end is compared by the tests' own SQL, never by wherry's.
//
// The servers are those of WHERRY_TEST_SERVERS (scripts/servers.sh env prints it). The tests restart and freeze them
// and turn their read_only on and off, so nobody else may use them meanwhile: go test -p 1.
package moves

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/lab"
)

// The account that wherry and the tests use, which may do everything, and that of the application, which a read-only
// server refuses.
const (
	user, password       = "wherry", "wherry-secret"
	appUser, appPassword = "moves_app", "moves-app-secret"
)

// prefix begins the names of all databases and moves of these tests.
const prefix = "wm_"

var wherry string // the wherry under test

func TestMain(m *testing.M) { os.Exit(lab.Main(m, &wherry)) }

// server is one of the servers to test with.
type server struct {
	name, flavor string // mysql-1, mysql
	host, port   string
	db           *sql.DB // as the account that may do everything
}

func (s *server) address() string { return net.JoinHostPort(s.host, s.port) }

var (
	serversOnce sync.Once
	serversMade map[string]*server
	errServers  error
)

// servers returns the servers by name. Without any the test is skipped, or fails where they are required.
func servers(t *testing.T) map[string]*server {
	t.Helper()
	if strings.TrimSpace(os.Getenv("WHERRY_TEST_SERVERS")) == "" {
		if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
			t.Fatal("no WHERRY_TEST_SERVERS, and WHERRY_REQUIRE_SERVERS=1")
		}
		t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh")
	}
	serversOnce.Do(func() { serversMade, errServers = openServers(os.Getenv("WHERRY_TEST_SERVERS")) })
	require.NoError(t, errServers)
	return serversMade
}

func openServers(list string) (map[string]*server, error) {
	all := map[string]*server{}
	for _, entry := range strings.Fields(list) {
		name, address, _ := strings.Cut(entry, "=")
		u, err := url.Parse(address)
		if err != nil {
			return nil, fmt.Errorf("invalid server %q: %w", entry, err)
		}
		if u.Scheme != "mysql" && u.Scheme != "mariadb" {
			continue
		}
		s := &server{name: name, flavor: u.Scheme, host: u.Hostname(), port: u.Port()}
		if s.db, err = s.open(user, password, ""); err != nil {
			return nil, err
		}
		if err := s.sweep(); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", name, err)
		}
		all[name] = s
	}
	return all, nil
}

// open returns a pool of connections of an account.
func (s *server) open(user, password, database string) (*sql.DB, error) {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName = user, password, database
	cfg.Net, cfg.Addr = "tcp", s.address()
	cfg.InterpolateParams = true
	cfg.Collation = "utf8mb4_general_ci"
	cfg.Timeout = 5 * time.Second
	cfg.Logger = &mysql.NopLogger{} // a killed connection is told by its error, once
	cfg.Params = map[string]string{"time_zone": "'+00:00'", "sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("configure %s: %w", s.name, err)
	}
	return sql.OpenDB(connector), nil
}

// sweep makes the application's account and removes what runs that were killed have left behind.
func (s *server) sweep() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.writable(ctx); err != nil {
		return err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT schema_name FROM information_schema.schemata
		WHERE schema_name LIKE 'wm\_%' OR schema_name LIKE 'wherry\_wm\_%'`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range names {
		if _, err := s.db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+quote(name)); err != nil {
			return err
		}
	}
	for _, statement := range []string{
		"DROP USER IF EXISTS '" + appUser + "'@'%'",
		"CREATE USER '" + appUser + "'@'%' IDENTIFIED BY '" + appPassword + "'",
		"GRANT ALL ON `wm\\_%`.* TO '" + appUser + "'@'%'",
	} {
		if _, err := s.db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// writable turns read_only off.
func (s *server) writable(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, "SET GLOBAL read_only = 0")
	return err
}

// readOnly tells whether the server refuses writes.
func (s *server) readOnly(t *testing.T) bool {
	t.Helper()
	return s.text(t, "SELECT @@global.read_only") == "1"
}

// exec runs statements, each on any connection.
func (s *server) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := s.db.ExecContext(context.WithoutCancel(t.Context()), statement)
		require.NoError(t, err, "%s: %.200s", s.name, statement)
	}
}

// text returns the only value of a query, "" for NULL or no row. It goes on while the server is away.
func (s *server) text(t *testing.T, query string, args ...any) string {
	t.Helper()
	var value sql.NullString
	var err error
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		err = s.db.QueryRowContext(context.WithoutCancel(t.Context()), query, args...).Scan(&value)
		if err == nil || errors.Is(err, sql.ErrNoRows) {
			return value.String
		}
	}
	require.NoError(t, err, "%s: %s", s.name, query)
	return ""
}

// control has the servers' script start, stop, kill, freeze, thaw or restart the server. start returns when it is
// ready.
func (s *server) control(t *testing.T, verb string) {
	t.Helper()
	needControl(t)
	// the script waits for copies of itself
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, os.Getenv("WHERRY_SERVERS_SCRIPT"), verb, s.name).CombinedOutput()
	require.NoError(t, err, "%s %s: %s", verb, s.name, out)
}

// needControl skips the test where servers cannot be started and stopped, and fails it where they must be.
func needControl(t *testing.T) {
	t.Helper()
	if os.Getenv("WHERRY_SERVERS_SCRIPT") != "" {
		return
	}
	if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
		t.Fatal("no WHERRY_SERVERS_SCRIPT, and WHERRY_REQUIRE_SERVERS=1")
	}
	t.Skip("SKIPPED WITHOUT CONTROL OF THE SERVERS: set WHERRY_SERVERS_SCRIPT, see scripts/servers.sh")
}

// newProxy leads to a server until the end of the test.
func newProxy(t *testing.T, s *server) *between.Proxy {
	t.Helper()
	p, err := between.NewProxy(s.address())
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// pair is a source and a target.
type pair struct{ source, target *server }

func (p pair) String() string { return p.source.name + "_to_" + p.target.name }

// The pairs: of like servers, and across.
var (
	likePairs   = [][2]string{{"mysql-1", "mysql-2"}, {"mariadb-1", "mariadb-2"}}
	acrossPairs = [][2]string{{"mysql-1", "mariadb-2"}, {"mariadb-1", "mysql-2"}}
)

// eachPair runs a test for every pair of flavors.
func eachPair(t *testing.T, f func(t *testing.T, p pair)) {
	t.Helper()
	pairs(t, append(likePairs[:2:2], acrossPairs...), f)
}

// likePair runs a test for MySQL and for MariaDB.
func likePair(t *testing.T, f func(t *testing.T, p pair)) {
	t.Helper()
	pairs(t, likePairs, f)
}

// oneLikePair runs a slow test for MySQL or for MariaDB, as the seed says; WHERRY_EVERY_PAIR=1 runs it for both.
func oneLikePair(t *testing.T, f func(t *testing.T, p pair)) {
	t.Helper()
	if os.Getenv("WHERRY_EVERY_PAIR") == "1" {
		pairs(t, likePairs, f)
		return
	}
	at := lab.Seed(t) % 2
	pairs(t, likePairs[at:at+1], f)
}

// mysqlPair returns the pair of MySQL servers, for tests of what does not depend on the flavor.
func mysqlPair(t *testing.T) pair {
	t.Helper()
	return namedPair(t, likePairs[0])
}

func pairs(t *testing.T, names [][2]string, f func(t *testing.T, p pair)) {
	t.Helper()
	servers(t)
	for _, name := range names {
		t.Run(name[0]+"_to_"+name[1], func(t *testing.T) { f(t, namedPair(t, name)) })
	}
}

func namedPair(t *testing.T, names [2]string) pair {
	t.Helper()
	all := servers(t)
	p := pair{all[names[0]], all[names[1]]}
	if p.source == nil || p.target == nil {
		if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
			t.Fatalf("%s or %s is not in WHERRY_TEST_SERVERS, and WHERRY_REQUIRE_SERVERS=1", names[0], names[1])
		}
		t.Skipf("SKIPPED WITHOUT SERVERS: %s or %s is not in WHERRY_TEST_SERVERS", names[0], names[1])
	}
	return p
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
