package test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
	"wherry/pkg/schema/postgres"
)

// postgresChoices are tables under options that a user gives.
var postgresChoices = []struct {
	name, columns string
	opts          postgres.Options
}{
	{
		"types", "id binary(16) PRIMARY KEY, f tinyint(1) NOT NULL DEFAULT 1, e enum('a','b') DEFAULT 'a', s set('x'," +
			"'y')" +
			" DEFAULT 'x', t time(2) DEFAULT '-12:00:00', u bigint unsigned DEFAULT 7, c char(36), j json",
		postgres.Options{
			Types: map[string]string{
				"*.*.id": "uuid", "tinyint(1)": "boolean", "enum": "varchar", "set": "text", "time": "interval",
				"bigint unsigned": "bigint", "*.types.c": "uuid",
			},
		},
	},
	{"CamelCase", "`userID` int PRIMARY KEY, `firstName` varchar(20), `a b` int AS (`userID` + 1) STORED, KEY byName " +
		"(`firstName`(5)), CHECK (`userID` > 0)", postgres.Options{Identifiers: postgres.Snake}},
	{"words", "id int PRIMARY KEY, a varchar(20), b text, FULLTEXT KEY f (a, b)", postgres.Options{Fulltext: true}},
	{
		"zeros", "id int PRIMARY KEY, d date NOT NULL, t timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, KEY (d)",
		postgres.Options{ZeroDates: true},
	},
	{"labels", "id int AUTO_INCREMENT PRIMARY KEY, e enum('it''s','','ü\\\\') NOT NULL, s set('a','b c') NOT NULL " +
		"DEFAULT " +
		"'a,b c'", postgres.Options{}},
	{"beginnings", "id int PRIMARY KEY, a varchar(50), b varbinary(50), c text, UNIQUE KEY u (a(7), id DESC), KEY " +
		"k (b(3)," +
		" c(9) DESC)", postgres.Options{}},
}

func TestChoicesOnPostgres(t *testing.T) {
	target := newPostgresServer(t)
	for _, s := range schemaServers(t) {
		for _, c := range postgresChoices {
			t.Run(s.name+" "+c.name, func(t *testing.T) {
				s.fresh(t, schemaFrom)
				d, err := postgres.New(c.opts)
				require.NoError(t, err)
				target.fresh(t, d, schemaTo)
				name := schema.Name{Database: schemaFrom, Table: c.name}
				s.exec(t, "CREATE TABLE "+mysql.Quoted(name)+" ("+c.columns+") CHARSET utf8mb4")
				plan, losses, err := d.Map(s.read(t, name), schema.Name{Database: schemaTo, Table: c.name},
					func(n schema.Name) schema.Name { return n })
				require.NoError(t, err)
				for _, loss := range losses {
					assert.NotEqual(t, schema.Fatal, loss.Grade, loss.What)
				}
				deferredOnPostgres(t, target, d, plan)
				fullOnPostgres(t, target, d, plan)
			})
		}
	}
}

// TestRenamesOnPostgres: tables change places and schemas, and the names of their indexes follow.
func TestRenamesOnPostgres(t *testing.T) {
	s, d := newPostgresServer(t), plainPostgres(t)
	s.fresh(t, d, "rename_a")
	s.fresh(t, d, "rename_b")
	make := func(n schema.Name, column string) {
		s.exec(t, d.CreateTable(&schema.Table{
			Name: n, Columns: []schema.Column{{Name: column, Type: postgres.ParseType("integer")}},
			Indexes: []schema.Index{{Name: n.Table + "_k", Parts: []schema.Part{{Column: column}}}},
		}, false)...)
	}
	index := func(n schema.Name) string { return s.read(t, n).Indexes[0].Name }
	one, two := schema.Name{Database: "rename_a", Table: "one"}, schema.Name{Database: "rename_a", Table: "two"}
	far, aside := schema.Name{Database: "rename_b", Table: "it's"}, schema.Name{Database: "rename_a", Table: "$wherry$"}
	make(one, "a")
	make(two, "b")
	s.exec(t, d.RenameTables([][2]schema.Name{{one, aside}, {two, one}, {aside, two}}))
	assert.Equal(t, "b", s.read(t, one).Columns[0].Name)
	assert.Equal(t, "one_k", index(one))
	assert.Equal(t, "two_k", index(two))
	s.exec(t, d.RenameTables([][2]schema.Name{{one, far}}))
	assert.Nil(t, s.read(t, one))
	assert.Equal(t, "it's_k", index(far))
}

