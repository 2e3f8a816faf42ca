package back

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/test/internal/harness"
)

// TestBackForms: what applications write on the new side as text, and the old source keeps in a form of its own, goes
// back: JSON with other blanks, order and numbers, in tables with a key and without, identifiers and addresses in
// capitals. It counts as equal, and what is not is found.
func TestBackForms(t *testing.T) {
	catchUp := []string{"start-replica", "--reverse", "--until-caught-up"}
	t.Run("mysql-1_to_mariadb-1", func(t *testing.T) {
		m := moveOf(t, harness.ToMariaDB, "schema: {allow_losses: [collation, json]}")
		m.Source.Exec(t, "CREATE TABLE "+name+".docs (id INT PRIMARY KEY, d JSON, j JSON AS (JSON_EXTRACT(d, '$.a')) "+
			"STORED)", "CREATE TABLE "+name+".bag (d JSON, n INT)",
			"INSERT INTO "+name+`.docs (id, d) VALUES (1, '{"a": 1}'), (3, '[1.5, 2.0, 1e100]')`,
			"INSERT INTO "+name+`.bag VALUES ('{"a": [1.50]}', 0), (NULL, 0)`)
		m.UpToCutover(t)
		m.Must(t, "cutover", m.Confirm())
		m.Target.Exec(t, "INSERT INTO "+name+`.docs (id, d) VALUES (2, '{"b":1.50, "a":2}'), (4, '{"a":"\\u00e9","a" `+
			`: [ 3 , 4 ]}'), (5, NULL)`,
			"UPDATE "+name+`.docs SET d = ' [ 1 ,2.0, "x\\/y" ]' WHERE id = 1`,
			"INSERT INTO "+name+`.bag VALUES ('{"z":1,  "y":2.50}', 1), ('{"z":1,  "y":2.50}', 1), ('[]', 2)`,
			"UPDATE "+name+".bag SET n = 5 WHERE n = 1 LIMIT 1", "DELETE FROM "+name+".bag WHERE n = 2",
			"UPDATE "+name+`.bag SET d = '{"a":[1.5]}' WHERE d IS NOT NULL AND n = 0`)
		m.Must(t, catchUp...)
		assert.Equal(t, []string{
			`1|[1, 2.0, "x/y"]|NULL`, `2|{"a": 2, "b": 1.50}|2`, `3|[1.5, 2.0, 1e100]|NULL`,
			`4|{"a": [3, 4]}|NULL`, "5|NULL|NULL",
		},
			image(t, m.Source, "docs", "id, COALESCE(CAST(d AS CHAR), 'NULL'), COALESCE(CAST(IF(JSON_TYPE(j) = "+
				"'INTEGER' AND id <> 1, j, NULL) AS CHAR), 'NULL')"))
		assert.Equal(t, []string{`NULL|0`, `{"a": [1.5]}|0`, `{"y": 2.50, "z": 1}|1`, `{"y": 2.50, "z": 1}|5`},
			image(t, m.Source, "bag", "COALESCE(CAST(d AS CHAR), 'NULL'), n"))
		m.Must(t, "verify", "--reverse")
		m.Source.Exec(t, "SET GLOBAL super_read_only = 0", "UPDATE "+name+`.docs SET d = JSON_SET(d, '$.b', 1.7) `+
			`WHERE id = 2`, "UPDATE "+name+`.bag SET d = JSON_SET(d, '$.z', 7) WHERE n = 5`,
			"SET GLOBAL super_read_only = 1")
		assert.Contains(t, m.Fails(t, harness.Differs, "verify", "--reverse"), `"differences":3`)
		m.Must(t, "verify", "--reverse", "--repair")
		m.Must(t, "verify", "--reverse")
		m.Must(t, "cutover", "--reverse", m.Confirm())
		assert.Equal(t, `{"a": 2, "b": 1.50}`, m.Source.Text(t, "SELECT CAST(d AS CHAR) FROM "+name+
			".docs WHERE id = 2"))
	})
	t.Run("what is no document there", func(t *testing.T) {
		m := moveOf(t, harness.ToMariaDB, "schema: {allow_losses: [collation, json]}")
		m.Source.Exec(t, "CREATE TABLE "+name+".docs (id INT PRIMARY KEY, d JSON)",
			"INSERT INTO "+name+".docs VALUES (1, '1')")
		m.UpToCutover(t)
		m.Must(t, "cutover", m.Confirm())
		m.Target.Exec(t, "INSERT INTO "+name+".docs VALUES (2, '[1e999]')") // larger than a double
		assert.Contains(t, m.Fails(t, harness.Refused, catchUp...), "Number too big")
		assert.Equal(t, "1", m.Source.Text(t, "SELECT COUNT(*) FROM "+name+".docs"))
	})
	t.Run("mariadb-1_to_mysql-1", func(t *testing.T) {
		m := moveOf(t, harness.ToMySQL, "schema: {allow_losses: [collation, uuid, inet6, inet4]}")
		m.Source.Exec(t, "CREATE TABLE "+name+".hosts (id INT PRIMARY KEY, u UUID, six INET6, four INET4)",
			"CREATE TABLE "+name+".bykey (id UUID PRIMARY KEY, n INT)",
			"INSERT INTO "+name+".hosts VALUES (1, '123e4567-e89b-12d3-a456-426614174000', '::1', '10.0.0.1')")
		check := m.Run(t, "check")
		assert.Contains(t, check.Output(), "bykey")
		assert.Contains(t, check.Output(), "whose text the source writes in one way only")
		m.UpToCutover(t)
		m.Must(t, "cutover", m.Confirm())
		m.Target.Exec(t, "INSERT INTO "+name+".hosts VALUES (2, '123E4567-E89B-12D3-A456-426614174ABC', "+
			"'2001:0DB8::FF00:42:8329', '10.0.0.2')",
			"UPDATE "+name+".hosts SET six = 'FE80:0:0:0:0:0:0:1' WHERE id = 1")
		m.Must(t, catchUp...)
		assert.Equal(t, []string{
			"1|123e4567-e89b-12d3-a456-426614174000|fe80::1|10.0.0.1",
			"2|123e4567-e89b-12d3-a456-426614174abc|2001:db8::ff00:42:8329|10.0.0.2",
		},
			image(t, m.Source, "hosts", "id, u, six, four"))
		m.Must(t, "verify", "--reverse")
		m.Must(t, "cutover", "--reverse", m.Confirm())
	})
}
