package evolve

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/ddl"
	"wherry/pkg/schema"
)

// TestResolve goes through the cases of resolve.go, without a server. Tables are given by the statements that make
// them.
func TestResolve(t *testing.T) {
	const (
		table   = "CREATE TABLE d.t (id INT PRIMARY KEY, a INT)"
		wider   = "CREATE TABLE d.t (id INT PRIMARY KEY, a BIGINT)"
		widen   = "ALTER TABLE d.t MODIFY a BIGINT"
		longer  = "CREATE TABLE d.t (id INT PRIMARY KEY, a BIGINT, b INT)"
		renamed = "CREATE TABLE d.u (id INT PRIMARY KEY, a BIGINT)"
		stamped = "CREATE TABLE d.t (id INT PRIMARY KEY, a INT, s TIMESTAMP)"
	)
	mariadb := schema.Flavor{Family: schema.MariaDB, Version: 101100}
	for _, c := range []struct {
		name, before, change string
		other                string // another table of the move before the change
		flavor               schema.Flavor
		tables               string   // the source's, when it is read first
		log                  []string // changes after it; only read when the tables differ
		final                string   // the source's table after the log was read
		after                string   // what the change left; "" when that is unknown
		why                  string
		wait                 doubt
		quick                bool // the log is not asked
	}{
		{name: "as the text says", before: table, change: widen, tables: wider, after: wider, quick: true},
		{name: "a new table", change: wider, tables: wider, after: wider, quick: true},
		{name: "the source read the text otherwise", before: table, change: widen, tables: longer, after: longer},
		{
			name: "read by nobody, and the source tells", before: table, change: "ALTER TABLE d.t FROB a",
			tables: wider, after: wider,
		},
		{
			name: "read by nobody, and perhaps renamed", before: table, change: "ALTER TABLE d.t FROB a",
			tables: "CREATE TABLE d.t (id INT PRIMARY KEY, b INT)", why: "whether they were renamed cannot be told",
		},
		{
			name: "gone, not logged yet", before: table, change: widen, why: "the source has no table d.t",
			wait: vanished,
		},
		{
			name: "later changes lead there", before: table, change: widen, tables: longer,
			log: []string{"ALTER TABLE d.t ADD b INT"}, final: longer, after: wider,
		},
		{
			name: "renamed later", before: table, change: widen,
			log: []string{"RENAME TABLE d.t TO d.u"}, final: renamed, after: wider,
		},
		{
			name: "exchanged later with a table that had changes before that", before: table, change: widen,
			other:  "CREATE TABLE d.u (id INT PRIMARY KEY)",
			tables: "CREATE TABLE d.t (id INT PRIMARY KEY, y INT)",
			log: []string{
				"RENAME TABLE d.t TO d.x, d.u TO d.t, d.x TO d.u", "ALTER TABLE d.t RENAME COLUMN z TO y",
				"ALTER TABLE d.u ADD b INT", "ALTER TABLE d.u DROP b",
			}, final: renamed, after: wider,
		},
		{name: "dropped later", before: table, change: widen, log: []string{"DROP TABLE d.t"}, after: wider},
		{
			name: "later changes lead elsewhere", before: table, change: widen, tables: longer,
			log: []string{"ALTER TABLE d.t ADD c INT"}, final: longer, why: "should have led to another d.t",
			wait: unlogged,
		},
		{
			name: "a later change is read by nobody", before: table, change: widen, tables: longer,
			log: []string{"ALTER TABLE d.t FROB a"}, why: "a later change of the table is not understood",
			wait: unlogged,
		},
		{
			name: "open, with later changes", before: table, change: "ALTER TABLE d.t FROB a", tables: longer,
			log: []string{"ALTER TABLE d.t ADD b INT"}, why: "later ones have changed the table again", wait: unlogged,
		},
		{
			name: "later changes of other tables do not count", before: table, change: widen, tables: longer,
			log: []string{"DROP TABLE d.other"}, after: longer,
		},
		{
			name:   "another default of the database, later",
			change: "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(9))",
			tables: "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(9), w VARCHAR(9)) COLLATE latin1_swedish_ci",
			log:    []string{"ALTER DATABASE d COLLATE ascii_bin", "ALTER TABLE d.t ADD w VARCHAR(9)"},
			final:  "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(9), w VARCHAR(9)) COLLATE latin1_swedish_ci",
			after:  "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(9)) COLLATE latin1_swedish_ci",
		},
		{
			name: "only an assumption holds", before: table, change: "ALTER TABLE d.t ADD s TIMESTAMP", flavor: mariadb,
			tables: longer, log: []string{"ALTER TABLE d.t MODIFY a BIGINT", "ALTER TABLE d.t RENAME COLUMN s TO b"},
			final: "CREATE TABLE d.t (id INT PRIMARY KEY, a BIGINT, b TIMESTAMP)", after: stamped,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			statement := func(text string, implicit bool) *db.DDL {
				ctx := schema.StatementContext{Flavor: c.flavor, Database: "d", ImplicitTimestamps: implicit}
				d := &db.DDL{Statement: text, Context: ctx, Tables: []schema.Name{{Database: "d", Table: "t"}}}
				if parsed, err := ddl.Parse(text, ctx); err == nil {
					d.Tables, d.Database = parsed.Tables(), parsed.Defaults()
				}
				return d
			}
			made := func(text string) *schema.Table {
				if text == "" {
					return nil
				}
				effects, err := readDDL(statement(text, false), nil)
				require.NoError(t, err)
				return effects[0].After
			}
			q := &question{
				change: statement(c.change, c.flavor.Family == schema.MariaDB), before: shapes{},
				collations: collations{"d": "latin1_swedish_ci"},
				follows:    func(schema.Name) bool { return true },
				recorded:   func(schema.Name) (bool, error) { return false, nil },
				read:       readDDL, differ: differDDL,
			}
			for _, text := range []string{c.before, c.other} {
				if before := made(text); before != nil {
					q.before[before.Name] = before
				}
			}
			s := &evidence{}
			var v verdict
			for range 10 {
				var err error
				v, err = q.resolve(s)
				require.NoError(t, err)
				switch {
				case len(v.tables) > 0:
					s.tables = shapesOf(v.tables, made(c.tables))
				case len(v.log) > 0:
					require.False(t, c.quick, "the log is not needed")
					s.searched = map[schema.Name]bool{}
					for _, n := range v.log {
						s.searched[n] = true
					}
					for _, text := range c.log {
						s.log = append(s.log, statement(text, false))
					}
				case len(v.final) > 0:
					s.final = shapesOf(v.final, made(c.final))
				}
			}
			if c.why != "" {
				require.ErrorIs(t, v.why, db.ErrUnsupported)
				require.ErrorContains(t, v.why, c.why)
				assert.Equal(t, c.wait, v.wait)
				assert.Contains(t, v.unmatched, schema.Name{Database: "d", Table: "t"})
				return
			}
			require.NoError(t, v.why)
			require.Len(t, v.effects, 1)
			assert.Empty(t, differDDL(made(c.after), v.effects[0].After))
		})
	}
}

