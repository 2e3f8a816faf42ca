package monitor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/state"
)

func at(minute int) time.Time { return time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC) }

func phase(name, status string, began, ended int, detail string) state.Phase {
	p := state.Phase{Name: name, Status: status, Started: at(began), Detail: detail}
	if ended > 0 {
		p.Finished = at(ended)
	}
	return p
}

// moves are moves at their stages; each has a golden file.
func moves() map[string]struct {
	state state.State
	live  Live
} {
	type move = struct {
		state state.State
		live  Live
	}
	empty := state.State{Version: 1, Move: "shop"}

	begun := empty
	begun.Source = state.Server{Host: "10.0.0.5", Port: "3306", Version: "9.7.4", Flavor: "mysql"}
	begun.Target = state.Server{Host: "/run/mysqld.sock", Version: "10.11.9", Flavor: "mariadb"}
	begun.Phases = []state.Phase{
		phase(state.PhaseCheck, state.StatusDone, 0, 1, "24 ok, 1 warning"),
		phase(state.PhaseInitSchema, state.StatusDone, 1, 2, "3 tables"),
	}

	copying := begun
	copying.Phases = append(copying.Phases[:2:2], phase(state.PhaseInitCopy, state.StatusRunning, 3, 0, ""))
	copying.Tables = []state.Table{
		{
			Source: "shop.orders", Status: state.TableCopying, RowsEstimate: 2_000_000, Rows: 1_200_000, Chunks: 9,
			ChunksDone: 6, Definition: "CREATE TABLE",
		},
		{Source: "shop.items", Status: state.TableCopied, RowsEstimate: 10, Rows: 12, Chunks: 1, ChunksDone: 1},
		{Source: "shop.users", Status: state.TableCreated, RowsEstimate: 700_000},
	}

	failed := copying
	failed.Phases = append(copying.Phases[:2:2], phase(state.PhaseInitCopy, state.StatusFailed, 3, 9, ""))
	failed.Phases[2].Error = "read chunk shop.orders[3]: gone\x1b[2J"

	many := copying
	many.Tables = nil
	for i := range 14 {
		many.Tables = append(many.Tables, state.Table{Source: fmt.Sprintf("shop.t%02d", i), Status: state.TableCopying})
	}

	following := begun
	following.Phases = append(begun.Phases[:2:2],
		phase(state.PhaseInitCopy, state.StatusDone, 3, 20, "3 tables"),
		phase(state.PhaseStartReplica, state.StatusRunning, 21, 0, ""))
	following.Tables = []state.Table{{Source: "shop.orders", Status: state.TableIndexed, Rows: 1_200_000}}
	following.Positions = state.Positions{
		Start: "a:1-5", Consistent: "a:1-9", Applied: "a:1-10", Head: "a:1-12", AppliedAt: at(29).Add(48 * time.Second),
		Lag: state.Duration(1200 * time.Millisecond), RowsApplied: 9007199,
	}

	unequal := following
	unequal.Phases = append(following.Phases[:4:4], phase(state.PhaseVerify, state.StatusDone, 22, 23, ""))
	unequal.Verify = state.Verify{Mode: "full", Started: at(22), Finished: at(23), Tables: []state.VerifyTable{
		{Table: "shop.orders", Rows: 1_200_000, Differing: 2, Extra: 1}, {Table: "shop.items", Rows: 12},
	}}

	ready := unequal
	ready.Verify = state.Verify{
		Mode: "full", Started: at(22), Finished: at(23), Clean: true,
		Tables: []state.VerifyTable{{Table: "shop.orders", Rows: 1_200_000}},
	}

	fenced := ready
	fenced.Phases = append(ready.Phases[:5:5], phase(state.PhaseCutover, state.StatusRunning, 28, 0, ""))
	fenced.Cutover = state.Cutover{Step: "fence", FencedAt: at(29), FenceKind: "read_only"}

	over := fenced
	over.Phases = append(ready.Phases[:5:5], phase(state.PhaseCutover, state.StatusDone, 28, 29, ""))
	over.Cutover.Done, over.Cutover.Blocked, over.Cutover.Note =
		true, state.Duration(350*time.Millisecond), "the application points to the target"

	rehearsed := ready
	rehearsed.Rehearsal = state.Rehearsal{
		At: at(25), Blocked: state.Duration(230 * time.Millisecond), Fence: state.Duration(10 * time.Millisecond),
		Drain: state.Duration(70 * time.Millisecond), Verify: state.Duration(120 * time.Millisecond),
	}

	turned := over
	turned.Phases = append(over.Phases[:6:6], phase("reverse:start-replica", state.StatusRunning, 29, 0, ""),
		phase("reverse:verify", state.StatusDone, 29, 30, ""))
	turned.Reverse.Positions = state.Positions{
		Start: "b:1-5", Applied: "b:1-10",
		AppliedAt: at(29).Add(48 * time.Second), RowsApplied: 77,
	}
	turned.Reverse.Verify = ready.Verify

	back := turned
	back.Phases = append(turned.Phases[:8:8], phase("reverse:cutover", state.StatusDone, 29, 30, ""))
	back.Phases[6].Status = state.StatusDone
	back.Reverse.Cutover = state.Cutover{
		Step: "finish", Done: true, FenceKind: "read_only",
		Blocked: state.Duration(90 * time.Millisecond),
	}

	now := at(30)
	return map[string]move{
		"empty":     {empty, Live{Now: now}},
		"begun":     {begun, Live{Now: now, Args: "--config shop.yaml"}},
		"copying":   {copying, Live{Now: now, Running: state.PhaseInitCopy, PID: 42}},
		"run":       {copying, Live{Now: now, Running: "run:init-copy", PID: 42}},
		"killed":    {copying, Live{Now: now}},
		"failed":    {failed, Live{Now: now}},
		"many":      {many, Live{Now: now}},
		"following": {following, Live{Now: now, Running: state.PhaseStartReplica, PID: 43}},
		"orphaned":  {following, Live{Now: now}},
		"unequal": {unequal, Live{
			Now: now, Running: state.PhaseStartReplica, PID: 43,
			Args: "--config a.yaml --config b.yaml",
		}},
		"ready":     {ready, Live{Now: now, Running: state.PhaseStartReplica, PID: 43}},
		"fenced":    {fenced, Live{Now: now, Running: state.PhaseStartReplica, PID: 43}},
		"rehearsed": {rehearsed, Live{Now: now, Running: state.PhaseStartReplica, PID: 43}},
		"over":      {over, Live{Now: now}},
		"turned":    {turned, Live{Now: now, Running: "reverse:start-replica", PID: 43}},
		"alone":     {turned, Live{Now: now}},
		"back":      {back, Live{Now: now}},
	}
}

// golden compares with a file of testdata, which WHERRY_GOLDEN=write renews.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("WHERRY_GOLDEN") == "write" {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestStatus(t *testing.T) {
	for name, m := range moves() {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			require.NoError(t, WriteStatus(&b, m.state, m.live))
			golden(t, "status-"+name+".txt", b.String())
			document, err := json.MarshalIndent(StatusJSON(m.state, m.live), "", "  ")
			require.NoError(t, err)
			golden(t, "status-"+name+".json", string(document)+"\n")
		})
	}
	require.EqualError(t, WriteStatus(broken{}, state.State{}, Live{}), "gone")
}

func TestStatusLeavesTheStateAlone(t *testing.T) {
	m := moves()["copying"]
	_ = StatusJSON(m.state, m.live)
	assert.Equal(t, "CREATE TABLE", m.state.Tables[0].Definition)
}
