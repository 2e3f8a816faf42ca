package moves

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// TestTwoHosts follows on one machine; on another, with a state file of its own, nobody follows or cuts over
// meanwhile, and the source stays open.
func TestTwoHosts(t *testing.T) {
	m, load, _, target := slowed(t, pairOf(t, harness.MySQL))
	target.Slow(0)
	other := m.second(t)
	other.Phases(t, "init-schema", "init-copy")
	other.Must(t, "init-copy") // finds all of it done
	other.Must(t, "verify")
	replica := m.Start(t, "start-replica")
	m.Followed(t, replica)
	for _, phase := range []string{"start-replica", "cutover"} {
		r := other.Run(t, append([]string{phase}, confirmed(m, phase)...)...)
		assert.Equal(t, harness.Locked, r.Code, "%s beside start-replica: %s", phase, r)
		assert.False(t, m.source.ReadOnly(t), "the source is open")
		assert.Empty(t, m.Fact(t, "cutover"))
	}
	m.finish(t, load, replica)
}

// TestLockLost ends the connection that holds the lock of a copy that stands still: another machine takes over and
// brings the move to its end. When the first goes on, it finds itself out of the game and changes nothing more.
func TestLockLost(t *testing.T) {
	pairs(t, harness.One(t, harness.Alike), func(t *testing.T, p pair) {
		m, load, _, target := slowed(t, p)
		other := m.second(t)
		other.settings.source, other.settings.target = "", ""
		other.write(t)
		other.Must(t, "init-schema")
		// no other worker stands still within a load, which the second would wait for
		m.settings.lines = []string{"copy: {workers: 1, chunk_rows: 500}"}
		m.write(t)
		first := m.inTheMiddle(t)
		// It has cut a chunk, and is about to record it; when it does, others have recorded that number with other
		// bounds.
		held, release := make(chan bool), make(chan bool)
		hold := func(text string) {
			if strings.HasPrefix(text, "INSERT INTO") && strings.Contains(text, ".`chunks`") &&
				strings.Contains(text, "ints") {
				select {
				case held <- true:
					<-release
				default:
				}
			}
		}
		target.Count(&between.Steps{Hold: hold})
		select {
		case <-held:
		case <-time.After(patience):
			require.FailNow(t, "no chunk of ints is recorded any more")
		}
		target.Freeze()
		holder := p.target.Text(t, "SELECT IS_USED_LOCK('wherry_"+m.Name+"')")
		require.NotEmpty(t, holder)
		p.target.Exec(t, "KILL "+holder)
		p.source.Exec(t, "DELETE FROM "+quote(m.Name)+".ints WHERE id % 2 = 0 AND id > 0")
		harness.Until(t, "the lock is free", func() bool {
			return p.target.Text(t, "SELECT IS_FREE_LOCK('wherry_"+m.Name+"')") == "1"
		})
		other.Must(t, "init-copy")
		done2 := m.Fact(t, "consistent")
		close(release)
		target.Thaw()
		target.Slow(0)
		r := first.Wait(t)
		assert.Contains(t, []int{harness.Locked, harness.Done}, r.Code, r)
		assert.Equal(t, done2, m.Fact(t, "consistent"), "the point of consistency is the other's")
		other.CatchUp(t)
		other.Must(t, "verify")
		c := other.cutover(t)
		require.Equal(t, harness.Done, c.Code, c)
		load.Stop(t)
		m.equal(t)
	})
}

