package statements

var constraints = []Case{
	both("add a foreign key", family+"CREATE TABLE t (id INT PRIMARY KEY, p INT, q INT);\nINSERT INTO t VALUES (1, "+
		"1, 2);\n", "ALTER TABLE t ADD FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE SET NULL",
		"ALTER TABLE t ADD CONSTRAINT ff FOREIGN KEY ix (q) REFERENCES parent (id) ON DELETE RESTRICT, ADD FOREIGN "+
			"KEY nn (id) REFERENCES parent (id) ON UPDATE NO ACTION"),
	both("add a foreign key with its index", family+"CREATE TABLE t (id INT PRIMARY KEY, p INT, q INT);\n",
		"ALTER TABLE t ADD KEY kp (p, q), ADD FOREIGN KEY (p) REFERENCES parent (id)"),
	both("add an index that a foreign key's may give way to", family, "ALTER TABLE child ADD KEY other (parent_id, n)"),
	both("drop a foreign key", family, "ALTER TABLE child DROP FOREIGN KEY named", "ALTER TABLE child DROP KEY named"),
	both("drop a constraint that is a foreign key", family, "ALTER TABLE child DROP CONSTRAINT named"),
	both("drop and add foreign keys", family, "ALTER TABLE child DROP FOREIGN KEY named, ADD CONSTRAINT again "+
		"FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE SET NULL"),
	both("rename a parent", family, "RENAME TABLE parent TO elder"),
	both("rename a child", family, "RENAME TABLE child TO kid", "ALTER TABLE kid ADD FOREIGN KEY (n) REFERENCES "+
		"kid (id)", "ALTER TABLE kid RENAME TO child"),
	both("rename a parent to another database", family, "RENAME TABLE parent TO {other}.parent",
		"RENAME TABLE {other}.parent TO {db}.parent"),
	both("rename a parent without checking", family, "SET foreign_key_checks = 0", "RENAME TABLE parent TO elder",
		"CREATE TABLE parent (id INT NOT NULL PRIMARY KEY, code VARCHAR(10) NOT NULL UNIQUE)",
		"RENAME TABLE parent TO p2, elder TO parent"),
	both("rename a parent's column", family, "ALTER TABLE parent RENAME COLUMN id TO number, RENAME COLUMN code "+
		"TO label"),
	both("rename a child's column", family, "ALTER TABLE child CHANGE parent_id p INT"),
	both("drop a parent without checking", family, "SET foreign_key_checks = 0", "DROP TABLE parent",
		"CREATE TABLE parent (id INT NOT NULL PRIMARY KEY, code VARCHAR(10) NOT NULL UNIQUE)"),
	both("drop a child and its parent", family, "DROP TABLE child, parent"),
	both("a key to itself", "CREATE TABLE t (id INT PRIMARY KEY, up INT, CONSTRAINT self FOREIGN KEY (up) REFERENCES "+
		"t (id));\nINSERT INTO t VALUES (1, NULL), (2, 1);\n", "ALTER TABLE t RENAME COLUMN id TO n",
		"RENAME TABLE t TO u", "ALTER TABLE u DROP FOREIGN KEY self, ADD FOREIGN KEY (up) REFERENCES u (n)"),
	both("foreign keys in CREATE TABLE", family, "CREATE TABLE t (id INT PRIMARY KEY, a INT REFERENCES parent (id), "+
		"b INT, c INT, d INT, CONSTRAINT FOREIGN KEY (b) REFERENCES parent (id), CONSTRAINT cc FOREIGN KEY ii (c) "+
		"REFERENCES parent (id) ON DELETE CASCADE, FOREIGN KEY jj (d) REFERENCES parent (id), KEY (c, d), FOREIGN "+
		"KEY (id) REFERENCES parent (id))"),
	both("a foreign key to another database", "CREATE TABLE {other}.far (id INT PRIMARY KEY);\n",
		"CREATE TABLE t (id INT PRIMARY KEY, f INT, FOREIGN KEY (f) REFERENCES {other}.far (id))",
		"RENAME TABLE t TO {other}.t", "RENAME TABLE {other}.t TO {db}.t, {other}.far TO {db}.far"),
	both("checks", "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT);\nINSERT INTO t VALUES (1, 2, 3);\n",
		"ALTER TABLE t ADD CHECK (a > 0), ADD CONSTRAINT named CHECK (a < b), ADD CONSTRAINT CHECK (b <> 7)",
		"ALTER TABLE t ADD COLUMN c INT CHECK (c > 1)",
		"ALTER TABLE t DROP CONSTRAINT named, ADD CONSTRAINT named CHECK (b > a)"),
	both("checks and a new name of the table", "CREATE TABLE t (id INT PRIMARY KEY, a INT, CHECK (a > 0), CHECK (a < "+
		"99), CONSTRAINT own CHECK (a <> 5));\nINSERT INTO t VALUES (1, 2);\n", "RENAME TABLE t TO u",
		"CREATE TABLE t LIKE u", "ALTER TABLE u DROP CONSTRAINT own, RENAME TO v").stays("MySQL takes a check's name " +
		"once in a database"),
	onlyMySQL("checks that do not hold", "CREATE TABLE t (id INT PRIMARY KEY, a INT, CONSTRAINT k CHECK (a > "+
		"0));\nINSERT INTO t VALUES (1, 2);\n", "ALTER TABLE t ALTER CHECK k NOT ENFORCED",
		"ALTER TABLE t ADD CHECK (a = 7) NOT ENFORCED, ALTER CONSTRAINT k ENFORCED",
		"ALTER TABLE t DROP CHECK k").stays("MariaDB enforces every check"),
	both("checks in CREATE TABLE", "", "CREATE TABLE t (id INT PRIMARY KEY CHECK (id > 0), a INT CHECK (a BETWEEN 1 "+
		"AND 10), b VARCHAR(10), CHECK (b IN ('x', 'y')), CONSTRAINT c2 CHECK (a IS NOT NULL OR b = 'z'))",
		"INSERT INTO t VALUES (1, 2, 'x')"),
	both("a check in words that servers rewrite", "CREATE TABLE t (id INT PRIMARY KEY, a INT);\nINSERT INTO t VALUES "+
		"(1, 2);\n", "ALTER TABLE t ADD CONSTRAINT k CHECK (NOT a > 5)"),
}
