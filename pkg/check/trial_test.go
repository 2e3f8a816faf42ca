package check_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/check"
	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
)

// tables returns a table for each name, all of one shape, going to another database.
func tables(names ...string) (steps []plan.Step) {
	for _, name := range names {
		target := definition(name)
		target.Name.Database = "there"
		steps = append(steps, plan.Step{Source: definition(name), Target: target})
	}
	return steps
}

func view(name, body string) schema.ObjectPlan {
	o := func(database string) *schema.Object {
		return &schema.Object{
			Kind: schema.ViewObject, Name: schema.Name{Database: database, Table: name}, Body: body,
			Columns: []string{"id"},
		}
	}
	return schema.ObjectPlan{Source: o("shop"), Target: o("there")}
}

// trial runs one and counts the statements that were executed in scratch databases.
func trial(t *testing.T, source, target *dbtest.Server, steps []plan.Step,
	objects ...schema.ObjectPlan,
) (found []string, statements int, err error) {
	t.Helper()
	target.OnStep(func(step string) error {
		if step == "scratch.execute" {
			statements++
		}
		return nil
	})
	findings, err := check.NewTrial(source.Source(), target.Target("m"), steps, objects,
		check.TrialOptions{}).Run(t.Context())
	for _, f := range findings {
		found = append(found, fmt.Sprintf("%s %s", f.Level, f.Subject))
		assert.NotContains(t, f.What, "wherry_m-try", "names of ours say nothing to the user")
	}
	left, leftErr := target.Target("m").Leftovers(t.Context())
	require.NoError(t, leftErr)
	assert.Empty(t, left, "left on the target")
	return found, statements, err
}

// TestTrialOnce: of tables that are the same but for the name one is tried, unless another thing needs it.
func TestTrialOnce(t *testing.T) {
	var names []string
	for i := range 500 {
		names = append(names, fmt.Sprintf("t%d", i))
	}
	steps := tables(names...)
	found, statements, err := trial(t, dbtest.NewServer("one"), dbtest.NewServer("two"), steps)
	require.NoError(t, err)
	assert.Equal(t, []string{"ok "}, found)
	assert.Equal(t, 1, statements)

	steps[7].Target.Columns[0].Nullable = true // another shape
	steps[9].Target.ForeignKeys = []schema.ForeignKey{{
		Name: "f", Columns: []string{"id"}, Parent: steps[8].Target.Name,
		ParentColumns: []string{"id"},
	}}
	_, statements, err = trial(t, dbtest.NewServer("one"), dbtest.NewServer("two"), steps,
		view("v", "SELECT id FROM `there`.`t300`"))
	require.NoError(t, err)
	assert.Equal(t, 1+1+2+1+1+1, statements, "the first, the other shape, child and parent, the key, the table that "+
		"the view reads, the view")
}

// TestTrialOfBrokenThings: each is found once, and what only depends on it is not blamed.
func TestTrialOfBrokenThings(t *testing.T) {
	source, target := dbtest.NewServer("one"), dbtest.NewServer("two")
	steps := tables("a", "b", "c")
	steps[1].Target.Name.Table = steps[0].Target.Name.Table // one of two of a name is refused
	steps[2].Target.ForeignKeys = []schema.ForeignKey{{
		Name: "f", Columns: []string{"id"},
		Parent: schema.Name{Database: "there", Table: "gone"}, ParentColumns: []string{"id"},
	}}
	steps[1].Target.Columns[0].Nullable = true
	unread, both, upon := view("unread", "SELECT id FROM `there`.`c`"), view("both", "SELECT 1"), view("upon",
		"SELECT id FROM `there`.`unread`")
	for _, o := range []schema.ObjectPlan{unread, both} {
		target.BreakView(schema.Name{Database: "wherry_m-try-1", Table: o.Target.Name.Table})
		require.NoError(t, source.DDL(db.DDL{}, dbtest.CreateObject(o.Source)))
	}
	source.BreakView(both.Source.Name)
	found, _, err := trial(t, source, target, steps, upon, unread, both)
	require.NoError(t, err)
	require.Len(t, found, 3)
	assert.Contains(t, []string{"fail shop.a", "fail shop.b"}, found[0],
		"tables are made side by side: either comes second")
	assert.Equal(t, []string{"fail view shop.unread", "warn view shop.both"}, found[1:])
}

// TestTrialUnanswered: a connection that is lost is no finding, and an answer of the server is.
func TestTrialUnanswered(t *testing.T) {
	for _, c := range []struct {
		fault error
		fails bool
	}{{db.ErrConnection, true}, {db.ErrRetry, true}, {errors.New("not like this in wherry_m-try-1"), false}} {
		source, target := dbtest.NewServer("one"), dbtest.NewServer("two")
		target.OnStep(dbtest.Nth("scratch.execute", 1, c.fault))
		findings, err := check.NewTrial(source.Source(), target.Target("m"), tables("a"), nil,
			check.TrialOptions{}).Run(t.Context())
		if c.fails {
			require.ErrorIs(t, err, c.fault)
			assert.Empty(t, findings)
			continue
		}
		require.NoError(t, err)
		require.Len(t, findings, 1)
		assert.Equal(t, db.Fail, findings[0].Level)
		assert.True(t, strings.HasSuffix(findings[0].What, "not like this in there"), findings[0].What)
	}
}

// TestTrialThatCannotBe is a warning with what to do.
func TestTrialThatCannotBe(t *testing.T) {
	target := dbtest.NewServer("two")
	target.OnStep(dbtest.Nth("scratch", 1, &db.NoScratchError{What: "no right", Fix: "GRANT it"}))
	findings, err := check.NewTrial(dbtest.NewServer("one").Source(), target.Target("m"), tables("a"), nil,
		check.TrialOptions{}).Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []db.Finding{{Check: "trial", End: "target", Level: db.Warn, What: "no right", Fix: "GRANT it"}},
		findings)
}