// TestPurgedInEveryPhase purges the log that a phase needs: each ends with 13 and says how to go on, changes nothing
// on the target, and no fence stays up.
func TestPurgedInEveryPhase(t *testing.T) {
	m, _, _, target := slowed(t, pairOf(t, harness.MySQL))
	purge := func() {
		m.source.Exec(t, "INSERT INTO "+quote(m.Name)+".marks VALUES (FLOOR(-1 - RAND() * 1e9))", "FLUSH BINARY LOGS",
			"DO 1")
		m.source.Purge(t)
	}
	lost := func(phase string) {
		t.Helper()
		r := m.Run(t, append([]string{phase}, confirmed(m, phase)...)...)
		require.Equal(t, harness.Gone, r.Code, "%s: %s", phase, r)
		assert.Contains(t, r.Stderr(), "the copy has to begin again", phase)
		assert.False(t, m.source.ReadOnly(t), "%s: the source is open", phase)
	}
	copying := m.inTheMiddle(t)
	copying.Kill(t)
	target.Slow(0)
	purge()
	lost("init-copy")
	m.target.Exec(t, "DROP DATABASE "+quote(m.database), "DROP DATABASE "+quote("wherry_"+m.Name))
	require.NoError(t, syscall.Unlink(m.State))
	m.Phases(t, "init-schema", "init-copy")
	m.Must(t, "verify")
	purge()
	for _, phase := range []string{"start-replica", "verify", "cutover"} {
		lost(phase)
	}
}

// TestRotated rotates the source's log all the time, through the whole move.
func TestRotated(t *testing.T) {
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		m := newMove(t, p, settings{lines: []string{"copy: {workers: 2, chunk_rows: 200}"}})
		m.fill(t, 2_000)
		load := m.startLoad(t, lab.Seed(t), 2, 2_000, 4*time.Millisecond)
		stop, stopped := make(chan bool), make(chan int)
		go func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					stopped <- n
					return
				case <-time.After(20 * time.Millisecond):
					_, _ = p.source.DB.Exec("FLUSH BINARY LOGS")
				}
			}
		}()
		m.Phases(t, "init-schema", "init-copy")
		m.CatchUp(t)
		m.Must(t, "verify")
		r := m.cutover(t)
		close(stop)
		assert.Greater(t, <-stopped, 10, "rotations")
		require.Equal(t, harness.Done, r.Code, r)
		load.Stop(t)
		m.equal(t)
	})
}

// TestSignalledTwice sends a second signal to phases whose target says nothing: they end at once.
func TestSignalledTwice(t *testing.T) {
	m, _, _, target := slowed(t, pairOf(t, harness.MySQL))
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		target.Slow(4 * time.Millisecond)
		before := m.Chunks(t)
		p := m.Start(t, "init-copy")
		harness.Until(t, "it copies", func() bool { return m.Chunks(t) > before }, p)
		target.Freeze()
		began := time.Now()
		require.NoError(t, p.Signal(s))
		time.Sleep(50 * time.Millisecond)
		require.NoError(t, p.Signal(s))
		r := p.Wait(t)
		assert.Equal(t, harness.Interrupted, r.Code, "%s: %s", s, r)
		assert.Less(t, time.Since(began), 20*time.Second, s)
		target.Thaw()
	}
	target.Slow(0)
	m.Must(t, "init-copy")
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} { // without writes for it to end with
		p := m.Start(t, "start-replica")
		m.Followed(t, p)
		began := time.Now()
		require.NoError(t, p.Signal(s))
		r := p.Wait(t)
		assert.Equal(t, harness.Interrupted, r.Code, "%s: %s", s, r)
		assert.Less(t, time.Since(began), 20*time.Second, s)
	}
	m.CatchUp(t)
}

// TestWriterClocks writes with session clocks far in the past and in the future, which the log takes its times from:
// neither the lag nor the gate of the cutover is fooled for good.
func TestWriterClocks(t *testing.T) {
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		m := newMove(t, p, settings{})
		m.fill(t, 200)
		m.Phases(t, "init-schema", "init-copy")
		m.Must(t, "verify")
		replica := m.Start(t, "start-replica")
		conn, err := p.source.DB.Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		for i, at := range []string{"100000000", "2000000000", "1"} {
			for _, statement := range []string{
				"SET timestamp = " + at,
				fmt.Sprintf("INSERT INTO %s.marks VALUES (-1 - %d)", quote(m.Name), i),
			} {
				_, err := conn.ExecContext(t.Context(), statement)
				require.NoError(t, err, statement)
			}
			m.Followed(t, replica)
		}
		r := m.cutover(t)
		require.Equal(t, harness.Done, r.Code, r)
		m.equal(t)
	})
}
