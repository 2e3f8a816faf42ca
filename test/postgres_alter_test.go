package test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// postgresAlters are changes of one table on the source, one after the other, and what becomes of its rows.
var postgresAlters = []struct {
	change  string // of the source, after ALTER TABLE t
	renamed string // "new<old" words
	to      string // the table's name afterwards, when it is another
	insert  string // what is put into the table on PostgreSQL before
	rows    string // the rows afterwards, as text
	order   string // the columns that rows shows
}{
	{
		change: "COMMENT 'nothing'", insert: "(1, 'one', 10, NULL), (2, NULL, 20, '2024-01-01')", order: "id, label, " +
			"code",
		rows: "1 one 10|2 NULL 20",
	},
	{
		change: "RENAME COLUMN label TO code, RENAME COLUMN code TO label", renamed: "code<label label<code",
		order: "id, label, code", rows: "1 10 one|2 20 NULL",
	},
	{
		change: "MODIFY code varchar(300) FIRST, ADD extra int NOT NULL DEFAULT 7 AFTER id", order: "id, extra, code",
		rows: "1 7 one|2 7 NULL",
	},
	{change: "MODIFY extra varchar(20) NOT NULL DEFAULT 'x' COMMENT 'text now'", order: "extra", rows: "7|7"},
	{change: "MODIFY extra bigint DEFAULT NULL", order: "extra", rows: "7|7"},
	{
		change: "DROP COLUMN label, ADD UNIQUE KEY (extra, id), ADD KEY long_name (code(10))", order: "id, extra",
		rows: "1 7|2 7",
	},
	{
		change: "RENAME COLUMN extra TO more, ADD CONSTRAINT c CHECK (more > 0)", renamed: "more<extra",
		order: "more", rows: "7|7",
	},
	{change: "DROP PRIMARY KEY, ADD PRIMARY KEY (id, more)", order: "id", rows: "1|2"},
	{change: "RENAME TO schema_rt_from.u, RENAME INDEX long_name TO short", to: "u", order: "id", rows: "1|2"},
	{
		change: "DROP INDEX short, DROP INDEX extra, MODIFY born datetime(3)", order: "born",
		rows: "2024-01-01 00:00:00|NULL",
	},
	{change: "MODIFY born timestamp(6) NULL, MODIFY id bigint unsigned", order: "id", rows: "1|2"},
	{change: "MODIFY id bigint unsigned AUTO_INCREMENT", order: "id", rows: "1|2"},
	{change: "DROP PRIMARY KEY, ADD PRIMARY KEY (id), DROP COLUMN more, DROP CONSTRAINT c", order: "id", rows: "1|2"},
}

func TestAlterOnPostgres(t *testing.T) {
	target, d := newPostgresServer(t), plainPostgres(t)
	for _, s := range schemaServers(t) {
		t.Run(s.name, func(t *testing.T) {
			s.fresh(t, schemaFrom)
			target.fresh(t, d, schemaTo)
			name := schema.Name{Database: schemaFrom, Table: "t"}
			s.exec(t, "CREATE TABLE "+mysql.Quoted(name)+" (id int PRIMARY KEY, label varchar(200), code int, born "+
				"date, UNIQUE KEY code (code), KEY label (label)) CHARSET utf8mb4 COLLATE utf8mb4_bin")
			plan := func() *schema.Table {
				to := schema.Name{Database: schemaTo, Table: name.Table}
				table, _, err := d.Map(s.read(t, name), to, func(n schema.Name) schema.Name { return n })
				require.NoError(t, err)
				return table
			}
			now := plan()
			target.exec(t, d.CreateTable(now, false)...)
			for _, c := range postgresAlters {
				if c.insert != "" {
					target.exec(t, "SET a.b = ''")
					_, err := target.conn.Exec(t.Context(), "INSERT INTO \""+schemaTo+"\".t VALUES "+c.insert)
					require.NoError(t, err)
				}
				from := now.Name
				s.exec(t, "ALTER TABLE "+mysql.Quoted(name)+" "+c.change)
				if c.to != "" {
					name.Table = c.to
				}
				now = plan()
				former := map[string]string{}
				for i := range now.Columns {
					former[now.Columns[i].Name] = now.Columns[i].Name
				}
				for word := range strings.FieldsSeq(c.renamed) {
					new, old, _ := strings.Cut(word, "<")
					former[new] = old
				}
				got := target.read(t, from)
				for column, was := range former {
					if got.Column(was) < 0 {
						delete(former, column)
					}
				}
				statements, err := d.Alter(got, now, former, nil)
				require.NoError(t, err, c.change)
				target.exec(t, statements...)
				got = target.read(t, now.Name)
				require.NotNil(t, got)
				require.Empty(t, d.Differences(now, got, true, true), "%s\n%s", c.change, strings.Join(statements,
					"\n"))
				again, err := d.Alter(got, now, identityOf(now), nil)
				require.NoError(t, err)
				assert.Empty(t, again)
				assert.Equal(t, c.rows, target.rows(t, now.Name, c.order), c.change)
			}
		})
	}
}

func identityOf(t *schema.Table) map[string]string {
	former := map[string]string{}
	for i := range t.Columns {
		former[t.Columns[i].Name] = t.Columns[i].Name
	}
	return former
}

// rows returns columns of a table as text, a row after the other, sorted.
func (s *postgresServer) rows(t *testing.T, name schema.Name, columns string) string {
	t.Helper()
	texts := strings.ReplaceAll("coalesce("+strings.ReplaceAll(columns, ", ", "::text, 'NULL'), coalesce(")+
		"::text, 'NULL')", "\n", "")
	var rows string
	require.NoError(t, s.conn.QueryRow(t.Context(), "SELECT string_agg(r, '|' ORDER BY r) FROM (SELECT concat_ws(' ', "+
		texts+") AS r FROM \""+name.Database+"\".\""+name.Table+"\") x").Scan(&rows))
	return rows
}
