package model

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scopes are what is explored: wider ones are too many states, as the two differ in what they are wide in.
var scopes = []rules{
	{keys: 3, transactions: 2, batch: 2, crashes: 1},
	{keys: 2, transactions: 3, batch: 2, crashes: 0},
	{keys: 2, transactions: 2, batch: 1, crashes: 2},
}

func initial(keys int) []world {
	if keys == 2 {
		return []world{newWorld(table{one, null}), newWorld(table{one, two}), newWorld(table{})}
	}
	return []world{newWorld(table{one, null, absent}), newWorld(table{one, two, null})}
}

// TestPromisesHold explores copy and replay with their rules kept: the target, once consistent, is always what the
// source was at the recorded position, and its unique index can be built.
func TestPromisesHold(t *testing.T) {
	for _, r := range scopes {
		for _, r.uniquePresent = range []bool{false, true} {
			t.Run(fmt.Sprintf("keys=%d,transactions=%d,crashes=%d,present=%t", r.keys, r.transactions, r.crashes,
				r.uniquePresent), func(t *testing.T) {
				ended := 0
				states, err := explore(initial(r.keys), r.next, func(w world) error {
					if w.consistent && w.pos == r.transactions {
						ended++
					}
					return r.check(w)
				})
				require.NoError(t, err)
				assert.Positive(t, ended, "no way leads to the end")
				t.Logf("%d states, %d of them at the end", states, ended)
			})
		}
	}
}

// TestFlawsAreFound breaks one rule at a time: a model that finds nothing then proves nothing.
func TestFlawsAreFound(t *testing.T) {
	for _, c := range []struct {
		name    string
		flaw    flaw
		present bool
	}{
		{"the copy starts at the end of the log", endOfLogStart, false},
		{"the copy starts at the end of the log, index present", endOfLogStart, true},
		{"changes skip rows in the way, index present", ignoreChanges, true},
		{"changes skip rows in the way, index deferred", ignoreChanges, false},
		{"a chunk is done before its rows", doneBeforeRows, false},
		{"no convergence", noConvergence, false},
		{"the head is read before the last chunk", headBeforeCopied, false},
		{"the position commits after the changes", positionLate, false},
		{"a chunk is not claimed", noClaim, false},
		{"a dead applier is not waited for", noVanish, false},
		{"the old key is forgotten", forgetOldKey, false},
		{"loads skip rows in the way, and changes only update", ignoreLoads | updateOnly, true},
		{"loads displace rows in the way, and changes only update", updateOnly, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rules{keys: 2, transactions: 2, batch: 2, crashes: 1, uniquePresent: c.present, flaws: c.flaw}
			states, err := explore(initial(r.keys), r.next, r.check)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "too large")
			t.Logf("found in %d states: %.3000v", states, err)
		})
	}
}
