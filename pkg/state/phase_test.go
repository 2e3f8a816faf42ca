package state

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecorder(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("x", 3600))
	f := open(t, filepath.Join(t.TempDir(), "s.yaml"), OpenOptions{Move: "shop", Clock: func() time.Time {
		return now
	}})
	r := f.Phase(PhaseInitCopy)
	first, second := now.UTC(), now.Add(time.Minute).UTC()
	check := func(want Phase) {
		t.Helper()
		want.Name = PhaseInitCopy
		s := f.Snapshot()
		require.Len(t, s.Phases, 1)
		assert.Equal(t, want, s.Phases[0])
	}

	require.NoError(t, r.Begin())
	check(Phase{Status: StatusRunning, Started: first})
	now = now.Add(time.Minute)
	require.NoError(t, r.Fail(errors.New("no\xff"), 12, "shop.orders"))
	check(Phase{
		Status: StatusFailed, Started: first, Finished: second, Error: "no?", Code: 12,
		Tables: []string{"shop.orders"},
	})
	require.NoError(t, r.Begin())
	check(Phase{Status: StatusRunning, Started: second, Begun: first, Attempts: 2})
	require.NoError(t, r.Interrupt("half way"))
	check(Phase{
		Status: StatusInterrupted, Started: second, Finished: second, Detail: "half way", Begun: first,
		Attempts: 2,
	})
	now = now.Add(time.Minute)
	require.NoError(t, r.Begin())
	third := now.UTC()
	now = now.Add(-time.Hour) // the clock steps back
	require.NoError(t, r.Finish("7 rows"))
	check(Phase{Status: StatusDone, Started: third, Finished: third, Detail: "7 rows", Begun: first, Attempts: 3})
	require.NoError(t, r.Begin())
	check(Phase{Status: StatusRunning, Started: now.UTC()})
}

func TestNextAndRequire(t *testing.T) {
	done := func(names ...string) (list []Phase) {
		for _, n := range names {
			list = append(list, Phase{Name: n, Status: StatusDone})
		}
		return list
	}
	copied := done(PhaseInitSchema, PhaseInitCopy)
	with := func(base []Phase, more ...Phase) []Phase { return append(append([]Phase{}, base...), more...) }
	replica := Phase{Name: PhaseStartReplica, Status: StatusRunning}
	cases := []struct {
		name   string
		s      State
		next   string
		refuse map[string]string // phase -> text of the refusal; others are allowed
	}{
		{"new", State{}, PhaseCheck, map[string]string{
			PhaseInitCopy: "run init-copy: phase out of order: init-schema is not done, run `wherry " +
				"init-schema` first",
			PhaseStartReplica: "run `wherry init-schema` first", PhaseVerify: "run `wherry init-schema` first",
			PhaseCutover: "run `wherry init-schema` first",
		}},
		{"checked", State{Phases: done(PhaseCheck)}, PhaseInitSchema, map[string]string{
			PhaseInitCopy: "init-schema", PhaseStartReplica: "init-schema", PhaseVerify: "init-schema",
			PhaseCutover: "init-schema",
		}},
		{
			"copy failed",
			State{Phases: with(done(PhaseInitSchema), Phase{Name: PhaseInitCopy, Status: StatusFailed})},
			PhaseInitCopy,
			map[string]string{
				PhaseStartReplica: "init-copy is failed, run `wherry init-copy` first", PhaseVerify: "init-copy",
				PhaseCutover: "init-copy",
			},
		},
		{
			"copy killed",
			State{Phases: with(done(PhaseInitSchema), Phase{Name: PhaseInitCopy, Status: StatusRunning})},
			PhaseInitCopy,
			map[string]string{
				PhaseStartReplica: "init-copy is not finished, run `wherry init-copy` first", PhaseVerify: "init-copy",
				PhaseCutover: "init-copy",
			},
		},
		{"copied", State{Phases: copied}, PhaseStartReplica, nil},
		{"replica runs", State{Phases: with(copied, replica)}, PhaseVerify, nil},
		{
			"replica stopped",
			State{Phases: with(copied, Phase{Name: PhaseStartReplica, Status: StatusInterrupted})},
			PhaseStartReplica, nil,
		},
		{"verified unclean", State{Phases: with(with(copied, replica), done(PhaseVerify)...)}, PhaseVerify, nil},
		{
			"verified",
			State{Phases: with(with(copied, replica), done(PhaseVerify)...), Verify: Verify{Clean: true}},
			PhaseCutover, nil,
		},
		{"cutover began", State{Phases: copied, Cutover: Cutover{Step: "fence"}}, PhaseCutover, nil},
		{"over", State{Phases: copied, Cutover: Cutover{Done: true}}, "", map[string]string{
			PhaseInitSchema: "run init-schema: move is over: the cutover is done", PhaseInitCopy: "over",
			PhaseStartReplica: "over", PhaseVerify: "over",
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.next, tc.s.Next())
			for _, phase := range []string{
				PhaseCheck, PhaseInitSchema, PhaseInitCopy, PhaseStartReplica, PhaseVerify,
				PhaseCutover,
			} {
				err := tc.s.Require(phase)
				want, refused := tc.refuse[phase]
				if !refused {
					require.NoError(t, err, phase)
					continue
				}
				require.ErrorContains(t, err, want, phase)
				assert.NotEqual(t, errors.Is(err, ErrOutOfOrder), errors.Is(err, ErrOver))
			}
			if tc.next != "" {
				require.NoError(t, tc.s.Require(tc.next), "what is advised is allowed")
			}
		})
	}
}

func TestLookups(t *testing.T) {
	s := sample()
	require.NotNil(t, s.Table("shop.Orders"))
	s.Table("shop.items").Rows = 5
	assert.Equal(t, int64(5), s.Tables[1].Rows)
	assert.Nil(t, s.Table("shop.none"))
	assert.Nil(t, s.Phase(PhaseCutover))
	assert.Equal(t, "10.0.0.5:3306", s.Source.Address())
	assert.Equal(t, "/run/s.sock", Server{Host: "/run/s.sock"}.Address())
}
