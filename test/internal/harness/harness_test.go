package harness

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLatest(t *testing.T) {
	assert.Equal(t, []string{"copy: {workers: 2}", "cutover: {fence: none}"},
		latest([]string{"cutover: {max_lag: 1h}", "copy: {workers: 2}", "cutover: {fence: none}"}))
}

func TestWithout(t *testing.T) {
	assert.Equal(t, []string{"a", "c"}, without([]string{"a", "a", "b", "c"}, []string{"a", "b", "d"}))
	assert.Empty(t, without([]string{"a", "a"}, []string{"a", "a", "b"}))
}

func TestEnds(t *testing.T) {
	assert.Equal(t, "mysql", MySQL.String())
	assert.Equal(t, "mariadb to mysql", ToMySQL.String())
	assert.Len(t, Every, 4)
}

// TestLoad has an application that is refused, that loses races and connections, and that is held still.
func TestLoad(t *testing.T) {
	var n atomic.Int64
	l := StartLoad(t, Loaded{Workers: 2, Bears: []uint16{1062}, Loses: true},
		func(context.Context, int, *rand.Rand) error {
			switch n.Add(1) {
			case 1:
				return &mysql.MySQLError{Number: 1290}
			case 2:
				return &mysql.MySQLError{Number: 1062}
			case 3:
				return mysql.ErrInvalidConn
			default:
				return nil
			}
		})
	l.More(t, 10)
	l.Hold()
	held := n.Load()
	assert.Equal(t, held, l.Commits.Load()+3)
	l.Release()
	l.More(t, 1)
	l.Stop(t)
	assert.Equal(t, []int64{1, 1, 1}, []int64{l.Refused.Load(), l.Undone.Load(), l.Lost.Load()})
	require.NoError(t, t.Context().Err())
}

// TestLoadThatIsWrong stops at an error that it does not bear.
func TestLoadThatIsWrong(t *testing.T) {
	l := StartLoad(t, Loaded{Workers: 1}, func(context.Context, int, *rand.Rand) error { return errors.New("a fault") })
	l.workers.Wait()
	require.ErrorContains(t, *l.wrong.Load(), "a fault")
}
