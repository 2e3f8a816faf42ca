package lab

import (
	"math/rand/v2"
	"os"
	"strconv"
)

// Test is what is needed of a running test.
type Test interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Seed returns the seed of a test's random choices: WHERRY_SEED, or a new one. It is printed.
func Seed(t Test) uint64 {
	t.Helper()
	seed := rand.Uint64() % 1e9
	if text := os.Getenv("WHERRY_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("WHERRY_SEED: %v", err)
		}
	}
	t.Logf("replay with WHERRY_SEED=%d", seed)
	return seed
}
