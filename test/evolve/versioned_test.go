package evolve

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/test/internal/harness"
)

// TestVersionedTableWhileCopied makes a table that keeps its history before the rows are copied, while they are, and
// before they are copied again. Its rows do not move, so whoever meets it refuses it by its name: none passes it over.
func TestVersionedTableWhileCopied(t *testing.T) {
	const versioned = "CREATE TABLE we_v_a.v (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING"
	for _, e := range []harness.Ends{harness.ToMySQL, harness.MariaDB} {
		t.Run(e.String(), func(t *testing.T) {
			source, target := e.Open(t)
			m := newMove(t, "we_v", source, target, harness.Options{Lines: extras(source, target)})
			m.Source.Exec(t, "CREATE DATABASE we_v_a", "CREATE TABLE we_v_a.t (id INT PRIMARY KEY)",
				"INSERT INTO we_v_a.t VALUES (1)")
			refuses := func(command string) {
				t.Helper()
				assert.Contains(t, m.fails(t, command), "we_v_a.v keeps its history")
			}
			m.must(t, "init-schema")
			m.Source.Exec(t, versioned)
			refuses("init-copy")
			m.Source.Exec(t, "DROP TABLE we_v_a.v")
			m.must(t, "init-copy", "start-replica --until-caught-up")
			m.Source.Exec(t, versioned)
			refuses("start-replica --until-caught-up")
			refuses("init-copy --table we_v_a.t")
			m.Source.Exec(t, "DROP TABLE we_v_a.v", "INSERT INTO we_v_a.t VALUES (2)")
			m.must(t, "init-copy --table we_v_a.t", "start-replica --until-caught-up", "verify")
			m.equal(t, "we_v_a")
		})
	}
}
