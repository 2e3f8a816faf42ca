package db_test

import (
	"testing"

	"wherry/pkg/db"

	"github.com/stretchr/testify/require"
)

// FuzzBounds reads bounds of chunks back.
func FuzzBounds(f *testing.F) {
	f.Add([]byte("it's \\ \x00\n\r\t\x1a\"N"), []byte{})
	f.Add([]byte(`\N`), []byte{0xff})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		key := [][]byte{a, b, {}}
		back, err := db.DecodeKey(db.EncodeKey(key))
		require.NoError(t, err)
		require.Len(t, back, 3)
		for i := range key {
			require.Equal(t, string(key[i]), string(back[i]))
		}
		_, _ = db.DecodeKey(a) // damaged bounds are an error, not a fault
	})
}
