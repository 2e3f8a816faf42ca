package keyless

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// TestMove moves tables without a key while an application writes to them, with wherry killed in every phase.
func TestMove(t *testing.T) {
	for _, p := range [][2]string{
		{"mysql-1", "mysql-2"},
		{"mariadb-1", "mariadb-2"},
		{"mysql-1", "mariadb-2"},
		{"mariadb-1", "mysql-2"},
	} {
		t.Run(p[0]+"_to_"+p[1], func(t *testing.T) {
			source, target := server(t, p[0]), server(t, p[1])
			s := lab.Seed(t)
			r := rand.New(rand.NewPCG(s, 77))
			all := tables(source.Flavor == target.Flavor, source.Flavor)
			m := newMove(t, source, target)
			app := fresh(t, source, m.name)
			t.Cleanup(func() { run(t, pool(t, source, ""), "SET GLOBAL read_only = 0") })
			for _, x := range all {
				run(t, app, x.create())
				fill(t, app, x, r, 1500)
			}
			l := startLoad(t, source, m.name, all, s, 3)
			m.must(t, "check")
			m.must(t, "init-schema")
			m.killed(t, r, 4, 500*time.Millisecond, "init-copy")
			m.must(t, "init-copy")
			for range 3 {
				m.killed(t, r, 1, 600*time.Millisecond, "start-replica")
			}
			m.must(t, "start-replica", "--until-caught-up")
			m.must(t, "verify")
			m.killed(t, r, 2, 400*time.Millisecond, "cutover", "--confirm="+m.name)
			m.must(t, "start-replica", "--until-caught-up")
			m.must(t, "cutover", "--confirm="+m.name)
			l.stop(t)

			moved := pool(t, target, m.name)
			for _, x := range all {
				want := bag(t, app, x.name, x.columns, x.where)
				got := bag(t, moved, x.name, x.columns, "")
				require.Greater(t, len(want), 20, "rows of %s", x.name)
				assert.Empty(t, difference(want, got), "table %s", x.name)
				assert.Empty(t, text(t, moved, "SELECT GROUP_CONCAT(column_name) FROM information_schema.columns "+
					"WHERE table_schema = '"+
					m.name+"' AND table_name = '"+x.name+"' AND column_key = 'PRI'"),
					"table %s has no key on the target either", x.name)
			}
		})
	}
}

// mover is one move by the wherry under test.
type mover struct {
	*lab.Wherry
	name string
}

func newMove(t *testing.T, source, target lab.Server, lines ...string) *mover {
	t.Helper()
	const name = "keyless_move"
	run(t, pool(t, target, ""), "SET GLOBAL read_only = 0", "DROP DATABASE IF EXISTS "+name,
		"DROP DATABASE IF EXISTS wherry_"+name)
	dir := t.TempDir()
	w, err := lab.Move{
		Name: name, State: filepath.Join(dir, "state.yaml"), Source: source, Target: target, Include: name + ".*",
		Extra: append([]string{
			"copy: {workers: 3}", "replicate: {batch_rows: 400}", "cutover: {max_lag: 30s, timeout: 60s}",
			"schema: {allow_losses: [collation]}", // from MySQL's own to the nearest of MariaDB's
			`filters: [{table: ` + name + `.filtered, where: "n < 25"}]`,
		}, lines...),
	}.Write(wherry, filepath.Join(dir, "wherry.yaml"))
	require.NoError(t, err)
	return &mover{Wherry: w, name: name}
}

// must runs a command that has to succeed.
func (m *mover) must(t *testing.T, args ...string) string {
	t.Helper()
	child, err := m.Start(t.Context(), args...)
	require.NoError(t, err)
	child.Ended()
	require.NoError(t, child.Wait(), "%v\n%s\n%s", args, child.Output(), child.Log())
	return child.Output()
}

// killed starts a command n times and kills it after a random time. A command that is done before is done.
func (m *mover) killed(t *testing.T, r *rand.Rand, n int, longest time.Duration, args ...string) {
	t.Helper()
	for range n {
		child, err := m.Start(t.Context(), args...)
		require.NoError(t, err)
		select {
		case <-child.Done():
			if args[0] != "cutover" { // whose gates may not be met
				require.NoError(t, child.Wait(), "%v\n%s\n%s", args, child.Output(), child.Log())
			}
		case <-time.After(time.Duration(r.Int64N(int64(longest)))):
			require.NoError(t, child.Signal(os.Signal(syscall.SIGKILL)))
			_ = child.Wait() // killed
		}
	}
}
