package postgres

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/test/internal/harness"
)

// TestScan: values that PostgreSQL does not hold are counted before anything moves, per column and with the first key;
// without a scan the first of them stops the copy by name, and nothing of its chunk is kept.
func TestScan(t *testing.T) {
	harness.Each(t, harness.Postgres, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, source, target)
		mode := "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'"
		source.In(t, m.Name).Exec(t, "CREATE TABLE odd (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, "+
			"born DATE, lasts TIME, name VARCHAR(20))", mode,
			"INSERT INTO odd VALUES (1, '2024-01-01', '23:00:00', 'fine'), (2, '0000-00-00', '25:00:00', 'a\\0b'), "+
				"(3, '2024-02-00', '-01:00:00', 'fine'), (18446744073709551614, '2024-01-01', '01:00:00', 'fine')")
		said := m.Fails(t, harness.Refused, "check", "--scan")
		for _, want := range []string{
			"odd.id", "1 of 4 rows", "id = 18446744073709551614", "odd.born", "2 of 4 rows", "id = 2", "odd.lasts",
			"odd.name",
		} {
			assert.Contains(t, said, want)
		}
		m.Must(t, "init-schema")
		assert.Contains(t, m.Fails(t, harness.Refused, "init-copy"), "does not take column")
		assert.Equal(t, "0", target.In(t, m.Name).Text(t, "SELECT count(*)::text FROM odd"))
	})
}
