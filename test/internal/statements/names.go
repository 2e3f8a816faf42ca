package statements

const odd = "CREATE TABLE `a.b ``c`` é€` (`my id` INT PRIMARY KEY, `ti``ck` INT, `select` INT, KEY `k, ``(` " +
	"(`select`));\nINSERT INTO `a.b ``c`` é€` VALUES (1, 2, 3);\n"

var names = []Case{
	both("quoted names", plain, "ALTER TABLE `t` ADD COLUMN `d` INT", "ALTER TABLE {db}.`t` DROP COLUMN `d`"),
	both("names with dots, backticks, spaces and letters of all kinds", odd,
		"ALTER TABLE `a.b ``c`` é€` ADD COLUMN `x.yé€` INT AFTER `ti``ck`, CHANGE `select` `from``` BIGINT, ADD KEY "+
			"(`x.yé€`)", "RENAME TABLE `a.b ``c`` é€` TO `d``.``e`", "ALTER TABLE `d``.``e` DROP COLUMN `ti``ck`",
		"TRUNCATE `d``.``e`"),
	onlyMySQL("an emoji in a name, which MySQL makes a question mark", plain,
		"ALTER TABLE t ADD COLUMN `a 🚢` INT DEFAULT 5 COMMENT '🚢'", "CREATE TABLE 🚢 (id INT PRIMARY KEY)"),
	both("names that begin with digits", "", "CREATE TABLE 2020_orders (1st INT PRIMARY KEY, 2e INT)",
		"ALTER TABLE {db}.`2020_orders` ADD 3rd INT AFTER 1st, DROP 2e", "RENAME TABLE 2020_orders TO 9lives"),
	both("reserved words as names", "CREATE TABLE `table` (`key` INT PRIMARY KEY, `index` INT, `order` INT);\nINSERT "+
		"INTO `table` VALUES (1, 2, 3);\n", "ALTER TABLE `table` ADD `column` INT, ADD INDEX `index` (`index`), DROP "+
		"`order`", "ALTER TABLE `table` RENAME COLUMN `index` TO `after`"),
	both("keywords as names without quotes", "CREATE TABLE t (id INT PRIMARY KEY, comment VARCHAR(9), status INT, "+
		"type INT, date DATE);\nINSERT INTO t VALUES (1, 'x', 2, 3, NULL);\n",
		"ALTER TABLE t ADD action INT, DROP COLUMN type, MODIFY comment TEXT, CHANGE status state INT AFTER id, "+
			"RENAME COLUMN date TO day"),
	both("the longest names", "", "CREATE TABLE x123456789012345678901234567890123456789012345678901234567890xyz "+
		"(y123456789012345678901234567890123456789012345678901234567890xyz INT PRIMARY KEY)",
		"ALTER TABLE x123456789012345678901234567890123456789012345678901234567890xyz ADD z INT"),
	both("double quotes as ANSI has them", plain, "SET sql_mode = 'ANSI_QUOTES'",
		`ALTER TABLE "t" ADD COLUMN "d ""q""" VARCHAR(5) DEFAULT 'x"y', ADD KEY "k`+"`"+`k" (a)`,
		"SET sql_mode = DEFAULT", `ALTER TABLE t ADD COLUMN e VARCHAR(5) DEFAULT "it's"`),
	both("backslashes that escape nothing", plain, "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
		`ALTER TABLE t ADD COLUMN d VARCHAR(9) DEFAULT 'a\b' COMMENT 'c:\dir\'`, "SET sql_mode = DEFAULT",
		`ALTER TABLE t ADD COLUMN e VARCHAR(9) DEFAULT 'a\\b'`),
	both("comments everywhere", plain, "/* first */ ALTER /* ; */ TABLE t -- the table\n ADD # a column\n COLUMN d "+
		"/* of */ INT /* 'quoted */ , DROP COLUMN /*!c */ -- end"),
	both("versioned comments", plain, "ALTER TABLE t /*!40000 ADD COLUMN d INT, */ /*!99999 nonsense */ ADD COLUMN e "+
		"INT /*!50000 NOT NULL DEFAULT 3 */"),
	both("a whole statement in a versioned comment", plain, "/*!40000 ALTER TABLE t ADD COLUMN d INT */"),
	onlyMariaDB("comments of MariaDB", plain, "ALTER TABLE t ADD COLUMN d INT /*M!100000 DEFAULT 7 */ /*!50701 "+
		"nonsense */"),
	onlyMySQL("comments of MariaDB are none of MySQL's", plain, "ALTER TABLE t ADD COLUMN d INT /*M!100000 DEFAULT 7 "+
		"*/ /*!50701 DEFAULT 8 */"),
	both("odd blanks and a semicolon", plain, "  \t\nALTER\r\nTABLE\tt\fADD  COLUMN\n\nd INT ;"),
	both("another default database", plain, "USE {other}", "ALTER TABLE {db}.t ADD COLUMN d INT",
		"CREATE TABLE t (n INT)", "RENAME TABLE t TO {db}.u",
		"CREATE TABLE {db}.child (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES {db}.t (id))",
		"DROP TABLE {db}.u"),
	both("a qualified name with blanks around the dot", plain, "ALTER TABLE {db} . t ADD COLUMN d INT",
		"CREATE INDEX i ON {db}. `t` (a)"),
	both("a table of the same name in another database", plain+"CREATE TABLE {other}.t (id INT PRIMARY KEY);\n",
		"ALTER TABLE {other}.t ADD COLUMN d INT", "DROP TABLE {other}.t"),
	both("column names in another case", plain, "ALTER TABLE t MODIFY A BIGINT, DROP COLUMN C, ADD KEY (B, Id)"),
}
