package statements

var columns = []Case{
	both("add a column", plain, "ALTER TABLE t ADD COLUMN d INT"),
	both("add a column without the word", plain, "alter table t add d int not null default 7"),
	both("add a column first", plain, "ALTER TABLE t ADD COLUMN d VARCHAR(5) DEFAULT 'q' FIRST"),
	both("add a column after another", plain, "ALTER TABLE t ADD COLUMN d BIGINT UNSIGNED NOT NULL DEFAULT "+
		"18446744073709551615 AFTER a"),
	both("add columns in parentheses", plain, "ALTER TABLE t ADD COLUMN (d INT, e TEXT, KEY (d))"),
	both("add columns after each other", plain, "ALTER TABLE t ADD d INT AFTER id, ADD e INT AFTER d, ADD f INT "+
		"FIRST, ADD g INT"),
	both("add a column with the clock as default", plain, "ALTER TABLE t ADD COLUMN made DATETIME(3) NOT NULL "+
		"DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)"),
	both("add a timestamp", plain, "ALTER TABLE t ADD COLUMN made TIMESTAMP NOT NULL DEFAULT NOW(), ADD COLUMN seen "+
		"TIMESTAMP NULL"),
	both("add a bare timestamp", plain, "ALTER TABLE t ADD COLUMN made TIMESTAMP"),
	both("add a virtual column", plain, "ALTER TABLE t ADD COLUMN twice INT AS (a * 2) VIRTUAL"),
	both("add a stored column", plain, "ALTER TABLE t ADD COLUMN loud VARCHAR(50) GENERATED ALWAYS AS "+
		"(CONCAT(UPPER(b), '-', id)) STORED AFTER id"),
	both("add an indexed virtual column", plain, "ALTER TABLE t ADD COLUMN twice INT AS (a + id), ADD KEY (twice)"),
	both("add a unique column", plain, "ALTER TABLE t ADD COLUMN u INT UNIQUE COMMENT 'it''s \\\\ unique'"),
	both("add a column with a comment", plain, `ALTER TABLE t ADD COLUMN u INT COMMENT "say ""hi"" -- no"`),
	both("add an invisible column", plain, "ALTER TABLE t ADD COLUMN hid INT INVISIBLE"),
	both("add a column with an expression as default", plain, "ALTER TABLE t ADD COLUMN e INT DEFAULT (1 + 2)"),
	onlyMariaDB("add a column whose default differs from row to row", plain,
		"ALTER TABLE t ADD COLUMN r DOUBLE DEFAULT (RAND())").opaque(),
	both("add a counter to a table with a key", plain, "ALTER TABLE t ADD COLUMN n INT NOT NULL AUTO_INCREMENT UNIQUE"),
	both("add a counter to a table without a key", "CREATE TABLE t (a INT);\nINSERT INTO t VALUES (3), (1), (3);\n",
		"ALTER TABLE t ADD COLUMN id INT NOT NULL AUTO_INCREMENT PRIMARY KEY").opaque(),
	both("add a serial", plain, "ALTER TABLE t ADD COLUMN s SERIAL"),
	both("drop a column", plain, "ALTER TABLE t DROP COLUMN c"),
	both("drop a column that is in an index of its own", plain, "ALTER TABLE t DROP COLUMN a"),
	both("drop a column out of a wider index", "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, c INT, KEY abc (a, "+
		"b, c), KEY ba (b, a));\nINSERT INTO t VALUES (1, 2, 3, 4), (2, 2, 3, NULL);\n",
		"ALTER TABLE t DROP a, DROP c"),
	both("drop and add a column of one name", plain, "ALTER TABLE t DROP COLUMN a, ADD COLUMN a VARCHAR(5) "+
		"DEFAULT 'new'"),
	both("drop several columns", plain, "ALTER TABLE t DROP COLUMN a, DROP COLUMN c, DROP KEY ub"),
	both("drop a column with its check", "CREATE TABLE t (id INT PRIMARY KEY, a INT CHECK (a > 0), b INT, CHECK (a < "+
		"100));\nINSERT INTO t VALUES (1, 2, 3);\n", "ALTER TABLE t DROP COLUMN a"),
	both("rename a column", plain, "ALTER TABLE t RENAME COLUMN a TO alpha"),
	both("rename two columns into each other", plain, "ALTER TABLE t RENAME COLUMN a TO id, RENAME COLUMN id TO a"),
	both("rename three columns in a ring", "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, c INT, KEY (a), KEY bc "+
		"(b, c));\nINSERT INTO t VALUES (1, 10, 20, 30), (2, 11, 21, 31);\n",
		"ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO c, RENAME COLUMN c TO a"),
	both("rename the case of a column", plain, "ALTER TABLE t RENAME COLUMN a TO A"),
	both("rename the key column", plain, "ALTER TABLE t CHANGE id number INT NOT NULL"),
	both("rename a column and add one of its old name", plain, "ALTER TABLE t CHANGE a old_a INT, ADD a INT DEFAULT 3"),
	both("rename a column and stand another after it", plain, "ALTER TABLE t CHANGE a z INT, ADD y INT AFTER z"),
	onlyMariaDB("rename a column that others compute with", "CREATE TABLE t (id INT PRIMARY KEY, a INT, v INT AS (a "+
		"+ 1), s INT AS (a * id) STORED, CHECK (a < 1000), d INT DEFAULT (a + 1));\nINSERT INTO t (id, a) VALUES "+
		"(1, 2);\n", "ALTER TABLE t RENAME COLUMN a TO alpha", "ALTER TABLE t CHANGE alpha beta INT"),
	both("change a column's name and type", plain, "ALTER TABLE t CHANGE COLUMN a amount BIGINT"),
	both("change a column's place", plain, "ALTER TABLE t MODIFY COLUMN c DATETIME FIRST, MODIFY a INT AFTER b"),
	both("change places of columns by each other", plain, "ALTER TABLE t MODIFY a INT AFTER c, MODIFY b VARCHAR(20) "+
		"NOT NULL AFTER a"),
	both("widen an integer", plain, "ALTER TABLE t MODIFY a BIGINT, MODIFY id BIGINT NOT NULL"),
	both("narrow an integer", plain, "ALTER TABLE t MODIFY a SMALLINT"),
	both("make an integer a string", plain, "ALTER TABLE t MODIFY a VARCHAR(30)"),
	both("make an integer a decimal", plain, "ALTER TABLE t MODIFY a DECIMAL(12,3)"),
	both("lengthen a string", plain, "ALTER TABLE t MODIFY b VARCHAR(200) NOT NULL DEFAULT 'y'"),
	both("shorten a string", plain, "ALTER TABLE t MODIFY b VARCHAR(7) NOT NULL"),
	both("make a string fixed", plain, "ALTER TABLE t MODIFY b CHAR(12) NOT NULL"),
	both("make a string binary", plain, "ALTER TABLE t MODIFY b VARBINARY(80) NOT NULL"),
	both("make a string a text with an index prefix", "CREATE TABLE t (id INT PRIMARY KEY, b VARCHAR(20), KEY pre "+
		"(b(5)));\nINSERT INTO t VALUES (1, 'hello world');\n", "ALTER TABLE t MODIFY b TEXT"),
	both("shorten a string under its index prefix", "CREATE TABLE t (id INT PRIMARY KEY, b VARCHAR(20), KEY pre "+
		"(b(10)));\nINSERT INTO t VALUES (1, 'hi');\n", "ALTER TABLE t MODIFY b VARCHAR(8)",
		"ALTER TABLE t MODIFY b VARCHAR(30)"),
	both("give a time fractions and take them", plain, "ALTER TABLE t MODIFY c DATETIME(6)",
		"ALTER TABLE t MODIFY c DATETIME(2)", "ALTER TABLE t MODIFY c DATE"),
	both("forbid NULL", plain, "ALTER TABLE t MODIFY id INT NOT NULL, MODIFY b VARCHAR(20) NOT NULL DEFAULT 'x'",
		"UPDATE t SET a = 0 WHERE a IS NULL", "ALTER TABLE t MODIFY a INT NOT NULL"),
	both("allow NULL", plain, "ALTER TABLE t MODIFY b VARCHAR(20) NULL"),
	both("make NULL zero outside of strict mode", plain, "SET sql_mode = ''", "ALTER TABLE t MODIFY a INT NOT NULL"),
	both("cut values outside of strict mode", plain, "SET sql_mode = ''",
		"ALTER TABLE t MODIFY b VARCHAR(2) NOT NULL, MODIFY a TINYINT UNSIGNED"),
	both("set and drop a default", plain, "ALTER TABLE t ALTER COLUMN a SET DEFAULT 5",
		"ALTER TABLE t ALTER b DROP DEFAULT", "ALTER TABLE t ALTER b SET DEFAULT 'it''s'"),
	both("set a default to NULL", plain, "ALTER TABLE t MODIFY a INT DEFAULT 9",
		"ALTER TABLE t ALTER a SET DEFAULT NULL"),
	both("set a default by an expression", plain, "ALTER TABLE t ALTER a SET DEFAULT (2 * 3)"),
	both("drop the default of a column that may be NULL", plain, "ALTER TABLE t ALTER a DROP DEFAULT"),
	onlyMySQL("hide and show a column", plain, "ALTER TABLE t ALTER COLUMN a SET INVISIBLE",
		"ALTER TABLE t ALTER COLUMN a SET VISIBLE"),
	both("make a column the counter", plain, "ALTER TABLE t MODIFY id INT NOT NULL AUTO_INCREMENT",
		"ALTER TABLE t AUTO_INCREMENT = 100, COMMENT 'counts'"),
	both("stop counting", "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT);\nINSERT INTO t (a) VALUES "+
		"(1), (2);\n", "ALTER TABLE t MODIFY id INT NOT NULL"),
	both("everything in one statement", plain, "ALTER TABLE t DROP COLUMN c, ADD COLUMN d INT FIRST, CHANGE a aa "+
		"BIGINT AFTER b, ADD KEY (d, aa), DROP KEY ka, RENAME KEY ub TO uu, ALTER b SET DEFAULT 'z', COMMENT = "+
		"'all', ALGORITHM=COPY"),
	both("nothing", plain, "ALTER TABLE t"),
	both("no change at all", plain, "ALTER TABLE t FORCE", "ALTER TABLE t ENGINE=InnoDB", "ALTER TABLE t MODIFY a INT"),
}
