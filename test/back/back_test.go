package back

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestThereAndBack goes forward and back while an application writes all the time, and wherry is killed on the way:
// every acknowledged write of both periods is on the old source in the end, once, in tables with and without a key.
func TestThereAndBack(t *testing.T) {
	harness.Each(t, harness.Every, func(t *testing.T, from, to *harness.Server) {
		s := lab.Seed(t)
		r := rand.New(rand.NewPCG(s, 9))
		m := newMove(t, from, to, "schema: {allow_losses: [collation]}")
		m.createTables(t, 1000)
		confirm := m.Confirm()
		app := m.startApp(t, s, 3)
		m.UpToCutover(t)
		assert.Contains(t, m.Fails(t, harness.Refused, "start-replica", "--reverse"), "run `wherry cutover` first")
		m.Killed(t, r, 2, 700*time.Millisecond, "cutover", confirm)
		if m.Fact(t, "cutover") == "" {
			m.CatchUp(t)
		}
		m.Must(t, "cutover", confirm)
		assert.Contains(t, m.Fails(t, harness.Refused, "verify", "--reverse"),
			"run `wherry start-replica --reverse` first")
		assert.Contains(t, m.Fails(t, harness.Refused, "cutover", "--reverse", confirm),
			"run `wherry start-replica --reverse` first")
		app.awaits(t, "forward", 100) // a gap that the way back has to catch up
		assert.False(t, m.Source.Has(t, ledger), "the source was only read so far")

		for range 4 {
			m.Killed(t, r, 1, 900*time.Millisecond, "start-replica", "--reverse")
		}
		replica := m.Start(t, "start-replica", "--reverse")
		time.Sleep(700 * time.Millisecond)
		m.Fails(t, harness.Locked, "start-replica", "--reverse")
		assert.True(t, m.Source.ReadOnly(t), "applications do not get at the source")
		app.awaits(t, "forward", 50)
		m.Must(t, "verify", "--reverse")
		summary := m.Must(t, "cutover", "--reverse", "--rehearse", confirm)
		t.Log(summary.Text("detail"))
		assert.False(t, m.Target.ReadOnly(t))
		app.awaits(t, "forward", 50)
		m.Killed(t, r, 3, 700*time.Millisecond, "cutover", "--reverse", confirm)
		replica.Kill(t)
		if m.FactOn(t, m.Source, "cutover") == "" {
			m.Must(t, "start-replica", "--reverse", "--until-caught-up")
		}
		t.Log(m.Must(t, "cutover", "--reverse", confirm).Text("detail"))
		assert.True(t, m.Target.ReadOnly(t))
		assert.False(t, m.Source.ReadOnly(t))
		assert.Equal(t, "0", m.Source.Text(t, "SELECT @@global.read_only"))
		last := m.Source.Number(t, "SELECT MAX(id) FROM "+name+".items")
		app.awaits(t, "reverse", 50)
		app.stop(t)
		assert.Positive(t, app.commits("forward"))
		app.complete(t, m.Source)
		assert.Greater(t, m.Source.Number(t, "SELECT MAX(id) FROM "+name+".items"), last, "automatic values go on")
		assert.GreaterOrEqual(t, m.Source.Number(t, fmt.Sprintf("SELECT MIN(id) FROM %s.items WHERE id > %d", name,
			last)), last)

		for _, phase := range [][]string{
			{"start-replica", "--reverse"},
			{"verify", "--reverse"},
			{"cutover", "--reverse", confirm},
		} {
			assert.Contains(t, m.Must(t, phase...).Text("detail"), "the way back is over")
		}
		t.Log(m.Must(t, "cleanup").Text("detail"))
		for _, s := range []*harness.Server{m.Source, m.Target} {
			assert.False(t, s.Has(t, ledger), s.Name)
		}
	})
}

// TestBackEqual: once nobody writes, both sides hold the same, as the tests' own SQL sees it.
func TestBackEqual(t *testing.T) { harness.Each(t, harness.Every, backEqual) }

// TestVersions does the same with servers of other versions.
func TestVersions(t *testing.T) { harness.EachVersion(t, backEqual) }

func backEqual(t *testing.T, from, to *harness.Server) {
	m := newMove(t, from, to, "schema: {allow_losses: [collation]}")
	m.createTables(t, 500)
	m.UpToCutover(t)
	m.Must(t, "cutover", m.Confirm())
	app := m.startApp(t, lab.Seed(t), 3)
	app.awaits(t, "forward", 200)
	replica := m.Start(t, "start-replica", "--reverse")
	app.awaits(t, "forward", 100)
	app.stop(t)
	replica.Kill(t)
	m.Must(t, "start-replica", "--reverse", "--until-caught-up")
	m.equal(t)
	app.complete(t, m.Source)
	m.Must(t, "verify", "--reverse")
	m.Source.Exec(t, "UPDATE "+name+".items SET n = n + 1 ORDER BY id LIMIT 1",
		"DELETE FROM "+name+".entries ORDER BY token LIMIT 1")
	m.Fails(t, harness.Differs, "verify", "--reverse")
	assert.Contains(t, m.Fails(t, harness.Refused, "cutover", "--reverse", m.Confirm()), "differences")
	m.Must(t, "verify", "--reverse", "--repair")
	m.equal(t)
}

// TestCleanupOnTheWayBack: while the way back is under way a cleanup refuses, and given up it leaves no trace on
// either side.
func TestCleanupOnTheWayBack(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, from, to *harness.Server) {
		m := newMove(t, from, to)
		m.createTables(t, 50)
		m.UpToCutover(t)
		m.Must(t, "cutover", m.Confirm())
		m.Must(t, "start-replica", "--reverse", "--until-caught-up")
		require.True(t, m.Source.Has(t, ledger))
		assert.Contains(t, m.Fails(t, harness.Refused, "cleanup"), "the way back was begun")
		m.Must(t, "cleanup", "--abandon", m.Confirm())
		for _, s := range []*harness.Server{m.Source, m.Target} {
			assert.False(t, s.Has(t, ledger), s.Name)
		}
		m.equal(t)
	})
}
