// Package sources moves databases from sources that do not stay as they are: replicas, servers that die and are
// replaced by a promoted replica, servers whose log is purged.
//
// Every test has servers of its own for the source, with real replication between them, which it kills and promotes.
// What both sides hold is compared by the servers' own CHECKSUM TABLE and counts, never by wherry.
package sources

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// The account of the application.
const appUser, appPassword = "ws_app", "ws-app-secret"

var wherry string // the wherry under test

func TestMain(m *testing.M) { os.Exit(lab.Main(m, &wherry)) }

// node is one server.
type node struct {
	lab.Server
	db    *sql.DB
	app   *sql.DB    // as an account that a read-only server refuses
	fleet *lab.Fleet // nil for the servers that all tests share
}

func newNode(t *testing.T, s lab.Server, fleet *lab.Fleet) *node {
	t.Helper()
	db, err := s.Admin("")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	app, err := s.Open(appUser, appPassword, "")
	require.NoError(t, err)
	t.Cleanup(func() { _ = app.Close() })
	return &node{Server: s, db: db, app: app, fleet: fleet}
}

// fleet starts n servers of a flavor that log what they replicate, with empty logs.
func fleet(t *testing.T, flavor string, n int, settings ...string) []*node {
	t.Helper()
	script := os.Getenv("WHERRY_SERVERS_SCRIPT")
	if script == "" {
		if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
			t.Fatal("no WHERRY_SERVERS_SCRIPT, and WHERRY_REQUIRE_SERVERS=1")
		}
		t.Skip("SKIPPED WITHOUT WHERRY_SERVERS_SCRIPT: servers with settings of their own must be started")
	}
	if flavor == lab.MariaDB {
		settings = append([]string{"log-slave-updates"}, settings...)
	}
	f, err := lab.NewFleet(script, flavor, n, settings...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Stop()) })
	servers, err := lab.ParseServers(f.List)
	require.NoError(t, err)
	nodes := make([]*node, n)
	for i := range nodes {
		s, err := lab.Find(servers, fmt.Sprintf("%s-%d", flavor, i+1))
		require.NoError(t, err)
		nodes[i] = newNode(t, s, f)
		require.NoError(t, lab.Forget(t.Context(), nodes[i].db, flavor))
	}
	return nodes
}

// target is the last of the servers that all tests share, of a flavor.
func target(t *testing.T, flavor string) *node {
	t.Helper()
	servers, err := lab.ParseServers(os.Getenv("WHERRY_TEST_SERVERS"))
	require.NoError(t, err)
	s, err := lab.Find(servers, flavor+"-2")
	if err != nil {
		if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED WITHOUT SERVERS: ", err)
	}
	return newNode(t, s, nil)
}

// flavors runs a test for both families, side by side.
func flavors(t *testing.T, test func(t *testing.T, flavor string)) {
	t.Helper()
	for _, flavor := range []string{lab.MySQL, lab.MariaDB} {
		t.Run(flavor, func(t *testing.T) {
			t.Parallel()
			test(t, flavor)
		})
	}
}

func (n *node) exec(t *testing.T, statements ...string) {
	t.Helper()
	require.NoError(t, lab.Exec(context.WithoutCancel(t.Context()), n.db, statements...), n.Name)
}

// text returns the only value of a query, "" for NULL, no row, or a server that is away.
func (n *node) text(t *testing.T, query string, args ...any) string {
	t.Helper()
	var value sql.NullString
	_ = n.db.QueryRowContext(context.WithoutCancel(t.Context()), query, args...).Scan(&value)
	return value.String
}

// control has the servers' script do something with the server.
func (n *node) control(t *testing.T, verb string) {
	t.Helper()
	_, err := n.fleet.Control(verb, n.Name)
	require.NoError(t, err)
}

// follow makes the server a replica of another by GTID.
func (n *node) follow(t *testing.T, primary *node) {
	t.Helper()
	require.NoError(t, lab.Follow(context.WithoutCancel(t.Context()), n.db, primary.Server))
}

// has waits until the server has what another one has.
func (n *node) has(t *testing.T, primary *node) {
	t.Helper()
	require.NoError(t, lab.Await(context.WithoutCancel(t.Context()), n.db, primary.db, n.Flavor), n.Name)
}

// stopReplica and promote end the replication, for a while or for good.
func (n *node) stopReplica(t *testing.T) {
	t.Helper()
	n.exec(t, map[string]string{lab.MySQL: "STOP REPLICA", lab.MariaDB: "STOP SLAVE"}[n.Flavor])
}

func (n *node) promote(t *testing.T) {
	t.Helper()
	require.NoError(t, lab.Promote(context.WithoutCancel(t.Context()), n.db, n.Flavor))
}

