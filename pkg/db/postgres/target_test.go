package postgres_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/mysqltest"
	"wherry/pkg/db/postgres"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// server is the server to test with, and a schema of it that is absent.
func server(t *testing.T, home string) postgres.Config {
	t.Helper()
	c, ok := servers(t)["postgres-1"]
	if !ok {
		mysqltest.NoServers(t)
	}
	c.Move = home
	drop := []string{`DROP SCHEMA IF EXISTS "` + home + `" CASCADE`, `DROP SCHEMA IF EXISTS "wherry_` + home +
		`" CASCADE`}
	execute(t, c, drop...)
	t.Cleanup(func() { execute(t, c, drop...) })
	return c
}

func open(t *testing.T, c postgres.Config) *postgres.Target {
	t.Helper()
	target, err := postgres.OpenTarget(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { _ = target.Close() })
	return target
}

// levels are the findings of a check that are not right, by name, subject and what mends them.
func levels(t *testing.T, target *postgres.Target, plan db.Plan) (found map[string]db.Finding, needs []db.Need) {
	t.Helper()
	findings, err := target.Check(t.Context(), plan)
	require.NoError(t, err)
	found = map[string]db.Finding{}
	for _, f := range findings {
		if f.Level != db.OK {
			found[f.Check+" "+f.Subject+" "+f.Fix] = f
		}
		needs = append(needs, f.Needs...)
	}
	return found, needs
}

// level is that of the finding whose check and subject are given.
func level(found map[string]db.Finding, of string) db.Level {
	for name, f := range found {
		if strings.HasPrefix(name, of+" ") {
			return f.Level
		}
	}
	return db.OK
}

// planOf is the plan of a move of one table with a column of each pair of types.
func planOf(t *testing.T, home string, columns ...schema.Column) (*route.Route, db.Plan) {
	t.Helper()
	source := &schema.Table{
		Name: schema.Name{Database: "from", Table: "t"}, Columns: columns,
		Primary: &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: columns[0].Name}}},
	}
	d, err := dialect.New(dialect.Options{})
	require.NoError(t, err)
	target, _, err := d.Map(source, schema.Name{Database: home, Table: "t"},
		func(n schema.Name) schema.Name { return n })
	require.NoError(t, err)
	r, err := route.New(source, target, "")
	require.NoError(t, err)
	return r, db.Plan{Routes: []*route.Route{r}, Bookkeeping: home}
}

func id() schema.Column {
	return schema.Column{Name: "id", Type: schema.Type{Kind: schema.Integer, Name: "bigint", Size: 8, Text: "bigint"}}
}

// TestCheckPrivileges tells every privilege that an account lacks, with the statement that grants it; with these it
// lacks none.
func TestCheckPrivileges(t *testing.T) {
	c := server(t, "to_check")
	_, plan := planOf(t, "to_check", id())
	execute(t, c, "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'role_of_check') THEN "+
		"DROP OWNED BY role_of_check CASCADE; DROP ROLE role_of_check; END IF; END $$",
		"CREATE ROLE role_of_check LOGIN", "REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC")
	t.Cleanup(func() { execute(t, c, "GRANT TEMPORARY ON DATABASE postgres TO PUBLIC") })
	execute(t, c, "CREATE SCHEMA to_check")
	limited := c
	limited.User = "role_of_check"
	target := open(t, limited)
	found, needs := levels(t, target, plan)
	var grants []string
	for _, f := range found {
		if f.Check == "privileges" {
			grants = append(grants, f.Fix)
		}
	}
	assert.ElementsMatch(t, []string{
		`GRANT CREATE ON SCHEMA "to_check" TO "role_of_check"`, `GRANT USAGE ON SCHEMA "to_check" TO "role_of_check"`,
		`GRANT CREATE ON DATABASE "postgres" TO "role_of_check"`,
		`GRANT TEMPORARY ON DATABASE "postgres" TO "role_of_check"`,
	}, grants)
	assert.NotEmpty(t, needs)
	var none *db.NoScratchError
	_, err := target.Scratch(t.Context(), db.ScratchPlan{Databases: []db.ScratchDatabase{{Name: "to_check"}}})
	require.ErrorAs(t, err, &none)
	assert.Contains(t, grants, none.Fix)

	execute(t, c, grants...)
	found, _ = levels(t, target, plan)
	assert.Empty(t, found)
	require.NoError(t, target.Ledger().Create(t.Context()))
	require.NoError(t, target.Execute(t.Context(), target.Dialect().CreateDatabase("to_check", "")), "it is there")
	require.NoError(t, target.Execute(t.Context(), target.Dialect().CreateTable(plan.Routes[0].Target.Table, true)[0]))
	require.NoError(t, target.Ledger().Drop(t.Context()))

	execute(t, c, "ALTER ROLE role_of_check SET default_transaction_read_only = on")
	readOnly := open(t, limited)
	found, _ = levels(t, readOnly, plan)
	assert.Equal(t, db.Fail, level(found, "read_only default_transaction_read_only"))
	closed, err := readOnly.ReadOnly(t.Context())
	require.NoError(t, err)
	assert.True(t, closed)
	require.ErrorIs(t, readOnly.Ledger().Create(t.Context()), db.ErrSetup)
}

