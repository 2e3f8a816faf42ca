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
	"wherry/test/internal/lab"
)

// TestTwoHosts follows on one machine; on another, with a state file of its own, nobody follows or cuts over
// meanwhile, and the source stays open.
func TestTwoHosts(t *testing.T) {
	m, load, _, target := slowed(t, mysqlPair(t))
	target.Slow(0)
	other := m.second(t)
	other.must(t, "init-schema")
	m.must(t, "init-copy")
	other.must(t, "init-copy") // finds all of it done
	other.must(t, "verify")
	replica := m.start(t, "start-replica")
	m.caughtUp(t, replica)
	for _, phase := range []string{"start-replica", "cutover"} {
		r := other.run(t, phase, confirmed(m, phase)...)
		assert.Equal(t, locked, r.code, "%s beside start-replica: %s", phase, r)
		assert.False(t, m.source.readOnly(t), "the source is open")
		assert.Empty(t, m.fact(t, "cutover"))
	}
	m.finish(t, load, replica)
}

// TestLockLost ends the connection that holds the lock of a copy that stands still: another machine takes over and
// brings the move to its end. When the first goes on, it finds itself out of the game and changes nothing more.
func TestLockLost(t *testing.T) {
	oneLikePair(t, func(t *testing.T, p pair) {
		m, load, _, target := slowed(t, p)
		other := m.second(t)
		other.settings.source, other.settings.target = "", ""
		other.write(t)
		other.must(t, "init-schema")
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
		holder := p.target.text(t, "SELECT IS_USED_LOCK('wherry_"+m.name+"')")
		require.NotEmpty(t, holder)
		p.target.exec(t, "KILL "+holder)
		p.source.exec(t, "DELETE FROM "+quote(m.name)+".ints WHERE id % 2 = 0 AND id > 0")
		until(t, "the lock is free", func() bool {
			return p.target.text(t, "SELECT IS_FREE_LOCK('wherry_"+m.name+"')") == "1"
		})
		other.must(t, "init-copy")
		done2 := m.fact(t, "consistent")
		close(release)
		target.Thaw()
		target.Slow(0)
		r := first.wait(t)
		assert.Contains(t, []int{locked, done}, r.code, r)
		assert.Equal(t, done2, m.fact(t, "consistent"), "the point of consistency is the other's")
		other.must(t, "start-replica", "--until-caught-up")
		other.must(t, "verify")
		c := other.cutover(t)
		require.Equal(t, done, c.code, c)
		load.stop(t)
		m.equal(t)
	})
}

// TestPurgedInEveryPhase purges the log that a phase needs: each ends with 13 and says how to go on, changes nothing
// on the target, and no fence stays up.
func TestPurgedInEveryPhase(t *testing.T) {
	m, _, _, target := slowed(t, mysqlPair(t))
	purge := func() {
		m.source.exec(t, "INSERT INTO "+quote(m.name)+".marks (mark) VALUES (LEFT(UUID(), 20))", "FLUSH BINARY LOGS",
			"DO 1")
		m.source.purge(t)
	}
	lost := func(phase string) {
		t.Helper()
		r := m.run(t, phase, confirmed(m, phase)...)
		require.Equal(t, gone, r.code, "%s: %s", phase, r)
		assert.Contains(t, r.stderr, "the copy has to begin again", phase)
		assert.False(t, m.source.readOnly(t), "%s: the source is open", phase)
	}
	copying := m.inTheMiddle(t)
	copying.kill(t)
	target.Slow(0)
	purge()
	lost("init-copy")
	m.target.exec(t, "DROP DATABASE "+quote(m.database), "DROP DATABASE "+quote("wherry_"+m.name))
	require.NoError(t, syscall.Unlink(m.state))
	m.must(t, "init-schema")
	m.must(t, "init-copy")
	m.must(t, "verify")
	purge()
	for _, phase := range []string{"start-replica", "verify", "cutover"} {
		lost(phase)
	}
}

// TestRotated rotates the source's log all the time, through the whole move.
func TestRotated(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
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
					_, _ = p.source.db.Exec("FLUSH BINARY LOGS")
				}
			}
		}()
		m.must(t, "init-schema")
		m.must(t, "init-copy")
		m.must(t, "start-replica", "--until-caught-up")
		m.must(t, "verify")
		r := m.cutover(t)
		close(stop)
		assert.Greater(t, <-stopped, 10, "rotations")
		require.Equal(t, done, r.code, r)
		load.stop(t)
		m.equal(t)
	})
}

// TestSignalledTwice sends a second signal to phases whose target says nothing: they end at once.
func TestSignalledTwice(t *testing.T) {
	m, _, _, target := slowed(t, mysqlPair(t))
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		target.Slow(4 * time.Millisecond)
		before := m.chunks(t)
		p := m.start(t, "init-copy")
		until(t, "it copies", func() bool { return m.chunks(t) > before }, p)
		target.Freeze()
		began := time.Now()
		p.signal(t, s)
		time.Sleep(50 * time.Millisecond)
		p.signal(t, s)
		r := p.wait(t)
		assert.Equal(t, interrupted, r.code, "%s: %s", s, r)
		assert.Less(t, time.Since(began), 20*time.Second, s)
		target.Thaw()
	}
	target.Slow(0)
	m.must(t, "init-copy")
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} { // without writes for it to end with
		p := m.start(t, "start-replica")
		m.caughtUp(t, p)
		began := time.Now()
		p.signal(t, s)
		r := p.wait(t)
		assert.Equal(t, interrupted, r.code, "%s: %s", s, r)
		assert.Less(t, time.Since(began), 20*time.Second, s)
	}
	m.must(t, "start-replica", "--until-caught-up")
}

// TestWriterClocks writes with session clocks far in the past and in the future, which the log takes its times from:
// neither the lag nor the gate of the cutover is fooled for good.
func TestWriterClocks(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		m := newMove(t, p, settings{})
		m.fill(t, 200)
		m.must(t, "init-schema")
		m.must(t, "init-copy")
		m.must(t, "verify")
		replica := m.start(t, "start-replica")
		conn, err := p.source.db.Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		for i, at := range []string{"100000000", "2000000000", "1"} {
			for _, statement := range []string{
				"SET timestamp = " + at,
				fmt.Sprintf("INSERT INTO %s.marks (mark) VALUES ('clock %d')", quote(m.name), i),
			} {
				_, err := conn.ExecContext(t.Context(), statement)
				require.NoError(t, err, statement)
			}
			m.caughtUp(t, replica)
		}
		r := m.cutover(t)
		require.Equal(t, done, r.code, r)
		m.equal(t)
	})
}
