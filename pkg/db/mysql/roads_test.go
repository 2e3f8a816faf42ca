package mysql

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/canon"
	"wherry/pkg/db/mysql/wire/wiretest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

const (
	roadsFrom = "roads_from" // the database on the source
	roadsTo   = "roads_to"   // and on targets
	roadsMove = "roads"
)

// TestThreeRoadsOneRow writes rows into random tables of all types and character sets, and compares, byte for byte,
// what SELECT prints with what the log holds, and with what is read back from targets that were written by LOAD DATA,
// by INSERT and by the applier.
func TestThreeRoadsOneRow(t *testing.T) {
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any bits
	if text := os.Getenv("WHERRY_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "WHERRY_SEED")
	}
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		t.Logf("replay with WHERRY_SEED=%d", seed)
		w := newRoads(t, s, rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // a test
		shared, own := w.types()
		rows, number := 0, 0
		for ; len(shared)+len(own) > 0; number++ {
			kinds := &shared
			if len(shared) == 0 || number%3 == 2 && len(own) > 0 {
				kinds = &own
			}
			n := min(1+w.r.IntN(40), len(*kinds))
			table := &roadsTable{name: fmt.Sprintf("t%d", number), columns: (*kinds)[:n], shared: kinds == &shared}
			*kinds = (*kinds)[n:]
			t.Run(table.name, func(t *testing.T) {
				w.t, w.c.T = t, t
				rows += w.roads(table)
			})
		}
		assert.Greater(t, rows, 100*number) // how many tables the types are dealt out to is random too
	})
}

// roads is a source and the targets that its rows are brought to.
type roads struct {
	t       *testing.T
	r       *rand.Rand
	mariadb bool
	c       *wiretest.Conn // on the source
	source  *Source
	plain   *sql.DB // reads the source without wherry
	targets []*roadsTarget
}

// roadsTarget is a server that rows are brought to.
type roadsTarget struct {
	family bool // of the source
	load   *Target
	insert *Target
	plain  *sql.DB
}

func newRoads(t *testing.T, s *wiretest.Server, r *rand.Rand) *roads {
	w := &roads{t: t, r: r, mariadb: s.MariaDB, c: s.Connect(t), plain: plainReader(t, s)}
	w.c.Exec("DROP DATABASE IF EXISTS "+roadsFrom, "CREATE DATABASE "+roadsFrom+" CHARACTER SET utf8mb4",
		"USE "+roadsFrom,
		"CREATE TABLE marks (id int PRIMARY KEY)")
	var err error
	w.source, err = OpenSource(t.Context(), configOf(s))
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.source.Close() })
	for _, other := range wiretest.Servers(t) {
		if !strings.HasSuffix(other.Name, "-2") {
			continue
		}
		c := other.Connect(t)
		c.Exec("DROP DATABASE IF EXISTS "+roadsTo, "DROP DATABASE IF EXISTS "+Bookkeeping(roadsMove),
			"CREATE DATABASE "+roadsTo)
		t.Cleanup(func() {
			c.Exec("DROP DATABASE IF EXISTS "+roadsTo, "DROP DATABASE IF EXISTS "+Bookkeeping(roadsMove))
		})
		target := &roadsTarget{family: other.MariaDB == s.MariaDB, plain: plainReader(t, other)}
		for _, method := range []string{"auto", "insert"} {
			cfg := configOf(other)
			cfg.Move, cfg.LoadMethod = roadsMove, method
			opened, err := OpenTarget(t.Context(), cfg)
			require.NoError(t, err)
			t.Cleanup(func() { _ = opened.Close() })
			if target.load == nil {
				target.load = opened
				require.NoError(t, opened.Ledger().Create(t.Context()))
				require.NoError(t, opened.Ledger().Put(t.Context(), db.FactPosition, "here"))
			} else {
				target.insert = opened
			}
		}
		w.targets = append(w.targets, target)
	}
	require.NotEmpty(t, w.targets, "no second servers in WHERRY_TEST_SERVERS")
	return w
}

