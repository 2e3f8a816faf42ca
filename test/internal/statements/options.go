package statements

var options = []Case{
	both("a comment of the table", plain, "ALTER TABLE t COMMENT 'it''s a table'", "ALTER TABLE t COMMENT=''"),
	both("a row format", plain, "ALTER TABLE t ROW_FORMAT=COMPRESSED, KEY_BLOCK_SIZE=8",
		"ALTER TABLE t ROW_FORMAT=DYNAMIC KEY_BLOCK_SIZE=0", "ALTER TABLE t ROW_FORMAT=DEFAULT"),
	both("statistics", plain, "ALTER TABLE t STATS_PERSISTENT=1, STATS_AUTO_RECALC=0 STATS_SAMPLE_PAGES=30",
		"ALTER TABLE t STATS_PERSISTENT=DEFAULT"),
	both("another default character set", plain, "ALTER TABLE t DEFAULT CHARACTER SET latin1",
		"ALTER TABLE t ADD COLUMN s VARCHAR(5)", "ALTER TABLE t COLLATE utf8mb4_bin",
		"ALTER TABLE t ADD COLUMN s2 VARCHAR(5), CHARSET latin2"),
	both("convert to a character set", "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(10), b TEXT, c TINYTEXT, d "+
		"ENUM('x'), e CHAR(3) COLLATE latin1_bin, f BLOB, g MEDIUMTEXT, h VARCHAR(4) CHARACTER SET ascii) DEFAULT "+
		"CHARSET=latin1;\nINSERT INTO t VALUES (1, 'ä', 'ö', 'ü', 'x', 'ß', 'raw', 'm', 'h');\n",
		"ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4",
		"ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
		"ALTER TABLE t CONVERT TO CHARACTER SET utf8mb3"),
	both("convert and add", plain, "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, ADD "+
		"COLUMN s VARCHAR(5), MODIFY b VARCHAR(30) NOT NULL"),
	both("another engine and back", "CREATE TABLE t (id INT PRIMARY KEY, a INT);\nINSERT INTO t VALUES (1, 2);\n",
		"ALTER TABLE t ENGINE=MyISAM", "ALTER TABLE t ENGINE InnoDB").barred("MyISAM has no transactions"),
	both("sort the rows", plain, "ALTER TABLE t ORDER BY a, b DESC"),
	both("keys off and on", plain, "ALTER TABLE t DISABLE KEYS", "ALTER TABLE t ENABLE KEYS"),
	both("options of all kinds", "", "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB AUTO_INCREMENT=7 MIN_ROWS=3, "+
		"MAX_ROWS=1000 AVG_ROW_LENGTH=50 CHECKSUM=0 PACK_KEYS=DEFAULT DELAY_KEY_WRITE=1 COMMENT='c' "+
		"STATS_SAMPLE_PAGES=5", "INSERT INTO t VALUES (1)"),
	both("another database default", "ALTER DATABASE {db} CHARACTER SET latin1 COLLATE latin1_bin;\n",
		"CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(5), x TEXT COLLATE utf8mb4_bin)",
		"CREATE TABLE u (s CHAR(5)) DEFAULT CHARSET=utf8mb4", "CREATE TABLE v (s CHAR(5)) COLLATE=latin1_general_ci",
		"INSERT INTO t VALUES (1, 'ä', 'ö')"),
	both("alter the database", plain, "ALTER DATABASE {db} CHARACTER SET latin1",
		"ALTER TABLE t ADD COLUMN s VARCHAR(5)", "CREATE TABLE u (s VARCHAR(5))"),
	onlyMySQL("options of MySQL", plain, "ALTER TABLE t COMPRESSION='zlib'",
		"ALTER TABLE t COMPRESSION='none'").stays("MariaDB has no such options"),
}

