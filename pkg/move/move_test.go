package move

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/config"
	"wherry/pkg/monitor"
	"wherry/pkg/state"
)

// openMove is a move whose servers do not answer.
func openMove(t *testing.T) *Move {
	t.Helper()
	cfg, err := config.Load(config.Options{Flags: map[string]any{
		"move": "shop", "state": filepath.Join(t.TempDir(), "state.yaml"), "tables.include": []string{"shop.*"},
		"source.host": "127.0.0.1", "source.port": 1, "source.user": "a",
		"target.host": "127.0.0.1", "target.port": 2, "target.user": "b",
	}})
	require.NoError(t, err)
	m, err := Open(cfg, Options{})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	return m
}

// TestRunGivesUpTheLock: a phase that fails leaves nothing behind, and Lock keeps others out until Close.
func TestRunGivesUpTheLock(t *testing.T) {
	m := openMove(t)
	_, err := m.Run(t.Context(), Check{})
	require.Error(t, err)
	o := m.Outcome(Code(err), err)
	assert.Equal(t, monitor.CodeFailed, o.Code)
	assert.Equal(t, state.PhaseCheck, o.Phase)
	assert.True(t, o.Nothing, "nothing was begun")

	require.NoError(t, m.Lock(), "the phase has given it up")
	_, err = m.Run(t.Context(), Check{})
	require.Error(t, err)
	other, err := Open(m.cfg, Options{})
	require.NoError(t, err)
	require.ErrorIs(t, other.Lock(), state.ErrLocked, "kept after a phase")
	m.Close()
	require.NoError(t, other.Lock())
	other.Close()
}

// TestTurn: who has taken over decides which phases there still are.
func TestTurn(t *testing.T) {
	for _, c := range []struct {
		title  string
		phase  Phase
		is     func(*state.State)
		detail string // of what is over; empty: it begins
		err    error
	}{
		{"check comes first", Check{}, func(*state.State) {}, "", nil},
		{"a copy before there are tables", InitCopy{}, func(*state.State) {}, "", state.ErrOutOfOrder},
		{"a copy after the cutover", InitCopy{}, over, "the move is over", nil},
		{"a check after the cutover", Check{}, over, "", nil},
		{"a comparison that nobody made", Verify{}, over, "", state.ErrOver},
		{"back before the cutover", Follow{Reverse: true}, func(*state.State) {}, "", state.ErrOutOfOrder},
		{"back after the cutover", Follow{Reverse: true}, over, "", nil},
		{"a comparison before the way back", Verify{Reverse: true}, over, "", state.ErrOutOfOrder},
		{"back again", Cutover{Reverse: true}, func(st *state.State) {
			over(st)
			st.Reverse.Cutover.Done = true
		}, "the way back is over", nil},
	} {
		st := &state.State{}
		c.is(st)
		out, done, err := openMove(t).begins(st, c.phase.spec())
		require.ErrorIs(t, err, c.err, c.title)
		assert.Equal(t, c.detail != "", done, c.title)
		assert.Contains(t, out.Detail, c.detail, c.title)
	}
}

func over(st *state.State) { st.Cutover.Done = true }
