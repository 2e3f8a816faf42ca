package moves

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestMove is a whole move under load, phase by phase, with other names on the target and a filter.
func TestMove(t *testing.T) {
	pairs(t, harness.Every, func(t *testing.T, p pair) {
		m := newMove(t, p, settings{
			routed: true, filter: "worker IN (0, 2, 3)",
			lines: []string{"copy: {workers: 2, chunk_rows: 1500}"},
		})
		m.fill(t, 10_000)
		load := m.startLoad(t, lab.Seed(t), 4, 10_000, 2*time.Millisecond)
		m.Must(t, "check")
		m.Phases(t, "init-schema", "init-copy")
		replica := m.Start(t, "start-replica")
		m.Followed(t, replica)
		m.Must(t, "verify")
		before := load.Commits.Load()
		r := m.cutover(t)
		require.Equal(t, harness.Done, r.Code, r)
		assert.Greater(t, load.Commits.Load(), before, "transactions between verify and the fence")
		ended := replica.Wait(t)
		require.Equal(t, harness.Done, ended.Code, ended)
		assert.True(t, p.source.ReadOnly(t), "the source is read-only")
		load.Stop(t)
		t.Logf("%d rows", m.equal(t))
		m.complete(t)
		over := m.Ends(t, harness.Done, "start-replica")
		assert.Contains(t, over.Output(), "over")
	})
}

// complete checks what a finished move has on the target besides rows.
func (m *move) complete(t *testing.T) {
	t.Helper()
	for _, x := range tables() {
		for _, what := range []string{"indexes", "foreign keys"} {
			query := `SELECT GROUP_CONCAT(CONCAT_WS(' ', index_name, seq_in_index, column_name, non_unique, sub_part)
				ORDER BY index_name, seq_in_index)
				FROM information_schema.statistics WHERE table_schema = ? AND table_name = ?`
			if what == "foreign keys" {
				query = `SELECT GROUP_CONCAT(CONCAT_WS(' ', ordinal_position, column_name, referenced_table_name,
					referenced_column_name) ORDER BY constraint_name)
					FROM information_schema.key_column_usage WHERE table_schema = ? AND table_name = ?
					AND referenced_table_name IS NOT NULL`
			}
			assert.Equal(t, m.source.Text(t, query, m.Name, x.name), m.target.Text(t, query, m.database,
				m.targetTable(x.name)), "%s of %s", what, x.name)
		}
	}
	for _, x := range []string{"ints", "seats", "parents", "children"} {
		name := quote(m.database) + "." + quote(m.targetTable(x))
		var next int64
		require.NoError(t, m.source.DB.QueryRowContext(t.Context(), "SELECT MAX(id) FROM "+quote(m.Name)+"."+
			quote(x)).Scan(&next))
		columns := map[string]string{
			"ints": "(worker) VALUES (1)", "seats": "() VALUES ()",
			"parents": "(name) VALUES ('x')", "children": "(parent_id, no) SELECT MAX(id), 0 FROM " +
				quote(m.database) + ".parents",
		}[x]
		result, err := m.target.DB.ExecContext(t.Context(), "INSERT INTO "+name+" "+columns)
		require.NoError(t, err, x)
		id, err := result.LastInsertId()
		require.NoError(t, err)
		assert.Greater(t, id, next, "automatic value of %s", x)
	}
	_, err := m.target.DB.ExecContext(t.Context(), "INSERT INTO "+quote(m.database)+".children (parent_id, no) "+
		"VALUES (4000000000, 1)")
	assert.ErrorContains(t, err, "foreign key constraint fails")
}

// TestRun is the move in one command.
func TestRun(t *testing.T) {
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		m := newMove(t, p, settings{})
		m.fill(t, 6_000)
		load := m.startLoad(t, lab.Seed(t), 3, 6_000, 2*time.Millisecond)
		r := m.Run(t, "run", "--cutover", "--confirm="+m.Name)
		require.Equal(t, harness.Done, r.Code, r)
		assert.True(t, p.source.ReadOnly(t), "the source is read-only")
		load.Stop(t)
		m.equal(t)
		m.complete(t)
		m.Must(t, "run", "--cutover", "--confirm="+m.Name)
	})
}
