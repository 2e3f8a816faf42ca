package evolve

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// TestNoDefault moves columns that may be NULL and that INSERT has to name all the same, which no CREATE TABLE tells,
// from MySQL to MySQL without a loss: those that are there before, that become such while changes are followed, and
// that change their types.
func TestNoDefault(t *testing.T) {
	source, target := harness.MySQL.Open(t)
	m := newMove(t, "we_d", source, target, harness.Options{Lines: extras(source, target)})
	m.Source.Exec(t, "CREATE DATABASE we_d_a", "CREATE TABLE we_d_a.t (id INT PRIMARY KEY, a INT, b VARCHAR(9) "+
		"DEFAULT 'b', KEY (a))", "ALTER TABLE we_d_a.t ALTER a DROP DEFAULT",
		"INSERT INTO we_d_a.t VALUES (1, NULL, 'x'), (2, 2, NULL)")
	m.must(t, "check", "init-schema", "init-copy")
	m.equal(t, "we_d_a")
	m.Source.Exec(t, "ALTER TABLE we_d_a.t ALTER b DROP DEFAULT", "INSERT INTO we_d_a.t VALUES (3, 3, 'y')")
	m.must(t, "start-replica --until-caught-up")
	m.equal(t, "we_d_a")
	m.Source.Exec(t, "ALTER TABLE we_d_a.t MODIFY b VARCHAR(20), ADD c INT AFTER id",
		"ALTER TABLE we_d_a.t ALTER c DROP DEFAULT, ALTER b DROP DEFAULT", "CREATE TABLE we_d_a.alike LIKE we_d_a.t",
		"INSERT INTO we_d_a.alike SELECT * FROM we_d_a.t")
	m.must(t, "start-replica --until-caught-up", "init-copy --table we_d_a.t", "start-replica --until-caught-up",
		"verify")
	m.equal(t, "we_d_a")
	for _, db := range []string{"we_d_a.t", "we_d_a.alike"} {
		_, err := m.Target.DB.ExecContext(t.Context(), "INSERT INTO "+db+" (id) VALUES (99)")
		require.Error(t, err)
		assert.ErrorContains(t, err, "doesn't have a default value")
	}
}
