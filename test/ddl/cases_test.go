package ddl

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/test/internal/statements"
)

// TestCases runs every schema change of the table on every server that it holds for, and compares what the model says
// of each statement with what the server shows. What the model leaves open is counted.
func TestCases(t *testing.T) {
	for _, flavor := range []string{"mysql", "mariadb"} {
		t.Run(flavor, func(t *testing.T) {
			b := open(t, flavor, "ddl_cases")
			changes, unknown := 0, 0
			for _, c := range statements.All() {
				if flavor == "mysql" && !c.MySQL || flavor == "mariadb" && !c.MariaDB {
					continue
				}
				opaque := false
				b.fresh()
				for _, s := range c.Setup {
					b.exec(statements.Text(s, b.db, b.other))
				}
				for _, s := range c.Statements {
					s = statements.Text(s, b.db, b.other)
					told, err := b.step(s)
					if err != nil {
						t.Errorf("%s: %s: %v", c.Title, s, err)
						break
					}
					for _, e := range told.effects {
						opaque = opaque || e.Opaque != ""
					}
					if isChange(s) {
						changes++
					}
					if len(told.unknown) > 0 {
						unknown++
						t.Logf("left open: %s: %s", c.Title, s)
					}
				}
				assert.Equal(t, c.Opaque || c.Title == "create a table from a query", opaque, "%s: opaque", c.Title)
			}
			t.Logf("%s: %d of %d schema changes left a shape open", flavor, unknown, changes)
			assert.Less(t, unknown*100, changes*8, "the model leaves too much open")
		})
	}
}

// TestTitles: cases are told apart by their titles, and there are many.
func TestTitles(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range statements.All() {
		assert.False(t, seen[c.Title], c.Title)
		seen[c.Title] = true
		assert.True(t, c.MySQL || c.MariaDB, c.Title)
	}
	assert.GreaterOrEqual(t, len(seen), 150)
}