var tables = []Case{
	both("create a table", "", "CREATE TABLE t (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, a VARCHAR(30) DEFAULT "+
		"NULL, b TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, c DECIMAL(10,2) NOT NULL "+
		"DEFAULT 0.00, PRIMARY KEY (id), KEY (a))", "INSERT INTO t (a) VALUES ('x')"),
	both("create a table that is there", plain, "CREATE TABLE IF NOT EXISTS t (other INT)",
		"CREATE TABLE IF NOT EXISTS u (other INT NOT NULL)"),
	both("create a table like another", plain, "CREATE TABLE u LIKE t", "CREATE TABLE {other}.u (LIKE {db}.t)",
		"CREATE TABLE IF NOT EXISTS u LIKE t"),
	both("create a table like a child", family, "CREATE TABLE u LIKE child"),
	both("create a table like a partitioned one", ranged, "CREATE TABLE u LIKE p"),
	both("create a table from a query", plain, "CREATE TABLE u AS SELECT id, b FROM t",
		"CREATE TABLE v (n INT PRIMARY KEY, id INT) SELECT id, id AS n FROM t"),
	both("create a temporary table", plain, "CREATE TEMPORARY TABLE tmp (id INT)", "ALTER TABLE t ADD COLUMN d INT",
		"DROP TEMPORARY TABLE tmp"),
	both("drop a table", plain, "DROP TABLE t"),
	both("drop tables that are there or not", plain+"CREATE TABLE u (a INT);\n",
		"DROP TABLE IF EXISTS absent, t, u CASCADE", "DROP TABLE IF EXISTS t"),
	both("drop a table and create it otherwise", plain, "DROP TABLE t", "CREATE TABLE t (n INT PRIMARY KEY)",
		"INSERT INTO t VALUES (77)"),
	both("truncate a table", plain, "TRUNCATE TABLE t", "TRUNCATE t", "INSERT INTO t (id, b) VALUES (9, 'nine')"),
	both("rename a table", plain, "RENAME TABLE t TO u", "ALTER TABLE u RENAME v", "ALTER TABLE v RENAME AS w",
		"ALTER TABLE w RENAME TO t"),
	both("rename a table to another database", plain, "RENAME TABLE t TO {other}.t",
		"ALTER TABLE {other}.t RENAME TO {db}.u"),
	both("rename and change at once", plain, "ALTER TABLE t ADD COLUMN d INT, RENAME TO u, DROP COLUMN c"),
	both("swap two tables in one statement", plain+"CREATE TABLE u (n INT PRIMARY KEY, z INT);\nINSERT INTO u VALUES "+
		"(1, 2);\n", "RENAME TABLE t TO tmp, u TO t, tmp TO u"),
	both("three tables in a ring", "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY, x "+
		"INT);\nCREATE TABLE c (id INT PRIMARY KEY, y INT);\nINSERT INTO a VALUES (1);\nINSERT INTO b VALUES (2, "+
		"2);\nINSERT INTO c VALUES (3, 3);\n", "RENAME TABLE a TO tmp, b TO a, c TO b, tmp TO c",
		"ALTER TABLE a ADD COLUMN z INT"),
	both("swap two tables that change before and after", plain+"CREATE TABLE u (n INT PRIMARY KEY, z INT);\nINSERT "+
		"INTO u VALUES (1, 2);\n",
		"ALTER TABLE t ADD COLUMN first_t INT", "ALTER TABLE u ADD COLUMN first_u INT",
		"RENAME TABLE t TO tmp, u TO t, tmp TO u",
		"ALTER TABLE t RENAME COLUMN first_u TO second_u", "ALTER TABLE u DROP COLUMN first_t, ADD COLUMN second_t INT",
		"RENAME TABLE u TO w", "CREATE TABLE u (other INT PRIMARY KEY)", "ALTER TABLE u ADD COLUMN o INT"),
	both("rename one away and another in", plain+"CREATE TABLE t_new LIKE t;\nALTER TABLE t_new ADD COLUMN d "+
		"INT;\nINSERT INTO t_new SELECT t.*, 1 FROM t;\n", "RENAME TABLE t TO t_old, t_new TO t", "DROP TABLE t_old"),
	both("rename a table to its own old name again", plain, "RENAME TABLE t TO u",
		"CREATE TABLE t (id INT PRIMARY KEY)", "DROP TABLE t", "RENAME TABLE u TO t"),
	both("drop the other database", "CREATE TABLE {other}.t (id INT PRIMARY KEY);\nINSERT INTO {other}.t VALUES (1);\n",
		"DROP DATABASE {other}", "CREATE DATABASE {other}"),
	both("a view beside", plain, "CREATE VIEW w AS SELECT id FROM t", "RENAME TABLE w TO w2", "DROP VIEW w2"),
	both("many kinds of column at once", "", "CREATE TABLE t (id SERIAL PRIMARY KEY, a BOOL NOT NULL DEFAULT 0, j "+
		"JSON, e ENUM('x','y') DEFAULT 'y', s SET('a','b'), d DECIMAL(5,2) UNSIGNED, f FLOAT, b BLOB, n NCHAR(3), v "+
		"INT AS (a + 1), y YEAR, t TIME(3), bt BIT(3), g GEOMETRY)"),
}