// TestTriggersOnPostgres: a row that changes gets the present moment, unless the statement gave one.
func TestTriggersOnPostgres(t *testing.T) {
	target, d := newPostgresServer(t), plainPostgres(t)
	for _, s := range schemaServers(t) {
		t.Run(s.name, func(t *testing.T) {
			s.fresh(t, schemaFrom)
			target.fresh(t, d, schemaTo)
			name, to := schema.Name{Database: schemaFrom, Table: "t"}, schema.Name{Database: schemaTo, Table: "t"}
			s.exec(t, "CREATE TABLE "+mysql.Quoted(name)+" (id int PRIMARY KEY, v int, g int AS (v + 1) STORED, at "+
				"datetime"+
				" DEFAULT '2000-01-01' ON UPDATE CURRENT_TIMESTAMP)")
			plan, _, err := d.Map(s.read(t, name), to, func(n schema.Name) schema.Name { return n })
			require.NoError(t, err)
			target.exec(t, d.CreateTable(plan, false)...)
			target.exec(t, d.Triggers(plan)...)
			target.exec(t, d.Triggers(plan)...)
			for _, change := range []string{
				"INSERT INTO @ (id, v) VALUES (1, 1), (2, 2), (3, 3)", "UPDATE @ SET v = 1 WHERE id = 1",
				"UPDATE @ SET v = 9 WHERE id = 2", "UPDATE @ SET v = 9, at = '2001-01-01' WHERE id = 3",
			} {
				_, err := target.conn.Exec(t.Context(), strings.Replace(change, "@", postgres.Quoted(to), 1))
				require.NoError(t, err, change)
				s.exec(t, strings.Replace(change, "@", mysql.Quoted(name), 1))
			}
			const query = "SELECT CASE WHEN at < '2002-01-01' THEN CAST(at AS CHAR(20)) ELSE 'now' END FROM "
			got := targetTexts(t, target, query+postgres.Quoted(to)+" ORDER BY id")
			for i := range got {
				got[i] = strings.ReplaceAll(got[i], " '", "'")
			}
			assert.Equal(t, []string{"'2000-01-01 00:00:00'", "'now'", "'2001-01-01 00:00:00'"}, got)
			assert.Equal(t, got, sourceTexts(t, s, query+mysql.Quoted(name)+" ORDER BY id"))
		})
	}
}

// postgresViews are views over tables a and b, and rows of both servers are compared.
var postgresViews = []string{
	"SELECT id, n, d + 1 AS e FROM a WHERE d > 1",
	"SELECT x.id, concat(x.n, '-', y.amount) AS c FROM a x JOIN b y ON x.id = y.a WHERE y.amount IS NOT NULL",
	"SELECT x.id, sum(y.amount) AS s, count(*) AS c, max(y.amount) AS m FROM a x LEFT JOIN b y ON x.id = y.a GROUP " +
		"BY x.id " +
		"HAVING count(*) > 0 ORDER BY x.id DESC",
	"SELECT DISTINCT a.d FROM a JOIN b",
	"SELECT if(a.d > 1, 'many', 'few') AS w, a.e FROM a",
}

