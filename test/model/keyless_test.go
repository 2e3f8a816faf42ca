package model

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var keylessScope = rules{transactions: 3, batch: 2, crashes: 2}

func TestKeylessPromisesHold(t *testing.T) {
	ended := 0
	states, err := explore([]keylessWorld{newKeylessWorld(bag{2, 0})}, keylessScope.nextKeyless,
		func(w keylessWorld) error {
			if w.consistent && w.pos == keylessScope.transactions {
				ended++
			}
			return keylessScope.checkKeyless(w)
		})
	require.NoError(t, err)
	assert.Positive(t, ended, "no way leads to the end")
	t.Logf("%d states, %d of them at the end", states, ended)
}

func TestKeylessFlawsAreFound(t *testing.T) {
	for name, broken := range map[string]flaw{
		"changes that the snapshot shows are applied again": ignoreSince,
		"the position is one transaction early":             sinceOneEarly,
		"the position is read before the snapshot":          positionFirst,
		"the position is the end of the log":                endOfLogSnapshot,
		"a second try keeps the first position":             forgetPosition,
		"the position commits after the changes":            keylessLate,
		"a dead applier is not waited for":                  keylessLateUnseen,
	} {
		t.Run(name, func(t *testing.T) {
			r := keylessScope
			r.flaws = broken
			states, err := explore([]keylessWorld{newKeylessWorld(bag{2, 0})}, r.nextKeyless, r.checkKeyless)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "too large")
			t.Logf("found in %d states: %.3000v", states, err)
		})
	}
}
