package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/state"
	"wherry/test/internal/harness"
)

// TestEstimatesAreFresh: MySQL keeps what it answered about the size of a table for a day; wherry is told of the size
// now, before the move and while it runs.
func TestEstimatesAreFresh(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		b := begin(t, source, target)
		const size = "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = '" + database +
			"' AND TABLE_NAME = 'u'"
		source.Exec(t, "ANALYZE TABLE "+database+".u") // from now on MySQL says this to who asks as usual
		grow := func() {
			source.Exec(t, "SET SESSION cte_max_recursion_depth = 1000000",
				"INSERT INTO "+database+".u WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i "+
					"< 20000) "+
					"SELECT i + (SELECT COALESCE(MAX(id), 0) FROM "+database+".u x) FROM n")
		}
		if source.Flavor == "mariadb" {
			grow = func() {
				source.Exec(t, "INSERT INTO "+database+".u SELECT seq + (SELECT COALESCE(MAX(id), 0) FROM "+database+
					".u x) FROM "+database+".seq_1_to_20000")
			}
		}
		grow()
		if source.Flavor == "mysql" {
			stale, err := strconv.Atoi(source.Text(t, size))
			require.NoError(t, err)
			require.Less(t, stale, 1000, "what makes the test one: the server's usual answer is old")
		}
		b.run(0, "init-schema")
		file, err := state.Open(filepath.Join(b.dir, "state.yaml"), state.OpenOptions{Move: database})
		require.NoError(t, err)
		s, err := file.Read()
		require.NoError(t, err)
		assert.InDelta(t, 20000, s.Table(database+".u").RowsEstimate, 10000)

		grow()
		grow()
		c := b.run(3, "init-copy --dry-run")
		m := regexp.MustCompile(`copy about (\d+) rows to ` + database + `\.u`).FindStringSubmatch(c.stdout)
		require.NotNil(t, m, c.stdout)
		rows, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		assert.InDelta(t, 60000, rows, 30000, "not what was recorded when the tables were made")
		b.run(0, "init-copy")
		s, err = file.Read()
		require.NoError(t, err)
		assert.Equal(t, int64(60001), s.Table(database+".u").Rows)
		content, err := os.ReadFile(filepath.Join(b.dir, "state.yaml"))
		require.NoError(t, err)
		assert.Contains(t, string(content), "rows_estimate")
	})
}
