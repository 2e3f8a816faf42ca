package races

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/pkg/copy"
	"wherry/test/internal/harness"
)

const (
	loadRows  = 12
	loadTable = "CREATE TABLE renamed (id INT PRIMARY KEY, u INT NULL, v VARCHAR(20) NOT NULL, UNIQUE KEY u (u))"
)

// loads are the kinds of change that an application makes, of a row of its choice. Values of u are unique, and
// few enough for rows to want one another's; IGNORE leaves out what the source refuses.
var loads = map[string]func(random *rand.Rand) string{
	"insert only": func(random *rand.Rand) string {
		return fmt.Sprintf("INSERT IGNORE renamed VALUES (%d, %d, 'new')", random.IntN(4*loadRows),
			random.IntN(2*loadRows))
	},
	"update only": func(random *rand.Rand) string {
		a, b := random.IntN(loadRows), random.IntN(loadRows)
		return []string{
			fmt.Sprintf("UPDATE renamed SET v = 'changed %d' WHERE id = %d", random.IntN(1000), a),
			fmt.Sprintf("UPDATE IGNORE renamed SET u = %d WHERE id = %d", random.IntN(loadRows), a),
			fmt.Sprintf("BEGIN; SET @a = (SELECT u FROM renamed WHERE id = %d); SET @b = (SELECT u FROM renamed "+
				"WHERE id = %d); "+
				"UPDATE renamed SET u = NULL WHERE id IN (%d, %d); UPDATE renamed SET u = @b WHERE id = %d; UPDATE "+
				"renamed SET u = IF(%d = %d, u, @a) WHERE id = %d; COMMIT", a, b, a, b, a, a, b, b),
			fmt.Sprintf("UPDATE IGNORE renamed SET id = %d WHERE id = %d", random.IntN(3*loadRows), a),
		}[random.IntN(4)]
	},
	"delete only": func(random *rand.Rand) string {
		return fmt.Sprintf("DELETE FROM renamed WHERE id = %d", random.IntN(loadRows))
	},
	"mixed": func(random *rand.Rand) string {
		a := random.IntN(2 * loadRows)
		return []string{
			fmt.Sprintf("DELETE FROM renamed WHERE id = %d", a),
			fmt.Sprintf("REPLACE renamed VALUES (%d, %d, 'replaced')", a, random.IntN(loadRows)),
			fmt.Sprintf("UPDATE IGNORE renamed SET u = %d, id = %d WHERE id = %d", random.IntN(loadRows),
				random.IntN(2*loadRows), a),
			fmt.Sprintf("INSERT renamed VALUES (%d, %d, 'x') ON DUPLICATE KEY UPDATE u = NULL", a,
				random.IntN(loadRows)),
		}[random.IntN(4)]
	},
}

// TestCopyUnderLoad changes rows at every moment of a copy, into a database and a table of other names.
func TestCopyUnderLoad(t *testing.T) {
	for i, flavors := range [][]harness.Ends{harness.Alike, harness.Across} {
		harness.Each(t, flavors, func(t *testing.T, source, target *harness.Server) {
			for kind, load := range loads {
				for _, unique := range []indexing{deferred, present} {
					t.Run(kind+", "+string(unique), func(t *testing.T) {
						seed := uint64(41 + i)
						t.Logf("seed %d", seed)
						random := rand.New(rand.NewPCG(seed, uint64(len(unique))))
						var rows []string
						for id := range loadRows {
							rows = append(rows, fmt.Sprintf("(%d, %d, 'row')", id, id))
						}
						w := newWorldWith(t, source, target, unique, loadTable,
							"INSERT renamed VALUES "+strings.Join(rows, ", "))
						changes := 0
						w.moments.each = func(string) {
							for range 2 {
								changes++
								w.app.Exec(t, load(random))
							}
						}
						w.copy(copy.Options{Workers: 1, ChunkRows: 3})
						w.moments.each = nil
						w.follow(w.batches())
						w.same()
						assert.Equal(t, "another name", w.routes[0].Target.Name().Table)
						assert.Greater(t, changes, 20)
					})
				}
			}
		})
	}
}
