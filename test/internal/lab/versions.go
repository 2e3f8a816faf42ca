package lab

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Versioned is a pair of servers of which one at least is of another version than those that all other tests use.
type Versioned struct {
	Name           string // mysql to mariadb118
	Source, Target Server
}

// Versions are all ordered pairs of the servers that WHERRY_TEST_SERVERS lists, from each flavor to each, without
// those that all other tests use. Servers of other versions have names such as mariadb118-1. Where there are none the
// test is skipped, unless WHERRY_VERSIONS=1 says that it is run for them.
func Versions(t *testing.T) []Versioned {
	t.Helper()
	servers, err := ParseServers(os.Getenv("WHERRY_TEST_SERVERS"))
	if err != nil {
		t.Fatal(err)
	}
	pairs := versions(servers)
	if len(pairs) == 0 {
		if os.Getenv("WHERRY_VERSIONS") == "1" {
			t.Fatal("no servers of other versions in WHERRY_TEST_SERVERS, and WHERRY_VERSIONS=1")
		}
		t.Skip("SKIPPED WITHOUT SERVERS OF OTHER VERSIONS: make test-versions has them")
	}
	return pairs
}

func versions(servers []Server) (pairs []Versioned) {
	var flavors []string
	for _, s := range servers {
		if s.Flavor == Postgres { // a target only, with tests of its own
			continue
		}
		if flavor, _, _ := strings.Cut(s.Name, "-"); !slices.Contains(flavors, flavor) {
			flavors = append(flavors, flavor)
		}
	}
	usual := []string{MySQL, MariaDB}
	for _, from := range flavors {
		for _, to := range flavors {
			if slices.Contains(usual, from) && slices.Contains(usual, to) {
				continue
			}
			if source, target, err := Pair(servers, from, to); err == nil {
				pairs = append(pairs, Versioned{from + " to " + to, source, target})
			}
		}
	}
	return pairs
}
