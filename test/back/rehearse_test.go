package back

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestRehearse rehearses the cutover while an application writes: beside a start-replica and without one, and killed
// at random moments. Each time the source takes writes again and the move runs on; in the end the cutover itself
// comes through, and nothing is lost.
func TestRehearse(t *testing.T) {
	harness.Each(t, harness.Every, func(t *testing.T, from, to *harness.Server) {
		s := lab.Seed(t)
		r := rand.New(rand.NewPCG(s, 5))
		m := newMove(t, from, to, "schema: {allow_losses: [collation]}")
		m.createTables(t, 2000)
		app := m.startApp(t, s, 3)
		m.UpToCutover(t)
		confirm := m.Confirm()

		assert.Contains(t, m.Fails(t, harness.Refused, "cutover", "--rehearse"), "must be confirmed")
		summary := m.Must(t, "cutover", "--rehearse", confirm)
		t.Log(summary.Text("detail"))
		blocked := summary.Duration("blocked_seconds")
		assert.Positive(t, blocked)
		assert.Positive(t, summary.Duration("fence_seconds"))
		assert.GreaterOrEqual(t, blocked, summary.Duration("fence_seconds")+summary.Duration("drain_seconds")+
			summary.Duration("verify_seconds"))
		assert.Contains(t, summary.Text("detail"), "would be blocked for")
		assert.Positive(t, app.Refused.Load(), "writes were stopped")
		assert.False(t, m.Source.ReadOnly(t))
		assert.Empty(t, m.Fact(t, "cutover"))
		app.awaits(t, "reverse", 20)

		replica := m.Start(t, "start-replica")
		time.Sleep(500 * time.Millisecond)
		m.Must(t, "cutover", "--rehearse", confirm)
		assert.False(t, m.Source.ReadOnly(t))
		m.Killed(t, r, 6, 900*time.Millisecond, "cutover", "--rehearse", confirm)
		m.Must(t, "cutover", "--abort")
		assert.False(t, m.Source.ReadOnly(t))
		app.awaits(t, "reverse", 20)
		m.Killed(t, r, 2, 900*time.Millisecond, "cutover", "--rehearse", confirm)
		replica.Kill(t)
		m.CatchUp(t)
		m.Must(t, "verify") // some may have died behind the fence: the next cutover opens it or uses it
		m.Must(t, "cutover", "--rehearse", confirm)
		assert.False(t, m.Source.ReadOnly(t))
		app.awaits(t, "reverse", 20)

		m.Must(t, "cutover", confirm)
		app.stop(t)
		assert.True(t, m.Source.ReadOnly(t))
		require.NotEmpty(t, m.Fact(t, "cutover"))
		assert.Contains(t, m.Must(t, "cutover", "--rehearse", confirm).Text("detail"), "the move is over")
		app.complete(t, m.Target) // to which the application has gone over
	})
}

// TestRehearseHooks: where the user's own command stops writes, a rehearsal has them allowed again, and hooks can
// tell it.
func TestRehearseHooks(t *testing.T) {
	m := moveOf(t, harness.MySQL)
	log := m.Place + ".log"
	say := func(hook string) string { return hook + ": 'echo " + hook + " $WHERRY_REHEARSAL >> " + log + "'" }
	m.Configure(t, "cutover: {fence: hook}", "hooks: {"+say("before_cutover")+", "+say("fence")+", "+say("unfence")+
		", "+say("switch")+", "+say("after_cutover")+"}")
	m.createTables(t, 100)
	m.UpToCutover(t)
	m.Must(t, "cutover", "--rehearse", m.Confirm())
	assert.Equal(t, "before_cutover 1\nfence 1\nunfence 1\n", read(t, log))
	m.Must(t, "cutover", m.Confirm())
	assert.Equal(t, "before_cutover 1\nfence 1\nunfence 1\nbefore_cutover\nfence\nswitch\nafter_cutover\n",
		read(t, log))
}
