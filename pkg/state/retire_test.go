package state

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRetire(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.yaml")
	f, err := Open(path, OpenOptions{Move: "shop"})
	require.NoError(t, err)
	gone, err := f.Retire(".done")
	require.NoError(t, err)
	assert.Empty(t, gone, "there was none")

	for _, detail := range []string{"first", "second"} { // a move of the same name may be made again
		lock, err := f.Lock(PhaseCheck)
		require.NoError(t, err)
		require.NoError(t, f.Phase(PhaseCheck).Finish(detail))
		require.NoError(t, lock.Release())
		retired, err := f.Retire(".done")
		require.NoError(t, err)
		assert.Equal(t, path+".done", retired)
		left, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		require.Len(t, left, 1, "no lock files")
		kept, err := os.ReadFile(retired)
		require.NoError(t, err)
		assert.Contains(t, string(kept), detail)
		again, err := f.Read()
		require.NoError(t, err)
		assert.Empty(t, again.Phases, "the next move begins without a record")
	}
}
