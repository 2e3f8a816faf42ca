package mysql

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire/wiretest"
)

// TestApplierReplaced opens an applier while the one before it is still connected, and while somebody runs a
// statement whose bytes are no text: MySQL cannot show its list of processes then (error 3854).
func TestApplierReplaced(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		config := configOf(s)
		config.Move = "replaced"
		c := s.Connect(t)
		c.Exec("DROP DATABASE IF EXISTS wherry_replaced")
		target, err := OpenTarget(t.Context(), config)
		require.NoError(t, err)
		t.Cleanup(func() { _ = target.Close() })
		require.NoError(t, target.Ledger().Create(t.Context()))
		require.NoError(t, target.Ledger().Put(t.Context(), db.FactPosition, "p0"))
		first, err := target.NewApplier(t.Context(), db.ApplyOptions{})
		require.NoError(t, err)
		slept := make(chan error, 1)
		other := s.Connect(t)
		go func() { slept <- other.Try("DO GET_LOCK('wherry_test_sleeps', 0) + SLEEP(2) /* \xdc */") }()
		require.Eventually(t, func() bool { return c.Rows("SELECT IS_USED_LOCK('wherry_test_sleeps')")[0][0] != nil },
			time.Minute, 20*time.Millisecond)
		second, err := target.NewApplier(t.Context(), db.ApplyOptions{})
		require.NoError(t, err)
		assert.Equal(t, db.Position("p0"), second.Position())
		require.NoError(t, second.Close())
		_, err = first.Apply(t.Context(), &db.Batch{})
		require.Error(t, err, "the first has lost its connection")
		_ = first.Close()
		require.NoError(t, <-slept)
		c.Exec("DROP DATABASE wherry_replaced")
	})
}
