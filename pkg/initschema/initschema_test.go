package initschema

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/plan"
	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// memory is a Target that keeps tables by their parsed CREATE statements and dies after some statements.
type memory struct {
	mu        sync.Mutex
	tables    []*schema.Table
	databases []string
	dieAfter  int // statements; negative is never
	lie       func(statement string) string
	obstacles map[schema.Name][]string
}

var errKilled = errors.New("killed")

func (m *memory) Dialect() schema.Dialect {
	return mysql.New(mysql.Flavor{Family: schema.MySQL, Version: 90704}, mysql.Collations{})
}

func (m *memory) Tables(_ context.Context, match func(schema.Name) bool) ([]*schema.Table, error) {
	var out []*schema.Table
	for _, table := range m.tables {
		if match(table.Name) {
			out = append(out, table)
		}
	}
	return out, nil
}

func (m *memory) Announce(context.Context, []schema.Name) (func(context.Context) error, error) {
	return func(context.Context) error { return nil }, nil
}

func (m *memory) Obstacles(_ context.Context, tables []schema.Name) (map[schema.Name][]string, error) {
	found := map[schema.Name][]string{}
	for _, name := range tables {
		if what := m.obstacles[name]; what != nil {
			found[name] = what
		}
	}
	return found, nil
}

func (m *memory) Execute(_ context.Context, statement string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dieAfter == 0 {
		return errKilled
	}
	m.dieAfter--
	if name, ok := strings.CutPrefix(statement, "CREATE DATABASE IF NOT EXISTS "); ok {
		m.databases = append(m.databases, name)
		return nil
	}
	if m.lie != nil {
		statement = m.lie(statement)
	}
	database, rest, _ := strings.Cut(strings.TrimPrefix(statement, "CREATE TABLE "), ".")
	ident, _, _ := strings.Cut(rest, " ")
	name := schema.Name{Database: strings.Trim(database, "`"), Table: strings.Trim(ident, "`")}
	table, err := mysql.ParseCreate("CREATE TABLE "+rest, name,
		mysql.Flavor{Family: schema.MySQL, Version: 90704}, mysql.Collations{})
	if err == nil {
		m.tables = append(m.tables, table)
	}
	return err
}

func steps(t *testing.T, names ...string) []plan.Step {
	t.Helper()
	var out []plan.Step
	for _, s := range names {
		name, ok := schema.ParseName(s)
		require.True(t, ok)
		source, err := mysql.ParseCreate("CREATE TABLE "+mysql.Quote(name.Table)+" (`id` int NOT NULL, `v` "+
			"varchar(10) DEFAULT 'x', PRIMARY KEY (`id`), KEY `v` (`v`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 "+
			"COLLATE=utf8mb4_bin",
			name, mysql.Flavor{Family: schema.MySQL, Version: 90704}, mysql.Collations{})
		require.NoError(t, err)
		target, losses, err := (&memory{}).Dialect().Map(source,
			schema.Name{Database: "new" + name.Database, Table: name.Table}, nil)
		require.NoError(t, err)
		out = append(out, plan.Step{Source: source, Target: target, Losses: losses})
	}
	return out
}

func TestInitCreatesInOrder(t *testing.T) {
	m := &memory{dieAfter: -1}
	var out []string
	opts := Options{Defer: true, Out: func(table, _ string) { out = append(out, table) }}
	require.NoError(t, New(m, steps(t, "b.y", "a.z", "b.x", "a.a"), opts).Run(t.Context()))
	want := []string{"newa", "newb", "newa.a", "newa.z", "newb.x", "newb.y"}
	assert.ElementsMatch(t, want, out)
	assert.Equal(t, want[:2], out[:2], "databases come first")
	assert.Len(t, m.tables, 4)

	out, opts.DryRun = nil, true
	require.NoError(t, New(&memory{}, steps(t, "b.y", "a.z", "b.x", "a.a"), opts).Run(t.Context()))
	assert.Equal(t, want, out, "a dry run tells them in order")
}

