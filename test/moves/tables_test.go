package moves

import (
	"fmt"
	"strings"
	"testing"
)

// table is one of the tables that are moved, with what it takes to fill it and to compare it.
type table struct {
	name   string
	key    string // its key's columns
	create string // after CREATE TABLE name
	fill   string // columns = expressions of n, which runs from 0
	factor int    // rows per row asked for, in percent
}

// tables are the shapes of keys that rows are told apart by, and everything that gets in the way: other unique keys,
// foreign keys, keys that are equal to the server and unequal in bytes.
func tables() []table {
	return []table{
		{
			"ints", "id",
			`(id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, worker INT NOT NULL, n BIGINT NULL, t VARCHAR(200) NULL,
			d DECIMAL(20,4) NULL, at DATETIME(6) NULL, KEY worker_n (worker, n), KEY t (t(20)))`,
			"id = n * 3 - 500, worker = n % 5, n = CRC32(n), t = REPEAT(CHAR(97 + n % 26), n % 90), d = n / 7, at = " +
				"'2024-01-01' + INTERVAL n SECOND", 100,
		},
		{
			"composites", "a, b", `(b SMALLINT NOT NULL, v VARCHAR(100) NULL, a INT NOT NULL, PRIMARY KEY (a, b))`,
			"a = n DIV 20, b = n % 20 - 10, v = HEX(CRC32(n))", 60,
		},
		{
			"words", "w", `(w VARCHAR(40) COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, n INT NULL, t TEXT NULL)`,
			"w = CONCAT(IF(n % 2, 'Wort-', 'wort-'), LPAD(n, 6, '0')), n = n, " +
				"t = IF(n % 7, REPEAT('é ', n % 50), NULL)", 50,
		},
		{
			"bins", "k", `(k VARBINARY(16) NOT NULL PRIMARY KEY, v BLOB NULL, n INT NULL)`,
			"k = UNHEX(CONCAT(LPAD(HEX(CRC32(n)), 8, '0'), LPAD(HEX(n), 6, '0'), '00')), v = UNHEX(LPAD(HEX(n), 8, " +
				"'0')), n = n", 50,
		},
		{
			"codes", "code", `(n INT NULL, code VARCHAR(20) NOT NULL, t VARCHAR(60) NULL, UNIQUE KEY code (code))`,
			"code = CONCAT('c', n * 2), n = n, t = CONCAT('text ', n)", 50,
		},
		{
			"seats", "id",
			`(id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, line INT NULL, seat INT NULL, guest VARCHAR(40) NULL,
			touched INT NOT NULL DEFAULT 0,
			UNIQUE KEY place (line, seat), UNIQUE KEY guest (guest))`,
			"id = n + 1, line = n DIV 30, seat = n % 30, guest = CONCAT('guest ', n)", 50,
		},
		{
			"parents", "id", `(id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60) NOT NULL)`,
			"id = n + 1, name = CONCAT('parent ', n)", 10,
		},
		{
			"children", "id",
			`(id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, parent_id BIGINT UNSIGNED NOT NULL, no INT NOT NULL,
			KEY parent (parent_id),
			CONSTRAINT FOREIGN KEY (parent_id) REFERENCES parents (id))`,
			"id = n + 1, parent_id = n DIV 4 + 1, no = n % 4", 40,
		},
		{"marks", "id", `(id INT NOT NULL PRIMARY KEY)`, "", 0},
	}
}

// fill makes the tables of a move on the source, the largest with about so many rows.
func (m *move) fill(t *testing.T, rows int) {
	t.Helper()
	for _, x := range tables() {
		m.fillOne(t, x, rows)
	}
	m.source.Exec(t, "ANALYZE TABLE "+quote(m.Name)+".ints") // the next automatic value and estimates
}

// fillOne makes one of the tables.
func (m *move) fillOne(t *testing.T, x table, rows int) {
	t.Helper()
	name := quote(m.Name) + "." + quote(x.name)
	create := strings.ReplaceAll(x.create, "REFERENCES ", "REFERENCES "+quote(m.Name)+".")
	m.source.Exec(t, "CREATE TABLE "+name+" "+create+" ENGINE=InnoDB")
	n := rows * x.factor / 100
	if n == 0 {
		return
	}
	var columns, values []string
	for _, assignment := range strings.Split(x.fill, ", ") {
		column, value, ok := strings.Cut(assignment, " = ")
		if !ok { // a comma within an expression
			values[len(values)-1] += ", " + assignment
			continue
		}
		columns, values = append(columns, column), append(values, value)
	}
	m.source.Exec(t, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s", name, strings.Join(columns, ", "),
		strings.Join(values, ", "), numbers(n)))
}

// numbers is a derived table with n from 0 to count-1, for counts up to a million.
func numbers(count int) string {
	digits := "(SELECT 0 d"
	for i := 1; i < 10; i++ {
		digits += fmt.Sprintf(" UNION ALL SELECT %d", i)
	}
	digits += ")"
	return fmt.Sprintf("(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d AS n FROM "+
		"%[1]s a, %[1]s b, %[1]s c, %[1]s e, %[1]s f, %[1]s g HAVING n < %[2]d) AS numbers", digits, count)
}