// TestCheckEncoding refuses a database in which not every character can be written.
func TestCheckEncoding(t *testing.T) {
	c := server(t, "to_latin")
	execute(t, c, "DROP DATABASE IF EXISTS to_latin", "CREATE DATABASE to_latin ENCODING 'LATIN1' LC_COLLATE 'C' "+
		"LC_CTYPE 'C' TEMPLATE template0")
	t.Cleanup(func() { execute(t, c, "DROP DATABASE IF EXISTS to_latin WITH (FORCE)") })
	_, plan := planOf(t, "to_latin", id())
	latin := c
	latin.Database = "to_latin"
	found, _ := levels(t, open(t, latin), plan)
	assert.Equal(t, db.Fail, level(found, "encoding database to_latin"))
	latin.Database = "no_such_database"
	_, err := postgres.OpenTarget(t.Context(), latin)
	require.ErrorIs(t, err, db.ErrSetup)
	latin.Database, latin.User = "postgres", "no_such_role"
	_, err = postgres.OpenTarget(t.Context(), latin)
	require.ErrorIs(t, err, db.ErrAccess)
}

// from is what rows are loaded from.
type from struct{ rows []db.Row }

func (f from) Rows(context.Context, *route.Relation, db.Range) (db.Rows, error) {
	return &given{f.rows}, nil
}

type given struct{ rows []db.Row }

func (g *given) Next() (db.Row, error) {
	if len(g.rows) == 0 {
		return nil, io.EOF
	}
	row := g.rows[0]
	g.rows = g.rows[1:]
	return row, nil
}

func (g *given) Close() error { return nil }

// TestUnfit names table, key, column, value and what would allow a value that the target does not hold; nothing of its
// chunk is kept.
func TestUnfit(t *testing.T) {
	c := server(t, "to_unfit")
	for name, x := range map[string]struct {
		column schema.Type
		value  string
		told   []string
	}{
		"zero date": {
			schema.Type{Kind: schema.Date, Name: "date", Text: "date"},
			"0000-00-00",
			[]string{"no date", "schema.allow_losses: [zero-date]"},
		},
		"0x00": {
			schema.Type{Kind: schema.Varchar, Name: "varchar", Size: 9, Text: "varchar(9)", Charset: "utf8mb4"},
			"a\x00b",
			[]string{"0x00", "schema.allow_losses: [zero-byte]"},
		},
		"time": {
			schema.Type{Kind: schema.Time, Name: "time", Text: "time"}, "-01:00:00", []string{"interval or text"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := planOf(t, "to_unfit", id(), schema.Column{Name: "v", Nullable: true, Type: x.column})
			target, ctx := open(t, c), t.Context()
			require.NoError(t, target.Ledger().Create(ctx))
			d := target.Dialect()
			for _, s := range []string{
				d.CreateDatabase("to_unfit", ""), d.DropTable(r.Target.Name()), d.CreateTable(r.Target.Table, true)[0],
			} {
				require.NoError(t, target.Execute(ctx, s))
			}
			require.NoError(t, target.Ledger().Plan(ctx, db.Chunk{}, r.Source.Name()))
			rows := from{[]db.Row{{[]byte("1"), nil}, {[]byte("42"), []byte(x.value)}}}
			_, err := target.Load(ctx, rows, r, db.Chunk{})
			require.ErrorIs(t, err, db.ErrUnsupported)
			for _, part := range append(x.told, "to_unfit.t", "id=42", "column v") {
				require.ErrorContains(t, err, part)
			}
			left, err := target.Sum(ctx, &r.Target, db.Range{})
			require.NoError(t, err)
			assert.Zero(t, left.Rows)
			require.NoError(t, target.Ledger().Drop(ctx))
			execute(t, c, `DROP SCHEMA to_unfit CASCADE`)
		})
	}
}
