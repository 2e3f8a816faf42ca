package cutover_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/schema"
)

// objectWorld is a world whose source has one object of each kind, two of them views.
func objectWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	shop := func(name string) schema.Name { return schema.Name{Database: "shop", Table: name} }
	for _, o := range []*schema.Object{
		{Kind: schema.ViewObject, Name: shop("v"), Columns: []string{"id"}},
		{Kind: schema.ViewObject, Name: shop("w"), Columns: []string{"id", "name"}},
		{Kind: schema.Procedure, Name: shop("p")},
		{Kind: schema.Function, Name: shop("f")},
		{Kind: schema.TriggerObject, Name: shop("t"), Table: w.from},
		{Kind: schema.TriggerObject, Name: shop("t2"), Table: w.from},
		{Kind: schema.EventObject, Name: shop("e"), Enabled: true},
		{Kind: schema.EventObject, Name: shop("asleep")},
		{Kind: schema.SequenceObject, Name: shop("s"), Next: "77"},
	} {
		w.onSource(dbtest.CreateObject(o))
	}
	w.opts.Objects = w.plans
	w.opts.Conflicts = func(ctx context.Context, plans []schema.ObjectPlan) ([]string, error) {
		return db.ObjectConflicts(ctx, w.target.Target("move"), plans)
	}
	return w
}

func (w *world) onSource(statement string) {
	w.t.Helper()
	require.NoError(w.t, w.source.DDL(db.DDL{}, statement))
}

// plans maps every object of the source to the database new.
func (w *world) plans(ctx context.Context) (plans []schema.ObjectPlan, err error) {
	found, err := w.source.Source().Objects(ctx, func(schema.Name) bool { return true })
	places := schema.Places{Tables: map[schema.Name]schema.Name{w.from: w.to}, Homes: map[string]string{"shop": "new"}}
	for _, o := range found {
		places.Tables[o.Name] = schema.Name{Database: "new", Table: o.Name.Table}
	}
	for _, o := range found {
		target, remarks := w.target.Target("move").Dialect().MapObject(o, places)
		if len(remarks) > 0 {
			return nil, errors.New(remarks[0].What)
		}
		plans = append(plans, schema.ObjectPlan{Source: o, Target: target})
	}
	return plans, err
}

// objects returns the target's objects, as kind, name and what an event or sequence is like.
func (w *world) objects() (all []string) {
	w.t.Helper()
	w.target.OnStep(nil)
	found, err := w.target.Target("move").Objects(w.t.Context(), func(schema.Name) bool { return true })
	require.NoError(w.t, err)
	for _, o := range found {
		all = append(all, fmt.Sprintf("%s %t %s", o, o.Enabled, o.Next))
	}
	return all
}

var everyObject = []string{
	"event new.asleep false ", "event new.e true ", "function new.f false ", "procedure new.p false ",
	"sequence new.s false 77",
	"trigger new.t false ", "trigger new.t2 false ", "view new.v false ", "view new.w false ",
}

// withoutLate is what is there before the takeover.
var withoutLate = []string{
	"event new.asleep false ", "event new.e false ", "function new.f false ", "procedure new.p false ",
	"sequence new.s false 77", "view new.v false ", "view new.w false ",
}

func TestObjects(t *testing.T) {
	w := objectWorld(t)
	steps, err := cutover.New(w.left, w.right, w.routes, w.opts).DryRun(t.Context())
	require.NoError(t, err)
	assert.Contains(t, fmt.Sprint(steps), "make 7 objects on the target (views, routines, sequences, disabled "+
		"events), and try out 2 triggers")
	assert.Contains(t, fmt.Sprint(steps), "make triggers and enable events on the target: 3 of them")
	assert.Empty(t, w.objects())
	_, err = w.run()
	require.NoError(t, err)
	w.assertDone()
	assert.Equal(t, everyObject, w.objects())
}

// TestObjectsKilledBetweenEveryTwoSteps dies before each thing that is done to either server, in turn. Before the
// takeover no trigger is ever there, and in the end each object once.
func TestObjectsKilledBetweenEveryTwoSteps(t *testing.T) {
	for _, fence := range []db.FenceKind{db.FenceReadOnly, db.FenceLockTables} {
		for at := 1; ; at++ {
			w := objectWorld(t)
			w.opts.Fence = fence
			step, dead := w.dieAt(at)
			if !dead {
				assert.Greater(t, at, 50)
				break
			}
			t.Run(fmt.Sprintf("%s/%02d %s", fence, at, step), func(t *testing.T) {
				sealed := w.sealed()
				for _, o := range w.objects() {
					assert.True(t, sealed || o[:7] != "trigger" && o != "event new.e true ", "%s before the takeover",
						o)
				}
				if at%2 == 0 && !sealed {
					require.NoError(t, w.abort())
					w.assertUndone()
				}
				_, err := w.run()
				require.NoError(t, err)
				w.assertDone()
				assert.Equal(t, everyObject, w.objects())
			})
		}
	}
}

// TestObjectsOfALostSource: what is left to do after the takeover is on the target.
func TestObjectsOfALostSource(t *testing.T) {
	w := objectWorld(t)
	for at := 1; !w.sealed(); at++ {
		w = objectWorld(t)
		w.dieAt(at)
	}
	require.Equal(t, withoutLate, w.objects())
	w.opts.Objects = func(context.Context) ([]schema.ObjectPlan, error) { return nil, db.ErrConnection }
	w.source.OnStep(func(step string) error {
		if step == "objects" || step == "tables" {
			return db.ErrConnection
		}
		return nil
	})
	_, err := w.run()
	require.NoError(t, err)
	assert.Equal(t, everyObject, w.objects())
}

