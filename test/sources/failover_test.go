package sources

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// pairOf is a primary and its replica, behind one address.
type pairOf struct {
	primary, replica *node
	at               *lab.Address
}

func newPair(t *testing.T, flavor string, settings ...string) *pairOf {
	t.Helper()
	nodes := fleet(t, flavor, 2, settings...)
	nodes[1].follow(t, nodes[0])
	return &pairOf{primary: nodes[0], replica: nodes[1], at: newAddress(t, nodes[0])}
}

// failover kills the primary while nobody writes, promotes the replica, which has everything, and leads the address
// there. The dead one comes back as a replica of the other. held is done before writes go on.
func (p *pairOf) failover(t *testing.T, l *load, held func()) {
	t.Helper()
	l.Hold()
	p.replica.has(t, p.primary)
	p.primary.control(t, "kill")
	p.replica.promote(t)
	p.primary, p.replica = p.replica, p.primary
	l.node = p.primary
	if held != nil {
		held()
	}
	l.Release()
	p.at.Lead(p.primary.Address())
	p.replica.control(t, "start")
	p.replica.follow(t, p.primary)
}

// TestFailover moves a database under load while its source dies again and again and a replica takes its place at the
// same address: while rows are copied, between the phases, while changes are followed, and before the cutover.
func TestFailover(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		p := newPair(t, flavor)
		to := target(t, flavor)
		m := newMove(t, "ws_failover", p.primary, p.at.Server(), to, "copy: {chunk_rows: 300, workers: 2}",
			"replicate: {retry_for: 1m}")
		l := startLoad(t, m.Name, p.primary)
		m.killedEarly(t)
		p.failover(t, l, nil) // nothing is begun yet
		m.Must(t, "init-schema")
		p.failover(t, l, nil) // nothing is copied yet

		copying := m.Start(t, "init-copy")
		harness.Until(t, "some chunks", func() bool { return m.Chunks(t) > 3 }, copying)
		p.failover(t, l, nil)
		copying.Ends(t, harness.Done)
		assert.Contains(t, copying.Stderr(), "another server is the source now")

		following := m.Start(t, "start-replica")
		m.followed(t, p.primary, following)
		p.failover(t, l, nil)
		m.followed(t, p.primary, following)
		assert.Contains(t, following.Stderr(), "another server is the source now")
		following.Kill(t)

		p.failover(t, l, nil) // while nobody looks
		following = m.Start(t, "start-replica")
		m.followed(t, p.primary, following)
		m.Must(t, "verify")
		p.failover(t, l, nil)
		m.followed(t, p.primary, following)
		m.Ends(t, harness.Refused, "cutover", m.Confirm()) // what was compared was another server's
		m.Must(t, "verify")
		m.Must(t, "cutover", m.Confirm())
		l.Stop(t)
		following.Ends(t, harness.Done)
		m.equal(t, p.primary)
		state, err := os.ReadFile(m.State)
		require.NoError(t, err)
		assert.Contains(t, string(state), p.primary.tag(t), "the state file knows the source")
		assert.Contains(t, m.Fact(t, "move"), p.primary.tag(t), "the ledger knows the source")
	})
}

// killedEarly leaves what an init-schema leaves that was killed before it began anything on the target: a state file
// that knows the servers.
func (m *move) killedEarly(t *testing.T) {
	t.Helper()
	m.Must(t, "init-schema")
	state, err := os.ReadFile(m.State)
	require.NoError(t, err)
	m.Must(t, "cleanup", "--abandon", m.Confirm())
	head, _, found := strings.Cut(string(state), "\nphases:")
	require.True(t, found, string(state))
	require.Contains(t, head, "\nsource:")
	require.NoError(t, os.WriteFile(m.State, []byte(head+"\n...\n"), 0o600))
}

// tag is what a server is known by.
func (n *node) tag(t *testing.T) string {
	t.Helper()
	if n.Flavor == "mysql" {
		return n.text(t, "SELECT @@server_uuid")
	}
	return n.text(t, "SELECT CONCAT(@@hostname, ':', @@port, ':', @@server_id)")
}

