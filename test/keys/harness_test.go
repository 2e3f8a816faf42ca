// Package keys moves tables of every kind of key there is: their rows are inserted, deleted and given other keys
// while they are copied in tiny chunks, by a copy that is killed in between, and followed.
//
// What both ends hold is compared by SQL of its own, row by row.
package keys

import (
	"strconv"
	"testing"

	"wherry/test/internal/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// move is a move of one database.
type move struct {
	*harness.Move
	old bool // the source is older than the shapes are for
}

// newMove makes an empty database on the source and a configuration that moves it.
func newMove(t *testing.T, name string, source, target *harness.Server, lines ...string) *move {
	t.Helper()
	return &move{
		Move: harness.New(t, source, target, harness.Options{
			Name: name, Create: "CHARACTER SET utf8mb4", Lines: lines,
		}),
		old: version(source) == "mariadb105",
	}
}

// number is the only value of a query; -1 while there is none.
func number(t *testing.T, s *harness.Server, query string) int {
	t.Helper()
	text, err := s.Value(t, query)
	n, invalid := strconv.Atoi(text)
	if err != nil || invalid != nil {
		return -1
	}
	return n
}
