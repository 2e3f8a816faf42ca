package statements

const orders = "CREATE TABLE orders (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer INT, total DECIMAL(8,2), " +
	"KEY (customer));\nINSERT INTO orders (customer, total) VALUES (1, 9.99), (2, 1.50), (NULL, NULL);\n"

var tools = []Case{
	both("gh-ost", orders,
		"CREATE /* gh-ost */ TABLE {db}.`_orders_ghc` (id BIGINT UNSIGNED AUTO_INCREMENT, last_update TIMESTAMP NOT "+
			"NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, hint VARCHAR(64) CHARSET ascii NOT NULL, "+
			"value VARCHAR(4096) CHARSET ascii NOT NULL, PRIMARY KEY(id), UNIQUE KEY hint_uidx(hint)) "+
			"AUTO_INCREMENT=256",
		"CREATE /* gh-ost */ TABLE {db}.`_orders_gho` LIKE {db}.`orders`",
		"ALTER /* gh-ost */ TABLE {db}.`_orders_gho` ADD COLUMN note VARCHAR(100) NOT NULL DEFAULT '', DROP "+
			"COLUMN total",
		"INSERT /* gh-ost {db}.`orders` */ IGNORE INTO {db}.`_orders_gho` (`id`, `customer`) (SELECT `id`, "+
			"`customer` FROM {db}.`orders` FORCE INDEX (`PRIMARY`))",
		"CREATE /* gh-ost */ TABLE {db}.`_orders_del` (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB "+
			"COMMENT='ghost-cut-over-sentry'",
		"DROP /* gh-ost */ TABLE IF EXISTS {db}.`_orders_del`",
		"RENAME /* gh-ost */ TABLE {db}.`orders` TO {db}.`_orders_del`, {db}.`_orders_gho` TO {db}.`orders`",
		"DROP /* gh-ost */ TABLE IF EXISTS {db}.`_orders_ghc`", "DROP /* gh-ost */ TABLE IF EXISTS {db}.`_orders_del`"),
	both("pt-online-schema-change", orders,
		"CREATE TABLE {db}.`_orders_new` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `customer` int DEFAULT NULL,\n  "+
			"`total` decimal(8,2) DEFAULT NULL,\n  PRIMARY KEY (`id`),\n  KEY `customer` (`customer`)\n) "+
			"ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4",
		"ALTER TABLE {db}.`_orders_new` ADD COLUMN note TEXT, ADD KEY (total)",
		"CREATE TRIGGER `pt_osc_orders_ins` AFTER INSERT ON {db}.`orders` FOR EACH ROW REPLACE INTO "+
			"{db}.`_orders_new` (`id`, `customer`, `total`) VALUES (NEW.`id`, NEW.`customer`, NEW.`total`)",
		"INSERT LOW_PRIORITY IGNORE INTO {db}.`_orders_new` (`id`, `customer`, `total`) SELECT `id`, `customer`, "+
			"`total` FROM {db}.`orders` LOCK IN SHARE MODE /*pt-online-schema-change 123 copy table*/",
		"RENAME TABLE {db}.`orders` TO {db}.`_orders_old`, {db}.`_orders_new` TO {db}.`orders`",
		"DROP TABLE IF EXISTS {db}.`_orders_old`"),
	both("pt-online-schema-change with children", orders+"CREATE TABLE items (id INT PRIMARY KEY, order_id INT, "+
		"CONSTRAINT items_order FOREIGN KEY (order_id) REFERENCES orders (id));\nINSERT INTO items VALUES (1, 1), "+
		"(2, 2);\n",
		"CREATE TABLE {db}.`_orders_new` LIKE {db}.`orders`",
		"ALTER TABLE {db}.`_orders_new` MODIFY total DECIMAL(12,2)",
		"INSERT INTO {db}.`_orders_new` SELECT * FROM {db}.`orders`",
		"RENAME TABLE {db}.`orders` TO {db}.`_orders_old`, {db}.`_orders_new` TO {db}.`orders`",
		"ALTER TABLE {db}.`items` DROP FOREIGN KEY `items_order`, ADD CONSTRAINT `_items_order` FOREIGN KEY "+
			"(`order_id`) REFERENCES {db}.`orders` (`id`)", "DROP TABLE IF EXISTS {db}.`_orders_old`"),
	both("pt-online-schema-change that drops and swaps", orders, "CREATE TABLE {db}.`_orders_new` LIKE {db}.`orders`",
		"ALTER TABLE {db}.`_orders_new` ENGINE=InnoDB, ADD COLUMN z INT",
		"INSERT INTO {db}.`_orders_new` SELECT o.*, 0 FROM {db}.`orders` o", "SET foreign_key_checks=0",
		"DROP TABLE IF EXISTS {db}.`orders`", "RENAME TABLE {db}.`_orders_new` TO {db}.`orders`"),
	both("a migration framework", "CREATE TABLE `schema_migrations` (`version` varchar(255) NOT NULL PRIMARY "+
		"KEY);\nINSERT INTO schema_migrations VALUES ('1');\n",
		"CREATE TABLE `users` (`id` bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, `email` varchar(255) NOT NULL, "+
			"`created_at` datetime(6) NOT NULL, `updated_at` datetime(6) NOT NULL)",
		"CREATE UNIQUE INDEX `index_users_on_email` ON `users` (`email`)",
		"ALTER TABLE `users` ADD `admin` tinyint(1) DEFAULT FALSE NOT NULL",
		"CREATE TABLE `posts` (`id` bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, `user_id` bigint NOT NULL, `body` "+
			"text, INDEX `index_posts_on_user_id` (`user_id`), CONSTRAINT `fk_rails_5b5ddfd518` FOREIGN KEY "+
			"(`user_id`) REFERENCES `users` (`id`))",
		"ALTER TABLE `posts` CHANGE `body` `text` mediumtext DEFAULT NULL",
		"DROP INDEX `index_users_on_email` ON `users`"),
	both("what a dump restores", "", "DROP TABLE IF EXISTS `t`",
		"CREATE TABLE `t` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `s` varchar(10) COLLATE utf8mb4_unicode_ci "+
			"DEFAULT NULL,\n  `d` decimal(10,2) NOT NULL DEFAULT '0.00',\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `s` "+
			"(`s`)\n) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci",
		"/*!40000 ALTER TABLE `t` DISABLE KEYS */", "INSERT INTO t VALUES (1, 'x', 0)",
		"/*!40000 ALTER TABLE `t` ENABLE KEYS */"),
}

