package harness

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

var binary string // the wherry under test

// Main is TestMain: it builds the wherry under test.
func Main(m *testing.M) { os.Exit(lab.Main(m, &binary)) }

// Options are what a move is built from.
type Options struct {
	// Name is that of the move, and of the database on the source that it moves. One that ends in "_" gets a random
	// end.
	Name string
	// Include is what the move moves, as patterns on db.table. Empty: the database, which is made, and is dropped at
	// the end of a test that did not fail.
	Include string
	// Create is what the database is made with. Empty: utf8mb4 with a collation that all flavors know.
	Create string
	// Also are further databases that belong to the move, as patterns of path.Match: they are dropped with it.
	Also []string
	// Lines are whole lines of the configuration, such as "copy: {workers: 2}". A later one replaces an earlier one
	// of the same key.
	Lines []string
	// SourceAt and TargetAt are addresses at which wherry reaches the ends, as host:port: those of proxies. Empty:
	// the servers' own.
	SourceAt, TargetAt string
	// End is more keys of both ends, such as "connect_timeout: 1s".
	End string
	// Marks is the source's database that has the table of marks, and MarksThere its name on the target. Empty: the
	// move's database, and the same name.
	Marks, MarksThere string
}

// Move is a move by the wherry under test.
type Move struct {
	Options
	Source, Target *Server
	Config, State  string // files
	Place          string // a file for a hook to write
	Folder         string // in which commands run; "": the test's own
	Text           bool   // commands print for people
	marks          *int   // the last one, of all copies of the move
}

// New takes away what an earlier run has left, makes an empty database on the source, and writes a configuration that
// moves it. Both servers can be written to then, and after the test.
func New(t *testing.T, source, target *Server, o Options) *Move {
	t.Helper()
	m := &Move{Options: o, Source: source, Target: target, marks: new(int)}
	if strings.HasSuffix(o.Name, "_") {
		m.sweepOnce(t)
		var random [4]byte
		_, err := rand.Read(random[:])
		require.NoError(t, err)
		m.Name += hex.EncodeToString(random[:])
	}
	m.inFolder(t)
	m.sweep(t)
	t.Cleanup(func() {
		for _, s := range []*Server{source, target} {
			s.Writable(t)
		}
		if !t.Failed() {
			m.sweep(t)
		}
	})
	create := m.Create
	if create == "" {
		create = "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
	}
	source.Exec(t, "FLUSH BINARY LOGS") // MariaDB finds GTIDs by reading the file up to there
	if m.Include == "" {
		source.Exec(t, "CREATE DATABASE "+lab.Quote(m.Name)+" "+create)
	}
	m.Write(t)
	return m
}

// inFolder gives the move files in a new folder.
func (m *Move) inFolder(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	m.Config, m.State = filepath.Join(dir, "wherry.yaml"), filepath.Join(dir, "state.yaml")
	m.Place = filepath.Join(dir, "place")
}

// Second is the same move with files of its own, as from another machine.
func (m *Move) Second(t *testing.T) *Move {
	t.Helper()
	other := *m
	other.inFolder(t)
	other.Write(t)
	return &other
}

// sweep lets both ends be written to, and drops the databases of the move.
func (m *Move) sweep(t *testing.T) {
	t.Helper()
	for _, s := range []*Server{m.Source, m.Target} {
		s.Writable(t)
		s.Drop(t, append([]string{m.Name, m.Ledger(), m.Ledger() + "-try"}, m.Also...)...)
	}
}

// swept has the servers and names that sweepOnce has seen.
var swept sync.Map

// sweepOnce drops what an earlier process has left of moves with a random name, once for each server.
func (m *Move) sweepOnce(t *testing.T) {
	t.Helper()
	for _, s := range []*Server{m.Source, m.Target} {
		if _, seen := swept.LoadOrStore(s.Address()+" "+m.Name, true); !seen {
			s.Writable(t)
			s.Drop(t, m.Name+"*", "wherry_"+m.Name+"*")
		}
	}
}

// Write writes the configuration from the options. The state file stays.
func (m *Move) Write(t *testing.T) {
	t.Helper()
	at := func(s *Server, address string) lab.Server {
		end := s.Server
		if address != "" {
			host, port, err := net.SplitHostPort(address)
			require.NoError(t, err)
			end.Host = host
			end.Port, err = strconv.Atoi(port)
			require.NoError(t, err)
		}
		return end
	}
	include := m.Include
	if include == "" {
		include = m.Name + ".*"
	}
	text := lab.Move{
		Name: m.Name, State: m.State, Source: at(m.Source, m.SourceAt), Target: at(m.Target, m.TargetAt),
		Include: include, Extra: latest(m.Lines), End: m.End,
	}.YAML()
	require.NoError(t, os.WriteFile(m.Config, []byte(text), 0o600))
}

// Configure adds lines to the configuration, or puts them in the place of those of the same key.
func (m *Move) Configure(t *testing.T, lines ...string) {
	t.Helper()
	m.Lines = append(slices.Clone(m.Lines), lines...)
	m.Write(t)
}

// latest leaves out lines whose key comes again.
func latest(lines []string) (out []string) {
	for _, line := range lines {
		key, _, _ := strings.Cut(line, ":")
		out = append(slices.DeleteFunc(out, func(l string) bool { return strings.HasPrefix(l, key+":") }), line)
	}
	return out
}

// Ledger is the database of the move's bookkeeping on the target.
func (m *Move) Ledger() string { return "wherry_" + m.Name }

// Fact is an entry of the ledger, "" while there is none.
func (m *Move) Fact(t *testing.T, name string) string {
	t.Helper()
	return m.FactOn(t, m.Target, name)
}

// FactOn is an entry of the ledger on either end: the way back has its own on the source.
func (m *Move) FactOn(t *testing.T, s *Server, name string) string {
	t.Helper()
	if s.Text(t, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = 'facts'",
		m.Ledger()) == "0" {
		return ""
	}
	return s.Text(t, "SELECT value FROM "+lab.Quote(m.Ledger())+".facts WHERE name = ?", name)
}

// Chunks is how many chunks are copied; 0 while there is no ledger.
func (m *Move) Chunks(t *testing.T) int {
	t.Helper()
	n, _ := m.Target.Value(t, "SELECT COUNT(*) FROM "+lab.Quote(m.Ledger())+".chunks WHERE done = 1")
	chunks, _ := strconv.Atoi(n)
	return chunks
}