// newAddress is an address that leads to a server for now.
func newAddress(t *testing.T, n *node) *lab.Address {
	t.Helper()
	a, err := lab.NewAddress(n.Server)
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// move is a move of one database.
type move struct {
	*lab.Wherry
	lab.Move
	to     *node
	config string
}

// newMove makes an empty database on the source, which its replicas get too, and a configuration that moves it.
func newMove(t *testing.T, name string, from *node, source lab.Server, to *node, extra ...string) *move {
	t.Helper()
	dir := t.TempDir()
	m := &move{to: to, config: filepath.Join(dir, "wherry.yaml"), Move: lab.Move{
		Name: name, State: filepath.Join(dir, "state.yaml"), Source: source, Target: to.Server, Include: name + ".*",
		Extra: extra,
	}}
	clean := []string{"SET GLOBAL read_only = 0", "DROP DATABASE IF EXISTS " + name, "DROP DATABASE IF EXISTS wherry_" +
		name}
	to.exec(t, clean...)
	t.Cleanup(func() { to.exec(t, clean...) })
	from.exec(t, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4",
		"CREATE USER IF NOT EXISTS '"+appUser+"'@'%' IDENTIFIED BY '"+appPassword+"'", "GRANT ALL ON "+name+".* TO '"+
			appUser+"'@'%'",
		"CREATE TABLE "+name+".accounts (id INT PRIMARY KEY AUTO_INCREMENT, worker INT NOT NULL, n BIGINT NOT NULL, "+
			"note VARCHAR(200), KEY (worker))",
		"CREATE TABLE "+name+".events (worker INT, what VARCHAR(40), KEY (worker))",
		"INSERT INTO "+name+".accounts (worker, n, note) WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 "+
			"FROM s WHERE i < 1000) SELECT i % 4, i, REPEAT('x', 150) FROM s")
	for range 4 {
		from.exec(t, "INSERT INTO "+name+".accounts (worker, n, note) SELECT worker, n, note FROM "+name+".accounts")
	}
	from.exec(t, "INSERT INTO "+name+".events SELECT worker, 'first' FROM "+name+".accounts LIMIT 2000")
	m.write(t)
	return m
}

// write writes the configuration; the state file stays.
func (m *move) write(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile(m.config, []byte(m.YAML()), 0o600))
	m.Wherry = &lab.Wherry{Binary: wherry, Config: m.config}
}

// start starts a command, which is killed at the end of the test if it runs then.
func (m *move) start(t *testing.T, args ...string) *lab.Child {
	t.Helper()
	c, err := m.Start(context.WithoutCancel(t.Context()), args...)
	require.NoError(t, err)
	t.Cleanup(func() {
		select {
		case <-c.Done():
		default:
			t.Logf("still running: %v\n%s", args, c.Log())
			_ = c.Signal(os.Kill)
			<-c.Done()
		}
	})
	return c
}

// must runs a command to its good end.
func (m *move) must(t *testing.T, args ...string) *lab.Child { return m.ends(t, 0, args...) }

// ends runs a command that ends with an exit code.
func (m *move) ends(t *testing.T, code int, args ...string) *lab.Child {
	t.Helper()
	c := m.start(t, args...)
	ended(t, c, code)
	return c
}

func ended(t *testing.T, c *lab.Child, code int) {
	t.Helper()
	require.True(t, c.Ended(), "no end: %s", c.Log())
	require.Equal(t, code, c.Code, "%s\n%s", c.Output(), c.Log())
}

// until waits for something to become true while a command runs.
func until(t *testing.T, what string, f func() bool, running ...*lab.Child) {
	t.Helper()
	moves := make([]lab.Progress, len(running))
	for i, c := range running {
		moves[i] = c.Progress
	}
	require.True(t, lab.Until(func() bool {
		if f() {
			return true
		}
		for _, c := range running {
			select {
			case <-c.Done():
				require.FailNow(t, "ended too early", "%s\n%s", c.Output(), c.Log())
			default:
			}
		}
		return false
	}, moves...), "waited in vain: %s", what)
}

// followed waits until a row that is written last has come.
func (m *move) followed(t *testing.T, from *node, running ...*lab.Child) {
	t.Helper()
	mark := fmt.Sprint(time.Now().UnixNano())
	from.exec(t, "INSERT INTO "+m.Name+".events VALUES (-1, '"+mark+"')")
	until(t, "a mark on the target", func() bool {
		return m.to.text(t, "SELECT 1 FROM "+m.Name+".events WHERE what = ?", mark) == "1"
	}, running...)
}

// equal requires that both sides hold the same rows.
func (m *move) equal(t *testing.T, from *node) {
	t.Helper()
	for _, table := range []string{"accounts", "events"} {
		require.Equal(t, from.sum(t, m.Name+"."+table), m.to.sum(t, m.Name+"."+table), table)
	}
}

// sum is the number of rows and the sum of their hashes, which does not depend on their order.
func (n *node) sum(t *testing.T, table string) string {
	t.Helper()
	columns := "id, worker, n, COALESCE(note, 'NULL')"
	if strings.HasSuffix(table, ".events") {
		columns = "worker, what"
	}
	sum := n.text(t, "SELECT CONCAT(COUNT(*), ' ', SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS('|', "+columns+
		"), 256), 15), 16, 10) AS DECIMAL(40)))) FROM "+table)
	require.NotEmpty(t, sum, "%s of %s", table, n.Name)
	return sum
}
