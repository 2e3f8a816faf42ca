package ddl

import (
	"fmt"
	"strings"
	"time"

	"wherry/pkg/schema"
)

// createTable is CREATE TABLE.
type createTable struct {
	elements
	name      schema.Name
	replace   bool // OR REPLACE
	optional  bool // IF NOT EXISTS
	like      schema.Name
	columns   []columnDef
	options   options
	partition *partitioning
	query     bool   // AS SELECT: its rows are those of a query
	logged    bool   // START TRANSACTION: the rows of a query follow in the log
	unsure    string // why the shape is unknown
}

func (s *createTable) tables() []schema.Name { return []schema.Name{s.name} }

// apply returns nothing for IF NOT EXISTS of a table that exists. OR REPLACE of one is two effects: the old table is
// dropped with its rows, and another one is created.
func (s *createTable) apply(w *world) ([]Effect, error) {
	known := w.table(s.name) != nil
	if known && s.optional {
		return nil, nil
	}
	var effects []Effect
	if known && s.replace {
		effects = append(effects, Effect{Kind: Dropped, Name: s.name})
	}
	made := Effect{Kind: Created, Name: s.name, Logged: s.logged}
	switch {
	case s.query:
		made.Opaque = "its rows are those of a query"
	case !s.like.IsZero():
		made.After = s.likeTable(w)
	default:
		after, unsure, err := s.build(w)
		if err != nil {
			return nil, err
		}
		if unsure == "" {
			made.After = after
		}
	}
	return append(effects, made), nil
}

// likeTable returns the shape that LIKE gives: the other table's without foreign keys, data directories and the counter
// (MySQL manual 15.1.24.3). nil: it is unknown.
func (s *createTable) likeTable(w *world) *schema.Table {
	like := w.table(s.like)
	if like == nil || like.Kind != schema.BaseTable {
		return nil
	}
	after := clone(like)
	b := &builder{w: w, t: after}
	if b.doubtRewritten(after); b.unsure != "" {
		return nil
	}
	after.Name, after.ForeignKeys, after.AutoIncrement = s.name, nil, 0
	_, after.DatabaseCollation = w.database(s.name.Database)
	for _, option := range like.Options {
		if strings.Contains(option, "DIRECTORY") { // where its file is put, the server decides
			return nil
		}
	}
	// MySQL wants names of checks to be unique in the database, so it gives all of them new ones.
	if w.ctx.Flavor.Family == schema.MySQL {
		for i := range after.Checks {
			after.Checks[i].Name = numberedName(s.name.Table, "_chk_", i+1)
		}
	}
	return after
}

// build returns the table, and what of it is unknown, or "". An error means that no server would have accepted the
// statement, so it was not understood.
func (s *createTable) build(w *world) (t *schema.Table, unsure string, err error) {
	t = &schema.Table{Name: s.name, Engine: "InnoDB", Flavor: w.ctx.Flavor}
	b := &builder{w: w, t: t}
	b.doubt(s.unsure)
	b.options(&s.options)
	charset, collation := w.database(s.name.Database)
	t.DatabaseCollation = collation
	if t.Charset == "" {
		t.Charset, t.Collation = charset, collation
		if t.Charset == "" {
			b.doubt("the database's character set")
		}
	}
	for i := range s.columns {
		c, what := w.column(&s.columns[i], t)
		b.doubt(what)
		if t.Column(c.Name) >= 0 {
			return nil, "", fmt.Errorf("table %s: column %s is there already", s.name, c.Name)
		}
		t.Columns = append(t.Columns, c)
	}
	// Expressions may name columns that come later, so all columns are there first.
	for i := range s.columns {
		b.doubt(w.expressions(&s.columns[i], &t.Columns[i], t.Columns))
	}
	b.firstTimestamp(s.columns)
	if err := b.elements(&s.elements, nil); err != nil {
		return nil, "", err
	}
	if s.partition != nil {
		t.Partition = s.partition.text(t)
		b.doubt(s.partition.unknown(t))
	}
	return t, b.unsure, nil
}

// toDays is the SQL function TO_DAYS, the number of days since the year 0: 739251 of 2024-01-01. 0 when the text is no
// date. Partitions by range are often written with it, and the server prints the number.
func toDays(date string) int {
	day, err := time.Parse("2006-01-02", date)
	if err != nil {
		return 0
	}
	return int(day.Unix()/86400) + 719528
}
