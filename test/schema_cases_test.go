package test

// schemaCases is a wide range of tables. Names are strange on purpose.
var schemaCases = []schemaCase{
	{
		name: "integers",
		create: `CREATE TABLE %s (a tinyint, b tinyint(1) NOT NULL DEFAULT 1, c smallint unsigned, d mediumint zerofill,
		e int NOT NULL AUTO_INCREMENT, f bigint unsigned DEFAULT 18446744073709551615, g int(5) zerofill DEFAULT 7,
		h int DEFAULT -5, i bool,
		PRIMARY KEY (e), KEY (a, b)) AUTO_INCREMENT=1234 COMMENT='it''s a \\ "table"'`,
	},
	{
		name: "numbers",
		create: `CREATE TABLE %s (a decimal(65,30) DEFAULT 0, b decimal(10,2) unsigned NOT NULL DEFAULT '1.50',
		c float DEFAULT 1.5, d double DEFAULT 1e10,
		e float(7,3), f double(10,2) unsigned, g bit(1) DEFAULT b'1', h bit(64) NOT NULL DEFAULT b'1010',
		i year DEFAULT 2024, j decimal(5,0) DEFAULT -3, k bit DEFAULT 0)`,
	},
	{
		name: "strings",
		create: `CREATE TABLE %s (a char(10) NOT NULL DEFAULT 'it''s', b varchar(255) CHARACTER SET latin1
		DEFAULT 'back\\slash', c varchar(20) COLLATE utf8mb4_bin DEFAULT '',
		d text, e mediumtext CHARACTER SET utf8mb3, f longtext CHARACTER SET latin1 COLLATE latin1_bin NOT NULL,
		g tinytext, h varchar(10) DEFAULT 'line\nfeed', i char(0),
		j varchar(20) DEFAULT 'NULL', k varchar(20) DEFAULT NULL, l varchar(30) CHARACTER SET ascii
		DEFAULT 'current_timestamp()', m varchar(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin DEFAULT 'ä€',
		n varchar(10) DEFAULT '0x41', o varchar(10) DEFAULT 'é'
		) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci`,
	},
	{
		name: "bytes",
		create: `CREATE TABLE %s (a binary(3) DEFAULT 'abc', b binary(16) NOT NULL, c varbinary(20) DEFAULT 'x',
		d blob, e tinyblob, f mediumblob NOT NULL, g longblob,
		i varbinary(5) DEFAULT '', j binary(5) DEFAULT 'ab', PRIMARY KEY (b), KEY pre (d(20), c(5)))`,
	},
	{name: "enums", create: `CREATE TABLE %s (a enum('a','b''c','d,e','f\\g','h"i','','j` + "`" +
		`k') NOT NULL DEFAULT 'b''c', b set('x','y z','ü') DEFAULT 'x,ü',
		c enum('1','2') CHARACTER SET latin1 COLLATE latin1_bin DEFAULT '2', d enum(' lead','(p)','a;b'))`},
	{
		name: "times",
		create: `CREATE TABLE %s (a date DEFAULT '2020-02-29', b time(3) DEFAULT '-12:00:00.500',
		c datetime DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
		d datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), e timestamp NULL,
		f timestamp NOT NULL DEFAULT '2020-01-01 00:00:00',
		g timestamp(3) NULL DEFAULT NULL, h year NOT NULL, i timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
		j datetime(2) DEFAULT '2020-01-01 00:00:00.25')`,
	},
	{
		name: "json and defaults",
		create: `CREATE TABLE %s (id int primary key, j json, k json NOT NULL, d json DEFAULT (json_array()),
		t varchar(36) DEFAULT (uuid()), n int DEFAULT (1+2*3),
		x text DEFAULT ('abc'), dt date DEFAULT (curdate()), b blob DEFAULT ('x'),
		s varchar(20) DEFAULT (concat('a', 'b')))`,
	},
	{
		name: "generated",
		create: `CREATE TABLE %s (a int, b varchar(20), v int GENERATED ALWAYS AS (a + 1) VIRTUAL,
		s varchar(50) GENERATED ALWAYS AS (concat(b, '-', a)) STORED COMMENT 'x, (y)',
		w int AS (case when a between 1 and 2 then 5 else (a*(a+2))%7 end), x varchar(20) AS (lower(b)) STORED,
		y date AS ('2020-01-01' + interval a day), KEY (v), KEY (x), UNIQUE KEY (s, v))`,
	},
	{name: "checks", create: `CREATE TABLE %s (a int, b int, c varchar(10), CHECK (a > 0), CONSTRAINT named CHECK (a ` +
		`< b OR b IS NULL), CONSTRAINT c3 CHECK (c IN ('x','y,z') AND c LIKE 'x%' AND c <> 'it''s'), CHECK (a <> b))`},
	{name: "indexes", create: `CREATE TABLE %s (a int NOT NULL, b varchar(300), c text, d int NOT NULL, g geometry ` +
		`NOT NULL, p point NOT NULL, UNIQUE KEY u1 (b(10), d), UNIQUE KEY ` + "`u 2``x`" + ` (d, a),
		KEY k1 (c(100)) COMMENT 'it''s', KEY k2 (a) USING BTREE, KEY k3 (d) USING HASH, FULLTEXT KEY ft (c),
		FULLTEXT KEY ft2 (b, c), SPATIAL KEY sp (g), KEY blk (d) KEY_BLOCK_SIZE=8)`},
	{name: "desc", create: `CREATE TABLE %s (a int, b int, c int, PRIMARY KEY (a DESC, b), KEY d1 (b DESC, c), KEY ` +
		`d2 (c DESC))`, losses: nil},
	{name: "auto second", create: `CREATE TABLE %s (a int NOT NULL, b int NOT NULL AUTO_INCREMENT, PRIMARY KEY (a, ` +
		`b), KEY other (a), KEY lead1 (b), UNIQUE KEY lead2 (b, a))`},
	{name: "auto myisam", create: `CREATE TABLE %s (a int NOT NULL, b int NOT NULL AUTO_INCREMENT, PRIMARY KEY (a, ` +
		`b)) ENGINE=MyISAM CHECKSUM=1 DELAY_KEY_WRITE=1 MAX_ROWS=1000 PACK_KEYS=1`},
	{name: "unique only", create: `CREATE TABLE %s (a varchar(20) NOT NULL, b int, n int, UNIQUE KEY nu (b), UNIQUE ` +
		`KEY ky (a), KEY nn (n))`},
	{name: "nothing", create: `CREATE TABLE %s (a varchar(20))`},
	{name: "db.dots, 'quotes' \"x\" `tick` ünï", create: "CREATE TABLE %s (`a b.c` int NOT NULL, `ti``ck` varchar(5) " +
		"DEFAULT '`', `日本` int, `select` int, `(` int, `,` int, `x'y` int, `/*!` int, `--` int, PRIMARY KEY (`a " +
		"b.c`), KEY `k``1, ) .` (`ti``ck`,`日本`), CHECK (`(` > `,`))"},
	{
		name:   "x123456789012345678901234567890123456789012345678901234567890xyz",
		create: "CREATE TABLE %s (`y123456789012345678901234567890123456789012345678901234567890xyz` int primary key)",
	},
	{name: "foreign", create: "CREATE TABLE %s (id int primary key, p int, self int, u varchar(20) CHARACTER SET " +
		"latin1, q int, CONSTRAINT `fk``1` FOREIGN KEY (p) REFERENCES schema_rt_other.parent (id) ON DELETE CASCADE " +
		"ON UPDATE SET NULL, " +
		"CONSTRAINT selfref FOREIGN KEY (self) REFERENCES `foreign` (id), FOREIGN KEY (u) REFERENCES " +
		"schema_rt_other.parent (u) ON DELETE NO ACTION, FOREIGN KEY (q) REFERENCES schema_rt_other.parent (id) ON " +
		"DELETE RESTRICT)"},
	{name: "comments", create: `CREATE TABLE %s (a int COMMENT 'one ''two'' \\ "three" ` + "`four`" +
		` /* five */ -- six \n seven', b int COMMENT ') ENGINE=x') COMMENT='/*!50100 PARTITION BY */ é 🚢'`},
	{name: "row formats", create: `CREATE TABLE %s (a int primary key) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8 ` +
		`STATS_PERSISTENT=1 STATS_AUTO_RECALC=0 STATS_SAMPLE_PAGES=30`},
	{name: "row redundant", create: `CREATE TABLE %s (a int primary key) ROW_FORMAT=REDUNDANT DEFAULT CHARSET=latin1`},
	{name: "memory", create: `CREATE TABLE %s (a int primary key, b int, KEY h (b) USING HASH, KEY t (b) USING ` +
		`BTREE) ENGINE=MEMORY DEFAULT CHARSET=ascii COLLATE=ascii_bin`},
	{name: "geometries", create: `CREATE TABLE %s (a point, b linestring, c polygon, d multipoint, e ` +
		`multilinestring, f multipolygon, g geometrycollection, h geometry)`},
	{
		name: "charsets",
		create: `CREATE TABLE %s (a varchar(5) CHARACTER SET gbk, b varchar(5) CHARACTER SET sjis,
		c varchar(5) CHARACTER SET utf16, d varchar(5) CHARACTER SET ucs2, e varchar(5) CHARACTER SET big5,
		f varchar(5) CHARACTER SET koi8r,
		g varchar(5) CHARACTER SET cp1251 COLLATE cp1251_general_cs, h varchar(5) CHARACTER SET latin2
		COLLATE latin2_bin, i varchar(5) COLLATE utf8mb4_general_ci, j varchar(5) CHARACTER SET binary,
		k varchar(5) CHARACTER SET utf32) DEFAULT CHARSET=latin1 COLLATE=latin1_german1_ci`,
	},
	{name: "invisible column", create: `CREATE TABLE %s (a int primary key, b int INVISIBLE, c int NOT NULL DEFAULT ` +
		`5 INVISIBLE COMMENT 'x')`},
	{name: "partitions", create: `CREATE TABLE %s (a int NOT NULL, d date NOT NULL, PRIMARY KEY (a, d)) PARTITION BY ` +
		`RANGE (year(d)) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN MAXVALUE)`},
	{name: "partition key", create: `CREATE TABLE %s (a int NOT NULL PRIMARY KEY) PARTITION BY KEY (a) PARTITIONS 4`},
	{name: "partition range columns", create: `CREATE TABLE %s (a int NOT NULL, b varchar(9) NOT NULL, PRIMARY KEY ` +
		`(a, b)) PARTITION BY RANGE COLUMNS (a, b) (PARTITION p0 VALUES LESS THAN (5, 'x''y'), PARTITION p1 VALUES ` +
		`LESS THAN (MAXVALUE, MAXVALUE))`},
	{name: "partition list", create: `CREATE TABLE %s (a int NOT NULL PRIMARY KEY) PARTITION BY LIST (a % 4) ` +
		`(PARTITION p0 VALUES IN (0, 1) COMMENT 'c', PARTITION p1 VALUES IN (2, 3))`},
	{name: "partition linear hash", create: `CREATE TABLE %s (a int NOT NULL, d date NOT NULL, PRIMARY KEY (a, d)) ` +
		`PARTITION BY LINEAR HASH (year(d)) PARTITIONS 3`},
	{name: "partition days", create: `CREATE TABLE %s (a int NOT NULL, d date NOT NULL, PRIMARY KEY (a, d)) ` +
		`PARTITION BY RANGE (to_days(d)) SUBPARTITION BY KEY (a) SUBPARTITIONS 2 (PARTITION p0 VALUES LESS THAN ` +
		`(to_days('2020-01-01')), PARTITION p1 VALUES LESS THAN MAXVALUE)`},
	{name: "ma partition default", only: "mariadb", create: `CREATE TABLE %s (a int NOT NULL PRIMARY KEY) PARTITION ` +
		`BY LIST (a) (PARTITION p0 VALUES IN (0, 1), PARTITION p1 DEFAULT)`, losses: []string{"partition"}},
	{name: "partition list columns", create: `CREATE TABLE %s (a varchar(10) NOT NULL PRIMARY KEY, b int) PARTITION ` +
		`BY LIST COLUMNS (a) (PARTITION p0 VALUES IN ('a','b'';)'), PARTITION ` + "`p )`" +
		` VALUES IN ('c') COMMENT = 'x''(y')`},
	{name: "blackhole", create: `CREATE TABLE %s (a int) ENGINE=BLACKHOLE`, only: "none"},

	{
		name: "my utf8mb4", only: "mysql",
		create: `CREATE TABLE %s (a varchar(10), b varchar(10) COLLATE utf8mb4_0900_as_cs,
		c varchar(10) COLLATE utf8mb4_0900_bin, d varchar(10) COLLATE utf8mb4_de_pb_0900_ai_ci,
		e varchar(10) COLLATE utf8mb4_ja_0900_as_cs_ks,
		f varchar(10) COLLATE utf8mb4_es_trad_0900_ai_ci, g varchar(10) COLLATE utf8mb4_sv_0900_as_cs,
		h enum('a') COLLATE utf8mb4_0900_as_ci) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci`,
		losses: []string{"collation"},
	},
	{name: "my emoji", only: "mysql", create: `CREATE TABLE %s (a varchar(10) DEFAULT '🚢', b enum('🚢','b') DEFAULT ` +
		`'b', c text DEFAULT ('🚢'), CHECK (a <> '🚢'))`, losses: []string{"default"}},
	{
		name: "my functional", only: "mysql", create: `CREATE TABLE %s (id int primary key, a varchar(20), b int, j ` +
			`json, KEY f1 ((lower(a))), UNIQUE KEY f2 ((b + 1) DESC, a), KEY f3 ((cast(j->'$.x' as unsigned array))))`,
		losses: []string{"functional-index"},
	},
	{name: "my invisible index", only: "mysql", create: `CREATE TABLE %s (id int primary key, a int, KEY k (a) ` +
		`COMMENT 'c' INVISIBLE, UNIQUE KEY u (a, id) INVISIBLE)`},
	{name: "my not enforced", only: "mysql", create: `CREATE TABLE %s (a int, CHECK (a > 1) NOT ENFORCED, CONSTRAINT ` +
		`myn_x CHECK (a <> 5))`, losses: []string{"check"}},
	{name: "my srid", only: "mysql", create: `CREATE TABLE %s (g point NOT NULL SRID 4326, h geometry SRID 0 COMMENT ` +
		`'x', SPATIAL KEY (g))`, losses: []string{"srid"}},
	{name: "my parser", only: "mysql", create: `CREATE TABLE %s (t text, FULLTEXT KEY ft (t) WITH PARSER ngram ` +
		`COMMENT 'n')`, losses: []string{"fulltext-parser"}},
	{name: "my generated", only: "mysql", create: `CREATE TABLE %s (a int NOT NULL, j json, v int AS (a * 2) VIRTUAL ` +
		`NOT NULL INVISIBLE UNIQUE, w varchar(20) AS (json_unquote(json_extract(j, '$.a.b'))) STORED, x json AS ` +
		`(json_array('a', a)))`},
	{
		name: "my regexp", only: "mysql", create: `CREATE TABLE %s (a varchar(20), CHECK (a REGEXP '^x\\d'))`,
		losses: []string{"expression"},
	},
	{
		name: "my options", only: "mysql", create: `CREATE TABLE %s (a int primary key COLUMN_FORMAT DYNAMIC STORAGE ` +
			`DISK) COMPRESSION='zlib' ENCRYPTION='N' AUTOEXTEND_SIZE=4M TABLESPACE=innodb_file_per_table`,
		losses: []string{"table-option"},
	},
	{name: "my binary", only: "mysql", create: `CREATE TABLE %s (a binary(3) DEFAULT 0x00ff01, b varbinary(5) ` +
		`DEFAULT 0xfffe, c binary(2) NOT NULL DEFAULT '\0\0')`},
	{name: "my vector", only: "mysql", create: `CREATE TABLE %s (id int primary key, v vector(3), w vector(2048) ` +
		`NOT NULL)`, losses: []string{"vector"}},
	{name: "my no default", only: "mysql", create: `CREATE TABLE %s (a int primary key DEFAULT 5, d date DEFAULT ` +
		`(now()), e datetime DEFAULT (now() + interval 1 day), g text DEFAULT (_latin1'x'))`},
	{
		name: "my cast json", only: "mysql", create: `CREATE TABLE %s (f json DEFAULT (cast('{"a": "b''c"}' as json)))`,
		losses: []string{"expression"},
	},
	{
		name: "my invisible not null", only: "mysql", create: `CREATE TABLE %s (id bigint unsigned NOT NULL ` +
			`AUTO_INCREMENT INVISIBLE, a int, b int NOT NULL INVISIBLE, PRIMARY KEY (id))`,
		losses: []string{"invisible-column"},
	},
	{
		name: "my gb18030", only: "mysql", create: `CREATE TABLE %s (a varchar(5)) DEFAULT CHARSET=gb18030`,
		losses: []string{"charset"},
	},

	{name: "ma columns", only: "mariadb", create: `CREATE TABLE %s (a int CHECK (a > 0), b varchar(20) DEFAULT ` +
		`concat('a', b2), b2 varchar(5) DEFAULT 'q', c text DEFAULT 'it''s', d blob DEFAULT 'x', e int COMMENT 'c' ` +
		`CHECK (e <> 3 AND e < 10), f int DEFAULT (a + 1), g date DEFAULT current_timestamp(), h datetime(3) DEFAULT ` +
		`current_timestamp(), i datetime DEFAULT (current_timestamp() + interval 1 day), j varchar(50) DEFAULT ` +
		`current_user(), CHECK (e > a))`, losses: []string{"expression"}},
	{name: "ma checks", only: "mariadb", create: `CREATE TABLE %s (a int CHECK (a > 0), b int DEFAULT 3 CHECK (b > ` +
		`0), c longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin CHECK (json_valid(c)), CHECK (a < b), d int ` +
		`DEFAULT (a + 1), CONSTRAINT man CHECK (a <> 7))`},
	{name: "ma literal", only: "mariadb", create: `CREATE TABLE %s (c text DEFAULT 'it''s', d blob DEFAULT 'x', e ` +
		`date DEFAULT current_timestamp(), f datetime(3) DEFAULT current_timestamp(), g varchar(9) DEFAULT ` +
		`current_timestamp(), h decimal(10,3) DEFAULT 1.5, i int DEFAULT 1e3, j double DEFAULT 1e30, k varchar(10) ` +
		`DEFAULT 5, l time DEFAULT '10:00:00', m date DEFAULT DATE'2020-01-01', n varbinary(5) DEFAULT x'00ff')`},
	{
		name: "ma uca", only: "mariadb",
		create: `CREATE TABLE %s (a varchar(10), b varchar(10) COLLATE utf8mb4_uca1400_as_cs,
		c varchar(10) COLLATE utf8mb4_nopad_bin, d varchar(10) COLLATE utf8mb4_uca1400_swedish_ai_ci,
		e varchar(10) COLLATE utf8mb4_uca1400_nopad_ai_ci, f varchar(10) COLLATE utf8mb4_uca1400_german2_nopad_as_ci,
		g varchar(10) CHARACTER SET utf8mb3 COLLATE utf8mb3_uca1400_ai_ci, h varchar(10) CHARACTER SET latin1
		COLLATE latin1_swedish_nopad_ci, i varchar(10) COLLATE utf8mb4_unicode_520_nopad_ci)
		DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_uca1400_ai_ci`, losses: []string{"collation"},
	},
	{name: "ma types", only: "mariadb", create: `CREATE TABLE %s (a uuid NOT NULL DEFAULT uuid(), b inet6, c inet4, ` +
		`d uuid DEFAULT '00000000-0000-0000-0000-000000000001', PRIMARY KEY (a))`, losses: []string{
		"uuid", "inet4",
		"inet6",
	}},
	{
		name: "ma compressed", only: "mariadb",
		create: `CREATE TABLE %s (a varchar(100) COMPRESSED, b text COMPRESSED ` +
			`CHARACTER SET latin1, c blob COMPRESSED, d varbinary(50) COMPRESSED DEFAULT 'x')`,
		losses: []string{"compressed-column"},
	},
	{name: "ma ignored", only: "mariadb", create: `CREATE TABLE %s (a int, b int, KEY k (a) COMMENT 'x' IGNORED)`},
	{name: "ma long unique", only: "mariadb", create: `CREATE TABLE %s (a text, b blob, UNIQUE KEY (a), UNIQUE KEY h ` +
		`(b) USING HASH)`, losses: []string{"long-unique"}},
	{name: "ma options", only: "mariadb", create: `CREATE TABLE %s (a int) ENGINE=InnoDB PAGE_COMPRESSED=1 ` +
		`PAGE_COMPRESSION_LEVEL=5`, losses: []string{"table-option"}},
	{name: "ma aria", only: "mariadb", create: `CREATE TABLE %s (a int primary key) ENGINE=Aria TRANSACTIONAL=1 ` +
		`PAGE_CHECKSUM=1 ROW_FORMAT=PAGE`, losses: []string{"engine"}},
	{name: "ma versioned", only: "mariadb", create: `CREATE TABLE %s (a int, b int WITHOUT SYSTEM VERSIONING, rs ` +
		`timestamp(6) GENERATED ALWAYS AS ROW START INVISIBLE, re timestamp(6) GENERATED ALWAYS AS ROW END, PERIOD ` +
		`FOR SYSTEM_TIME (rs, re)) WITH SYSTEM VERSIONING`, losses: []string{"system-versioning"}},
	{
		name: "ma versioned plain", only: "mariadb",
		create: `CREATE TABLE %s (a int primary key) WITH SYSTEM VERSIONING`,
		losses: []string{"system-versioning"},
	},
	{name: "ma period", only: "mariadb", create: `CREATE TABLE %s (id int, s date, e date, PERIOD FOR p (s, e), ` +
		`UNIQUE KEY u (id, p WITHOUT OVERLAPS))`, losses: []string{"period", "without-overlaps"}},
	{name: "ma generated", only: "mariadb", create: `CREATE TABLE %s (a int, p int AS (a + 1) PERSISTENT, v int AS ` +
		`(a mod 3) VIRTUAL INVISIBLE COMMENT 'c', s varchar(20) AS (substring(concat(a, 'x'), 1, 3)) STORED)`},
	{name: "ma sequence default", only: "mariadb", create: `CREATE TABLE %s (a int, b varchar(5) CHARACTER SET ` +
		`utf8mb3 COLLATE utf8mb3_croatian_ci)`},
}
