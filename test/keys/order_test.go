package keys

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/test/internal/harness"
)

// TestCollationThatDoesNotOrder moves keys of a collation by which the server finds values equal that it orders
// apart, and neither below nor above one another: a row between two chunks would be in none.
func TestCollationThatDoesNotOrder(t *testing.T) {
	harness.Each(t, []harness.Ends{harness.MySQL}, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "wk_order", source, target, "copy: {chunk_rows: 2}", "verify: {chunk_rows: 2}")
		random, tables := rand.New(rand.NewPCG(1, 1)), 12
		m.Source.Exec(t, "CREATE TABLE wk_order.marks (id INT PRIMARY KEY)")
		parts := []string{"", "a", "á", "Á", "x", "ß", "ẞ", "漢", "и", "0"}
		each := func(format string) {
			for i := range tables {
				m.Source.Exec(t, fmt.Sprintf(format, fmt.Sprintf("wk_order.t%d", i)))
			}
		}
		each("CREATE TABLE %s (k CHAR(20) CHARACTER SET gb18030 COLLATE gb18030_chinese_ci PRIMARY KEY, n INT)")
		for i := range tables {
			// which of two equal ones is there first makes a difference
			for _, n := range random.Perm(len(parts) * len(parts)) {
				word := hex.EncodeToString([]byte(parts[n/len(parts)] + parts[n%len(parts)]))
				m.Source.Exec(t, fmt.Sprintf("INSERT IGNORE INTO wk_order.t%d VALUES (CONVERT(_utf8mb4 X'%s' "+
					"USING gb18030), %d)", i, word, n))
			}
		}
		m.Phases(t, "init-schema", "init-copy")
		assert.Greater(t, m.Equal(t), 40*tables)
		each("UPDATE %s SET n = -n WHERE n MOD 3 = 0")
		each("DELETE FROM %s WHERE n MOD 7 = 1")
		each("INSERT IGNORE INTO %s VALUES ('xx', 7), ('XX', 8)")
		m.CatchUp(t)
		m.Equal(t)
		m.Must(t, "verify")
		m.Target.Exec(t, "UPDATE wk_order.t3 SET n = 1000 WHERE n = -6", "DELETE FROM wk_order.t4 WHERE n = -9")
		m.Must(t, "verify", "--repair")
		m.Equal(t)
	})
}
