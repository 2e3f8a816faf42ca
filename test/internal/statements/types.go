package statements

var types = []Case{
	both("integers under all names", plain, `ALTER TABLE t ADD n1 INTEGER, ADD n2 INT4 UNSIGNED, ADD n3 MIDDLEINT, `+
		`ADD n4 INT8, ADD n5 BOOL NOT NULL DEFAULT TRUE, ADD n6 BOOLEAN DEFAULT FALSE, ADD n7 INT1, ADD n8 INT(5) `+
		`ZEROFILL, ADD n9 TINYINT(1), ADD n10 BIGINT(20) SIGNED`),
	both("unpadded zerofill", plain, `ALTER TABLE t ADD n1 INT ZEROFILL, ADD n2 BIGINT UNSIGNED ZEROFILL DEFAULT 0012`),
	both("numbers under all names", plain, `ALTER TABLE t ADD n1 DEC, ADD n2 NUMERIC(8,2) DEFAULT '1.50', ADD n3 `+
		`FIXED(5), ADD n4 REAL, ADD n5 DOUBLE PRECISION DEFAULT 1e10, ADD n6 FLOAT(30), ADD n7 FLOAT(7,3), ADD n8 `+
		`FLOAT8, ADD n9 BIT, ADD n10 BIT(9) DEFAULT b'101', ADD n11 DECIMAL(10,3) UNSIGNED DEFAULT 2, ADD n12 YEAR `+
		`DEFAULT 2024`),
	both("strings under all names", plain, `ALTER TABLE t ADD s1 CHARACTER(5), ADD s2 CHARACTER VARYING(6) DEFAULT `+
		`'x', ADD s3 NATIONAL CHAR(3), ADD s4 NCHAR VARCHAR(4), ADD s5 NVARCHAR(5), ADD s6 LONG, ADD s7 LONG `+
		`VARCHAR, ADD s8 LONG VARBINARY, ADD s9 CHAR BYTE, ADD s10 CHAR, ADD s11 VARCHARACTER(9), ADD s12 CHAR `+
		`VARYING(8)`),
	both("texts of a length", plain, "ALTER TABLE t ADD s1 TEXT(20), ADD s2 TEXT(300), ADD s3 TEXT(20000), ADD s4 "+
		"BLOB(100), ADD s5 BLOB(70000), ADD s6 TEXT(63), ADD s7 TEXT(64)"),
	both("character sets of columns", plain, `ALTER TABLE t ADD s1 VARCHAR(5) CHARACTER SET latin1, ADD s2 TEXT `+
		`COLLATE utf8mb4_bin, ADD s3 CHAR(4) CHARSET ascii COLLATE ascii_bin NOT NULL, ADD s4 ENUM('a','b') `+
		`CHARACTER SET latin1 DEFAULT 'B', ADD s5 VARCHAR(5) BINARY, ADD s6 VARCHAR(6) CHARACTER SET binary DEFAULT `+
		`'a', ADD s7 TEXT CHARACTER SET binary, ADD s8 VARCHAR(9) CHARSET utf8, ADD s9 CHAR(2) ASCII`),
	both("enums and sets", plain, `ALTER TABLE t ADD e1 ENUM('a','b''c','d,e','ü') NOT NULL DEFAULT 'ü', ADD e2 `+
		`SET('x','y','z') DEFAULT 'z,x', ADD e3 ENUM('yes','no') DEFAULT 'NO'`),
	both("append and reorder enum labels", "CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a','b'), s "+
		"SET('x','y'));\nINSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'x,y'), (3, NULL, '');\n",
		"ALTER TABLE t MODIFY e ENUM('a','b','c')", "ALTER TABLE t MODIFY s SET('x','y','z')",
		"ALTER TABLE t MODIFY e ENUM('c','b','a')", "ALTER TABLE t MODIFY s SET('y','x','z')"),
	both("literals as defaults", plain, `ALTER TABLE t ADD d1 DATETIME DEFAULT '2020-1-2', ADD d2 DATE DEFAULT `+
		`20200304, ADD d3 DATETIME(3) DEFAULT '2020-01-01 10:00', ADD d4 TIME(2) DEFAULT '-12:00:00', ADD d5 `+
		`VARCHAR(9) DEFAULT 5, ADD d6 VARCHAR(9) DEFAULT 1.50, ADD d7 VARCHAR(9) DEFAULT 0x4142, ADD d8 INT DEFAULT `+
		`0x10, ADD d9 BINARY(4) DEFAULT 'ab', ADD d10 CHAR(5) DEFAULT 'ab  ', ADD d11 INT DEFAULT '007', ADD d12 `+
		`FLOAT DEFAULT -0.5, ADD d13 BIT(8) DEFAULT 5, ADD d14 VARBINARY(9) DEFAULT 'x'`),
	both("strings in pieces", plain, `ALTER TABLE t ADD s VARCHAR(20) DEFAULT 'a' "b" 'c' COMMENT 'two'`),
	both("a document", plain, "ALTER TABLE t ADD j JSON", "ALTER TABLE t ADD k JSON NOT NULL COMMENT 'k' AFTER id",
		"ALTER TABLE t CHANGE j jj JSON").stays("what rows that are there get in a new JSON column differs"),
	both("a document that becomes text", "CREATE TABLE t (id INT PRIMARY KEY, j JSON);\nINSERT INTO t VALUES (1, "+
		"'{\"a\": 1}'), (2, NULL);\n", "ALTER TABLE t MODIFY j LONGTEXT"),
	both("shapes", "CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1);\n",
		"ALTER TABLE t ADD g GEOMETRY, ADD p POINT, ADD l LINESTRING, ADD c GEOMETRYCOLLECTION"),
	onlyMySQL("a point of a reference system", "CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1);\n",
		"ALTER TABLE t ADD p POINT SRID 4326").stays("MariaDB has no SRID of columns"),
	onlyMySQL("a vector", plain, "ALTER TABLE t ADD v VECTOR, ADD w VECTOR(3)").stays("MariaDB 10.11 has no vectors"),
	onlyMariaDB("addresses", plain,
		"ALTER TABLE t ADD u UUID, ADD i INET6, ADD j INET4 NOT NULL DEFAULT '0.0.0.0'").stays(
		"MySQL has no such types"),
	onlyMariaDB("defaults without parentheses", plain, "ALTER TABLE t ADD m VARCHAR(40) DEFAULT CONCAT('a', 'b'), "+
		"ADD x TEXT DEFAULT 'it''s', ADD n INT DEFAULT (a + 1)"),
	onlyMySQL("defaults in parentheses", plain, "ALTER TABLE t ADD m VARCHAR(40) DEFAULT (CONCAT('a', 'b')), ADD j "+
		"JSON DEFAULT (JSON_ARRAY()), ADD x TEXT DEFAULT ('abc')"),
	both("a timestamp with a literal default", plain, "ALTER TABLE t ADD s TIMESTAMP NOT NULL DEFAULT '2001-02-03 "+
		"04:05:06'"),
	both("timestamps under implicit rules",
		"SET SESSION sql_mode = '';\nSET SESSION explicit_defaults_for_timestamp = 0;\n",
		"CREATE TABLE t (a TIMESTAMP, b TIMESTAMP(2), c TIMESTAMP NULL, d DATETIME)",
		"CREATE TABLE u (a TIMESTAMP NULL, b TIMESTAMP DEFAULT 0, c TIMESTAMP)", "INSERT INTO t (d) VALUES (NULL)"),
	both("a column compressed to the same text", plain, "ALTER TABLE t MODIFY b VARCHAR(20) NOT NULL DEFAULT 'x' "+
		"COMMENT 'only this'"),
	both("characters to wider ones", "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(10), x TEXT) DEFAULT "+
		"CHARSET=latin1;\nINSERT INTO t VALUES (1, 'é', 'ü'), (2, 'a', NULL);\n",
		"ALTER TABLE t MODIFY s VARCHAR(10) CHARACTER SET utf8mb4", "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4",
		"ALTER TABLE t MODIFY x MEDIUMTEXT COLLATE utf8mb4_bin"),
	both("characters of a set to its superset", "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(10)) DEFAULT "+
		"CHARSET=utf8mb3;\nINSERT INTO t VALUES (1, 'é');\n",
		"ALTER TABLE t MODIFY s VARCHAR(10) CHARACTER SET utf8mb4"),
}