// TestFailoverLost refuses a replica that was promoted without what the target has already, and says which
// transactions those are; put back the old source, and the move goes on.
func TestFailoverLost(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		p := newPair(t, flavor)
		m := newMove(t, "ws_lost", p.primary, p.at.Server(), target(t, flavor), "replicate: {retry_for: 20s}")
		m.Phases(t, "init-schema", "init-copy")
		following := m.Start(t, "start-replica")
		m.followed(t, p.primary, following)
		p.replica.has(t, p.primary)
		p.replica.stopReplica(t)
		m.followed(t, p.primary, following) // and the replica does not have that
		p.replica.promote(t)
		p.replica.Exec(t, "INSERT INTO "+m.Name+".events VALUES (7, 'on the other')",
			"INSERT INTO "+m.Name+".events VALUES (7, 'more')")
		before := m.to.sum(t, m.Name+".events")
		p.at.Lead(p.replica.Address())
		following.Ends(t, harness.Refused)
		told := following.Stderr()
		assert.Contains(t, told, "The target is ahead of this server")
		lost := p.primary.text(t, map[string]string{
			"mysql":   "SELECT SUBSTRING_INDEX(@@gtid_executed, '-', -1)",
			"mariadb": "SELECT @@gtid_binlog_pos",
		}[flavor])
		assert.Contains(t, told, lost, "the transaction that was lost")
		assert.Equal(t, before, m.to.sum(t, m.Name+".events"), "nothing of the other server was applied")
		m.Ends(t, harness.Refused, "verify")
		p.at.Lead(p.primary.Address())
		m.CatchUp(t)
		m.equal(t, p.primary)
	})
}

// TestFailoverLostWhileCopying refuses a replica that lacks what rows show that are copied already, although it has the
// position that the copy began from: no change in its log would ever put those rows right.
func TestFailoverLostWhileCopying(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		p := newPair(t, flavor)
		m := newMove(t, "ws_shown", p.primary, p.at.Server(), target(t, flavor), "copy: {chunk_rows: 300, workers: 1}",
			"replicate: {retry_for: 20s}")
		m.Must(t, "init-schema")
		p.replica.has(t, p.primary)
		copying := m.Start(t, "init-copy")
		harness.Until(t, "a start", func() bool { return m.Fact(t, "start") != "" }, copying)
		p.replica.stopReplica(t)
		// of rows that are still to be copied
		p.primary.Exec(t, "UPDATE "+m.Name+".accounts SET n = -5 WHERE id > 3000")
		harness.Until(t, "chunks with the change", func() bool {
			return m.to.text(t, "SELECT 1 FROM "+m.Name+".accounts WHERE n = -5 LIMIT 1") == "1"
		}, copying)
		copying.Kill(t)
		require.Empty(t, m.Fact(t, "consistent"), "the test was too slow")
		p.replica.promote(t)
		p.at.Lead(p.replica.Address())
		refused := m.Ends(t, harness.Refused, "init-copy")
		assert.Contains(t, refused.Stderr(), "The target is ahead of this server")
		p.at.Lead(p.primary.Address())
		m.Must(t, "init-copy")
		m.equal(t, p.primary)
	})
}

// TestFailoverPurged tells that a promoted replica no longer has the log from where the target is.
func TestFailoverPurged(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		p := newPair(t, flavor)
		m := newMove(t, "ws_gone", p.primary, p.at.Server(), target(t, flavor))
		m.Phases(t, "init-schema", "init-copy")
		p.primary.Exec(t, "INSERT INTO "+m.Name+".events VALUES (1, 'later')")
		p.replica.has(t, p.primary)
		p.replica.promote(t)
		for range 3 {
			p.replica.Exec(t, "INSERT INTO "+m.Name+".events VALUES (2, 'there')", "FLUSH BINARY LOGS")
		}
		p.replica.Purge(t)
		p.at.Lead(p.replica.Address())
		told := m.Ends(t, harness.Gone, "start-replica", "--until-caught-up").Stderr()
		assert.NotContains(t, m.Fact(t, "move"), p.replica.tag(t), "it was not taken for the source: %s", told)
	})
}
