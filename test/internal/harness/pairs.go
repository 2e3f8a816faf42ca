package harness

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// Ends are the flavors of a move's source and target.
type Ends struct{ From, To string }

// The pairs of flavors that tests move between. A further engine is one more line.
var (
	MySQL     = Ends{lab.MySQL, lab.MySQL}
	MariaDB   = Ends{lab.MariaDB, lab.MariaDB}
	ToMariaDB = Ends{lab.MySQL, lab.MariaDB}
	ToMySQL   = Ends{lab.MariaDB, lab.MySQL}

	Alike  = []Ends{MySQL, MariaDB}
	Across = []Ends{ToMariaDB, ToMySQL}
	Every  = slices.Concat(Alike, Across)
	// Postgres is from each family to PostgreSQL, which is no source.
	Postgres = []Ends{{lab.MySQL, lab.Postgres}, {lab.MariaDB, lab.Postgres}}
)

// String is the name of a pair's tests: "mysql" from MySQL to MySQL, "mysql to mariadb" across.
func (e Ends) String() string {
	if e.From == e.To {
		return e.From
	}
	return e.From + " to " + e.To
}

// Open connects to both ends. They are different servers.
func (e Ends) Open(t *testing.T) (source, target *Server) {
	t.Helper()
	from, to, err := lab.Pair(Listed(t), e.From, e.To)
	if err != nil {
		lacking(t, err)
	}
	return Connect(t, from), Connect(t, to)
}

// Each runs a test for every pair of a list.
func Each(t *testing.T, pairs []Ends, test func(t *testing.T, source, target *Server)) {
	t.Helper()
	Listed(t)
	for _, p := range pairs {
		t.Run(p.String(), func(t *testing.T) {
			source, target := p.Open(t)
			test(t, source, target)
		})
	}
}

// One is one pair of a list, as the seed of the test says, for a slow test; with WHERRY_EVERY_PAIR=1 it is all of them.
func One(t *testing.T, pairs []Ends) []Ends {
	t.Helper()
	if os.Getenv("WHERRY_EVERY_PAIR") == "1" {
		return pairs
	}
	at := lab.Seed(t) % uint64(len(pairs))
	return pairs[at : at+1]
}

// EachFlavor runs a test on a server of each flavor.
func EachFlavor(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	Listed(t)
	for _, e := range Alike {
		t.Run(e.From, func(t *testing.T) { test(t, Find(t, e.From+"-1")) })
	}
}

// EachVersion runs a test for every pair with a server of another version: see lab.Versions.
func EachVersion(t *testing.T, test func(t *testing.T, source, target *Server)) {
	t.Helper()
	for _, p := range lab.Versions(t) {
		t.Run(p.Name, func(t *testing.T) { test(t, Connect(t, p.Source), Connect(t, p.Target)) })
	}
}

// Listed are the servers of WHERRY_TEST_SERVERS. Without any the test is skipped, or fails where they are required.
func Listed(t *testing.T) []lab.Server {
	t.Helper()
	list := os.Getenv("WHERRY_TEST_SERVERS")
	if strings.TrimSpace(list) == "" {
		lacking(t, "set WHERRY_TEST_SERVERS, see scripts/servers.sh")
	}
	servers, err := lab.ParseServers(list)
	require.NoError(t, err)
	return servers
}

// lacking ends a test for which there are no servers: it is skipped, and fails where servers are required.
func lacking(t *testing.T, why any) {
	t.Helper()
	if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
		t.Fatal("no servers, and WHERRY_REQUIRE_SERVERS=1: ", why)
	}
	t.Skip("SKIPPED WITHOUT SERVERS: ", why)
}
