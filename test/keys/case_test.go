package keys

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// TestCaseChangesWhileCopied gives a row's key another case between the place that the copy follows the log from and
// the moment that its rows are read, with more changes in between than one transaction on the target takes: when the
// log tells that the row was made, the target has it under its later key already, and to another family's collation
// both are one.
func TestCaseChangesWhileCopied(t *testing.T) {
	onPairs(t, []string{"mysql to mariadb", "mariadb to mysql"}, func(t *testing.T, source, target lab.Server) {
		m := newMove(t, "wk_case", source, target, "copy: {workers: 1}", "replicate: {batch_rows: 10}",
			"schema: {allow_losses: [collation]}")
		m.exec(t, m.source, "CREATE TABLE wk_case.marks (id INT PRIMARY KEY)",
			"CREATE TABLE wk_case.t (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, n INT)",
			"INSERT INTO wk_case.t VALUES ('a', 1), ('z', 26)")
		m.must(t, "init-schema")
		holder, err := m.source.Conn(t.Context())
		require.NoError(t, err)
		defer holder.Close()
		require.NoError(t, lab.ExecAll(t.Context(), holder, "LOCK TABLES wk_case.t WRITE"))
		copying, err := m.Start(t.Context(), "init-copy")
		require.NoError(t, err)
		require.True(t, lab.Until(func() bool {
			return m.number(t, m.source, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE "+
				"'Waiting for table%' AND INFO LIKE '%wk_case%'") > 0
		}, copying.Progress), copying.Log())
		require.NoError(t, lab.ExecAll(t.Context(), holder, "INSERT INTO wk_case.t VALUES ('i', 9)"))
		for i := range 100 {
			require.NoError(t, lab.ExecAll(t.Context(), holder, "INSERT INTO wk_case.t VALUES ('row "+
				strings.Repeat("x", i%10)+string(rune('a'+i/10))+"', 0)"))
		}
		require.NoError(t, lab.ExecAll(t.Context(), holder, "UPDATE wk_case.t SET k = 'I', n = 99 WHERE k = 'i'",
			"UNLOCK TABLES"))
		require.NoError(t, copying.Wait(), copying.Log())
		m.must(t, "start-replica", "--until-caught-up")
		m.equal(t)
		require.Equal(t, 99, m.number(t, m.to, "SELECT n FROM wk_case.t WHERE CAST(k AS BINARY) = 'I'"))
	})
}