// TestInitDefersIndexesOfLargeTables: a small table gets its indexes when it is created, apart from unique ones.
func TestInitDefersIndexesOfLargeTables(t *testing.T) {
	m := &memory{dieAfter: -1}
	all := steps(t, "a.large", "a.small", "a.unique")
	all[0].Source.Bytes = 2 << 20
	all[2].Target.Indexes[0].Unique = true
	require.NoError(t, New(m, all, Options{Defer: true}).Run(t.Context()))
	indexes := map[string]int{}
	for _, table := range m.tables {
		indexes[table.Name.Table] = len(table.Indexes)
	}
	assert.Equal(t, map[string]int{"large": 0, "small": 1, "unique": 0}, indexes)
}

func TestInitSurvivesAKillAnywhere(t *testing.T) {
	for dieAfter := range 6 {
		m := &memory{dieAfter: dieAfter}
		claimed := map[schema.Name]bool{}
		opts := Options{
			Mine:  func(n schema.Name) bool { return claimed[n] },
			Claim: func(_ context.Context, names, _ []schema.Name) error { mark(claimed, names); return nil },
		}
		require.ErrorIs(t, New(m, steps(t, "a.x", "a.y", "b.x", "b.y"), opts).Run(t.Context()), errKilled)
		m.dieAfter = -1
		require.NoError(t, New(m, steps(t, "a.x", "a.y", "b.x", "b.y"), opts).Run(t.Context()), dieAfter)
		assert.Len(t, m.tables, 4)
		require.NoError(t, New(m, steps(t, "a.x", "a.y", "b.x", "b.y"), opts).Run(t.Context()), "a finished phase")
	}
}

func mark(set map[schema.Name]bool, names []schema.Name) {
	for _, name := range names {
		set[name] = true
	}
}

func TestInitRefusesAllAtOnce(t *testing.T) {
	m := &memory{dieAfter: -1}
	require.NoError(t, New(m, steps(t, "a.x"), Options{}).Run(t.Context()))
	plan := steps(t, "a.x", "a.y", "a.z")
	plan[1].Losses = append(plan[1].Losses, schema.Loss{
		Name: "type", Table: plan[1].Source.Name, Column: "id",
		What: "no such type", Grade: schema.Fatal,
	})
	plan[2].Target.Name.Table = "y"
	err := New(m, plan, Options{Claim: func(context.Context, []schema.Name,
		[]schema.Name,
	) error {
		t.Fatal("claimed")
		return nil
	}}).Run(t.Context())
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "table newa.x: exists on the target")
	require.ErrorContains(t, err, "table a.y, column id: type: no such type")
	require.ErrorContains(t, err, "where a.y goes already")
	assert.Len(t, m.tables, 1)
}

func TestInitRefusesItsOwnTableWhenChanged(t *testing.T) {
	m := &memory{dieAfter: -1}
	require.NoError(t, New(m, steps(t, "a.x"), Options{}).Run(t.Context()))
	plan := steps(t, "a.x")
	plan[0].Target.Columns[1].Nullable = false
	err := New(m, plan, Options{Mine: func(schema.Name) bool { return true }}).Run(t.Context())
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "column v: nullable is yes, planned no")
}

func TestInitProvesWhatWasCreated(t *testing.T) {
	m := &memory{dieAfter: -1, lie: func(s string) string { return strings.Replace(s, "varchar(10)", "varchar(9)", 1) }}
	err := New(m, steps(t, "a.x"), Options{}).Run(t.Context())
	require.ErrorContains(t, err, "column v: type is varchar(9), planned varchar(10)")
	assert.NotErrorIs(t, err, ErrRefused)
}

func TestInitDryRunChangesNothing(t *testing.T) {
	m := &memory{dieAfter: 0}
	var out []string
	opts := Options{DryRun: true, Out: func(_, statement string) { out = append(out, statement) }}
	require.NoError(t, New(m, steps(t, "a.x"), opts).Run(t.Context()))
	assert.Len(t, out, 2)
}
