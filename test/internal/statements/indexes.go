package statements

var indexes = []Case{
	both("create an index", plain, "CREATE INDEX i ON t (a, b)"),
	both("create a unique index", plain, "CREATE UNIQUE INDEX i USING BTREE ON t (a) COMMENT 'one' ALGORITHM=INPLACE "+
		"LOCK=NONE"),
	both("create an index over prefixes", plain, "CREATE INDEX i ON t (b(5), a)"),
	both("create an index over a whole column by its length", plain, "CREATE INDEX i ON t (b(20))"),
	both("create a fulltext index", plain, "CREATE FULLTEXT INDEX ft ON t (b)"),
	both("create a spatial index", "CREATE TABLE t (id INT PRIMARY KEY, g POINT NOT NULL);\nINSERT INTO t VALUES (1, "+
		"POINT(1, 2));\n", "CREATE SPATIAL INDEX sp ON t (g)"),
	both("create a descending index", plain, "CREATE INDEX i ON t (a DESC, b ASC)"),
	onlyMySQL("create a functional index", plain, "CREATE INDEX i ON t ((a + 1), b)",
		"ALTER TABLE t ADD KEY ((LOWER(b))), ADD KEY ((a * 2))").stays("MariaDB has no functional indexes"),
	both("drop an index", plain, "DROP INDEX ka ON t", "ALTER TABLE t DROP KEY ub"),
	both("add indexes without names", plain, "ALTER TABLE t ADD KEY (a), ADD INDEX (a, c), ADD UNIQUE (a), ADD "+
		"UNIQUE KEY (c, id)"),
	both("add an index of a name that a generated one has", "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, KEY "+
		"a_2 (b));\nINSERT INTO t VALUES (1, 2, 3);\n", "ALTER TABLE t ADD KEY (a), ADD KEY (a), ADD KEY (a, b)"),
	both("rename an index", plain, "ALTER TABLE t RENAME INDEX ka TO kb, RENAME KEY ub TO ka"),
	onlyMySQL("hide an index", plain, "ALTER TABLE t ALTER INDEX ka INVISIBLE, ADD KEY h (c) INVISIBLE",
		"ALTER TABLE t ALTER INDEX ka VISIBLE"),
	onlyMariaDB("ignore an index", plain, "ALTER TABLE t ALTER INDEX ka IGNORED, ADD KEY h (c) IGNORED",
		"ALTER TABLE t ALTER KEY ka NOT IGNORED"),
	both("drop and add an index of one name", plain, "ALTER TABLE t DROP INDEX ka, ADD INDEX ka (a, c)"),
	both("add a primary key", "CREATE TABLE t (a INT, b INT DEFAULT 5);\nINSERT INTO t VALUES (1, 2), (3, 4);\n",
		"ALTER TABLE t ADD PRIMARY KEY (a)", "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY pk USING BTREE (b, a)"),
	both("drop the primary key", plain, "ALTER TABLE t DROP PRIMARY KEY"),
	both("drop the primary key by its index", plain, "DROP INDEX `PRIMARY` ON t"),
	both("exchange primary and unique key", plain, "ALTER TABLE t DROP PRIMARY KEY, DROP KEY ub, ADD PRIMARY KEY "+
		"(b), ADD UNIQUE KEY (id)"),
	both("an index with a block size", plain, "ALTER TABLE t ADD KEY k (c) KEY_BLOCK_SIZE=8 COMMENT 'it''s'"),
	both("an index said to be a hash", plain, "ALTER TABLE t ADD KEY k (c) USING HASH"),
	onlyMySQL("a fulltext index with a parser", plain,
		"ALTER TABLE t ADD FULLTEXT KEY ft (b) WITH PARSER ngram").stays("MariaDB has no such parser"),
	onlyMariaDB("a unique index over a text", "CREATE TABLE t (id INT PRIMARY KEY, x TEXT);\nINSERT INTO t VALUES "+
		"(1, 'a');\n", "ALTER TABLE t ADD UNIQUE (x)").stays("MySQL has no unique index over a whole text"),
	both("a unique index over several columns loses one", "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, KEY k "+
		"(a, b));\nINSERT INTO t VALUES (1, 2, 3), (2, 3, 3);\n", "ALTER TABLE t DROP COLUMN b, ADD UNIQUE KEY uk (a)"),
	both("indexes in CREATE TABLE", "", "CREATE TABLE t (id INT PRIMARY KEY, a INT UNIQUE, b INT UNIQUE KEY, c INT, "+
		"s VARCHAR(10), UNIQUE (a, b), KEY (c), INDEX (c, a), KEY c_9 (b), CONSTRAINT uu UNIQUE KEY kk (c), "+
		"CONSTRAINT vv UNIQUE (c, b), FULLTEXT (s), UNIQUE (s(4)))", "INSERT INTO t (id) VALUES (1)"),
}