// plainReader returns sessions that print bytes as they are, by a driver that wherry's row path does not use.
func plainReader(t *testing.T, s *wiretest.Server) *sql.DB {
	t.Helper()
	c := driver.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.Collation = "tcp", s.Dialer.Address, s.User, s.Password, "binary"
	c.Params = map[string]string{"time_zone": "'+00:00'", "sql_mode": "''"}
	connector, err := driver.NewConnector(c)
	require.NoError(t, err)
	opened := sql.OpenDB(connector)
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

// types returns every type once, in random order: those that both families have, and the others.
func (w *roads) types() (shared, own []typeColumn) {
	all := typeColumns(w.mariadb, w.charsets(), w.r)
	w.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, c := range all {
		if c.own {
			own = append(own, c)
		} else {
			shared = append(shared, c)
		}
	}
	return shared, own
}

// candidates are characters of many scripts; 0x5c is the second byte of some in sjis, gbk and big5.
var candidates = []rune("aZ09 \\'\"\x00\n\t," +
	"äöåÄéßñ¥£€‚ŽžŠŸÿ¤ŁłőĀģűžΑβγЖжюЯІґאבתشپกขฺԱբაბソ表能十構貼亜漢字中文功許蓋珮ァｱ가각한〜∥─│★①㈱ⅰ😀𠀀")

// charsets learns the server's character sets and which candidates they have.
func (w *roads) charsets() []textSet {
	lonely := map[string]bool{"gb18030": true}
	var all []textSet
	for _, row := range w.c.Rows("SELECT CHARACTER_SET_NAME FROM information_schema.CHARACTER_SETS " +
		"WHERE CHARACTER_SET_NAME <> 'binary' ORDER BY 1") {
		c := textSet{name: string(row[0]), own: lonely[string(row[0])]}
		var terms []string
		for _, r := range candidates {
			encoded := fmt.Sprintf("CONVERT(_utf8mb4 X'%s' USING %s)", hex.EncodeToString([]byte(string(r))), c.name)
			terms = append(terms, "CAST("+encoded+" AS BINARY)", "CAST(CONVERT("+encoded+" USING utf8mb4) AS BINARY)")
		}
		found := w.c.Rows("SELECT " + strings.Join(terms, ", "))[0]
		for i, r := range candidates {
			if string(found[2*i+1]) != string(r) {
				continue
			}
			c.alphabet = append(c.alphabet, string(found[2*i]))
			// SHOW CREATE TABLE of MariaDB shows no characters beyond U+FFFF; several sets have two codes for a
			// backslash or a yen.
			if r > ' ' && r != ',' && r != '\\' && r != '¥' && r < 0x10000 && (r < '0' || r > '9') {
				c.letters = append(c.letters, string(r))
			}
		}
		all = append(all, c)
	}
	return all
}

// roadsTable is a table of random columns.
type roadsTable struct {
	name    string
	columns []typeColumn
	shared  bool // every type exists on both families
	key     string
	names   []string // of columns, c0 and on
}

// create makes the table: its key, generated and invisible columns, defaults and NOT NULL are random.
func (w *roads) create(table *roadsTable) {
	elements := make([]string, 0, len(table.columns)+3)
	for i, c := range table.columns {
		name := fmt.Sprintf("c%d", i)
		table.names = append(table.names, name)
		definition := name + " " + c.definition
		switch w.r.IntN(8) {
		case 0:
			switch {
			case c.stamp:
				definition += " NOT NULL DEFAULT '2000-01-01'"
			case !c.nullable:
				definition += " NOT NULL"
			}
		case 1:
			definition += " INVISIBLE"
		case 2:
			if c.plain != "" {
				definition += " DEFAULT " + c.plain
			}
		}
		if c.stamp && !strings.Contains(definition, "NOT NULL") {
			definition += " NULL"
		}
		elements = append(elements, definition)
	}
	table.key = []string{
		"int", "bigint unsigned", "decimal(20,3)", "varchar(20) character set latin1", "varbinary(20)", "datetime(6)",
	}[w.r.IntN(6)]
	for _, extra := range []string{
		"id " + table.key + " NOT NULL", "g1 varchar(30) AS (id) VIRTUAL", "g2 varchar(60) AS (concat(id, 'ü')) STORED",
	} {
		elements = slices.Insert(elements, w.r.IntN(len(elements)+1), extra)
	}
	w.c.Exec("SET NAMES utf8mb4", "CREATE TABLE "+table.name+" ("+strings.Join(elements, ", ")+
		", PRIMARY KEY (id)) CHARACTER SET utf8mb4 ROW_FORMAT=DYNAMIC")
}

func (table *roadsTable) keyOf(n int) string {
	if strings.HasPrefix(table.key, "datetime") {
		return fmt.Sprintf("'2000-01-01' + INTERVAL %d MINUTE", n)
	}
	return strconv.Itoa(n)
}

// value draws an expression for a column: all edges come up in the first rows.
func (w *roads) value(c *typeColumn, row int) string {
	switch {
	case row < len(c.edges):
		return c.edges[row]
	case row == len(c.edges) || w.r.IntN(20) == 0:
		return "NULL"
	default:
		return c.random(w.r)
	}
}

// session draws how changes are logged.
func (w *roads) session() {
	settings := []string{"SET GLOBAL binlog_row_metadata = " + []string{"MINIMAL", "FULL"}[w.r.IntN(2)]}
	if !w.mariadb {
		settings = append(settings,
			"SET SESSION binlog_row_value_options = "+[]string{"''", "PARTIAL_JSON"}[w.r.IntN(2)],
			"SET SESSION binlog_transaction_compression = "+[]string{"OFF", "ON"}[w.r.IntN(2)])
	} else {
		settings = append(settings, "SET GLOBAL log_bin_compress = "+[]string{"OFF", "ON"}[w.r.IntN(2)],
			"SET SESSION column_compression_zlib_wrap = "+[]string{"OFF", "ON"}[w.r.IntN(2)])
	}
	w.c.Exec(settings...)
	w.t.Cleanup(func() {
		w.c.Exec(strings.Replace(settings[0], "FULL", map[bool]string{false: "MINIMAL", true: "NO_LOG"}[w.mariadb], 1))
		if w.mariadb {
			w.c.Exec("SET GLOBAL log_bin_compress = OFF")
		}
	})
}

const roadsRows = 160 // per table

func (w *roads) fill(table *roadsTable) {
	for row := 0; row < roadsRows; row += 40 {
		var b strings.Builder
		for j := row; j < row+40; j++ {
			values := []string{table.keyOf(j)}
			for i := range table.columns {
				values = append(values, w.value(&table.columns[i], j))
			}
			b.WriteString(",(" + strings.Join(values, ",") + ")")
		}
		w.c.Exec("INSERT IGNORE INTO " + table.name + " (" +
			strings.Join(append([]string{"id"}, table.names...), ",") + ") VALUES " + b.String()[1:])
	}
}

// change updates half of the rows, some of their documents in place.
func (w *roads) change(table *roadsTable) {
	for from := range 4 {
		var sets []string
		for i := range table.columns {
			c := &table.columns[i]
			switch {
			case c.change != "" && from > 0:
				sets = append(sets, table.names[i]+" = "+fmt.Sprintf(c.change, table.names[i]))
			case w.r.IntN(3) > 0:
				sets = append(sets, table.names[i]+" = "+w.value(c, len(c.edges)+1))
			}
		}
		if sets != nil {
			w.c.Exec(fmt.Sprintf("UPDATE IGNORE %s SET %s WHERE id BETWEEN %s AND %s",
				table.name, strings.Join(sets, ", "),
				table.keyOf(10+from*30), table.keyOf(25+from*30)))
		}
	}
}

// roads takes one table down all roads and returns how many rows it had.
func (w *roads) roads(table *roadsTable) int {
	t := w.t
	w.session()
	w.create(table)
	source, err := w.source.Tables(t.Context(), func(n schema.Name) bool {
		return n == schema.Name{Database: roadsFrom, Table: table.name}
	})
	require.NoError(t, err)
	require.Len(t, source, 1)
	from, err := w.source.Head(t.Context())
	require.NoError(t, err)
	log := w.follow(from, source[0])
	for step, write := range []func(*roadsTable){w.fill, w.change, w.remove} {
		w.c.Exec("SET NAMES utf8mb4")
		write(table)
		w.c.Exec("SET NAMES binary", fmt.Sprintf("REPLACE INTO marks VALUES (%d)", step), "DELETE FROM marks")
		log.untilMark()
		if !log.same(w.source, w.plain, table.name) {
			t.Fatalf("step %d", step)
		}
	}
	for _, target := range w.targets {
		if target.family || table.shared {
			w.bring(source[0], target, log)
		}
	}
	w.c.Exec("DROP TABLE " + table.name)
	return len(log.model)
}

func (w *roads) remove(table *roadsTable) {
	w.c.Exec("DELETE FROM " + table.name + " WHERE id BETWEEN " + table.keyOf(100) + " AND " + table.keyOf(120))
}

// roadsLog is what the log says that a table holds.
type roadsLog struct {
	t      *testing.T
	route  *route.Route
	marks  *route.Route
	stream db.Stream
	model  map[string]db.Row
}

func (w *roads) follow(from db.Position, table *schema.Table) *roadsLog {
	t := w.t
	marks, err := w.source.Tables(t.Context(), func(n schema.Name) bool {
		return n == schema.Name{Database: roadsFrom, Table: "marks"}
	})
	require.NoError(t, err)
	l := &roadsLog{t: t, model: map[string]db.Row{}}
	l.route, err = route.New(table, table, "")
	require.NoError(t, err)
	l.marks, err = route.New(marks[0], marks[0], "")
	require.NoError(t, err)
	l.stream, err = w.source.Stream(t.Context(), from, []*route.Route{l.route, l.marks}, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.stream.Close() })
	return l
}

