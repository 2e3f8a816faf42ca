package dbtest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// never lets every call pass, so that the wrappers must be invisible.
func never(string) error { return nil }

func TestWrappedServer(t *testing.T) {
	source, target := NewServer("source"), NewServer("target")
	Run(t, Harness{
		Source: func(*testing.T) (db.Source, Writer) {
			source = NewServer("source")
			return FaultySource(source.Source(), never), &memoryWriter{source}
		},
		Target: func(*testing.T) db.Target {
			target = NewServer("target")
			return Faulty(target.Target("suite"), never)
		},
		Reopen: func(*testing.T) db.Target { return Faulty(target.Target("suite"), never) },
	})
}

// ready returns a server with an items table, a route to it and a ledger with a position.
func ready(t *testing.T) (*Server, *route.Route) {
	t.Helper()
	s := NewServer("target")
	require.NoError(t, (&memoryWriter{s}).Create(t.Context(), items()))
	tables, err := s.Source().Tables(t.Context(), func(schema.Name) bool { return true })
	require.NoError(t, err)
	r, err := route.New(tables[0], tables[0], "")
	require.NoError(t, err)
	l := s.Target("m").Ledger()
	require.NoError(t, l.Create(t.Context()))
	require.NoError(t, l.Put(t.Context(), db.FactPosition, "p0"))
	return s, r
}

func TestFaulty(t *testing.T) {
	for _, c := range []struct {
		call string
		want db.Position
		rows int
	}{{"commit", "p0", 0}, {"commit.after", "p1", 1}} {
		s, r := ready(t)
		target := Faulty(s.Target("m"), Any(never, Nth(c.call, 1, db.ErrConnection)))
		a, err := target.NewApplier(t.Context(), db.ApplyOptions{})
		require.NoError(t, err)
		_, err = a.Apply(t.Context(), upserts(r, Values(1, "a", nil)))
		require.NoError(t, err)
		require.ErrorIs(t, a.Commit(t.Context(), "p1"), db.ErrConnection, c.call)
		require.NoError(t, a.Close())
		a, err = target.NewApplier(t.Context(), db.ApplyOptions{})
		require.NoError(t, err)
		assert.Equal(t, c.want, a.Position(), c.call)
		assert.Len(t, s.All(r.Target.Name()), c.rows, c.call)
	}
}

func TestOften(t *testing.T) {
	failed := func(seed uint64) (calls []int) {
		f := Often(3, seed, db.ErrRetry, db.ErrConnection)
		for i := range 300 {
			if f("x") != nil {
				calls = append(calls, i)
			}
		}
		return calls
	}
	first := failed(1)
	assert.Equal(t, first, failed(1), "the seed decides")
	assert.NotEqual(t, failed(1), failed(2))
	assert.InDelta(t, 100, len(failed(3)), 40)
}

func TestSteps(t *testing.T) {
	s, r := ready(t)
	boom := errors.New("boom")
	fail := func(step string) { s.OnStep(Nth(step, 1, boom)) }
	target := s.Target("m")
	require.NoError(t, target.Ledger().Plan(t.Context(), db.Chunk{}, r.Source.Name()))
	other := NewServer("source")
	require.NoError(t, (&memoryWriter{other}).Create(t.Context(), items()))
	require.NoError(t, other.Exec(func(tx *Tx) error { return tx.Insert(r.Source.Name(), Values(1, "a", nil)) }))

	for _, step := range []string{"load", "load.rows", "load.commit"} {
		fail(step)
		_, err := target.Load(t.Context(), other.Source(), r, db.Chunk{})
		require.ErrorIs(t, err, boom, step)
		assert.Empty(t, s.All(r.Target.Name()), step)
	}
	fail("load.commit.after")
	_, err := target.Load(t.Context(), other.Source(), r, db.Chunk{})
	require.ErrorIs(t, err, boom)
	assert.Len(t, s.All(r.Target.Name()), 1, "the answer was lost, not the rows")
	_, err = target.Load(t.Context(), other.Source(), r, db.Chunk{})
	require.ErrorIs(t, err, db.ErrChunkDone)

	a, err := target.NewApplier(t.Context(), db.ApplyOptions{})
	require.NoError(t, err)
	s.Disconnect()
	require.ErrorIs(t, a.Commit(t.Context(), "p1"), db.ErrConnection)
	_, err = target.NewApplier(t.Context(), db.ApplyOptions{})
	require.NoError(t, err, "the lock went with the connection")
}

func TestLeakingFence(t *testing.T) {
	s, r := ready(t)
	f, err := s.Source().NewFence(t.Context(), db.FenceReadOnly, nil, "")
	require.NoError(t, err)
	insert := func(tx *Tx) error { return tx.Insert(r.Source.Name(), Values(1, "a", nil)) }
	require.NoError(t, f.Raise(t.Context()))
	require.Error(t, s.Exec(insert))
	s.Leak(true)
	require.Error(t, f.Holds(t.Context()))
	require.NoError(t, s.Exec(insert))
}

func TestExecIsolation(t *testing.T) {
	s, r := ready(t)
	n := r.Source.Name()
	require.NoError(t, s.Exec(func(tx *Tx) error { return tx.Insert(n, Values(1, "a", 0)) }))
	one, two := s.Begin(), s.Begin()
	require.NoError(t, one.Update(n, Values(1), Values(1, "one", 0)))
	require.NoError(t, two.Update(n, Values(1), Values(1, "two", 0)))
	require.NoError(t, two.Commit(t.Context()))
	require.ErrorIs(t, one.Commit(t.Context()), db.ErrRetry)
	assert.Equal(t, []db.Row{Values(1, "two", 0)}, s.All(n))
	require.Error(t, s.Exec(func(tx *Tx) error {
		return tx.Insert(n, Values(2, "b", 0))
	}), "a unique value that is taken")
	require.Error(t, s.Exec(func(tx *Tx) error { return tx.Insert(n, Values("x", "b", 1)) }), "no number")

	pos, err := s.Source().Head(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Exec(func(tx *Tx) error { tx.RollBackLogged(); return tx.Insert(n, Values(3, "c", 3)) }))
	st, err := s.Source().Stream(t.Context(), pos, []*route.Route{r}, nil)
	require.NoError(t, err)
	part, err := st.Next(t.Context(), 0)
	require.NoError(t, err)
	assert.True(t, part.End && part.Rollback)
	assert.Len(t, s.All(n), 1)
}
