package evolve

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/between"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// largeKinds are changes of a table of 60,000 rows, whose statement on the target takes a while, or which are several
// statements there.
var largeKinds = []struct {
	struckKind
	statements int // on the target, at least
}{
	{struckKind{name: "type", change: "ALTER TABLE d.big MODIFY n BIGINT NOT NULL, ADD COLUMN added INT NOT NULL " +
		"DEFAULT 7 AFTER id; UPDATE d.big SET n = 5000000000 WHERE id = 1"}, 1},
	{struckKind{name: "index", change: "ALTER TABLE d.big ADD INDEX (pad), ADD INDEX (n); DELETE FROM d.big " +
		"WHERE id = 2"}, 1},
	{struckKind{name: "rename", change: "ALTER TABLE d.big CHANGE n m INT NOT NULL, RENAME TO d.huge; DELETE FROM " +
		"d.huge WHERE id = 3"}, 2},
	{struckKind{name: "bound", change: "ALTER TABLE d.big ADD CONSTRAINT held FOREIGN KEY (n) REFERENCES d.small " +
		"(id) ON DELETE CASCADE; DELETE FROM d.small WHERE id = 9"}, 1},
	{struckKind{name: "swap", change: "RENAME TABLE d.big TO d.tmp, d.small TO d.big, d.tmp TO d.small; INSERT INTO " +
		"d.big VALUES (100)"}, 3},
	{struckKind{
		name:   "chain",
		change: "RENAME TABLE d.big TO d.huge, d.small TO d.big; INSERT INTO d.big VALUES (100)",
	}, 1},
	{struckKind{name: "truncate", change: "TRUNCATE TABLE d.big; INSERT INTO d.big VALUES (1, 1, 'again')"}, 1},
	{struckKind{name: "drop", change: "DROP TABLE d.big, d.small; CREATE TABLE d.small (id INT PRIMARY KEY, n INT, " +
		"UNIQUE KEY (n)); INSERT INTO d.small VALUES (1, 1)"}, 3},
	{struckKind{name: "create", change: "CREATE TABLE d.fresh (id INT PRIMARY KEY, p INT, CONSTRAINT made FOREIGN " +
		"KEY (p) REFERENCES d.small (id)); INSERT INTO d.fresh VALUES (1, 1)"}, 1},
}

// largeSetup makes it.
const largeSetup = "CREATE TABLE d.small (id INT PRIMARY KEY); INSERT INTO d.small WITH RECURSIVE s AS (SELECT 0 AS " +
	"i UNION ALL SELECT i + 1 FROM s WHERE i < 49) SELECT i FROM s; " +
	"CREATE TABLE d.big (id INT PRIMARY KEY, n INT NOT NULL, pad VARCHAR(200) NOT NULL, KEY idx_n (n)); " +
	"INSERT INTO d.big WITH RECURSIVE s AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM s WHERE i < 244), p AS (SELECT " +
	"x.i * 245 + y.i + 1 AS n FROM s x, s y) SELECT n, n % 50, REPEAT(CHAR(65 + n % 26), 150) FROM p WHERE n <= 60000"

// ownTarget starts a server that the test may kill.
func ownTarget(t *testing.T, flavor string) (*harness.Server, *lab.Fleet) {
	t.Helper()
	fleet, err := lab.NewFleet(harness.Script(t), flavor, 1)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, fleet.Stop()) })
	servers, err := lab.ParseServers(fleet.List)
	require.NoError(t, err)
	return harness.Connect(t, servers[0]), fleet
}

// TestTargetKilledInSchemaChange kills the target's server at any moment of a schema statement and starts it again:
// wherry goes on, and the change is made once. The moment, and which change, a seed tells; with WHERRY_EVERY_STEP=1
// there are more.
func TestTargetKilledInSchemaChange(t *testing.T) {
	began := lab.Seed(t)
	for i, flavor := range []string{lab.MySQL, lab.MariaDB} {
		t.Run(flavor, func(t *testing.T) {
			t.Parallel()
			source, _ := harness.Ends{From: flavor, To: flavor}.Open(t)
			target, fleet := ownTarget(t, flavor)
			r := rand.New(rand.NewPCG(began, uint64(i)))
			s := &struck{steps: &between.Steps{}, target: target.Proxy(t)}
			s.move = newMove(t, "we_z", source, target,
				harness.Options{TargetAt: s.target.Address(), Lines: append(extras(source, target),
					"replicate: {retry_for: 60s}")})
			s.target.Count(s.steps)
			kinds, rounds := largeKinds, 4
			if everyStep(t) == 0 {
				at := r.IntN(len(kinds))
				kinds, rounds = kinds[at:at+1], 2
			}
			for _, k := range kinds {
				k.setup = largeSetup
				s.renew(t, k.struckKind)
			}
			s.must(t, "init-schema", "init-copy")
			for _, k := range kinds {
				k.setup = largeSetup
				for round := range rounds {
					ok := t.Run(fmt.Sprintf("%s %d", k.name, round), func(t *testing.T) {
						if round > 0 {
							s.renew(t, k.struckKind)
							s.must(t, "start-replica --until-caught-up")
						}
						s.crash(t, r, k.struckKind, 1+r.IntN(k.statements), fleet)
					})
					require.True(t, ok)
				}
			}
		})
	}
}

// crash kills the server some time after the n-th statement of the change was sent.
func (s *struck) crash(t *testing.T, r *rand.Rand, k struckKind, n int, fleet *lab.Fleet) {
	t.Helper()
	s.alter(t, k)
	file, err := os.ReadFile(s.Target.Text(t, "SELECT @@pid_file"))
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(file)))
	require.NoError(t, err)
	wait := time.Duration(r.IntN(10)) * time.Millisecond // a rename is quick, a copy of the table is not
	if r.IntN(2) == 0 {
		wait *= 50
	}
	down := make(chan error, 1)
	s.steps.AimAmong(schemaStatement.MatchString, n, between.Sent, func() {
		time.Sleep(wait)
		down <- syscall.Kill(pid, syscall.SIGKILL)
	})
	began := time.Now()
	c := s.Start(t, follow...)
	select {
	case err = <-down:
		require.NoError(t, err)
	case <-c.Done():
		require.FailNow(t, "no such statement", c.Log())
	}
	require.True(t, lab.Until(func() bool { // it is not gone at once, nor is its port free
		status, err := fleet.Control("status")
		if err != nil || !strings.Contains(status, "stopped") {
			return false
		}
		_, err = fleet.Control("start", s.Target.Name)
		return err == nil
	}), "the server does not start")
	require.True(t, c.Ended(), "no end: %s", c.Log())
	_, command := s.steps.Counted()
	s.steps.Aim(0, between.Before, nil)
	what := fmt.Sprintf("killed %s after %.200q was sent", wait, command)
	require.Equal(t, done, c.Code, "%s: %s\n%s", what, last(c), c.Log())
	s.carried(t, k)
	t.Logf("%.150s; ended after %s", what, time.Since(began).Round(time.Millisecond))
}
