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
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

func TestMain(m *testing.M) { harness.Main(m) }

// node is one server.
type node struct {
	*harness.Server
	app   *sql.DB    // as an account that a read-only server refuses
	fleet *lab.Fleet // nil for the servers that all tests share
}

func newNode(t *testing.T, s *harness.Server, fleet *lab.Fleet) *node {
	t.Helper()
	return &node{Server: s, app: s.As(t, harness.AppUser, harness.AppPassword, ""), fleet: fleet}
}

// fleet starts n servers of a flavor that log what they replicate, with empty logs.
func fleet(t *testing.T, flavor string, n int, settings ...string) []*node {
	t.Helper()
	if flavor == lab.MariaDB {
		settings = append([]string{"log-slave-updates"}, settings...)
	}
	f, err := lab.NewFleet(harness.Script(t), flavor, n, settings...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Stop()) })
	servers, err := lab.ParseServers(f.List)
	require.NoError(t, err)
	nodes := make([]*node, n)
	for i := range nodes {
		s, err := lab.Find(servers, fmt.Sprintf("%s-%d", flavor, i+1))
		require.NoError(t, err)
		nodes[i] = newNode(t, harness.Connect(t, s), f)
		require.NoError(t, lab.Forget(t.Context(), nodes[i].DB, flavor))
	}
	return nodes
}

// target is the last of the servers that all tests share, of a flavor.
func target(t *testing.T, flavor string) *node {
	t.Helper()
	return newNode(t, harness.Find(t, flavor+"-2"), nil)
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

// text returns the only value of a query, "" for NULL, no row, or a server that is away.
func (n *node) text(t *testing.T, query string, args ...any) string {
	t.Helper()
	value, _ := n.Value(t, query, args...)
	return value
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
	require.NoError(t, lab.Follow(context.WithoutCancel(t.Context()), n.DB, primary.Server.Server))
}

// has waits until the server has what another one has.
func (n *node) has(t *testing.T, primary *node) {
	t.Helper()
	require.NoError(t, lab.Await(context.WithoutCancel(t.Context()), n.DB, primary.DB, n.Flavor), n.Name)
}

// stopReplica and promote end the replication, for a while or for good.
func (n *node) stopReplica(t *testing.T) {
	t.Helper()
	n.Exec(t, map[string]string{lab.MySQL: "STOP REPLICA", lab.MariaDB: "STOP SLAVE"}[n.Flavor])
}

func (n *node) promote(t *testing.T) {
	t.Helper()
	require.NoError(t, lab.Promote(context.WithoutCancel(t.Context()), n.DB, n.Flavor))
}

// newAddress is an address that leads to a server for now.
func newAddress(t *testing.T, n *node) *lab.Address {
	t.Helper()
	a, err := lab.NewAddress(n.Server.Server)
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// move is a move of one database.
type move struct {
	*harness.Move
	to *node
}

// newMove makes a database on the source, which its replicas get too, and a configuration that moves it from wherever
// source is.
func newMove(t *testing.T, name string, from *node, source lab.Server, to *node, lines ...string) *move {
	t.Helper()
	m := &move{to: to, Move: harness.New(t, from.Server, to.Server, harness.Options{
		Name: name, Create: "CHARACTER SET utf8mb4", SourceAt: source.Address(), Lines: lines,
	})}
	from.App(t, name)
	from.Exec(t,
		"CREATE TABLE "+name+".accounts (id INT PRIMARY KEY AUTO_INCREMENT, worker INT NOT NULL, n BIGINT NOT NULL, "+
			"note VARCHAR(200), KEY (worker))",
		"CREATE TABLE "+name+".events (worker INT, what VARCHAR(40), KEY (worker))",
		"INSERT INTO "+name+".accounts (worker, n, note) WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 "+
			"FROM s WHERE i < 1000) SELECT i % 4, i, REPEAT('x', 150) FROM s")
	for range 4 {
		from.Exec(t, "INSERT INTO "+name+".accounts (worker, n, note) SELECT worker, n, note FROM "+name+".accounts")
	}
	from.Exec(t, "INSERT INTO "+name+".events SELECT worker, 'first' FROM "+name+".accounts LIMIT 2000")
	return m
}

// followed waits until a row that is written last has come.
func (m *move) followed(t *testing.T, from *node, running ...*harness.Child) {
	t.Helper()
	mark := fmt.Sprint(time.Now().UnixNano())
	from.Exec(t, "INSERT INTO "+m.Name+".events VALUES (-1, '"+mark+"')")
	harness.Until(t, "a mark on the target", func() bool {
		return m.to.text(t, "SELECT 1 FROM "+m.Name+".events WHERE what = ?", mark) == "1"
	}, running...)
}

// equal requires that the target holds the rows that a server has.
func (m *move) equal(t *testing.T, from *node) {
	t.Helper()
	now := *m.Move
	now.Source = from.Server
	require.Positive(t, now.Equal(t))
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
