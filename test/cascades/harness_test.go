// Package cascades moves tables whose foreign keys act on one another between real servers: sources that log what
// InnoDB does by them and sources that do not, under load and killed. Both sides are compared by the tests' own SQL,
// never by wherry's. WHERRY_CASCADES_ROUNDS=n makes the tests longer.
package cascades

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

const moveName = "cascades"

func TestMain(m *testing.M) { harness.Main(m) }

// native is a MySQL of our own with innodb_native_foreign_keys, until the end of the test.
func native(t *testing.T) *harness.Server {
	t.Helper()
	list, stop, err := lab.Extra(harness.Script(t), lab.MySQL, "innodb_native_foreign_keys=ON")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, stop()) })
	servers, err := lab.ParseServers(list)
	require.NoError(t, err)
	return harness.Connect(t, servers[0])
}

// rounds returns how often the long parts are done.
func rounds(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi("0" + os.Getenv("WHERRY_CASCADES_ROUNDS"))
	require.NoError(t, err)
	return max(n, 1)
}

// move is a move of one database, and both its ends in it.
type move struct {
	*harness.Move
	app, moved *harness.Server
}

// newMove makes an empty database on the source. There is none on the target.
func newMove(t *testing.T, source, target *harness.Server, lines ...string) *move {
	t.Helper()
	m := &move{app: source.In(t, moveName), moved: target.In(t, moveName)}
	m.Move = harness.New(t, source, target, harness.Options{
		Name: moveName, Create: "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
		Lines: append([]string{"cutover: {max_lag: 30s, timeout: 60s}", "schema: {allow_losses: [collation]}"},
			lines...),
	})
	return m
}