func TestViewsOnPostgres(t *testing.T) {
	target, plain := newPostgresServer(t), plainPostgres(t)
	for _, s := range schemaServers(t) {
		t.Run(s.name, func(t *testing.T) {
			s.fresh(t, schemaFrom)
			target.fresh(t, plain, schemaTo)
			places := schema.Places{Tables: map[schema.Name]schema.Name{}}
			var tables []*schema.Table
			rename := func(n schema.Name) schema.Name { return schema.Name{Database: schemaTo, Table: n.Table} }
			for table, columns := range map[string]string{
				"a": "(id int PRIMARY KEY, n varchar(20) COLLATE utf8mb4_bin, d int, e enum('x','y'))",
				"b": "(id int PRIMARY KEY, a int, amount decimal(10,2))",
			} {
				name := schema.Name{Database: schemaFrom, Table: table}
				s.exec(t, "CREATE TABLE "+mysql.Quoted(name)+columns+" CHARSET utf8mb4")
				tables, places.Tables[name] = append(tables, s.read(t, name)), rename(name)
			}
			d := plain.Survey(tables, rename)
			for _, table := range tables {
				plan, _, err := d.Map(table, rename(table.Name), rename)
				require.NoError(t, err)
				target.exec(t, d.CreateTable(plan, false)...)
			}
			for table, rows := range map[string]string{
				"a": "(1, 'one', 1, 'x'), (2, NULL, 2, 'y'), (3, 'thrée', NULL, NULL), (4, 'four', 2, 'x')",
				"b": "(1, 1, 1.50), (2, 1, NULL), (3, 2, -0.25), (4, 9, 3)",
			} {
				name := schema.Name{Database: schemaFrom, Table: table}
				s.exec(t, "INSERT INTO "+mysql.Quoted(name)+" VALUES "+rows)
				_, err := target.conn.Exec(t.Context(), "INSERT INTO "+postgres.Quoted(rename(name))+" VALUES "+rows)
				require.NoError(t, err)
			}
			for _, query := range postgresViews {
				viewOnPostgres(t, s, target, d, places, query)
			}
		})
	}
}

func viewOnPostgres(t *testing.T, s *schemaServer, target *postgresServer, d schema.Dialect, places schema.Places,
	query string,
) {
	t.Helper()
	conn, err := s.db.Conn(t.Context())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	for _, statement := range []string{"USE " + schemaFrom, "CREATE OR REPLACE VIEW v AS " + query} {
		_, err = conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	o := &schema.Object{
		Kind: schema.ViewObject, Name: schema.Name{Database: schemaFrom, Table: "v"}, Flavor: schema.Flavor(s.flavor),
	}
	var charset, collation string
	require.NoError(t, conn.QueryRowContext(t.Context(), "SHOW CREATE VIEW v").Scan(&o.Name.Table, &o.Definition,
		&charset,
		&collation))
	require.NoError(t, mysql.ParseObject(o))
	o.Columns = columnsOf(t, s, "v")
	places.Tables[o.Name] = schema.Name{Database: schemaTo, Table: "v"}
	planned, remarks := d.MapObject(o, places)
	require.Empty(t, remarks, "%s: %s", query, o.Body)
	target.exec(t, d.DropObject(planned), d.CreateObject(planned))
	for _, column := range o.Columns {
		want := sourceTexts(t, s, "SELECT CAST("+column+" AS CHAR) AS z FROM "+mysql.Quoted(o.Name))
		got := targetTexts(t, target, `SELECT "`+column+`"::text FROM `+postgres.Quoted(planned.Name))
		assert.ElementsMatch(t, want, got, "%s: %s", query, d.CreateObject(planned))
	}
}

func columnsOf(t *testing.T, s *schemaServer, view string) (names []string) {
	t.Helper()
	for _, text := range sourceTexts(t, s, "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '"+
		schemaFrom+"' AND TABLE_NAME = '"+view+"' ORDER BY ORDINAL_POSITION") {
		names = append(names, strings.Trim(text, "'"))
	}
	return names
}
