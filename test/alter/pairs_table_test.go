package alter

func init() { pairs = append(pairs, tablePairs...) }

const (
	parent    = "CREATE TABLE p (id int primary key, x int, y varchar(9), unique ux (x), unique uxx (x, id))"
	byRange   = " partition by range (id) (partition p0 values less than (10), partition p1 values less than (20)"
	byList    = " partition by list (id) (partition a values in (1,2), partition b values in (3,4)"
	rangeRows = "(1,1),(11,2),(12,3)"
)

var tablePairs = []pair{
	// Character sets.
	{
		name: "column to another character set", from: "(id int primary key, a varchar(9) character set latin1)",
		to: "(id int primary key, a varchar(9) character set utf8mb4)", rows: "(1,'äö')", want: []string{"1 äö"},
	},
	{
		name: "column to another collation", from: "(id int primary key, a varchar(9) collate utf8mb4_bin, " +
			"unique k (a))",
		to: "(id int primary key, a varchar(9) collate utf8mb4_general_ci, unique k (a))", rows: "(1,'äö'),(2,'Z')",
		want: []string{"1 äö", "2 Z"},
	},
	{
		name: "table default only", from: "(id int primary key, a varchar(9)) charset=latin1",
		to:   "(id int primary key, a varchar(9) character set latin1 collate latin1_swedish_ci) charset=utf8mb4",
		rows: "(1,'ä')", want: []string{"1 ä"}, not: []string{"CONVERT", "MODIFY"},
	},
	{
		name: "table default and a new column", from: "(id int primary key, a varchar(9)) charset=latin1",
		to: "(id int primary key, a varchar(9) character set latin1 collate latin1_swedish_ci, b varchar(9)) " +
			"charset=utf8mb4 collate=utf8mb4_unicode_ci", rows: "(1,'ä')", want: []string{"1 ä NULL"},
		not: []string{"MODIFY"},
	},
	{
		name: "all converted", from: "(id int primary key, a varchar(9), b text, c enum('ä','b')) charset=latin1",
		to: "(id int primary key, a varchar(9), b text, c enum('ä','b')) charset=utf8mb4", rows: "(1,'ä','ö','ä')",
		want: []string{"1 ä ö ä"},
	},
	{
		name: "to binary and back", from: "(id int primary key, a varchar(9) character set latin1)",
		to: "(id int primary key, a varbinary(9))", rows: "(1,'x')", want: []string{"1 x"},
	},
	{
		name: "enum and set of another character set", from: "(id int primary key, a enum('ä','b') character set " +
			"latin1, s set('ö','z') character set latin1)",
		to:   "(id int primary key, a enum('ä','b') character set utf8mb4, s set('ö','z') character set utf8mb4)",
		rows: "(1,'ä','ö,z')", want: []string{"1 ä ö,z"},
	},
	{
		name: "wide to narrow character set", from: "(id int primary key, a varchar(9) character set utf8mb4)",
		to: "(id int primary key, a varchar(9) character set latin1)", rows: "(1,'ä')", want: []string{"1 ä"},
	},

	// Table options.
	{
		name: "table comment", from: "(id int primary key) comment='x'", to: "(id int primary key) comment='it''s'",
		rows: "(1)", want: []string{"1"},
	},
	{
		name: "table comment dropped", from: "(id int primary key) comment='x'", to: "(id int primary key)",
		rows: "(1)",
		want: []string{"1"},
	},
	{
		name: "row format", from: "(id int primary key) row_format=compact",
		to:   "(id int primary key) row_format=dynamic",
		rows: "(1)", want: []string{"1"},
	},
	{
		name: "row format dropped", from: "(id int primary key) row_format=compact", to: "(id int primary key)",
		rows: "(1)", want: []string{"1"},
	},
	{
		name: "row format compressed dropped", from: "(id int primary key) row_format=compressed key_block_size=4",
		to: "(id int primary key)", rows: "(1)", want: []string{"1"},
	},
	{
		name: "key block size", from: "(id int primary key, a int, key k (a)) row_format=compressed key_block_size=4",
		to: "(id int primary key, a int, key k (a)) row_format=compressed key_block_size=8", rows: "(1,2)",
		want: []string{"1 2"},
	},
	{
		name: "key block size added", from: "(id int auto_increment primary key, a int, key k (a))",
		to: "(id int auto_increment primary key, a int, key k (a)) key_block_size=8", rows: "(1,2)",
		want: []string{"1 2"},
	},
	{
		name: "engine", from: "(id int primary key) engine=MyISAM", to: "(id int primary key) engine=InnoDB",
		rows: "(1)",
		want: []string{"1"},
	},
	{
		name: "options added", from: "(id int primary key)",
		to: "(id int primary key) stats_persistent=0 stats_auto_recalc=1 stats_sample_pages=9 min_rows=5 " +
			"max_rows=500 avg_row_length=7 pack_keys=1 checksum=1 delay_key_write=1", rows: "(1)",
	},
	{
		name: "options dropped", from: "(id int primary key) stats_persistent=0 stats_auto_recalc=1 " +
			"stats_sample_pages=9 min_rows=5 max_rows=500 avg_row_length=7 pack_keys=1 checksum=1 delay_key_write=1",
		to: "(id int primary key)", rows: "(1)",
	},
	{
		name: "options changed", from: "(id int primary key) stats_persistent=0 stats_sample_pages=9 max_rows=4",
		to: "(id int primary key) stats_persistent=1 stats_sample_pages=8 max_rows=500", rows: "(1)",
	},
	{
		name: "page compression dropped", only: "mariadb",
		from: "(id int primary key) page_compressed=1 page_compression_level=5", to: "(id int primary key)",
		rows: "(1)",
	},
	{
		name: "page compression added", only: "mariadb", from: "(id int primary key)",
		to: "(id int primary key) page_compressed=1", rows: "(1)",
	},
	{name: "attributes dropped", only: "mysql", from: "(id int primary key) secondary_engine_attribute='{\"a\": 1}' " +
		"compression='zlib' connection='x'", to: "(id int primary key)", rows: "(1)"},
	{
		name: "attributes added", only: "mysql", from: "(id int primary key)",
		to:   "(id int primary key) secondary_engine_attribute='{\"a\": 1}' compression='zlib' connection='x'",
		rows: "(1)",
	},
	{
		name: "all at once", from: "(id int primary key, a varchar(9), b int, key k (a)) comment='x' charset=latin1",
		to: "(c int not null default 3, id bigint, b2 varchar(9), key k2 (b2), primary key (id, c)) " +
			"row_format=compact charset=utf8mb4 comment='y'", lineage: "b2<a", rows: "(1,'ä',2)",
		want: []string{"3 1 ä"},
	},

	// Keys.
	{
		name: "primary key added", from: "(a int not null, b int)", to: "(a int not null, b int, primary key (a))",
		rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "primary key dropped", from: "(a int, b int, primary key (a))", to: "(a int not null, b int)",
		rows: "(1,2)",
		want: []string{"1 2"},
	},
	{
		name: "primary key replaced", from: "(a int primary key, b int not null)",
		to: "(a int not null, b int not null, primary key (b))", rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "primary key longer", from: "(a int primary key, b varchar(9) not null)",
		to: "(a int not null, b varchar(9) not null, primary key (b(3),a))", rows: "(1,'x')", want: []string{"1 x"},
	},
	{
		name: "primary key reordered", from: "(a int, b int, primary key (a,b))",
		to:   "(a int, b int, primary key (b,a))",
		rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "primary and unique exchanged", from: "(a int primary key, b int not null, unique u (b))",
		to: "(a int not null, b int primary key, unique u (a))", rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "primary key of auto_increment replaced", from: "(id int auto_increment primary key, a int not null)",
		to: "(id int auto_increment, a int not null, primary key (a), key k (id))", rows: "(1,2)",
		want: []string{"1 2"},
	},
	{
		name: "primary key of auto_increment dropped for a unique key",
		from: "(id int auto_increment primary key, a int)",
		to:   "(id int auto_increment, a int, unique u (id))", rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "primary key made of another column", from: "(id int primary key, uuid char(36) not null)",
		to: "(uuid char(36) primary key, old int)", lineage: "old<id", rows: "(1,'x')", want: []string{"x 1"},
	},
	{
		name: "primary key dropped with its column", from: "(id int auto_increment primary key, a int)", to: "(a int)",
		rows: "(1,2),(2,2)", want: []string{"2", "2"},
	},
	{
		name: "primary key nullable afterwards", from: "(id int primary key, a int)", to: "(id int, a int)",
		rows: "(1,2)",
		want: []string{"1 2"},
	},
	{
		name: "primary key descending", only: "mysql", from: "(id int primary key)",
		to:   "(id int, primary key (id desc))",
		rows: "(1)", want: []string{"1"},
	},
	{name: "index added", from: "(id int primary key, a int)", to: "(id int primary key, a int, key k (a), unique u " +
		"(a,id))", rows: "(1,2)", want: []string{"1 2"}},
	{
		name: "index dropped", from: "(id int primary key, a int, key k (a), unique u (a,id))",
		to: "(id int primary key, a int)", rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "index renamed", from: "(id int primary key, a int, key k (a), unique u (a,id))",
		to: "(id int primary key, a int, key x (a), unique y (a,id))", rows: "(1,2)",
		says: []string{"RENAME INDEX `k` TO `x`", "RENAME INDEX `u` TO `y`"}, not: []string{"ADD"},
	},
	{
		name: "indexes exchanged", from: "(id int primary key, a int, b int, key k (a), key u (b))",
		to: "(id int primary key, a int, b int, key u (a), key k (b))", rows: "(1,2,3)", want: []string{"1 2 3"},
	},
	{
		name: "equal indexes renamed", from: "(id int primary key, a int, key k1 (a), key k2 (a))",
		to: "(id int primary key, a int, key k3 (a), key k4 (a))", rows: "(1,2)", not: []string{"ADD", "DROP"},
	},
	{
		name: "equal indexes, one left", from: "(id int primary key, a int, key k1 (a), key k2 (a))",
		to: "(id int primary key, a int, key k3 (a))", rows: "(1,2)", not: []string{"ADD"},
	},
	{
		name: "index renamed by case", from: "(id int primary key, a int, key k (a))",
		to: "(id int primary key, a int, key K (a))", rows: "(1,2)",
	},
	{
		name: "index to unique", from: "(id int primary key, a int, key k (a))",
		to: "(id int primary key, a int, unique k (a))", rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "index prefix", from: "(id int primary key, a varchar(99), key k (a))",
		to: "(id int primary key, a varchar(99), key k (a(7)))", rows: "(1,'x')", want: []string{"1 x"},
	},
	{
		name: "index comment", from: "(id int primary key, a int, key k (a) comment 'x')",
		to: "(id int primary key, a int, key k (a) comment 'y')", rows: "(1,2)",
	},
	{
		name: "index invisible", only: "mysql", from: "(id int primary key, a int, key k (a), key l (a,id) invisible)",
		to: "(id int primary key, a int, key k (a) invisible, key l (a,id))", rows: "(1,2)",
		says: []string{"ALTER INDEX `k` INVISIBLE", "ALTER INDEX `l` VISIBLE"},
	},
	{
		name: "index ignored", only: "mariadb", from: "(id int primary key, a int, key k (a), key l (a,id) ignored)",
		to: "(id int primary key, a int, key k (a) ignored, key l (a,id))", rows: "(1,2)",
		says: []string{"ALTER INDEX `k` IGNORED", "ALTER INDEX `l` NOT IGNORED"},
	},
	{
		name: "index descending", only: "mysql", from: "(id int primary key, a int, key k (a))",
		to: "(id int primary key, a int, key k (a desc))", rows: "(1,2)",
	},
	{
		name: "functional index added", only: "mysql", from: "(id int primary key, a int)",
		to: "(id int primary key, a int, key f ((a + 1)), unique g (id, (lower(a))))", rows: "(1,2)",
	},
	{
		name: "functional index changed", only: "mysql", from: "(id int primary key, a int, key f ((a + 1)))",
		to: "(id int primary key, a int, key f ((a + 2)))", rows: "(1,2)",
	},
	{
		name: "functional index dropped with its column", only: "mysql",
		from: "(id int primary key, a int, key f ((a + 1)))", to: "(id int primary key)", rows: "(1,2)",
	},
	{
		name: "fulltext added", from: "(id int primary key, a text, b text)",
		to: "(id int primary key, a text, b text, fulltext f (a))", rows: "(1,'x','y')",
	},
	{
		name: "two fulltexts added", from: "(id int primary key, a text, b text)",
		to: "(id int primary key, a text, b text, fulltext f (a), fulltext g (b,a))", rows: "(1,'x','y')",
	},
	{
		name: "fulltext added with a column", from: "(id int primary key, a text)",
		to: "(id int primary key, a text, b text, fulltext f (a))", rows: "(1,'x')",
	},
	{
		name: "fulltext dropped and others added", from: "(id int primary key, a text, b text, fulltext f (a))",
		to: "(id int primary key, c text, b text, fulltext g (b), fulltext h (c,b))", lineage: "c<a",
		rows: "(1,'x','y')", want: []string{"1 x y"},
	},
	{
		name: "spatial added", from: "(id int primary key, a point not null)",
		to: "(id int primary key, a point not null, spatial key s (a))", rows: "(1,ST_GeomFromText('POINT(1 2)'))",
	},
	{
		name: "index of a column made anew",
		from: "(id int primary key, g int as (id + 1) virtual, a int, unique u (g,a))",
		to:   "(id int primary key, g int as (id + 1) stored, a int, unique u (g,a))", rows: "(1,default,3)",
		want: []string{"1 2 3"},
	},
	{
		name: "row key replaced", from: "(a int not null, b int not null, unique u (a))",
		to: "(a int, b int not null, unique v (b))", rows: "(1,2)", want: []string{"1 2"},
	},

	// Checks.
	{name: "check added", from: "(id int primary key, a int)", to: "(id int primary key, a int, constraint c check " +
		"(a > 0))", rows: "(1,2)"},
	{
		name: "check dropped", from: "(id int primary key, a int, constraint c check (a > 0))",
		to: "(id int primary key, a int)", rows: "(1,2)",
	},
	{
		name: "check changed", from: "(id int primary key, a int, constraint c check (a > 0), constraint d check " +
			"(a > 1))",
		to: "(id int primary key, a int, constraint c check (a > 1), constraint d check (a > 1))", rows: "(1,2)",
		not: []string{"`d`"},
	},
	{
		name: "check renamed", from: "(id int primary key, a int, constraint c check (a > 0))",
		to: "(id int primary key, a int, constraint d check (a > 0))", rows: "(1,2)",
	},
	{name: "check not enforced", only: "mysql", from: "(id int primary key, a int, constraint c check (a > 0), " +
		"constraint d check (a > 7) not enforced)", to: "(id int primary key, a int, constraint c check (a > 0) not " +
		"enforced, constraint d check (a > 7))", rows: "(1,9)", says: []string{
		"ALTER CHECK `c` NOT ENFORCED",
		"ALTER CHECK `d` ENFORCED",
	}},
	{
		name: "unnamed checks", from: "(id int primary key, a int, check (a > 0))",
		to: "(id int primary key, a int, check (a > 0), check (a > 1))", rows: "(1,2)",
	},

	// Foreign keys.
	{
		name: "foreign key added", before: []string{parent}, from: "(id int primary key, a int, key k (a))",
		to: "(id int primary key, a int, key k (a), constraint f foreign key (a) references p (id) on delete cascade " +
			"on update set null)", rows: "(1,null)",
	},
	{
		name: "foreign key added with its index and column", before: []string{parent}, from: "(id int primary key)",
		to: "(id int primary key, a int, key k (a), constraint f foreign key (a) references p (id))", rows: "(1)",
	},
	{name: "foreign key dropped", before: []string{parent}, from: "(id int primary key, a int, key k (a), constraint " +
		"f foreign key (a) references p (id))", to: "(id int primary key, a int, key k (a))"},
	{
		name: "foreign key dropped with its index", before: []string{parent},
		from: "(id int primary key, a int, key k (a), constraint f foreign key (a) references p (id))",
		to:   "(id int primary key, a int)",
	},
	{
		name: "foreign key dropped with its column", before: []string{parent},
		from: "(id int primary key, a int, key k (a), constraint f foreign key (a) references p (id))",
		to:   "(id int primary key)",
	},
	{
		name: "foreign key's action", before: []string{parent},
		from: "(id int primary key, a int, key k (a), constraint f foreign key (a) references p (id))",
		to: "(id int primary key, a int, key k (a), constraint f foreign key (a) references p (id) " +
			"on delete cascade)", statements: 2,
	},
	{
		name: "foreign key to another column", before: []string{parent},
		from: "(id int primary key, a int, key k (a), constraint f foreign key (a) references p (id))",
		to:   "(id int primary key, a int, key k (a), constraint f foreign key (a) references p (x))", statements: 2,
	},
	{name: "foreign key's name", before: []string{parent}, from: "(id int primary key, a int, key k (a), constraint " +
		"f foreign key (a) references p (id))", to: "(id int primary key, a int, key k (a), constraint g foreign key " +
		"(a) references p (id))"},
	{
		name: "foreign key's index replaced", before: []string{parent},
		from: "(id int primary key, a int, b int, key k (a), constraint f foreign key (a) references p (id))",
		to:   "(id int primary key, a int, b int, key l (a,b), constraint f foreign key (a) references p (id))",
	},
	{
		name: "foreign key's column renamed and typed", before: []string{parent},
		from: "(id int primary key, a bigint, key k (a))",
		to:   "(id int primary key, b int, key k (b), constraint f foreign key (b) references p (id))", lineage: "b<a",
		rows: "(1,null)", want: []string{"1 NULL"}, statements: -1,
	},
	{
		name: "foreign key dropped, its column typed", before: []string{parent},
		from: "(id int primary key, a int, key k (a), constraint f foreign key (a) references p (id))",
		to:   "(id int primary key, a varchar(40), key k (a))", rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "foreign key kept, its column longer", before: []string{
			parent,
			"CREATE TABLE q (y varchar(9) primary key)",
		},
		from: "(id int primary key, a varchar(9), key k (a), constraint f foreign key (a) references q (y))",
		to:   "(id int primary key, a varchar(20), key k (a), constraint f foreign key (a) references q (y))",
		rows: "(1,'x')", want: []string{"1 x"}, statements: -1,
	},
	{
		name: "foreign key of two columns", before: []string{parent},
		from:    "(id int primary key, a int, b int, key k (a,b))",
		to:      "(id int primary key, a int, c int, key k (a,c), constraint f foreign key (a,c) references p (x,id))",
		lineage: "c<b", rows: "(1,2,null)",
	},

	// Partitions.
	{
		name: "partitions added at the end", from: "(id int primary key, a int)" + byRange + ")",
		to: "(id int primary key, a int)" + byRange + ", partition p2 values less than (30), partition p3 values " +
			"less than maxvalue)", rows: rangeRows, want: []string{"1 1", "11 2", "12 3"},
		says: []string{"ADD PARTITION"}, not: []string{"PARTITION BY"},
	},
	{
		name: "partition dropped with its rows", from: "(id int primary key, a int)" + byRange +
			", partition p2 values " +
			"less than (30))",
		to: "(id int primary key, a int) partition by range (id) (partition p0 values less than " +
			"(10), partition p2 values less than (30))", rows: rangeRows, empties: []string{"p1"},
		want: []string{"1 1"},
		says: []string{"DROP PARTITION"},
	},
	{name: "partition dissolved", from: "(id int primary key, a int)" + byRange + ", partition p2 values less " +
		"than (30))", to: "(id int primary key, a int) partition by range (id) (partition p0 values less than (10), " +
		"partition p2 values less than (30))", rows: rangeRows, want: []string{"1 1", "11 2", "12 3"}},
	{
		name: "partition emptied", from: "(id int primary key, a int)" + byRange + ")",
		to: "(id int primary key, a int)" +
			byRange + ")", rows: rangeRows, empties: []string{"P0"}, want: []string{"11 2", "12 3"},
		says: []string{"TRUNCATE PARTITION"},
	},
	{
		name: "partition emptied, columns changed", from: "(id int primary key, a int)" + byRange + ")",
		to: "(id int primary key, a bigint, b int)" + byRange + ")", rows: rangeRows, empties: []string{"p0"},
		want: []string{"11 2 NULL", "12 3 NULL"}, statements: 2,
	},
	{
		name: "partitions rolled on", from: "(id int primary key, a int)" + byRange + ")",
		to: "(id int primary key, a int) partition by range (id) (partition p1 values less than (20), partition p2 " +
			"values less than (30))", rows: rangeRows, empties: []string{"p0"}, want: []string{"11 2", "12 3"},
		statements: 2,
	},
	{
		name: "partition split", from: "(id int primary key, a int)" + byRange + ")",
		to: "(id int primary key, a int) partition by range (id) (partition p0 values less than (5), partition p00 " +
			"values less than (10), partition p1 values less than (20))", rows: rangeRows, want: []string{
			"1 1", "11 2",
			"12 3",
		},
	},
	{
		name: "partitioned", from: "(id int primary key, a int)", to: "(id int primary key, a int)" + byRange + ")",
		rows: rangeRows, want: []string{"1 1", "11 2", "12 3"},
	},
	{
		name: "partitioned by hash", from: "(id int primary key, a int)" + byRange + ")",
		to: "(id int primary key, a int) partition by hash (id) partitions 3", rows: rangeRows,
		want: []string{"1 1", "11 2", "12 3"},
	},
	{
		name: "number of partitions", from: "(id int primary key, a int) partition by key (id) partitions 3",
		to: "(id int primary key, a int) partition by key (id) partitions 5", rows: rangeRows, want: []string{
			"1 1",
			"11 2", "12 3",
		},
	},
	{
		name: "partitioning removed", from: "(id int primary key, a int)" + byRange + ")",
		to: "(id int primary key, a int)", rows: rangeRows, want: []string{"1 1", "11 2", "12 3"},
	},
	{
		name: "partitioning removed and a column added", from: "(id int primary key, a int)" + byRange + ")",
		to: "(id int primary key, b int, a int)", rows: rangeRows, want: []string{
			"1 NULL 1", "11 NULL 2",
			"12 NULL 3",
		},
	},
	{
		name: "partitioned by a renamed column", from: "(id int primary key, a int)" + byRange + ")",
		to: "(n int primary key, a int) partition by range (n) (partition p0 values less than (10), partition p1 " +
			"values less than (20))", lineage: "n<id", rows: rangeRows, want: []string{"1 1", "11 2", "12 3"},
	},
	{
		name: "partitioned by other columns and key", from: "(id int primary key, a int not null)" + byRange + ")",
		to: "(id int, a int not null, primary key (id, a)) partition by range columns (a, id) (partition x values " +
			"less than (2, 5), partition y values less than (maxvalue, maxvalue))", rows: rangeRows,
		want: []string{"1 1", "11 2", "12 3"},
	},
	{name: "list added", from: "(id int primary key)" + byList + ")", to: "(id int primary key)" + byList +
		", partition c values in (5))", rows: "(1),(3)", want: []string{"1", "3"}, says: []string{"ADD PARTITION"}},
	{
		name: "list changed", from: "(id int primary key)" + byList + ")",
		to: "(id int primary key) partition by list (id) (partition a values in (1,2,9), " +
			"partition b values in (3,4))",
		rows: "(1),(3)", want: []string{"1", "3"},
	},
	{
		name: "subpartitions", from: "(id int primary key, a int) partition by range (id) subpartition by hash (id) " +
			"subpartitions 2 (partition p0 values less than (10))",
		to: "(id int primary key, a int) partition by range (id) subpartition by hash (id) subpartitions 2 " +
			"(partition p0 values less than (10), partition p1 values less than maxvalue)", rows: "(1,1)",
		want: []string{"1 1"}, says: []string{"ADD PARTITION"},
	},
	{
		name: "partition comment", from: "(id int primary key, a int)" + byRange + ")",
		to: "(id int primary key, a int) partition by range (id) (partition p0 values less than (10) comment='x', " +
			"partition p1 values less than (20))", rows: rangeRows, want: []string{"1 1", "11 2", "12 3"},
	},
	{
		name: "no partition to empty", from: "(id int primary key)", to: "(id int primary key)",
		empties: []string{"p0"},
		refused: "cannot empty partition p0",
	},

	{
		name: "table renamed, foreign keys among what is copied", before: []string{parent},
		from: "(id int primary key, a int, b int, key k (a), foreign key (a) references p (id), constraint g foreign " +
			"key (b) references t (id))", to: "(id int primary key, a int, b int, key k (a), constraint c check (a > " +
			"0), foreign key (a) references p (id), constraint g foreign key (b) references u (id))", renamed: "u",
		statements: -1,
	},
	// The table's name.
	{
		name: "table renamed", from: "(id int primary key, a int)", to: "(id int primary key, a int)", renamed: "u",
		rows: "(1,2)", want: []string{"1 2"}, says: []string{"RENAME TABLE"},
	},
	{
		name: "table renamed with names of its own", before: []string{parent},
		from: "(id int primary key, a int, key k (a), check (a > 0), foreign key (a) references p (id))",
		to:   "(id int primary key, a int, key k (a), check (a > 0), foreign key (a) references p (id))", renamed: "u",
		says: []string{"RENAME TABLE"},
	},
	{
		name: "table renamed and changed", before: []string{parent},
		from: "(id int primary key, a int, b int, key k (a), check (a > 0), foreign key (a) references p (id))",
		to: "(id int primary key, x int, key k (x), check (x > 0), foreign key (x) references p (id), c " +
			"varchar(9))",
		lineage: "x<a", renamed: "u", statements: -1,
	},
	{
		name: "table renamed, constraints changed", before: []string{parent},
		from: "(id int primary key, a int, b int, key k (a), check (a > 0), foreign key (a) references p (id))",
		to: "(id int primary key, a int, b int, key k (a), check (a > 1), check (b > 1), constraint f foreign key " +
			"(a) references p (x))", renamed: "u", statements: -1,
	},
	{name: "table renamed and partitioned", from: "(id int primary key, a int)", to: "(id int primary key, a int)" +
		byRange + ")", renamed: "u", statements: -1, rows: rangeRows, want: []string{"1 1", "11 2", "12 3"}},
	{
		name: "table renamed, partition added", from: "(id int primary key, a int)" + byRange + ")",
		to: "(id int primary key, a int)" + byRange + ", partition p2 values less than maxvalue)", renamed: "u",
		rows: rangeRows, statements: 2, want: []string{"1 1", "11 2", "12 3"},
	},
	{name: "table renamed, foreign key to itself", from: "(id int primary key, a int, key k (a), constraint f " +
		"foreign key (a) references t (id))", to: "(id int primary key, a int, key k (a), constraint f foreign key " +
		"(a) references u (id))", renamed: "u", says: []string{"RENAME TABLE"}},
}
