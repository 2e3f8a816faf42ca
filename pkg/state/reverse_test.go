package state

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRequireReverse(t *testing.T) {
	s := &State{}
	for _, phase := range []string{PhaseStartReplica, PhaseVerify, PhaseCutover} {
		require.ErrorIs(t, s.RequireReverse(phase), ErrOutOfOrder)
		require.ErrorContains(t, s.RequireReverse(phase), "run `wherry cutover` first")
	}
	s.Cutover.Done = true
	require.NoError(t, s.RequireReverse(PhaseStartReplica))
	require.ErrorContains(t, s.RequireReverse(PhaseCutover), "run `wherry start-replica --reverse` first")
	s.Reverse.Positions.Start = "there"
	for _, phase := range []string{PhaseStartReplica, PhaseVerify, PhaseCutover} {
		require.NoError(t, s.RequireReverse(phase))
	}
}

func TestWay(t *testing.T) {
	s := &State{}
	s.Way(true).Cutover.Done = true
	assert.True(t, s.Back())
	assert.False(t, s.Over())
	s.Way(false).Positions.Applied = "here"
	assert.Equal(t, "here", s.Positions.Applied)
}

// TestBesideTheWayBack: whoever applies the changes of the way back lets a verify beside it, as on the way forward.
func TestBesideTheWayBack(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "shop.yaml"), OpenOptions{})
	replica, err := f.Lock(ReversePrefix + PhaseStartReplica)
	require.NoError(t, err)
	_, err = f.Lock(ReversePrefix + PhaseStartReplica)
	require.ErrorIs(t, err, ErrLocked)
	verify, err := f.LockBeside(ReversePrefix + PhaseVerify)
	require.NoError(t, err)
	assert.True(t, verify.Beside())
	require.NoError(t, verify.Release())
	require.NoError(t, replica.Release())
}
