package back

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// TestThereAndBack goes forward and back while an application writes all the time, and wherry is killed on the way:
// every acknowledged write of both periods is on the old source in the end, once, in tables with and without a key.
func TestThereAndBack(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to string) {
		s := lab.Seed(t)
		r := rand.New(rand.NewPCG(s, 9))
		m := newMove(t, from, to, "schema: {allow_losses: [collation]}")
		m.createTables(t, 1000)
		confirm := "--confirm=" + name
		app := m.startApp(t, s, 3)
		m.upToCutover(t)
		assert.Contains(t, m.fails(t, refused, "start-replica", "--reverse"), "run `wherry cutover` first")
		m.killed(t, r, 2, 700*time.Millisecond, "cutover", confirm)
		if m.target.fact(t, "cutover") == "" {
			m.must(t, "start-replica", "--until-caught-up")
		}
		m.must(t, "cutover", confirm)
		assert.Contains(t, m.fails(t, refused, "verify", "--reverse"), "run `wherry start-replica --reverse` first")
		assert.Contains(t, m.fails(t, refused, "cutover", "--reverse", confirm),
			"run `wherry start-replica --reverse` first")
		app.awaits(t, "forward", 100) // a gap that the way back has to catch up
		assert.False(t, m.source.has(t, ledger), "the source was only read so far")

		for range 4 {
			m.killed(t, r, 1, 900*time.Millisecond, "start-replica", "--reverse")
		}
		replica := m.start(t, "start-replica", "--reverse")
		time.Sleep(700 * time.Millisecond)
		m.fails(t, locked, "start-replica", "--reverse")
		assert.True(t, m.source.readOnly(t), "applications do not get at the source")
		app.awaits(t, "forward", 50)
		m.must(t, "verify", "--reverse")
		summary := m.must(t, "cutover", "--reverse", "--rehearse", confirm)
		t.Log(summary.Text("detail"))
		assert.False(t, m.target.readOnly(t))
		app.awaits(t, "forward", 50)
		m.killed(t, r, 3, 700*time.Millisecond, "cutover", "--reverse", confirm)
		kill(t, replica)
		if m.source.fact(t, "cutover") == "" {
			m.must(t, "start-replica", "--reverse", "--until-caught-up")
		}
		t.Log(m.must(t, "cutover", "--reverse", confirm).Text("detail"))
		assert.True(t, m.target.readOnly(t))
		assert.False(t, m.source.readOnly(t))
		assert.Equal(t, "0", m.source.text(t, "SELECT @@global.read_only"))
		last := m.source.number(t, "SELECT MAX(id) FROM "+name+".items")
		app.awaits(t, "reverse", 50)
		app.stop(t)
		assert.Positive(t, app.commits("forward"))
		app.complete(t, m.source)
		assert.Greater(t, m.source.number(t, "SELECT MAX(id) FROM "+name+".items"), last, "automatic values go on")
		assert.GreaterOrEqual(t, m.source.number(t, fmt.Sprintf("SELECT MIN(id) FROM %s.items WHERE id > %d", name,
			last)), last)

		for _, phase := range [][]string{
			{"start-replica", "--reverse"},
			{"verify", "--reverse"},
			{"cutover", "--reverse", confirm},
		} {
			assert.Contains(t, m.must(t, phase...).Text("detail"), "the way back is over")
		}
		t.Log(m.must(t, "cleanup").Text("detail"))
		for _, s := range []*server{m.source, m.target} {
			assert.False(t, s.has(t, ledger), s.Name)
		}
	})
}

// TestBackEqual: once nobody writes, both sides hold the same, as the tests' own SQL sees it.
func TestBackEqual(t *testing.T) { eachPair(t, backEqual) }

// TestVersions does the same with servers of other versions.
func TestVersions(t *testing.T) {
	for _, p := range lab.Versions(t) {
		t.Run(p.Name, func(t *testing.T) { backEqual(t, p.Source.Name, p.Target.Name) })
	}
}

func backEqual(t *testing.T, from, to string) {
	m := newMove(t, from, to, "schema: {allow_losses: [collation]}")
	m.createTables(t, 500)
	m.upToCutover(t)
	m.must(t, "cutover", "--confirm="+name)
	app := m.startApp(t, lab.Seed(t), 3)
	app.awaits(t, "forward", 200)
	replica := m.start(t, "start-replica", "--reverse")
	app.awaits(t, "forward", 100)
	app.stop(t)
	kill(t, replica)
	m.must(t, "start-replica", "--reverse", "--until-caught-up")
	m.equal(t)
	app.complete(t, m.source)
	m.must(t, "verify", "--reverse")
	m.source.run(t, "UPDATE "+name+".items SET n = n + 1 ORDER BY id LIMIT 1",
		"DELETE FROM "+name+".entries ORDER BY token LIMIT 1")
	m.fails(t, pending, "verify", "--reverse")
	assert.Contains(t, m.fails(t, refused, "cutover", "--reverse", "--confirm="+name), "differences")
	m.must(t, "verify", "--reverse", "--repair")
	m.equal(t)
}

// TestCleanupOnTheWayBack: while the way back is under way a cleanup refuses, and given up it leaves no trace on
// either side.
func TestCleanupOnTheWayBack(t *testing.T) {
	likePairs(t, func(t *testing.T, from, to string) {
		m := newMove(t, from, to)
		m.createTables(t, 50)
		m.upToCutover(t)
		m.must(t, "cutover", "--confirm="+name)
		m.must(t, "start-replica", "--reverse", "--until-caught-up")
		require.True(t, m.source.has(t, ledger))
		assert.Contains(t, m.fails(t, refused, "cleanup"), "the way back was begun")
		m.must(t, "cleanup", "--abandon", "--confirm="+name)
		for _, s := range []*server{m.source, m.target} {
			assert.False(t, s.has(t, ledger), s.Name)
		}
		m.equal(t)
	})
}
