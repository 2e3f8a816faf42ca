package alter

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema/mysql"
	"wherry/test/internal/lab"
)

// random makes tables and what they become.
type random struct {
	*rand.Rand
	maria bool
}

func (r *random) one(of ...string) string { return of[r.IntN(len(of))] }

func (r *random) often(percent int) bool { return r.IntN(100) < percent }

// column is a column as written. Values of one class are converted without loss by every type of that class.
type column struct {
	name, class, tail string
	uses              []string // columns that a generated one is of
	template          string   // of a generated one, %s for what it uses
	kind              string   // "", "virtual" or "stored"
}

func (c column) sql() string {
	if c.kind != "" {
		uses := make([]any, len(c.uses))
		for i, name := range c.uses {
			uses[i] = mysql.Quote(name)
		}
		return mysql.Quote(c.name) + " bigint as (" + fmt.Sprintf(c.template, uses...) + ") " + c.kind
	}
	return mysql.Quote(c.name) + " " + c.tail
}

func (r *random) retype(c column) column {
	switch c.class {
	case "number":
		c.tail = r.one("int", "bigint", "mediumint", "int not null default 3", "bigint default (4 + 5)",
			"int comment 'a''b'", "int not null")
	case "text":
		c.tail = r.one("varchar(20)", "varchar(30) default 'x'", "text", "varchar(20) character set latin1",
			"varchar(25) collate utf8mb4_general_ci", "varchar(20) not null", "varchar(20) comment 'c'",
			"varchar(20) invisible")
		if r.maria {
			c.tail = strings.Replace(c.tail, "not null", "not null default ''", 1)
		}
	case "time":
		c.tail = r.one("datetime", "datetime(3) default current_timestamp(3)", "datetime(6)",
			"datetime default '2020-02-02 02:02:02'")
	}
	return c
}

func (r *random) fresh(name string) column {
	return r.retype(column{name: name, class: r.one("number", "number", "text", "time")})
}

// table is one side of a pair.
type table struct {
	columns []column
	rest    []string // keys and checks
	options string
}

func (t table) sql() string {
	var parts []string
	for _, c := range t.columns {
		parts = append(parts, c.sql())
	}
	return "(" + strings.Join(append(parts, t.rest...), ", ") + ") " + t.options
}

var names = []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}

// dress gives a table generated columns, keys and options.
func (r *random) dress(t *table, generated []column) {
	var numbers, plain []string
	for _, c := range t.columns {
		if c.class == "number" {
			numbers = append(numbers, c.name)
		}
		if c.kind == "" && !strings.HasPrefix(c.tail, "text") {
			plain = append(plain, c.name)
		}
	}
	for _, c := range generated {
		for len(c.uses) < strings.Count(c.template, "%s") && len(numbers) > 0 {
			c.uses = append(c.uses, numbers[r.IntN(len(numbers))])
		}
		if len(c.uses) == strings.Count(c.template, "%s") {
			at := len(t.columns)
			if r.often(50) {
				at = r.IntN(len(t.columns) + 1)
			}
			t.columns = slices.Insert(t.columns, at, c)
			plain = append(plain, c.name)
		}
	}
	t.rest = append(t.rest, "primary key (id)")
	for i := range r.IntN(4) {
		key := fmt.Sprintf("key k%d (%s%s)", r.IntN(3)*10+i, mysql.Quote(plain[r.IntN(len(plain))]), r.one("", ", id"))
		t.rest = append(t.rest, key)
	}
	if len(numbers) > 0 && r.often(40) {
		t.rest = append(t.rest, fmt.Sprintf("constraint c%d check (%s < %d)", r.IntN(2),
			mysql.Quote(numbers[r.IntN(len(numbers))]), 100000+r.IntN(2)))
	}
	if len(numbers) > 0 && !r.maria && r.often(30) {
		t.rest = append(t.rest, fmt.Sprintf("key fx%d ((%s + %d))", r.IntN(2),
			mysql.Quote(numbers[r.IntN(len(numbers))]), r.IntN(2)))
	}
	t.options = r.one("", "", "comment='x'", "row_format=compact", "charset=latin1", "stats_persistent=1 max_rows=7",
		"comment='y' charset=utf8mb4")
	if r.often(20) {
		t.options += r.one(" partition by hash (id) partitions 2", " partition by hash (id) partitions 3",
			" partition by range (id) (partition p0 values less than (2), partition p1 values less than maxvalue)",
			" partition by range (id) (partition p0 values less than (9))",
			" partition by range (id) (partition p0 values less than (9), partition p1 values less than (20))")
	}
}

