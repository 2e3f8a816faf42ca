package cleanup_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/cleanup"
	"wherry/pkg/db"
	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

const books = "wherry_shop"

var errKilled = errors.New("killed")

// server keeps names and facts only. It dies at its nth statement.
type server struct {
	tables []string
	facts  map[string]string
	locked bool // by another wherry
	closed bool // to this account too
	dies   int
	ran    []string
	owned  db.Owned // nil: an older version made the bookkeeping
}

func (s *server) Dialect() schema.Dialect {
	return mysql.New(mysql.Flavor{Family: schema.MySQL}, mysql.Collations{})
}

func (s *server) Ledger() db.Ledger { return ledger{s: s} }

type ledger struct {
	db.Ledger
	s *server
}

func (l ledger) Get(_ context.Context, name string) (string, error) {
	if !slices.Contains(l.s.tables, books+".facts") {
		return "", nil
	}
	return l.s.facts[name], nil
}

func (l ledger) Owned(context.Context) (db.Owned, error) { return l.s.owned, nil }

func (l ledger) Records(context.Context) ([]db.Record, error) { return nil, nil }

func (l ledger) Own(_ context.Context, put db.Owned, _ []schema.Name) error {
	l.s.owned = put
	return nil
}

func (s *server) Tables(_ context.Context, match func(schema.Name) bool) (found []*schema.Table, _ error) {
	for _, t := range s.tables {
		if name, ok := schema.ParseName(t); ok && match(name) {
			found = append(found, &schema.Table{Name: name})
		}
	}
	return found, nil
}

type lock struct{ db.Applier }

func (lock) Close() error { return nil }

func (s *server) NewApplier(context.Context, db.ApplyOptions) (db.Applier, error) {
	switch {
	case s.locked:
		return nil, db.ErrLocked
	case s.facts[db.FactCutover] != "":
		return nil, db.ErrSealed
	}
	return lock{}, nil
}

func (s *server) Admit(context.Context) error {
	s.closed = false
	return nil
}

func (s *server) Execute(_ context.Context, statement string) error {
	if s.closed {
		return errors.New("read only")
	}
	if s.dies--; s.dies == 0 {
		return errKilled
	}
	s.ran = append(s.ran, statement)
	s.tables = slices.DeleteFunc(s.tables, func(t string) bool {
		name, _ := schema.ParseName(t)
		return statement == s.Dialect().DropTable(name) || statement == s.Dialect().DropDatabase(name.Database)
	})
	return nil
}

// Leftovers are the databases of checks that were killed.
func (s *server) Leftovers(context.Context) (found []string, _ error) {
	for _, t := range s.tables {
		if database, _, _ := strings.Cut(t, "."); strings.HasPrefix(database, books+"-try") &&
			!slices.Contains(found, database) {
			found = append(found, database)
		}
	}
	return found, nil
}

// TestLeftovers: what a check that was killed has left goes with everything else, and before what tells of the move.
func TestLeftovers(t *testing.T) {
	target := newTarget(map[string]string{db.FactCutover: "sealed"})
	target.tables = append(target.tables, books+"-try.mark", books+"-try.items", books+"-try-2.mark")
	_, err := run(t, target, cleanup.Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"DROP DATABASE IF EXISTS `wherry_shop-try`", "DROP DATABASE IF EXISTS `wherry_shop-try-2`",
		"DROP DATABASE IF EXISTS `wherry_shop`",
	}, target.ran)
}

func newTarget(facts map[string]string) *server {
	facts[db.FactTables] = `["shop.items","shop.taken","shop.not yet"]`
	facts[db.FactFound] = `["shop.taken"]`
	return &server{facts: facts, tables: []string{
		"shop.items", "shop.other", "shop.taken", books + ".chunks",
		books + ".facts",
	}}
}

func run(t *testing.T, target *server, opts cleanup.Options) (*cleanup.Plan, error) {
	t.Helper()
	opts.Bookkeeping = books
	c := cleanup.New(target, opts)
	p, err := c.Plan(t.Context())
	if err != nil {
		return nil, err
	}
	assert.Empty(t, target.ran, "a plan changes nothing")
	return p, c.Run(t.Context(), p)
}

func TestOver(t *testing.T) {
	for _, abandon := range []bool{false, true} {
		target := newTarget(map[string]string{db.FactCutover: "sealed"})
		target.closed = true // the way back has ended here once
		p, err := run(t, target, cleanup.Options{Abandon: abandon})
		require.NoError(t, err)
		assert.True(t, p.Over)
		assert.Equal(t, []string{"DROP DATABASE IF EXISTS `wherry_shop`"}, target.ran,
			"no table of a target that has taken over is touched")
		assert.Equal(t, []string{"shop.items", "shop.other", "shop.taken"}, target.tables)
		target.ran = nil
		p, err = run(t, target, cleanup.Options{})
		require.NoError(t, err)
		assert.Empty(t, p.Steps)
	}
}

func TestUnderWay(t *testing.T) {
	target := newTarget(map[string]string{db.FactPosition: "somewhere"})
	_, err := run(t, target, cleanup.Options{})
	require.ErrorIs(t, err, cleanup.ErrUnderWay)
	assert.Empty(t, target.ran)

	target.locked = true
	_, err = run(t, target, cleanup.Options{Abandon: true})
	require.ErrorIs(t, err, db.ErrLocked)
	assert.Empty(t, target.ran)

	target.locked = false
	target.facts[db.FactObjects] = `{"Made": [{"Kind": "view", "Name": {"Database": "shop", "Table": "v"}}]}`
	p, err := run(t, target, cleanup.Options{Abandon: true})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"DROP VIEW IF EXISTS `shop`.`v`", "DROP TABLE IF EXISTS `shop`.`items`",
		"DROP DATABASE IF EXISTS `wherry_shop`",
	}, target.ran)
	assert.Equal(t, []string{"shop.other", "shop.taken"}, target.tables, "what was there before the move stays")
	assert.Equal(t, "[shop.taken]", fmt.Sprint(p.Left))
}