// untilMark follows the log until the mark is taken away. Every image before a change must be the row as it was.
func (l *roadsLog) untilMark() {
	key := l.route.Source.Key[0]
	for until := time.Now().Add(time.Minute); time.Now().Before(until); {
		part, err := l.stream.Next(l.t.Context(), time.Second)
		require.NoError(l.t, err)
		if part == nil {
			continue
		}
		until = time.Now().Add(time.Minute) // it moves
		for _, change := range part.Changes {
			if change.Route == l.marks {
				if change.After == nil {
					return
				}
				continue
			}
			if change.Before != nil {
				require.Equal(l.t, l.model[string(change.Before[key])], change.Before)
				delete(l.model, string(change.Before[key]))
			}
			if change.After != nil {
				l.model[string(change.After[key])] = change.After.Clone()
			}
		}
	}
	l.t.Fatal("the mark is not in the log")
}

// same compares the model with what is read.
func (l *roadsLog) same(source db.Reader, plain *sql.DB, table string) bool {
	rel := &l.route.Source
	got := map[string]db.Row{}
	rows, err := source.Rows(l.t.Context(), rel, db.Range{})
	require.NoError(l.t, err)
	all, err := db.ReadAll(rows)
	require.NoError(l.t, err)
	for _, row := range all {
		got[string(row[rel.Key[0]])] = row
	}
	good := sameRows(l.t, rel, l.model, got, "log", "Rows")
	return sameRows(l.t, rel, l.model, readPlain(l.t, plain, roadsFrom+"."+table, rel), "log", "SELECT") && good
}

