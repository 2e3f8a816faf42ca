package cutover_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
)

// TestOpen: the target takes writes after the takeover and before applications are switched, and a failure is made
// good.
func TestOpen(t *testing.T) {
	w := newWorld(t)
	fails := true
	w.opts.Open = func(context.Context) error {
		assert.True(t, w.sealed())
		w.call("open")
		if fails {
			return errBroken
		}
		return nil
	}
	_, err := w.rehearse()
	require.NoError(t, err)
	assert.Zero(t, w.called("open"), "a rehearsal takes nothing over")
	_, err = w.run()
	require.ErrorIs(t, err, errBroken)
	assert.Zero(t, w.called(cutover.HookSwitch))
	fails = false
	_, err = w.run()
	require.NoError(t, err)
	assert.Equal(t, []string{"open", "open", cutover.HookSwitch, cutover.HookAfter}, w.calls[len(w.calls)-4:])
	w.assertDone()
}

// TestRecordOfTheTakeover: the target itself knows what the fence has changed, for who goes back after the state file
// is lost, and where its own log ended.
func TestRecordOfTheTakeover(t *testing.T) {
	w := newWorld(t)
	_, err := w.run()
	require.NoError(t, err)
	ledger := w.target.Target("move").Ledger()
	text, err := ledger.Get(t.Context(), db.FactCutover)
	require.NoError(t, err)
	record := map[string]string{}
	require.NoError(t, json.Unmarshal([]byte(text), &record))
	assert.Equal(t, []string{"read_only", "read_only=false"}, []string{record["fence"], record["saved"]})
	end, err := w.target.Source().Head(t.Context())
	require.NoError(t, err)
	recorded, err := ledger.Get(t.Context(), db.FactReturn)
	require.NoError(t, err)
	assert.Equal(t, end.String(), recorded)
}
