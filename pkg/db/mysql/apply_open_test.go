package mysql

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
)

// TestApplierReplaced opens an applier while the one before it is still connected, and while somebody runs a statement whose
// bytes are no text: MySQL cannot show its list of processes then (error 3854).
func TestApplierReplaced(t *testing.T) {
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		config := *s.config
		config.Move = "replaced"
		c := s.connect(t)
		c.exec("DROP DATABASE IF EXISTS wherry_replaced")
		target, err := OpenTarget(t.Context(), config)
		require.NoError(t, err)
		t.Cleanup(func() { _ = target.Close() })
		require.NoError(t, target.Ledger().Create(t.Context()))
		require.NoError(t, target.Ledger().Put(t.Context(), db.FactPosition, "p0"))
		first, err := target.NewApplier(t.Context(), db.ApplyOptions{})
		require.NoError(t, err)
		slept := make(chan error, 1)
		other := s.connect(t)
		go func() { slept <- other.try("DO GET_LOCK('wherry_test_sleeps', 0) + SLEEP(2) /* \xdc */") }()
		require.Eventually(t, func() bool { return c.rows("SELECT IS_USED_LOCK('wherry_test_sleeps')")[0][0] != nil }, 10*time.Second, 20*time.Millisecond)
		second, err := target.NewApplier(t.Context(), db.ApplyOptions{})
		require.NoError(t, err)
		assert.Equal(t, db.Position("p0"), second.Position())
		require.NoError(t, second.Close())
		_, err = first.Apply(t.Context(), &db.Batch{})
		require.Error(t, err, "the first has lost its connection")
		_ = first.Close()
		require.NoError(t, <-slept)
		c.exec("DROP DATABASE wherry_replaced")
	})
}
