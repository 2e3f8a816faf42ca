package keys

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestKeys moves a table of each shape at once: copied in chunks of seven rows under load, killed once, followed,
// verified.
func TestKeys(t *testing.T) {
	harness.Each(t, harness.Every, moveKeys)
}

// TestVersions does the same with servers of other versions.
func TestVersions(t *testing.T) {
	harness.EachVersion(t, moveKeys)
}

// version is the flavor and version in the name of a server: mysql, mariadb, mariadb118.
func version(s *harness.Server) string {
	name, _, _ := strings.Cut(s.Name, "-")
	return name
}

func moveKeys(t *testing.T, source, target *harness.Server) {
	t.Helper()
	shapes := slices.Concat(numbers(), times(), labels(), texts(), binaries(), forms())
	shapes = slices.DeleteFunc(shapes, func(s shape) bool {
		return s.on != "" && s.on != source.Flavor || s.alike && version(source) != version(target)
	})
	if version(source) != version(target) { // not all know the negative zero
		for i, s := range shapes {
			shapes[i].values = func(r *rand.Rand) []string {
				values := s.values(r)
				for j := range values {
					values[j] = strings.Replace(values[j], "-0e0", "0e0", 1)
				}
				return values
			}
		}
	}
	slices.SortStableFunc(shapes, func(a, b shape) int { return strings.Compare(a.table, b.table) })
	seed := lab.Seed(t)
	m := newMove(t, "wk_keys", source, target, "copy: {workers: 3, chunk_rows: 7}", "verify: {chunk_rows: 20}",
		"schema: {allow_losses: [collation]}")
	shapes = m.create(t, seed, shapes, 60)
	load := m.startLoad(t, seed, shapes)
	m.Must(t, "check")
	m.Must(t, "init-schema")
	m.killCopy(t, len(shapes))
	m.Must(t, "init-copy")
	replica := m.Start(t, "start-replica")
	load.More(t, 450)
	m.Followed(t, replica)
	m.Must(t, "verify")
	load.Stop(t)
	m.Followed(t, replica)
	t.Logf("%d tables, %d rows", len(shapes), m.Equal(t))
	verified := m.Must(t, "verify")
	t.Log(verified)
	replica.Interrupt(t)
}

// killCopy kills init-copy once a part of the chunks is done.
func (m *move) killCopy(t *testing.T, tables int) {
	t.Helper()
	c := m.Start(t, "init-copy")
	count := "SELECT COUNT(*) FROM " + quote(m.Ledger()) + ".chunks WHERE done = 1"
	harness.Until(t, "chunks are copied", func() bool { return number(t, m.Target, count) > tables }, c)
	require.True(t, c.Kill(t), "killed before its end")
	assert.Empty(t, m.Fact(t, "consistent"), "killed before its end")
}
