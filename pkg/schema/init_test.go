package schema

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// memory is a Builder that keeps tables by their parsed CREATE statements and dies after some statements.
type memory struct {
	tables    []*Table
	databases []string
	dieAfter  int // statements; negative is never
	lie       func(statement string) string
	obstacles map[Name][]string
}

var errKilled = errors.New("killed")

func (m *memory) Dialect() Dialect { return NewMySQL(Flavor{Version: 90704}, Collations{}) }

func (m *memory) Tables(_ context.Context, match func(Name) bool) ([]*Table, error) {
	var out []*Table
	for _, table := range m.tables {
		if match(table.Name) {
			out = append(out, table)
		}
	}
	return out, nil
}

func (m *memory) Obstacles(_ context.Context, tables []Name) (map[Name][]string, error) {
	found := map[Name][]string{}
	for _, name := range tables {
		if what := m.obstacles[name]; what != nil {
			found[name] = what
		}
	}
	return found, nil
}

func (m *memory) Execute(_ context.Context, statement string) error {
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
	name := Name{strings.Trim(database, "`"), strings.Trim(ident, "`")}
	table, err := ParseCreate("CREATE TABLE "+rest, name, Flavor{Version: 90704}, Collations{})
	if err == nil {
		m.tables = append(m.tables, table)
	}
	return err
}

func steps(t *testing.T, names ...string) []Step {
	t.Helper()
	var out []Step
	for _, s := range names {
		name, ok := ParseName(s)
		require.True(t, ok)
		source, err := ParseCreate("CREATE TABLE "+Quote(name.Table)+" (`id` int NOT NULL, `v` varchar(10) DEFAULT 'x', PRIMARY KEY (`id`), KEY `v` (`v`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
			name, Flavor{Version: 90704}, Collations{})
		require.NoError(t, err)
		target, losses, err := (&memory{}).Dialect().Map(source, Name{"new" + name.Database, name.Table}, nil)
		require.NoError(t, err)
		out = append(out, Step{source, target, losses})
	}
	return out
}

func TestInitCreatesInOrder(t *testing.T) {
	m := &memory{dieAfter: -1}
	var out []string
	opts := Options{Defer: true, Out: func(table, _ string) { out = append(out, table) }}
	require.NoError(t, NewInit(m, steps(t, "b.y", "a.z", "b.x", "a.a"), opts).Run(t.Context()))
	assert.Equal(t, []string{"newa", "newb", "newa.a", "newa.z", "newb.x", "newb.y"}, out)
	assert.Len(t, m.tables, 4)
	assert.Empty(t, m.tables[0].Indexes, "deferred")
}

func TestInitSurvivesAKillAnywhere(t *testing.T) {
	for dieAfter := range 6 {
		m := &memory{dieAfter: dieAfter}
		claimed := map[Name]bool{}
		opts := Options{
			Mine:  func(n Name) bool { return claimed[n] },
			Claim: func(_ context.Context, names []Name) error { mark(claimed, names); return nil },
		}
		require.ErrorIs(t, NewInit(m, steps(t, "a.x", "a.y", "b.x", "b.y"), opts).Run(t.Context()), errKilled)
		m.dieAfter = -1
		require.NoError(t, NewInit(m, steps(t, "a.x", "a.y", "b.x", "b.y"), opts).Run(t.Context()), dieAfter)
		assert.Len(t, m.tables, 4)
		require.NoError(t, NewInit(m, steps(t, "a.x", "a.y", "b.x", "b.y"), opts).Run(t.Context()), "a finished phase")
	}
}

func mark(set map[Name]bool, names []Name) {
	for _, name := range names {
		set[name] = true
	}
}

func TestInitRefusesAllAtOnce(t *testing.T) {
	m := &memory{dieAfter: -1}
	require.NoError(t, NewInit(m, steps(t, "a.x"), Options{}).Run(t.Context()))
	plan := steps(t, "a.x", "a.y", "a.z")
	plan[1].Losses = append(plan[1].Losses, Loss{Name: "type", Table: plan[1].Source.Name, Column: "id", What: "no such type", Grade: Fatal})
	plan[2].Target.Name.Table = "y"
	err := NewInit(m, plan, Options{Claim: func(context.Context, []Name) error { t.Fatal("claimed"); return nil }}).Run(t.Context())
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "table newa.x: exists on the target")
	require.ErrorContains(t, err, "table a.y, column id: type: no such type")
	require.ErrorContains(t, err, "where a.y goes already")
	assert.Len(t, m.tables, 1)
}

func TestInitRefusesItsOwnTableWhenChanged(t *testing.T) {
	m := &memory{dieAfter: -1}
	require.NoError(t, NewInit(m, steps(t, "a.x"), Options{}).Run(t.Context()))
	plan := steps(t, "a.x")
	plan[0].Target.Columns[1].Nullable = false
	err := NewInit(m, plan, Options{Mine: func(Name) bool { return true }}).Run(t.Context())
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "column v: nullable is yes, planned no")
}

func TestInitProvesWhatWasCreated(t *testing.T) {
	m := &memory{dieAfter: -1, lie: func(s string) string { return strings.Replace(s, "varchar(10)", "varchar(9)", 1) }}
	err := NewInit(m, steps(t, "a.x"), Options{}).Run(t.Context())
	require.ErrorContains(t, err, "column v: type is varchar(9), planned varchar(10)")
	assert.NotErrorIs(t, err, ErrRefused)
}

func TestInitDryRunChangesNothing(t *testing.T) {
	m := &memory{dieAfter: 0}
	var out []string
	opts := Options{DryRun: true, Out: func(_, statement string) { out = append(out, statement) }}
	require.NoError(t, NewInit(m, steps(t, "a.x"), opts).Run(t.Context()))
	assert.Len(t, out, 2)
}

// TestInitWithoutDefer: while rows are copied a unique value may be on two of them, so those indexes always come later.
func TestInitWithoutDefer(t *testing.T) {
	table := mustParse(t, "CREATE TABLE `t` (\n  `id` int NOT NULL,\n  `n` int NOT NULL AUTO_INCREMENT,\n  `u` int DEFAULT NULL,\n  `i` int DEFAULT NULL,\n"+
		"  PRIMARY KEY (`id`),\n  UNIQUE KEY `n` (`n`),\n  UNIQUE KEY `u` (`u`),\n  KEY `i` (`i`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci")
	reduced := withoutUnique(table)
	names := []string{}
	for _, index := range reduced.Indexes {
		names = append(names, index.Name)
	}
	assert.Equal(t, []string{"n", "i"}, names)
	assert.Len(t, table.Indexes, 3, "the plan itself is whole")
}

func mustParse(t *testing.T, create string) *Table {
	t.Helper()
	table, err := ParseCreate(create, Name{"d", "t"}, Flavor{Version: 90704}, Collations{
		Known: map[string]string{"utf8mb4_0900_ai_ci": "utf8mb4"}, Default: map[string]string{"utf8mb4": "utf8mb4_0900_ai_ci"},
	})
	require.NoError(t, err)
	return table
}
