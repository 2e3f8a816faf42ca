package keys

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// TestKeys moves a table of each shape at once: copied in chunks of seven rows under load, killed once, followed,
// verified.
func TestKeys(t *testing.T) {
	onPairs(t, everyPair, moveKeys)
}

// TestVersions does the same with servers of other versions.
func TestVersions(t *testing.T) {
	for _, p := range lab.Versions(t) {
		t.Run(p.Name, func(t *testing.T) { moveKeys(t, p.Source, p.Target) })
	}
}

// version is the flavor and version in the name of a server: mysql, mariadb, mariadb118.
func version(s lab.Server) string {
	name, _, _ := strings.Cut(s.Name, "-")
	return name
}

func moveKeys(t *testing.T, source, target lab.Server) {
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
	load := m.startLoad(t, seed, shapes, 2)
	m.must(t, "check")
	m.must(t, "init-schema")
	m.killCopy(t, len(shapes))
	m.must(t, "init-copy")
	replica, err := m.Start(t.Context(), "start-replica")
	require.NoError(t, err)
	load.more(t, 3000)
	m.followed(t, replica, 1)
	m.must(t, "verify")
	load.stop(t)
	m.followed(t, replica, 2)
	t.Logf("%d tables, %d rows", len(shapes), m.equal(t))
	verified := m.must(t, "verify")
	t.Log(verified)
	require.NoError(t, replica.Signal(os.Interrupt))
	<-replica.Done()
}

// killCopy kills init-copy once a part of the chunks is done.
func (m *move) killCopy(t *testing.T, tables int) {
	t.Helper()
	c, err := m.Start(t.Context(), "init-copy")
	require.NoError(t, err)
	count := "SELECT COUNT(*) FROM " + quote("wherry_"+m.name) + ".chunks WHERE done = "
	require.True(t, lab.Until(func() bool {
		return m.number(t, m.to, count+"1") > tables
	}, c.Progress), "no chunks are copied")
	require.NoError(t, c.Signal(os.Kill))
	require.Error(t, c.Wait())
	assert.Equal(t, -1, m.number(t, m.to, "SELECT name = 'consistent' FROM "+quote("wherry_"+m.name)+
		".facts WHERE name = 'consistent'"), "killed before its end")
}
