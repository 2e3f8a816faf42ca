// Package keyless moves tables without a key between real servers: duplicate rows, NULLs, every type, under load and
// killed. What is on both sides in the end is compared as multisets by the tests' own SQL, never by wherry's.
package keyless

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

func TestMain(m *testing.M) { harness.Main(m) }

// TestMove moves tables without a key while an application writes to them, with wherry killed in every phase.
func TestMove(t *testing.T) {
	harness.Each(t, harness.Every, func(t *testing.T, source, target *harness.Server) {
		s := lab.Seed(t)
		r := rand.New(rand.NewPCG(s, 77))
		all := tables(source.Flavor == target.Flavor)
		m := newMove(t, source, target)
		app := source.In(t, m.Name)
		for _, x := range all {
			app.Exec(t, x.create())
			fill(t, app, x, r, 1500)
		}
		l := startLoad(t, m, all, s)
		m.Phases(t, "check", "init-schema")
		m.Killed(t, r, 4, 500*time.Millisecond, "init-copy")
		m.Must(t, "init-copy")
		m.Killed(t, r, 3, 600*time.Millisecond, "start-replica")
		m.CatchUp(t)
		m.Must(t, "verify")
		m.Killed(t, r, 2, 400*time.Millisecond, "cutover", m.Confirm())
		m.CatchUp(t)
		m.Must(t, "cutover", m.Confirm())
		l.Stop(t)

		for _, x := range all {
			from := harness.Table{Database: m.Name, Name: x.name, Where: x.where}
			to := harness.Table{Database: m.Name, Name: x.name}
			require.Greater(t, distinct(source.Rows(t, from)), 20, "rows of %s", x.name)
			m.EqualTable(t, from, to)
			assert.Empty(t, target.Text(t, "SELECT GROUP_CONCAT(column_name) FROM information_schema.columns "+
				"WHERE table_schema = '"+m.Name+"' AND table_name = '"+x.name+"' AND column_key = 'PRI'"),
				"table %s has no key on the target either", x.name)
		}
	})
}

func distinct(rows []string) int {
	all := map[string]bool{}
	for _, row := range rows {
		all[row] = true
	}
	return len(all)
}

func newMove(t *testing.T, source, target *harness.Server) *harness.Move {
	t.Helper()
	const name = "keyless_move"
	return harness.New(t, source, target, harness.Options{
		Name: name, Create: "CHARACTER SET utf8mb4",
		Lines: []string{
			"copy: {workers: 3}", "replicate: {batch_rows: 400}", "cutover: {max_lag: 30s, timeout: 60s}",
			"schema: {allow_losses: [collation]}", // from MySQL's own to the nearest of MariaDB's
			`filters: [{table: ` + name + `.filtered, where: "n < 25"}]`,
		},
	})
}
