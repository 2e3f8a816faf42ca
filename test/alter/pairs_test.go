package alter

// pair is a table and what it shall become. Definitions are what stands behind CREATE TABLE name.
type pair struct {
	name       string
	only       string // "mysql" or "mariadb", or both when empty
	before     []string
	from, to   string
	rows       string // as in VALUES
	lineage    string // see lineage
	empties    []string
	renamed    string   // the table's new name
	want       []string // rows as they shall be, if they are not in doubt
	statements int      // how many; 0: one, -1: it depends on the server
	says, not  []string // what the statements hold, or not
	refused    string   // part of the error
}

var pairs = []pair{
	// Columns that come and go.
	{
		name: "add last", from: "(id int primary key)", to: "(id int primary key, a int default 7)", rows: "(1),(2)",
		want: []string{"1 7", "2 7"}, not: []string{"AFTER", "`id`"},
	},
	{
		name: "add first", from: "(id int primary key)", to: "(a int, id int primary key)", rows: "(1)",
		want: []string{"NULL 1"}, says: []string{"FIRST"},
	},
	{
		name: "add between", from: "(id int primary key, b int)", to: "(id int primary key, a int not null, b int)",
		rows: "(1,2)", want: []string{"1 0 2"}, says: []string{"AFTER `id`"},
	},
	{name: "add several", from: "(id int primary key, b int)", to: "(z int, y int, id int primary key, a int, aa " +
		"int, b int, c int, d int)", rows: "(1,2)", want: []string{"NULL NULL 1 NULL NULL 2 NULL NULL"}},
	{name: "add text not null", from: "(id int primary key)", to: "(id int primary key, a varchar(9) not null, b " +
		"text not null)", rows: "(1)", want: []string{"1  "}},
	{
		name: "add date not null", from: "(id int primary key)",
		to: "(id int primary key, a date not null, b datetime(3) not null)", rows: "(1)",
		want: []string{"1 0000-00-00 0000-00-00 00:00:00.000"},
	},
	{
		name: "add enum not null", from: "(id int primary key)", to: "(id int primary key, a enum('x','y') not null)",
		rows: "(1)", want: []string{"1 x"},
	},
	{
		name: "add with default expression", from: "(id int primary key, a int)",
		to: "(id int primary key, a int, b int default (7 * 6))", rows: "(1,2)", want: []string{"1 2 42"},
	},
	{
		name: "add auto_increment", from: "(a int)", to: "(a int, id int auto_increment primary key)", rows: "(5)",
		want: []string{"5 1"},
	},
	{
		name: "add auto_increment to a keyed table", from: "(a int primary key)",
		to: "(a int primary key, n int auto_increment, key n (n))", rows: "(30),(10),(20)", want: []string{
			"10 1",
			"20 2", "30 3",
		},
	},
	{
		name: "drop", from: "(id int primary key, a int, b int)", to: "(id int primary key, b int)", rows: "(1,2,3)",
		want: []string{"1 3"},
	},
	{
		name: "drop indexed", from: "(id int primary key, a int, b int, key k (a), key kk (a,b), unique u (b,a))",
		to: "(id int primary key, b int, key kk (b))", rows: "(1,2,3)", want: []string{"1 3"},
	},
	{
		name: "drop and add of one name", from: "(id int primary key, a int, key k (a))",
		to: "(id int primary key, a int, key k (a))", rows: "(1,2)", lineage: "-a", want: []string{"1 NULL"},
	},
	{
		name: "drop and add elsewhere", from: "(id int primary key, a int, b int)",
		to: "(a varchar(9) default 'new', id int primary key, b int)", rows: "(1,2,3)", lineage: "-a",
		want: []string{"new 1 3"},
	},
	{
		name: "drop checked",
		from: "(id int primary key, a int, b int, constraint c check (a > 0), constraint d check " +
			"(b > a))", to: "(id int primary key, b int, constraint d check (b > 0))", rows: "(1,2,3)",
		want: []string{"1 3"},
	},
	{
		name: "drop and add under a check", from: "(id int primary key, a int, constraint c check (a > 0))",
		to: "(id int primary key, a int default 5, constraint c check (a > 0))", rows: "(1,2)", lineage: "-a",
		want: []string{"1 5"},
	},
	{
		name: "all columns but one anew", from: "(a int, b int, c int)", to: "(x int, c int, y int)", rows: "(1,2,3)",
		want: []string{"NULL 3 NULL"},
	},

	// Names.
	{
		name: "rename", from: "(id int primary key, a int)", to: "(id int primary key, b int)", rows: "(1,2)",
		lineage: "b<a", want: []string{"1 2"}, says: []string{"RENAME COLUMN `a` TO `b`"}, not: []string{"CHANGE"},
	},
	{
		name: "rename key", from: "(id int auto_increment primary key, a int, key k (a,id))",
		to: "(number int auto_increment primary key, a int, key k (a,number))", rows: "(1,2)", lineage: "number<id",
		want: []string{"1 2"}, not: []string{"KEY"},
	},
	{
		name: "rename case", from: "(id int primary key, a int)", to: "(id int primary key, A int)", rows: "(1,2)",
		want: []string{"1 2"},
	},
	{
		name: "swap names", from: "(id int primary key, a int, b varchar(9))",
		to: "(id int primary key, b int, a varchar(9))", rows: "(1,2,'x')", lineage: "b<a a<b",
		want: []string{"1 2 x"},
	},
	{
		name: "rotate names", from: "(id int primary key, a int, b int, c int)",
		to: "(id int primary key, b int, c int, a int)", rows: "(1,2,3,4)", lineage: "b<a c<b a<c",
		want: []string{"1 2 3 4"},
	},
	{
		name: "swap names, back in order", from: "(id int primary key, a int, b int)",
		to: "(id int primary key, a int, b int)", rows: "(1,2,3)", lineage: "b<a a<b", want: []string{"1 3 2"},
	},
	{
		name: "swap names, indexed", from: "(id int primary key, a int, b int, key ka (a), unique kb (b))",
		to: "(id int primary key, b int, a int, key ka (b), unique kb (a))", rows: "(1,2,3)", lineage: "b<a a<b",
		want: []string{"1 2 3"}, not: []string{"KEY"},
	},
	{
		name: "swap names, indexes stay with names", from: "(id int primary key, a int, b int, key ka (a), unique " +
			"kb (b))",
		to: "(id int primary key, b int, a int, key ka (a), unique kb (b))", rows: "(1,2,3)", lineage: "b<a a<b",
		want: []string{"1 2 3"},
	},
	{
		name: "swap names and types", from: "(id int primary key, a int, b varchar(9))",
		to: "(id int primary key, b bigint, a varchar(20))", rows: "(1,2,'x')", lineage: "b<a a<b",
		want: []string{"1 2 x"},
	},
	{
		name: "rename onto a dropped name", from: "(id int primary key, a int, b int)",
		to:   "(id int primary key, a int)",
		rows: "(1,2,3)", lineage: "a<b", want: []string{"1 3"},
	},
	{
		name: "rename away, new under the name", from: "(id int primary key, a int)",
		to: "(id int primary key, a varchar(5), old int)", rows: "(1,2)", lineage: "old<a -a",
		want: []string{"1 NULL 2"},
	},
	{
		name: "rename away, indexed, new under the name",
		from: "(id int primary key, a int, b int, key k (a), unique u " +
			"(a,id), constraint c check (a < 100))", to: "(id int primary key, b int, a int, old int, key k (old), " +
			"unique u (old,id), constraint c check (old < 100))", rows: "(1,2,3)", lineage: "old<a -a",
		want: []string{"1 3 NULL 2"},
	},
	{
		name: "rename away the key, new under the name", from: "(id int primary key, a int)",
		to: "(old int primary key, id int, a int)", rows: "(1,2)", lineage: "old<id -id", want: []string{"1 NULL 2"},
	},
	{
		name:   "rename away what is referenced by, new under the name",
		before: []string{"CREATE TABLE p (id int primary key)"},
		from:   "(id int primary key, a int, key k (a), constraint f foreign key (a) references p (id))",
		to:     "(id int primary key, a int, old int, key k (old), constraint f foreign key (old) references p (id))",
		rows:   "(1,null)", lineage: "old<a -a", statements: -1, want: []string{"1 NULL NULL"},
	},
	{name: "rename onto a dropped name, under a generated column", from: "(id int primary key, a int, b int, g int " +
		"as (a + 1) virtual, s int as (a * 2) stored)", to: "(id int primary key, a int, g int as (a + 1) virtual, s " +
		"int as (a * 2) stored)", rows: "(1,2,3,default,default)", lineage: "a<b", want: []string{"1 3 4 6"}},
	{
		name: "rename and modify", from: "(id int primary key, a int)",
		to: "(id int primary key, b bigint not null default 5)", rows: "(1,2)", lineage: "b<a", want: []string{"1 2"},
	},
	{
		name: "rename and move", from: "(id int primary key, a int, b int)", to: "(x int, id int primary key, a int)",
		rows: "(1,2,3)", lineage: "x<b", want: []string{"3 1 2"},
	},
	{name: "rename under generated", from: "(id int primary key, a int, g int as (a + 1) virtual, s int as (a * 2) " +
		"stored, key kg (g))", to: "(id int primary key, b int, g int as (b + 1) virtual, s int as (b * 2) stored, " +
		"key kg (g))", rows: "(1,2,default,default)", lineage: "b<a", want: []string{"1 2 3 4"}},
	{name: "rename and modify under generated", from: "(id int primary key, a int, g int as (a + 1) virtual, " +
		"constraint c check (a > 0))", to: "(id int primary key, b bigint, g int as (b + 1) virtual, constraint c " +
		"check (b > 0))", rows: "(1,2,default)", lineage: "b<a", want: []string{"1 2 3"}},
	{
		name: "rename a generated column",
		from: "(id int primary key, a int, g int as (a + 1) virtual, h int as (g + " +
			"1) stored)", to: "(id int primary key, a int, x int as (a + 1) virtual, h int as (x + 1) stored)",
		rows: "(1,2,default,default)", lineage: "x<g", want: []string{"1 2 3 4"},
	},
	{name: "swap names under generated", from: "(id int primary key, a int, b int, g int as (a - b) virtual, s int " +
		"as (a - b) stored)", to: "(id int primary key, b int, a int, g int as (b - a) virtual, s int as (b - a) " +
		"stored)", rows: "(1,5,3,default,default)", lineage: "b<a a<b", want: []string{"1 5 3 2 2"}},
	{name: "swap names, generated stay with names", from: "(id int primary key, a int, b int, g int as (a - b) " +
		"virtual, s int as (a - b) stored)", to: "(id int primary key, b int, a int, g int as (a - b) virtual, s int " +
		"as (a - b) stored)", rows: "(1,5,3,default,default)", lineage: "b<a a<b", want: []string{"1 5 3 -2 -2"}},
	{name: "rename under checks", from: "(id int primary key, a int, b int, constraint c check (a > 0), constraint d " +
		"check (a < b))", to: "(id int primary key, x int, b int, constraint c check (x > 0), constraint d check " +
		"(x < b))", rows: "(1,2,3)", lineage: "x<a", want: []string{"1 2 3"}},
	{
		name: "rename under defaults", from: "(id int primary key, a int, b int default (a + 1))",
		to: "(id int primary key, x int, b int default (x + 1))", rows: "(1,2,3)", lineage: "x<a",
		want: []string{"1 2 3"},
	},
	{
		name: "rename under a functional index", only: "mysql", from: "(id int primary key, a int, key f ((a + 1)), " +
			"unique g ((a * 2), id))", to: "(id int primary key, x int, key f ((x + 1)), unique g ((x * 2), id))",
		rows: "(1,2)", lineage: "x<a", want: []string{"1 2"},
	},
	{
		name: "rename under a column's check", only: "mariadb",
		from: "(id int primary key, a int check (a > 1), b int " +
			"check (b > a))", to: "(id int primary key, x int check (x > 1), b int check (b > x))", rows: "(1,2,3)",
		lineage: "x<a", want: []string{"1 2 3"},
	},
	{
		name: "rename under a foreign key", before: []string{"CREATE TABLE p (id int primary key)"},
		from: "(id int primary key, a int, key k (a), constraint f foreign key (a) references p (id))",
		to:   "(id int primary key, x int, key k (x), constraint f foreign key (x) references p (id))", lineage: "x<a",
		not: []string{"FOREIGN"},
	},
	{name: "rename under a foreign key to itself", from: "(id int primary key, a int, key k (a), constraint f " +
		"foreign key (a) references t (id))", to: "(n int primary key, a int, key k (a), constraint f foreign key " +
		"(a) references t (n))", lineage: "n<id", not: []string{"FOREIGN"}},
	{
		name: "odd names", from: "(`i``d` int primary key, `a.b` int, `c\"d` int, key `k.k` (`a.b`))",
		to: "(`i``d` int primary key, `ä-µ` int, `a.b` int, key `k.k` (`ä-µ`))", rows: "(1,2,3)",
		lineage: "ä-µ<a.b a.b<c\"d", want: []string{"1 2 3"},
	},
	{
		name: "reserved names", from: "(`key` int primary key, `select` int, `from` int as (`select` + 1) virtual)",
		to: "(`key` int primary key, `where` int, `from` int as (`where` + 1) virtual)", rows: "(1,2,default)",
		lineage: "where<select", want: []string{"1 2 3"},
	},

	// Order.
	{
		name: "one to the front", from: "(a int primary key, b int, c int, d int)",
		to: "(d int, a int primary key, b int, c int)", rows: "(1,2,3,4)", want: []string{"4 1 2 3"},
		says: []string{"`d` int", "FIRST"}, not: []string{"`b`"},
	},
	{
		name: "one to the end", from: "(a int, b int, c int, d int, primary key (b))",
		to: "(b int, c int, d int, a int, primary key (b))", rows: "(1,2,3,4)", want: []string{"2 3 4 1"},
		not: []string{"`b`"},
	},
	{
		name: "reversed", from: "(a int primary key, b int, c int, d int)",
		to:   "(d int, c int, b int, a int primary key)",
		rows: "(1,2,3,4)", want: []string{"4 3 2 1"},
	},
	{
		name: "neighbours exchanged", from: "(a int primary key, b int, c int, d int)",
		to: "(b int, a int primary key, d int, c int)", rows: "(1,2,3,4)", want: []string{"2 1 4 3"},
	},
	{
		name: "moved, added and dropped", from: "(a int primary key, b int, c int, d int, e int)",
		to: "(x int, e int, y int, a int primary key, c int, b int, z int)", rows: "(1,2,3,4,5)",
		want: []string{"NULL 5 NULL 1 3 2 NULL"},
	},
	{
		name: "moved generated", from: "(a int primary key, g int as (a + 1) stored, v int as (a + 2) virtual, c int)",
		to:   "(v int as (a + 2) virtual, a int primary key, c int, g int as (a + 1) stored)",
		rows: "(1,default,default,4)", want: []string{"3 1 4 2"},
	},
	{
		name: "moved and renamed in a ring", from: "(a int, b int, c int, d int, primary key (a))",
		to: "(b int, d int, a int, c int, primary key (b))", rows: "(1,2,3,4)", lineage: "b<a d<c a<b c<d",
		want: []string{"1 3 2 4"},
	},

	// Types.
	{
		name: "wider integer", from: "(id int primary key, a int)", to: "(id bigint unsigned primary key, a bigint)",
		rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "narrower integer", from: "(id int primary key, a bigint)", to: "(id int primary key, a tinyint)",
		rows: "(1,-2)", want: []string{"1 -2"},
	},
	{
		name: "integer to text", from: "(id int primary key, a int)", to: "(id int primary key, a varchar(9))",
		rows: "(1,-2)", want: []string{"1 -2"},
	},
	{
		name: "decimal scale", from: "(id int primary key, a decimal(10,3))",
		to:   "(id int primary key, a decimal(12,5))",
		rows: "(1,1.5)", want: []string{"1 1.50000"},
	},
	{
		name: "longer varchar", from: "(id int primary key, a varchar(9), key k (a))",
		to: "(id int primary key, a varchar(99), key k (a))", rows: "(1,'x')", want: []string{"1 x"},
		not: []string{"KEY"},
	},
	{
		name: "varchar to text with prefix", from: "(id int primary key, a varchar(9), key k (a))",
		to: "(id int primary key, a text, key k (a(5)))", rows: "(1,'x')", want: []string{"1 x"},
	},
	{
		name: "enum longer", from: "(id int primary key, a enum('x','y'))",
		to: "(id int primary key, a enum('x','y','it''s'))", rows: "(1,'y')", want: []string{"1 y"},
	},
	{
		name: "enum reordered", from: "(id int primary key, a enum('x','y'))",
		to:   "(id int primary key, a enum('y','x'))",
		rows: "(1,'y')", want: []string{"1 y"},
	},
	{
		name: "set to varchar", from: "(id int primary key, a set('x','y'))", to: "(id int primary key, a varchar(20))",
		rows: "(1,'x,y')", want: []string{"1 x,y"},
	},
	{
		name: "datetime precision", from: "(id int primary key, a datetime)", to: "(id int primary key, a datetime(6))",
		rows: "(1,'2020-02-29 01:02:03')", want: []string{"1 2020-02-29 01:02:03.000000"},
	},
	{
		name: "timestamp to datetime", from: "(id int primary key, a timestamp null)",
		to: "(id int primary key, a datetime)", rows: "(1,'2020-02-29 01:02:03')",
		want: []string{"1 2020-02-29 01:02:03"},
	},
	{
		name: "zero dates", from: "(id int primary key, a date)", to: "(id int primary key, a datetime)",
		rows: "(1,'0000-00-00')", want: []string{"1 0000-00-00 00:00:00"},
	},
	{
		name: "text to blob and back to text", from: "(id int primary key, a text, b blob)",
		to: "(id int primary key, a blob, b text)", rows: "(1,'ä','ö')", want: []string{"1 ä ö"},
	},
	{
		name: "binary", from: "(id int primary key, a binary(2))", to: "(id int primary key, a varbinary(5))",
		rows: "(1,'ab')", want: []string{"1 ab"},
	},
	{
		name: "bit", from: "(id int primary key, a bit(3) default b'101')",
		to: "(id int primary key, a bit(9) default b'111')", rows: "(1,5)",
	},
	{
		name: "unsigned and zerofill", from: "(id int primary key, a int)",
		to: "(id int primary key, a int(8) unsigned zerofill)", rows: "(1,5)", want: []string{"1 5"},
	},
	{
		name: "geometry", from: "(id int primary key, a point)", to: "(id int primary key, a geometry)",
		rows: "(1,ST_GeomFromText('POINT(1 2)'))",
	},
	{
		name: "srid", only: "mysql", from: "(id int primary key, a geometry not null)",
		to:   "(id int primary key, a geometry not null srid 0, spatial key s (a))",
		rows: "(1,ST_GeomFromText('POINT(1 2)'))",
	},
	{
		name: "json", from: "(id int primary key, a longtext)", to: "(id int primary key, a json)",
		rows: "(1,'{\"a\": 1}')", want: []string{`1 {"a": 1}`},
	},
	{
		name: "compressed column", only: "mariadb", from: "(id int primary key, a text compressed)",
		to: "(id int primary key, a text)", rows: "(1,'x')", want: []string{"1 x"},
	},

	// Attributes.
	{
		name: "default set", from: "(id int primary key, a int)", to: "(id int primary key, a int default 5)",
		rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "default dropped", from: "(id int primary key, a int not null default 5)",
		to: "(id int primary key, a int not null)", rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "default to expression", from: "(id int primary key, a int default 5)",
		to: "(id int primary key, a int default (1 + 2))", rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "default text", from: "(id int primary key, a varchar(20) default 'x')",
		to: "(id int primary key, a varchar(20) default 'it''s \\\\ new')", rows: "(1,'a')", want: []string{"1 a"},
	},
	{
		name: "default now", from: "(id int primary key, a datetime(3))",
		to:   "(id int primary key, a datetime(3) default current_timestamp(3) on update current_timestamp(3))",
		rows: "(1,'2020-01-01')", want: []string{"1 2020-01-01 00:00:00.000"},
	},
	{
		name: "on update dropped", from: "(id int primary key, a timestamp default current_timestamp on update " +
			"current_timestamp)", to: "(id int primary key, a timestamp null default null)", rows: "(1,'2020-01-01')",
		want: []string{"1 2020-01-01 00:00:00"},
	},
	{
		name: "not null", from: "(id int primary key, a int)", to: "(id int primary key, a int not null)",
		rows: "(1,2)",
		want: []string{"1 2"},
	},
	{
		name: "null", from: "(id int primary key, a int not null)", to: "(id int primary key, a int)", rows: "(1,2)",
		want: []string{"1 2"},
	},
	{
		name: "comment", from: "(id int primary key, a int comment 'x')",
		to: "(id int primary key, a int comment 'it''s')", rows: "(1,2)", want: []string{"1 2"},
	},
	{
		name: "comment dropped", from: "(id int primary key, a int comment 'x')", to: "(id int primary key, a int)",
		rows: "(1,2)", want: []string{"1 2"}, not: []string{"COMMENT"},
	},
	{
		name: "invisible", from: "(id int primary key, a int)", to: "(id int primary key, a int invisible)",
		rows: "(1,2)",
		want: []string{"1"},
	},
	{
		name: "visible", from: "(id int primary key, a int invisible, b int)", to: "(id int primary key, a int, b int)",
		rows: "(1,2)", want: []string{"1 NULL 2"},
	},
	{
		name: "auto_increment on", from: "(id int primary key, a int)",
		to:   "(id int auto_increment primary key, a int)",
		rows: "(0,1),(7,2)", want: []string{"0 1", "7 2"},
	},
	{
		name: "auto_increment off", from: "(id int auto_increment primary key, a int)",
		to:   "(id int primary key, a int)",
		rows: "(7,2)", want: []string{"7 2"},
	},
	{
		name: "auto_increment elsewhere", from: "(id int auto_increment primary key, a int not null)",
		to: "(id int primary key, a int not null auto_increment, key k (a))", rows: "(7,2)", want: []string{"7 2"},
	},
	{
		name: "column check", only: "mariadb", from: "(id int primary key, a int check (a > 0), b int)",
		to: "(id int primary key, a int, b int check (b < 9))", rows: "(1,2,3)", want: []string{"1 2 3"},
	},

	// Generated columns.
	{
		name: "virtual to stored", from: "(id int primary key, a int, g int as (a + 1) virtual, key k (g))",
		to: "(id int primary key, a int, g int as (a + 1) stored, key k (g))", rows: "(1,2,default)",
		want: []string{"1 2 3"},
	},
	{
		name: "stored to virtual", from: "(id int primary key, g int as (id + 1) stored, a int)",
		to: "(id int primary key, g int as (id + 1) virtual, a int)", rows: "(1,default,2)", want: []string{"1 2 2"},
	},
	{
		name: "plain to virtual", from: "(id int primary key, g int, a int)",
		to: "(id int primary key, g int as (a * 2) virtual, a int)", rows: "(1,9,2)", want: []string{"1 4 2"},
	},
	{
		name: "plain to stored", from: "(id int primary key, g int, a int)",
		to: "(id int primary key, g int as (a * 2) stored, a int)", rows: "(1,9,2)", want: []string{"1 4 2"},
	},
	{
		name: "stored to plain", from: "(id int primary key, a int, g int as (a * 2) stored)",
		to: "(id int primary key, a int, g int)", rows: "(1,9,default)", want: []string{"1 9 18"},
	},
	{
		name: "virtual to plain, new", from: "(id int primary key, a int, g int as (a * 2) virtual)",
		to: "(id int primary key, a int, g int)", rows: "(1,9,default)", lineage: "-g", want: []string{"1 9 NULL"},
	},
	{
		name: "virtual to plain, kept", from: "(id int primary key, a int, g int as (a * 2) virtual)",
		to: "(id int primary key, a int, g int)", refused: "virtual column",
	},
	{
		name: "expression of stored", from: "(id int primary key, a int, g int as (a * 2) stored, key k (g))",
		to: "(id int primary key, a int, g int as (a * 3) stored, key k (g))", rows: "(1,9,default)",
		want: []string{"1 9 27"},
	},
	{
		name: "expression of virtual", from: "(id int primary key, a int, g int as (a * 2) virtual)",
		to: "(id int primary key, a int, g int as (a * 3) virtual)", rows: "(1,9,default)", want: []string{"1 9 27"},
	},
	{
		name: "expression of indexed virtual", from: "(id int primary key, a int, g int as (a * 2) virtual, key k (g))",
		to: "(id int primary key, a int, g int as (a * 3) virtual, key k (g))", rows: "(1,9,default)",
		want: []string{"1 9 27"},
	},
	{
		name: "type of generated", from: "(id int primary key, a int, g int as (a * 2) virtual, s int as (a * 2) " +
			"stored)",
		to:   "(id int primary key, a int, g bigint as (a * 2) virtual, s bigint as (a * 2) stored)",
		rows: "(1,9,default,default)", want: []string{"1 9 18 18"},
	},
	{
		name: "generated added", from: "(id int primary key, a int)",
		to: "(v int as (a + 1) virtual, id int primary key, s int as (a + 2) stored, a int)", rows: "(1,9)",
		want: []string{"10 1 11 9"},
	},
	{
		name: "generated dropped with what it is of", from: "(id int primary key, a int, v int as (a + 1) virtual, s " +
			"int as (a + 2) stored, key k (v))", to: "(id int primary key)", rows: "(1,9,default,default)",
		want: []string{"1"},
	},
	{
		name: "generated of generated made anew", from: "(id int primary key, a int, v int as (a + 1) virtual, w " +
			"int as " +
			"(v + 1) virtual)", to: "(id int primary key, a int, v int as (a + 1) stored, w int as (v + 1) virtual)",
		rows: "(1,9,default,default)", want: []string{"1 9 10 11"},
	},
	{
		name: "generated not null", only: "mysql", from: "(id int primary key, a int, v int as (a + 1) virtual)",
		to: "(id int primary key, a int, v int as (a + 1) virtual not null)", rows: "(1,9,default)",
		want: []string{"1 9 10"},
	},
}
