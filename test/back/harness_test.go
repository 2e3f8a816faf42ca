// Package back goes forward and back with real servers: the practice run of a cutover, the way back after it, and
// what is left when a move is cleaned up, under the writes of an application that counts them. What is on either side
// in the end is compared by the tests' own SQL, never by wherry's.
package back

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

const (
	name   = "back_and_forth" // of the move and of its database
	ledger = "wherry_" + name
)

func TestMain(m *testing.M) { harness.Main(m) }

// move is a move to whose tables an application may write.
type move struct{ *harness.Move }

// newMove makes a database on the source and a configuration that moves it. The switch hook tells the application
// where it is to write.
func newMove(t *testing.T, source, target *harness.Server, lines ...string) *move {
	t.Helper()
	m := &move{harness.New(t, source, target, harness.Options{Name: name, Lines: []string{
		"copy: {workers: 2}", "cutover: {max_lag: 30s, timeout: 20s}",
	}})}
	for _, s := range []*harness.Server{source, target} {
		s.App(t, name)
	}
	m.Configure(t, append([]string{"hooks: {switch: 'echo $WHERRY_DIRECTION > " + m.Place + "'}"}, lines...)...)
	return m
}

// moveOf is newMove between two flavors.
func moveOf(t *testing.T, e harness.Ends, lines ...string) *move {
	t.Helper()
	source, target := e.Open(t)
	return newMove(t, source, target, lines...)
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}