var partitions = []Case{
	both("add a partition", "CREATE TABLE p (id INT NOT NULL, y INT NOT NULL, PRIMARY KEY (id, y)) PARTITION BY "+
		"RANGE (y) (PARTITION p0 VALUES LESS THAN (2000));\nINSERT INTO p VALUES (1, 1999);\n",
		"ALTER TABLE p ADD PARTITION (PARTITION p1 VALUES LESS THAN (2010), PARTITION `p m` VALUES LESS THAN MAXVALUE)",
		"INSERT INTO p VALUES (2, 2005)"),
	both("drop a partition", ranged, "ALTER TABLE p DROP PARTITION p0, p1"),
	both("truncate a partition", ranged, "ALTER TABLE p TRUNCATE PARTITION p1"),
	both("truncate all partitions", ranged, "ALTER TABLE p TRUNCATE PARTITION ALL"),
	both("reorganize partitions", ranged, "ALTER TABLE p REORGANIZE PARTITION pm INTO (PARTITION p2 VALUES LESS THAN "+
		"(2020), PARTITION p3 VALUES LESS THAN (2030), PARTITION pm VALUES LESS THAN MAXVALUE)",
		"ALTER TABLE p REORGANIZE PARTITION p0, p1 INTO (PARTITION early VALUES LESS THAN (2010) COMMENT 'both' "+
			"MAX_ROWS 5)"),
	both("remove partitioning", ranged, "ALTER TABLE p REMOVE PARTITIONING"),
	both("partition a table", "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a INT);\nINSERT INTO t VALUES (1, 2), "+
		"(3, 4);\n", "ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 4", "ALTER TABLE t COALESCE PARTITION 2",
		"ALTER TABLE t ADD PARTITION PARTITIONS 3", "ALTER TABLE t PARTITION BY KEY () PARTITIONS 2",
		"ALTER TABLE t PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN (20))"),
	both("partition by dates", "CREATE TABLE t (id INT NOT NULL, d DATE NOT NULL, PRIMARY KEY (id, d));\nINSERT INTO "+
		"t VALUES (1, '2020-05-05');\n", "ALTER TABLE t PARTITION BY RANGE (TO_DAYS(d)) (PARTITION p0 VALUES LESS "+
		"THAN (TO_DAYS('2020-01-01')), PARTITION p1 VALUES LESS THAN (TO_DAYS('2021-01-01')))",
		"ALTER TABLE t ADD PARTITION (PARTITION p2 VALUES LESS THAN (TO_DAYS('2022-01-01')))",
		"ALTER TABLE t DROP PARTITION p0"),
	both("partition by columns", "CREATE TABLE t (id INT NOT NULL, s VARCHAR(5) NOT NULL, PRIMARY KEY (id, "+
		"s));\nINSERT INTO t VALUES (1, 'x'), (3, 'z');\n",
		"ALTER TABLE t PARTITION BY LIST COLUMNS (id, s) (PARTITION a VALUES IN ((1, 'x'), (2, 'y')), PARTITION b "+
			"VALUES IN ((3, 'z')))", "ALTER TABLE t PARTITION BY RANGE COLUMNS (s) (PARTITION a VALUES LESS THAN "+
			"('m'), PARTITION b VALUES LESS THAN (MAXVALUE))"),
	both("partitions within partitions", "CREATE TABLE t (id INT NOT NULL, y INT NOT NULL, PRIMARY KEY (id, "+
		"y));\nINSERT INTO t VALUES (1, 1);\n", "ALTER TABLE t PARTITION BY RANGE (y) SUBPARTITION BY HASH (id) "+
		"SUBPARTITIONS 2 (PARTITION a VALUES LESS THAN (5), PARTITION b VALUES LESS THAN (10))",
		"ALTER TABLE t DROP PARTITION b"),
	both("exchange a partition", ranged+"CREATE TABLE x (id INT NOT NULL, y INT NOT NULL, v VARCHAR(10), PRIMARY KEY "+
		"(id, y));\nINSERT INTO x VALUES (9, 1990, 'in');\n",
		"ALTER TABLE p EXCHANGE PARTITION p0 WITH TABLE x").opaque(),
	both("rebuild a partition", ranged, "ALTER TABLE p REBUILD PARTITION p0, p1", "ALTER TABLE p ANALYZE PARTITION p0"),
	both("change columns of a partitioned table", ranged, "ALTER TABLE p ADD COLUMN w INT AFTER id, MODIFY v "+
		"VARCHAR(20)", "ALTER TABLE p RENAME COLUMN v TO vv", "ALTER TABLE p ADD KEY (w)"),
	both("create a partitioned table", "", "CREATE TABLE t (id INT PRIMARY KEY) PARTITION BY LINEAR HASH (id) "+
		"PARTITIONS 3", "CREATE TABLE u (a INT, b INT) PARTITION BY LIST (a) (PARTITION x VALUES IN (1, -2, NULL), "+
		"PARTITION y VALUES IN (3))", "INSERT INTO t VALUES (1), (2)"),
	both("partitions by a function of a time", "CREATE TABLE t (id INT NOT NULL, s TIMESTAMP NOT NULL DEFAULT "+
		"CURRENT_TIMESTAMP, PRIMARY KEY (id, s));\nINSERT INTO t (id) VALUES (1);\n",
		"ALTER TABLE t PARTITION BY RANGE (UNIX_TIMESTAMP(s)) (PARTITION p0 VALUES LESS THAN "+
			"(UNIX_TIMESTAMP('2020-01-01 00:00:00')), PARTITION p1 VALUES LESS THAN MAXVALUE)").stays(
		"partitions by UNIX_TIMESTAMP are read in the session's time zone"),
	onlyMariaDB("partitions become tables and back", "CREATE TABLE p (id INT NOT NULL, y INT NOT NULL, PRIMARY KEY "+
		"(id, y)) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN "+
		"(2010));\nINSERT INTO p VALUES (1, 2005);\n", "ALTER TABLE p CONVERT PARTITION p1 TO TABLE p1t",
		"ALTER TABLE p CONVERT TABLE p1t TO PARTITION pz VALUES LESS THAN (2020)").opaque().stays(
		"MySQL has no CONVERT PARTITION"),
}
