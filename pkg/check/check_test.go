package check_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/check"
	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

func nobody(schema.Name) bool { return false }

// clocked is a target whose clock is off.
type clocked struct {
	db.Target
	off time.Duration
}

func (c clocked) Identity(ctx context.Context) (db.Identity, error) {
	id, err := c.Target.Identity(ctx)
	id.Clock = c.off
	return id, err
}

func definition(name string) *schema.Table {
	return &schema.Table{
		Name: schema.Name{Database: "shop", Table: name}, Primary: &schema.Index{
			Name: "PRIMARY", Unique: true,
			Parts: []schema.Part{{Column: "id"}},
		},
		Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Integer, Size: 8}}},
	}
}

func intent(t *testing.T, tables ...string) (p db.Plan) {
	t.Helper()
	for _, name := range tables {
		r, err := route.New(definition(name), definition(name), "")
		require.NoError(t, err)
		p.Routes = append(p.Routes, r)
	}
	return p
}

func list(findings []db.Finding) (out []string) {
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s %s %s %s", f.End, f.Level, f.Check, f.Subject))
	}
	return out
}

func TestCheck(t *testing.T) {
	good := []string{"source ok version ", "target ok version ", "move ok connection ", "target ok target_empty "}
	for _, c := range []struct {
		title string
		spoil func(source, target *dbtest.Server)
		mine  func(schema.Name) bool
		off   time.Duration
		same  bool
		want  []string
	}{
		{title: "good", want: good},
		{title: "an engine's findings", spoil: func(source, target *dbtest.Server) {
			source.Find(db.Finding{Check: "binlog_format", End: "source", Level: db.Fail, Subject: "binlog_format"})
			target.Find(db.Finding{Check: "local_infile", End: "target", Level: db.Warn})
		}, want: []string{
			"source ok version ", "source fail binlog_format binlog_format", "target ok version ",
			"target warn local_infile ", "move ok connection ",
			"target ok target_empty ",
		}},
		{title: "same server", same: true, want: []string{
			"source ok version ", "target ok version ", "move ok connection ", "move fail same_server ",
			"target ok target_empty ",
		}},
		{title: "clock a second off", off: time.Second, want: good},
		{title: "clock behind", off: -1100 * time.Millisecond, want: []string{
			"source ok version ", "target ok version ", "move ok connection ", "move warn clock ",
			"target ok target_empty ",
		}},
		{title: "tables in the way", spoil: func(_, target *dbtest.Server) {
			for _, name := range []string{"a", "b", "other"} {
				_ = target.DDL(db.DDL{}, dbtest.CreateTable(definition(name)))
			}
		}, want: []string{
			"source ok version ", "target ok version ", "move ok connection ", "target fail target_empty shop.a",
			"target fail target_empty shop.b",
		}},
		{title: "tables of the move", spoil: func(_, target *dbtest.Server) {
			_ = target.DDL(db.DDL{}, dbtest.CreateTable(definition("a")))
			_ = target.DDL(db.DDL{}, dbtest.CreateTable(definition("b")))
		}, mine: func(n schema.Name) bool { return n.Table == "a" }, want: []string{
			"source ok version ", "target ok version ", "move ok connection ", "target fail target_empty shop.b",
		}},
	} {
		t.Run(c.title, func(t *testing.T) {
			source, target := dbtest.NewServer("one"), dbtest.NewServer("two")
			if c.same {
				target = dbtest.NewServer("one")
			}
			if c.spoil != nil {
				c.spoil(source, target)
			}
			if c.mine == nil {
				c.mine = nobody
			}
			right := clocked{target.Target("m"), c.off}
			findings, err := check.New(source.Source(), right, intent(t, "a", "b"), c.mine).Run(t.Context())
			require.NoError(t, err)
			assert.Equal(t, c.want, list(findings))
			for _, f := range findings {
				assert.True(t, f.Level == db.OK || f.Fix != "" || f.What == "", "a finding says what to do: %+v", f)
			}
		})
	}
}

// TestCheckThatCannotBeMade keeps what was found before.
func TestCheckThatCannotBeMade(t *testing.T) {
	for step, want := range map[string]int{"identity": 2, "tables": 3} {
		source, target := dbtest.NewServer("one"), dbtest.NewServer("two")
		target.OnStep(dbtest.Nth(step, 1, db.ErrConnection))
		findings, err := check.New(source.Source(), target.Target("m"), intent(t, "a"), nobody).Run(t.Context())
		require.ErrorIs(t, err, db.ErrConnection, step)
		assert.Len(t, findings, want, step)
	}
	for i, spoil := range []func(source, target *dbtest.Server, boom error){
		func(source, _ *dbtest.Server, boom error) { source.OnStep(dbtest.Nth("check", 1, boom)) },
		func(_, target *dbtest.Server, boom error) { target.OnStep(dbtest.Nth("check", 1, boom)) },
	} {
		source, target, boom := dbtest.NewServer("one"), dbtest.NewServer("two"), errors.New("boom")
		spoil(source, target, boom)
		findings, err := check.New(source.Source(), target.Target("m"), intent(t, "a"), nobody).Run(t.Context())
		require.ErrorIs(t, err, boom)
		assert.Len(t, findings, i)
	}
}

func TestCheckChangesNothing(t *testing.T) {
	source, target := dbtest.NewServer("one"), dbtest.NewServer("two")
	for _, s := range []*dbtest.Server{source, target} {
		s.OnStep(func(step string) error {
			assert.Contains(t, []string{"check", "identity", "tables"}, step)
			return nil
		})
	}
	_, err := check.New(source.Source(), target.Target("m"), intent(t, "a"), nobody).Run(t.Context())
	require.NoError(t, err)
}
