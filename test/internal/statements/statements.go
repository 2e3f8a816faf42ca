// Package statements is a table of schema changes: what a server is given before, and the statements. Its one
// invariant: every statement of a case succeeds on every server that the case holds for, and leaves rows in the
// tables that stay.
//
// It runs nothing. One test works out by pkg/ddl what each statement does and compares that with the server; another
// moves the tables while the statements run.
package statements

import "strings"

// Case is a sequence of schema changes in one session.
type Case struct {
	Title   string
	MySQL   bool
	MariaDB bool
	// Setup makes the tables with their rows. It runs in the session's default database {db}.
	Setup []string
	// Statements are the schema changes, with the session settings and row changes that belong to them in between.
	// The session's default database is {db} unless a USE changes it.
	Statements []string
	// Stays tells why the tables or the statements cannot be had on the other family; empty when they can.
	Stays string
	// Opaque tells that the rows after the statements cannot be worked out from those before, so that a move must
	// refuse to go on.
	Opaque bool
	// Barred tells why no move takes a table that the statements make; empty when moves do.
	Barred string
}

// Text returns a statement with its databases' names: {db} is the case's own, which every table is in that does not
// name another, {other} is a second one.
func Text(statement, db, other string) string {
	quote := func(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
	return strings.NewReplacer("{db}", quote(db), "{other}", quote(other)).Replace(statement)
}

// All returns every case. Titles are unique.
func All() []Case {
	var all []Case
	for _, cases := range [][]Case{
		columns, types, indexes, constraints, options, tables, partitions, names, tools,
		families,
	} {
		all = append(all, cases...)
	}
	return all
}

func both(title, setup string, statements ...string) Case {
	return Case{Title: title, MySQL: true, MariaDB: true, Setup: split(setup), Statements: statements}
}

func onlyMySQL(title, setup string, statements ...string) Case {
	c := both(title, setup, statements...)
	c.MariaDB = false
	return c
}

func onlyMariaDB(title, setup string, statements ...string) Case {
	c := both(title, setup, statements...)
	c.MySQL = false
	return c
}

// stays marks a case that cannot cross.
func (c Case) stays(why string) Case {
	c.Stays = why
	return c
}

// barred marks a case that no move follows.
func (c Case) barred(why string) Case {
	c.Barred = why
	return c
}

// opaque marks a case whose rows cannot be worked out.
func (c Case) opaque() Case {
	c.Opaque = true
	return c
}

// split cuts statements at semicolons that end a line.
func split(script string) []string {
	var statements []string
	for _, s := range strings.Split(script, ";\n") {
		if s = strings.TrimSuffix(strings.TrimSpace(s), ";"); s != "" {
			statements = append(statements, s)
		}
	}
	return statements
}

// plain is a table with a key, an index, a unique index and rows.
const plain = `CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a INT, b VARCHAR(20) NOT NULL DEFAULT 'x', c DATETIME,
KEY ka (a), UNIQUE KEY ub (b));
INSERT INTO t VALUES (1, 10, 'one', '2020-01-01 00:00:00'), (2, NULL, 'two', NULL),
(5, -7, 'fünf', '2021-02-03 04:05:06');
`

// family is a parent and a child.
const family = `CREATE TABLE parent (id INT NOT NULL PRIMARY KEY, code VARCHAR(10) NOT NULL, UNIQUE KEY (code));
CREATE TABLE child (id INT NOT NULL PRIMARY KEY, parent_id INT, code VARCHAR(10), n INT,
CONSTRAINT named FOREIGN KEY (parent_id) REFERENCES parent (id), FOREIGN KEY (code) REFERENCES parent (code));
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
INSERT INTO child VALUES (1, 1, 'a', 3), (2, NULL, 'b', 1), (3, 2, NULL, NULL);
`

// ranged is cut by year.
const ranged = `CREATE TABLE p (id INT NOT NULL, y INT NOT NULL, v VARCHAR(10), PRIMARY KEY (id, y))
PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN (2010) COMMENT 'ten',
PARTITION pm VALUES LESS THAN MAXVALUE);
INSERT INTO p VALUES (1, 1999, 'x'), (2, 2005, 'y'), (3, 2020, 'z');
`