// TestObjectsUndone: a cutover that is put back leaves nothing that acts, and the next one begins with what the source
// has then.
func TestObjectsUndone(t *testing.T) {
	w := objectWorld(t)
	w.source.OnStep(func(step string) error {
		if step == "fence.holds" {
			return errBroken
		}
		return nil
	})
	_, err := w.run()
	require.ErrorIs(t, err, errBroken)
	w.assertUndone()
	made := w.objects()
	assert.Len(t, made, len(withoutLate))
	w.onSource(dbtest.DropObject(&schema.Object{Kind: schema.ViewObject, Name: schema.Name{
		Database: "shop",
		Table:    "v",
	}}))
	w.onSource(dbtest.CreateObject(&schema.Object{Kind: schema.Procedure, Name: schema.Name{
		Database: "shop",
		Table:    "p2",
	}}))
	w.opts.VerifiedUpTo = w.head()
	_, err = w.run()
	require.NoError(t, err)
	now := w.objects()
	assert.Contains(t, now, "procedure new.p2 false ")
	assert.NotContains(t, now, "view new.v false ", "gone from the source")
}

func TestObjectsRefused(t *testing.T) {
	name := schema.Name{Database: "new", Table: "v"}
	for title, c := range map[string]struct {
		spoil func(w *world)
		says  string
	}{
		"view in the way": {func(w *world) {
			require.NoError(w.t, w.target.DDL(db.DDL{}, dbtest.CreateObject(&schema.Object{
				Kind: schema.ViewObject,
				Name: name,
			})))
		}, "view new.v is on the target, and this move did not make it"},
		"trigger of another name": {func(w *world) {
			o := &schema.Object{
				Kind: schema.TriggerObject, Name: schema.Name{Database: "new", Table: "theirs"},
				Table: w.to,
			}
			require.NoError(w.t, w.target.DDL(db.DDL{}, dbtest.CreateObject(o)))
		}, "trigger new.theirs of new.goods is on the target"},
		"table in the way": {func(w *world) {
			require.NoError(w.t, w.target.DDL(db.DDL{}, dbtest.CreateTable(&schema.Table{Name: name})))
		}, "new.v is a table on the target"},
		"cannot be mapped": {func(w *world) {
			w.onSource(dbtest.CreateObject(&schema.Object{Kind: schema.Procedure, Name: schema.Name{
				Database: "shop",
				Table:    "js",
			}, Language: "JAVASCRIPT"}))
		}, "is written in JAVASCRIPT"},
		"trigger cannot be made": {func(w *world) {
			w.target.OnStep(func(step string) error {
				if step == "try_trigger" {
					return errBroken
				}
				return nil
			})
		}, "make trigger new.t on the target"},
		"view changed under the fence": {func(w *world) {
			w.source.OnStep(func(step string) error {
				if step == "fence.raise" {
					w.onSource(dbtest.DropObject(&schema.Object{
						Kind: schema.ViewObject,
						Name: schema.Name{Database: "shop", Table: "v"},
					}))
					w.onSource(dbtest.CreateObject(&schema.Object{
						Kind: schema.ViewObject,
						Name: schema.Name{Database: "shop", Table: "v"}, Columns: []string{"name"},
					}))
				}
				return nil
			})
		}, "view shop.v was changed on the source since the check"},
	} {
		t.Run(title, func(t *testing.T) {
			w := objectWorld(t)
			c.spoil(w)
			_, err := w.run()
			require.ErrorContains(t, err, c.says)
			w.target.OnStep(nil)
			w.assertUndone()
		})
	}
}

// TestSequenceGoesOn: the value counts as of when writes are stopped.
func TestSequenceGoesOn(t *testing.T) {
	w := objectWorld(t)
	w.source.OnStep(func(step string) error {
		if step == "fence.raise" {
			s := &schema.Object{
				Kind: schema.SequenceObject, Name: schema.Name{Database: "shop", Table: "s"},
				Next: "99",
			}
			w.onSource(w.target.Target("move").Dialect().SetSequence(s, "99"))
		}
		return nil
	})
	_, err := w.run()
	require.NoError(t, err)
	assert.Contains(t, w.objects(), "sequence new.s false 99")
}

// TestViewsAreRead: a view that applications cannot read on the target is named before writes are stopped, unless it is
// like that on the source.
func TestViewsAreRead(t *testing.T) {
	w := objectWorld(t)
	for _, name := range []string{"v", "w"} {
		w.target.BreakView(schema.Name{Database: "new", Table: name})
	}
	w.source.BreakView(schema.Name{Database: "shop", Table: "w"})
	w.source.OnStep(func(step string) error {
		assert.NotEqual(t, "fence.raise", step)
		return nil
	})
	_, err := w.run()
	require.ErrorIs(t, err, cutover.ErrRefused)
	assert.Contains(t, err.Error(), "view new.v cannot be read")
	assert.NotContains(t, err.Error(), "new.w")
	w.source.OnStep(nil)
	w.source.BreakView(schema.Name{Database: "shop", Table: "v"})
	_, err = w.run()
	require.NoError(t, err)
	w.assertDone()
}