// pair makes a table, what it becomes, and by what names: "new" of to -> "old" of from.
func (r *random) pair() (from, to table, former map[string]string) {
	id := column{name: "id", class: "id", tail: "int not null"}
	from.columns = []column{id}
	to.columns = []column{id}
	former = map[string]string{"id": "id"}
	pool := slices.Clone(names)
	r.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	old := 1 + r.IntN(6)
	for _, name := range pool[:old] {
		from.columns = append(from.columns, r.fresh(name))
	}
	after := slices.Clone(pool[:old])
	if r.often(60) { // names are exchanged, or others
		r.Shuffle(len(after), func(i, j int) { after[i], after[j] = after[j], after[i] })
	}
	for i, c := range from.columns[1:] {
		if r.often(20) {
			continue
		}
		now := c
		if r.often(40) {
			now.name = after[i]
		}
		if slices.ContainsFunc(to.columns, func(other column) bool { return other.name == now.name }) {
			continue
		}
		if r.often(30) {
			now = r.retype(now)
		}
		former[now.name] = c.name
		to.columns = append(to.columns, now)
	}
	for _, name := range pool {
		if r.often(15) && !slices.ContainsFunc(to.columns, func(c column) bool { return c.name == name }) {
			to.columns = append(to.columns, r.fresh(name))
		}
	}
	if r.often(40) {
		r.Shuffle(len(to.columns), func(i, j int) { to.columns[i], to.columns[j] = to.columns[j], to.columns[i] })
	}
	var mine, theirs []column
	for _, name := range []string{"v", "w"} {
		c := column{name: name, class: "generated", kind: r.one("virtual", "stored"), template: r.one("%s + 1",
			"%s - %s", "coalesce(%s, 7)")}
		if r.often(50) {
			mine = append(mine, c)
			if r.often(60) {
				former[name] = name
			}
		}
		if r.often(50) {
			c.kind = r.one(c.kind, c.kind, "virtual", "stored")
			c.template = r.one(c.template, c.template, "%s + 1")
			theirs = append(theirs, c)
		}
	}
	r.dress(&from, mine)
	r.dress(&to, theirs)
	has := func(t table, name string) bool {
		return slices.ContainsFunc(t.columns, func(c column) bool { return c.name == name })
	}
	for now, was := range former {
		if !has(to, now) || !has(from, was) {
			delete(former, now)
		}
	}
	return from, to, former
}

// TestRandom alters random tables in random ways. The server says what the rows must be: INSERT .. SELECT of the
// columns that stay, by their new names, into a table that was made as planned.
func TestRandom(t *testing.T) {
	first := lab.Seed(t)
	for _, s := range servers(t) {
		t.Run(s.name, func(t *testing.T) {
			r := &random{rand.New(rand.NewPCG(first, 0)), s.name == "mariadb"} //nolint:gosec // a test
			altered := 0
			for deadline := time.Now().Add(randomTime()); time.Now().Before(deadline) && !t.Failed(); {
				if s.random(t, r) {
					altered++
				}
			}
			t.Logf("%d tables altered", altered)
			assert.Positive(t, altered)
		})
	}
}

// random alters one table; false when a server cannot hold one of the tables made up.
func (s *server) random(t *testing.T, r *random) bool {
	t.Helper()
	from, to, former := r.pair()
	for _, name := range []string{now + ".t", later + ".t"} {
		s.exec(t, "DROP TABLE IF EXISTS "+name)
	}
	s.exec(t, strict)
	if s.try("CREATE TABLE "+now+".t "+from.sql()) != nil || s.try("CREATE TABLE "+later+".t "+to.sql()) != nil {
		return false
	}
	s.fill(t, r, from)
	// new columns without a default get what ADD COLUMN gives them
	s.exec(t, "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
	var into, values []string
	for _, c := range to.columns {
		if was := former[c.name]; was != "" && c.kind == "" {
			into, values = append(into, mysql.Quote(c.name)), append(values, mysql.Quote(was))
			if strings.Contains(c.tail, "not null") && s.cells(t,
				"SELECT COUNT(*) FROM "+now+".t WHERE "+mysql.Quote(was)+" IS NULL")[0] != "0" {
				return false // both refuse that, in strict mode
			}
		}
	}
	if s.try("INSERT INTO "+later+".t ("+strings.Join(into, ", ")+") SELECT "+strings.Join(values, ", ")+" FROM "+now+
		".t") != nil {
		return false // rows that no partition takes
	}
	s.exec(t, strict)
	before, plan := s.read(t, now, "t"), s.read(t, later, "t")
	statements, err := s.dialect.Alter(before, plan, former, nil)
	if err != nil {
		return false
	}
	for _, statement := range statements {
		require.NoError(t, s.try(statement), "from %s\nto %s\nby %q\nstatements %q", before.Definition, plan.Definition,
			former, statements)
	}
	got := s.read(t, now, "t")
	context := fmt.Sprintf("from %s\nto %s\nby %q\nstatements %q", before.Definition, plan.Definition, former,
		statements)
	assert.Empty(t, s.dialect.Differences(plan, got, true, true), context)
	assert.Equal(t, s.printed(t, later, "t"), s.printed(t, now, "t"), context)
	assert.Equal(t, s.contents(t, later, plan), s.contents(t, now, got), context)
	again, err := s.dialect.Alter(got, plan, lineage(got, plan, ""), nil)
	require.NoError(t, err)
	assert.Empty(t, again, context)
	return true
}

// fill writes rows.
func (s *server) fill(t *testing.T, r *random, from table) {
	t.Helper()
	for id := range 4 {
		var into, values []string
		for _, c := range from.columns {
			value := ""
			switch c.class {
			case "id":
				value = strconv.Itoa(id)
			case "number":
				value = strconv.Itoa(r.IntN(90000) - 100)
			case "text":
				value = r.one("'x'", "'ä b'", "''")
			case "time":
				value = r.one("'2020-02-29 01:02:03'", "'1999-12-31 23:59:59'")
			default:
				continue
			}
			if r.often(15) && c.class != "id" && !strings.Contains(c.tail, "not null") {
				value = "NULL"
			}
			into, values = append(into, mysql.Quote(c.name)), append(values, value)
		}
		s.exec(t, "INSERT INTO "+now+".t ("+strings.Join(into, ", ")+") VALUES ("+strings.Join(values, ", ")+")")
	}
}

// randomTime is how long each server is tried: some seconds, or WHERRY_RANDOM_TIME.
func randomTime() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("WHERRY_RANDOM_TIME")); err == nil {
		return d
	}
	return 3 * time.Second
}
