package evolve

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// TestTablesLeave gives tables names that are not of the move, while others take the old ones: what has a name on the
// target is what has it on the source, and the rows of those that left are there under another name, whatever is
// there already.
func TestTablesLeave(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "we_l", source, target, harness.Options{
			Include: "we_l_m.*,we_l_a.*,we_l_one.log",
			Lines:   append(extras(source, target), "routes: [{from: we_l_one.*, to: we_l_other.*}]"),
		})
		create := func(name, rows string) {
			m.Source.Exec(t, "CREATE TABLE "+name+" (id INT PRIMARY KEY, v VARCHAR(9))",
				"INSERT INTO "+name+" VALUES "+rows)
		}
		m.Source.Exec(t, "CREATE DATABASE we_l_a", "CREATE DATABASE we_l_arch", "CREATE DATABASE we_l_one")
		create("we_l_a.log", "(1, 'old')")
		create("we_l_a.swap", "(1, 'old')")
		create("we_l_one.log", "(1, 'old')")
		create("we_l_arch.swap", "(7, 'outside')")
		m.must(t, "init-schema", "init-copy")
		m.Target.Exec(t, "CREATE TABLE we_l_other.log_1 (own INT)", "INSERT INTO we_l_other.log_1 VALUES (42)")
		rows := func(name string) string {
			return m.Target.Text(t, "SELECT GROUP_CONCAT(CONCAT(id, v) ORDER BY id) FROM "+name)
		}
		for _, turn := range []string{"2", "3"} { // the second time the names that the first has given are taken
			m.Source.Exec(t, "DROP TABLE IF EXISTS we_l_arch.log, we_l_one.log_1",
				"RENAME TABLE we_l_a.log TO we_l_arch.log", "CREATE TABLE we_l_a.log LIKE we_l_arch.log",
				"INSERT INTO we_l_a.log VALUES (1, 'new"+turn+"')", "DELETE FROM we_l_arch.log",
				"CREATE TABLE we_l_one.log_new LIKE we_l_one.log",
				"RENAME TABLE we_l_one.log TO we_l_one.log_1, we_l_one.log_new TO we_l_one.log")
			c := m.Run(t, "start-replica", "--until-caught-up") // what comes in has rows that were not followed
			require.Equal(t, refused, c.Code, c.Log())
			assert.Contains(t, last(c), "we_l_one.log")
			m.Source.Exec(t, "INSERT INTO we_l_one.log VALUES (1, 'new"+turn+"')")
			m.must(t, "init-copy --table we_l_one.log", "start-replica --until-caught-up")
			assert.Equal(t, "1new"+turn, rows("we_l_a.log"))
			assert.Equal(t, "1new"+turn, rows("we_l_other.log"))
		}
		assert.Equal(t, "1old", rows("we_l_a.we_l_arch_log"))
		assert.Equal(t, "1new2", rows("we_l_a.we_l_arch_log_2"))
		assert.Equal(t, "42", m.Target.Text(t, "SELECT GROUP_CONCAT(own) FROM we_l_other.log_1"), "not ours")

		m.Source.Exec(t, "RENAME TABLE we_l_a.swap TO we_l_arch.tmp, we_l_arch.swap TO we_l_a.swap, we_l_arch.tmp "+
			"TO we_l_arch.swap")
		c := m.Run(t, "start-replica", "--until-caught-up")
		require.Equal(t, refused, c.Code, c.Log())
		m.must(t, "init-copy --table we_l_a.swap", "start-replica --until-caught-up", "verify")
		assert.Equal(t, "7outside", rows("we_l_a.swap"))
	})
}