var families = []Case{
	onlyMariaDB("if exists and if not exists", plain, "ALTER TABLE IF EXISTS t ADD COLUMN IF NOT EXISTS a INT, ADD "+
		"COLUMN IF NOT EXISTS d INT AFTER id, DROP COLUMN IF EXISTS zzz",
		"ALTER TABLE t DROP INDEX IF EXISTS nope, ADD INDEX IF NOT EXISTS ka (c), ADD INDEX IF NOT EXISTS kc (c), "+
			"MODIFY COLUMN IF EXISTS zzz INT, CHANGE COLUMN IF EXISTS yyy xxx INT",
		"CREATE INDEX IF NOT EXISTS ka ON t (c)", "DROP INDEX IF EXISTS nope ON t",
		"ALTER TABLE IF EXISTS absent ADD COLUMN x INT",
		"ALTER TABLE t DROP CONSTRAINT IF EXISTS nope, DROP FOREIGN KEY IF EXISTS nope, RENAME COLUMN IF EXISTS zzz "+
			"TO yyy, RENAME INDEX IF EXISTS zz TO yy"),
	onlyMariaDB("or replace", plain, "CREATE OR REPLACE TABLE t (id INT PRIMARY KEY, z INT)",
		"CREATE OR REPLACE TABLE u LIKE t", "CREATE OR REPLACE INDEX i ON t (z)",
		"CREATE OR REPLACE INDEX i ON t (z, id)"),
	onlyMariaDB("waiting", plain, "ALTER TABLE t WAIT 5 ADD COLUMN d INT", "ALTER TABLE t NOWAIT DROP COLUMN d",
		"RENAME TABLE t WAIT 5 TO u", "TRUNCATE TABLE u NOWAIT", "DROP TABLE u WAIT 3"),
	onlyMariaDB("online and ignore", plain, "ALTER ONLINE TABLE t ADD COLUMN d INT",
		"ALTER IGNORE TABLE t ADD UNIQUE KEY (d)").opaque(),
	onlyMariaDB("set statement", plain, "SET STATEMENT max_statement_time = 100 FOR ALTER TABLE t ADD COLUMN d INT",
		"SET STATEMENT lock_wait_timeout = 5, foreign_key_checks = 0 FOR DROP TABLE t"),
	onlyMariaDB("persistent columns", plain, "ALTER TABLE t ADD COLUMN p INT AS (a + 1) PERSISTENT, ADD COLUMN v INT "+
		"GENERATED ALWAYS AS (id) VIRTUAL INVISIBLE"),
	onlyMariaDB("column checks", plain, "ALTER TABLE t ADD COLUMN d INT DEFAULT 3 COMMENT 'c' CHECK (d > 0)",
		"ALTER TABLE t MODIFY d INT", "ALTER TABLE t MODIFY d INT CHECK (d < 100)",
		"ALTER TABLE t RENAME COLUMN d TO e"),
	onlyMariaDB("system versioning", plain, "ALTER TABLE t ADD SYSTEM VERSIONING",
		"ALTER TABLE t DROP SYSTEM VERSIONING").stays("MySQL has no system versioning"),
	onlyMariaDB("a versioned table", "", "CREATE TABLE t (id INT PRIMARY KEY, a INT WITHOUT SYSTEM VERSIONING) WITH "+
		"SYSTEM VERSIONING").stays("MySQL has no system versioning").barred("the history of a table is not moved"),
	onlyMariaDB("a sequence beside", plain, "CREATE SEQUENCE s", "RENAME TABLE s TO s2", "DROP SEQUENCE s2"),
	onlyMariaDB("rename if it is there", plain, "RENAME TABLE IF EXISTS t TO u, absent TO x"),
	onlyMariaDB("collations without a character set", plain, "ALTER TABLE t ADD s VARCHAR(5) COLLATE uca1400_ai_ci, "+
		"COLLATE utf8mb4_uca1400_as_cs").stays("MySQL has other collations"),
	onlyMariaDB("compressed columns", plain,
		"ALTER TABLE t ADD s VARCHAR(100) COMPRESSED, ADD x TEXT COMPRESSED").stays("MySQL has no compressed columns"),
	onlyMySQL("instantly", plain, "ALTER TABLE t ADD COLUMN d INT, ALGORITHM=INSTANT",
		"ALTER TABLE t DROP COLUMN d, ALGORITHM=INSTANT, LOCK=DEFAULT"),
	onlyMySQL("a counter that may be NULL in the statement", "",
		"CREATE TABLE t (id INT AUTO_INCREMENT, a INT, KEY (id))"),
	onlyMySQL("a generated column that is never NULL", plain, "ALTER TABLE t ADD v INT AS (id + 1) NOT NULL, ADD "+
		"KEY (v)"),
	onlyMySQL("an import of a file", "CREATE TABLE t (id INT PRIMARY KEY);\n",
		"ALTER TABLE t DISCARD TABLESPACE").opaque(),
}