// shapesOf is what is seen of the names when the source has one table at most.
func shapesOf(names []schema.Name, table *schema.Table) shapes {
	seen := shapes{}
	for _, n := range names {
		seen[n] = nil
		if table != nil && table.Name == n {
			seen[n] = table
		}
	}
	return seen
}

func readDDL(d *db.DDL, known []*schema.Table) ([]schema.Effect, error) {
	parsed, err := ddl.Parse(d.Statement, d.Context)
	if err != nil {
		return nil, err
	}
	return parsed.Apply(ddl.Catalog{
		Table: func(n schema.Name) *schema.Table {
			for _, t := range known {
				if t.Name == n {
					return t
				}
			}
			return nil
		},
		Database: func(string) (charset, collation string) { return "latin1", "latin1_swedish_ci" },
	})
}

func differDDL(want, got *schema.Table) (differences []string) {
	if want.Name != got.Name || len(want.Columns) != len(got.Columns) {
		return []string{"name or columns"}
	}
	for i := range want.Columns {
		w, g := &want.Columns[i], &got.Columns[i]
		if w.Name != g.Name || w.Type.Text != g.Type.Text || w.Type.Size != g.Type.Size || w.Nullable != g.Nullable ||
			w.Type.Charset != g.Type.Charset {
			differences = append(differences, w.Name)
		}
	}
	return differences
}
