package keys

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestCaseChangesWhileCopied gives a row's key another case between the place that the copy follows the log from and
// the moment that its rows are read, with more changes in between than one transaction on the target takes: when the
// log tells that the row was made, the target has it under its later key already, and to another family's collation
// both are one.
func TestCaseChangesWhileCopied(t *testing.T) {
	harness.Each(t, harness.Across, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "wk_case", source, target, "copy: {workers: 1}", "replicate: {batch_rows: 10}",
			"schema: {allow_losses: [collation]}")
		m.Source.Exec(t, "CREATE TABLE wk_case.marks (id INT PRIMARY KEY)",
			"CREATE TABLE wk_case.t (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, n INT)",
			"INSERT INTO wk_case.t VALUES ('a', 1), ('z', 26)")
		m.Must(t, "init-schema")
		holder, err := m.Source.DB.Conn(t.Context())
		require.NoError(t, err)
		defer holder.Close()
		require.NoError(t, lab.ExecAll(t.Context(), holder, "LOCK TABLES wk_case.t WRITE"))
		copying := m.Start(t, "init-copy")
		harness.Until(t, "the copy waits", func() bool {
			return number(t, m.Source, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE "+
				"'Waiting for table%' AND INFO LIKE '%wk_case%'") > 0
		}, copying)
		require.NoError(t, lab.ExecAll(t.Context(), holder, "INSERT INTO wk_case.t VALUES ('i', 9)"))
		for i := range 100 {
			require.NoError(t, lab.ExecAll(t.Context(), holder, "INSERT INTO wk_case.t VALUES ('row "+
				strings.Repeat("x", i%10)+string(rune('a'+i/10))+"', 0)"))
		}
		require.NoError(t, lab.ExecAll(t.Context(), holder, "UPDATE wk_case.t SET k = 'I', n = 99 WHERE k = 'i'",
			"UNLOCK TABLES"))
		copying.Ends(t, harness.Done)
		m.CatchUp(t)
		m.Equal(t)
		require.Equal(t, 99, number(t, m.Target, "SELECT n FROM wk_case.t WHERE CAST(k AS BINARY) = 'I'"))
	})
}