// TestKeep: a move that is ended without a cutover leaves its tables, and what was there before, as they are.
func TestKeep(t *testing.T) {
	target := newTarget(map[string]string{db.FactPosition: "somewhere"})
	_, err := run(t, target, cleanup.Options{Keep: true})
	require.ErrorIs(t, err, cleanup.ErrIncomplete, "tables of a copy that is not complete lack rows")
	assert.Empty(t, target.ran)

	target.facts[db.FactConsistent] = "somewhere"
	target.locked = true
	_, err = run(t, target, cleanup.Options{Keep: true})
	require.ErrorIs(t, err, db.ErrLocked, "start-replica still runs")
	assert.Empty(t, target.ran)

	target.locked = false
	target.facts[db.FactObjects] = `{"Made": [{"Kind": "view", "Name": {"Database": "shop", "Table": "v"}}]}`
	p, err := run(t, target, cleanup.Options{Keep: true})
	require.NoError(t, err)
	assert.Equal(t, []string{"DROP DATABASE IF EXISTS `wherry_shop`"}, target.ran)
	assert.Equal(t, []string{"shop.items", "shop.other", "shop.taken"}, target.tables)
	assert.Equal(t, "[shop.items shop.taken]", fmt.Sprint(p.Kept))

	p, err = run(t, &server{facts: map[string]string{}, tables: target.tables}, cleanup.Options{Keep: true})
	require.NoError(t, err, "an earlier run was killed before it could rename the state file")
	assert.Empty(t, p.Steps)

	back := newTarget(map[string]string{db.FactCutover: "sealed", db.FactReverse: "once"})
	source := &server{facts: map[string]string{}, tables: []string{"shop.items", books + ".facts"}}
	_, err = run(t, back, cleanup.Options{Keep: true, Source: func(context.Context) (cleanup.End, error) {
		return source, nil
	}})
	require.ErrorIs(t, err, cleanup.ErrUnderWay, "a way back that was begun is finished, or given up")
}

func (s *server) ExecuteIn(ctx context.Context, in schema.Session, statement string) error {
	return s.Execute(ctx, in.SQLMode+": "+statement)
}

// TestGivenUpOnTheWayBack: what the way back had taken away from the source is there again, before it is forgotten.
func TestGivenUpOnTheWayBack(t *testing.T) {
	source := &server{facts: map[string]string{
		db.FactObjects: `{"Late":[{"Kind":"trigger","Name":{"Database":"shop","Table":"audit"},
			"Session":{"SQLMode":"ANSI"},"Statement":"Q1JFQVRF"}]}`,
	}, tables: []string{"shop.items", books + ".facts"}}
	target := newTarget(map[string]string{db.FactCutover: "sealed", db.FactReverse: "once"})
	_, err := run(t, target, cleanup.Options{Abandon: true, Source: func(context.Context) (cleanup.End, error) {
		return source, nil
	}})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"DROP TRIGGER IF EXISTS `shop`.`audit`", "ANSI: CREATE",
		"DROP DATABASE IF EXISTS `wherry_shop`",
	}, source.ran)
}

func TestWayBack(t *testing.T) {
	for _, c := range []struct {
		name            string
		abandon, sealed bool
		err             error
	}{{"under way", false, false, cleanup.ErrUnderWay}, {"given up", true, false, nil}, {"over", false, true, nil}} {
		t.Run(c.name, func(t *testing.T) {
			source := &server{facts: map[string]string{}, tables: []string{"shop.items", books + ".facts"}}
			if c.sealed {
				source.facts[db.FactCutover] = "sealed"
			}
			target := newTarget(map[string]string{db.FactCutover: "sealed", db.FactReverse: "once"})
			opts := cleanup.Options{Abandon: c.abandon, Source: func(context.Context) (cleanup.End, error) {
				return source, nil
			}}
			_, err := run(t, target, opts)
			require.ErrorIs(t, err, c.err)
			if c.err != nil {
				assert.Empty(t, append(source.ran, target.ran...))
				return
			}
			assert.Equal(t, []string{"shop.items"}, source.tables)
			assert.Equal(t, []string{"shop.items", "shop.other", "shop.taken"}, target.tables)
		})
	}
}

// TestKilled dies before every statement in turn; what is run again ends the same.
func TestKilled(t *testing.T) {
	for _, over := range []string{"", "sealed"} {
		for at := 1; at <= 3; at++ {
			source := &server{facts: map[string]string{db.FactCutover: over}, tables: []string{"shop.items"}}
			target := newTarget(map[string]string{db.FactCutover: over})
			if over != "" {
				target.facts[db.FactReverse] = "once"
				source.tables = append(source.tables, books+".facts")
			}
			opts := cleanup.Options{Abandon: over == "", Source: func(context.Context) (cleanup.End, error) {
				return source, nil
			}}
			target.dies, source.dies = at, at-1
			_, err := run(t, target, opts)
			target.dies, source.dies = 0, 0
			if at <= 2 {
				require.ErrorIs(t, err, errKilled, "%s %d", over, at)
				target.ran = nil
				_, err = run(t, target, opts)
			}
			require.NoError(t, err)
			for _, left := range append(source.tables, target.tables...) {
				assert.False(t, strings.HasPrefix(left, books), left)
			}
			assert.Equal(t, over != "", slices.Contains(target.tables, "shop.items"))
		}
	}
}