// readPlain reads a table by its key.
func readPlain(t *testing.T, plain *sql.DB, table string, rel *route.Relation) map[string]db.Row {
	t.Helper()
	names, real := make([]string, len(rel.Columns)), make([]bool, len(rel.Columns))
	for i := range names {
		names[i] = canonicalText(rel.Column(i))
		switch kind := rel.Column(i).Type.Kind; {
		case kind == schema.Float || kind == schema.Double:
			real[i] = true
		case rel.Column(i).Type.IsNumber():
			names[i] = "CONCAT('', " + names[i] + ")" // the driver would parse it
		}
	}
	rows, err := plain.QueryContext(t.Context(), "SELECT "+strings.Join(names, ", ")+" FROM "+table)
	require.NoError(t, err)
	defer rows.Close()
	out := map[string]db.Row{}
	for rows.Next() {
		row, into := make([]sql.Null[[]byte], len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		require.NoError(t, rows.Scan(into...))
		kept := make(db.Row, len(names))
		for i, v := range row {
			switch {
			case real[i] && v.Valid: // the driver's own text of a number that it has read
				number, err := strconv.ParseFloat(string(v.V), 64)
				require.NoError(t, err)
				kept[i] = canon.AppendDouble(nil, number)
			case v.Valid:
				kept[i] = append([]byte{}, v.V...)
			}
		}
		out[string(kept[rel.Key[0]])] = kept
	}
	require.NoError(t, rows.Err())
	return out
}

// sameRows compares rows by key and shows the first differences.
func sameRows(t *testing.T, rel *route.Relation, want, got map[string]db.Row, wanted, gotten string) bool {
	t.Helper()
	differences := 0
	differ := func(format string, args ...any) {
		t.Errorf(format, args...)
		if differences++; differences > 5 {
			t.FailNow()
		}
	}
	if len(want) != len(got) {
		differ("%d rows by %s, %d by %s", len(want), wanted, len(got), gotten)
	}
	for key, row := range want {
		other, ok := got[key]
		if !ok {
			differ("row %q: none by %s", key, gotten)
			continue
		}
		for i := range row {
			if (row[i] == nil) != (other[i] == nil) || string(row[i]) != string(other[i]) {
				differ("row %q, column %s %s %s: %s %s, %s %s",
					key, rel.Column(i).Name, rel.Column(i).Type.Text, rel.Column(i).Type.Charset,
					wanted, shown(row[i]), gotten, shown(other[i]))
			}
		}
	}
	return differences == 0
}

func shown(v []byte) string {
	if v == nil {
		return "NULL"
	}
	return fmt.Sprintf("%.300q", v)
}

// bring writes the rows to a target in three ways, and reads them back.
func (w *roads) bring(source *schema.Table, target *roadsTarget, log *roadsLog) {
	t := w.t
	for number, way := range []string{"load", "insert", "upsert"} {
		name := schema.Name{Database: roadsTo, Table: source.Name.Table + "_" + way}
		same := func(schema.Name) schema.Name { return name }
		planned, losses, err := target.load.Dialect().Map(source, name, same)
		require.NoError(t, err)
		for _, loss := range losses {
			require.NotEqual(t, schema.Fatal, loss.Grade, "%s %s: %s", loss.Name, loss.Column, loss.What)
		}
		require.NoError(t, target.load.Execute(t.Context(), target.load.Dialect().CreateTable(planned, false)[0]))
		r, err := route.New(source, planned, "")
		require.NoError(t, err)
		switch way {
		case "load":
			w.load(target.load, r, number, len(log.model))
		case "insert":
			w.load(target.insert, r, number, len(log.model))
		default:
			w.upsert(target.load, r, log)
		}
		got := readPlain(t, target.plain, roadsTo+"."+name.Table, &r.Target)
		require.True(t, sameRows(t, &r.Source, log.model, got, "source", way+" on "+target.load.version))
		want, err := w.source.Sum(t.Context(), &r.Source, db.Range{})
		require.NoError(t, err)
		sum, err := target.load.Sum(t.Context(), &r.Target, db.Range{})
		require.NoError(t, err)
		require.Equal(t, want, sum, "sums of %s on %s differ, of %v",
			way, target.load.version, w.unequalSums(r, target.load))
		require.EqualValues(t, len(log.model), sum.Rows)
		require.NoError(t, target.load.Execute(t.Context(), "DROP TABLE "+dialect.Quoted(name)))
	}
}

// unequalSums names the columns that make sums differ.
func (w *roads) unequalSums(r *route.Route, target *Target) (names []string) {
	for i := range r.Source.Columns {
		source, other := r.Source, r.Target
		source.Columns, other.Columns = r.Source.Columns[i:i+1], r.Target.Columns[i:i+1]
		a, err := w.source.Sum(w.t.Context(), &source, db.Range{})
		require.NoError(w.t, err)
		b, err := target.Sum(w.t.Context(), &other, db.Range{})
		require.NoError(w.t, err)
		if a != b {
			names = append(names, source.Column(0).Name+" "+source.Column(0).Type.Text)
		}
	}
	return names
}

func (w *roads) load(target *Target, r *route.Route, number, rows int) {
	chunk := db.Chunk{Number: number}
	require.NoError(w.t, target.Ledger().Plan(w.t.Context(), chunk, r.Source.Name()))
	loaded, err := target.Load(w.t.Context(), w.source, r, chunk)
	require.NoError(w.t, err, "%s", r.Source.Table.Definition)
	require.EqualValues(w.t, rows, loaded.Rows)
}

// upsert writes half of the rows, and then all.
func (w *roads) upsert(target *Target, r *route.Route, log *roadsLog) {
	applier, err := target.NewApplier(w.t.Context(), db.ApplyOptions{})
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, applier.Close()) }()
	var rows []db.Row
	for _, row := range log.model {
		rows = append(rows, row)
	}
	for _, part := range [][]db.Row{rows[:len(rows)/2], rows} {
		_, err := applier.Apply(w.t.Context(), &db.Batch{Tables: []db.TableBatch{{Route: r, Upserts: part}}})
		require.NoError(w.t, err)
		require.NoError(w.t, applier.Commit(w.t.Context(), "there"))
	}
}

// canonicalText names a column in the form whose text is canonical.
func canonicalText(c *schema.Column) string {
	switch {
	case c.Type.Kind == schema.Float:
		return "`" + c.Name + "` * 1e0"
	case c.Type.Zerofill:
		return "`" + c.Name + "` + 0"
	default:
		return "`" + c.Name + "`"
	}
}
