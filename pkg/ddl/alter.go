package ddl

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// tables lists the altered table first, then the other tables that the clauses name.
func (s *alterTable) tables() []schema.Name {
	names := []schema.Name{s.name}
	for _, n := range []schema.Name{s.to, s.exchange, s.detached, s.absorbed} {
		if !n.IsZero() {
			names = append(names, n)
		}
	}
	return names
}

// apply returns first what becomes of the table's shape, then of other tables, then of its name. The rename comes last
// since every other effect names the table as the statement does.
func (s *alterTable) apply(w *world) ([]Effect, error) {
	var effects []Effect
	before := w.table(s.name)
	if before == nil { // the shape is unknown, but that rows are emptied or changed is in the text
		effects = append(effects, Effect{
			Kind: Altered, Name: s.name, Empties: s.empties(nil),
			Opaque: s.opacity(w, nil),
		})
	} else {
		altered, children, err := s.alter(w, before)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", s.name, err)
		}
		w.changed[s.name] = altered.After
		effects = append(append(effects, altered), children...)
	}
	effects = append(effects, s.others(w)...)
	if !s.to.IsZero() && s.to != s.name {
		// An altered table would be compared with the source's under the old name, which is gone.
		if s.onlyRenames() {
			effects = nil
		}
		effects = append(effects, w.rename(s.name, s.to)...)
	}
	return effects, nil
}

// onlyRenames returns whether the statement is RENAME TABLE in other words: `ALTER TABLE t RENAME TO u`. Then there is
// no altered table to prove.
func (s *alterTable) onlyRenames() bool {
	return len(s.drops)+len(s.columns)+len(s.defaults)+len(s.renames)+len(s.visible)+len(s.enforced)+
		len(s.parts)+len(s.keys)+len(s.checks) == 0 &&
		s.convert == nil && s.exchange.IsZero() && s.opaque == "" && s.unsure == "" && !s.ignore && !s.sorted &&
		s.options.none()
}

// none returns whether no option was given.
func (o *options) none() bool {
	return o.engine == nil && o.charset == nil && o.collation == nil && o.rowFormat == nil && o.comment == nil &&
		o.counter == nil && len(o.order) == 0 && o.unsure == ""
}

// others returns the effects on tables that exchange whole partitions with this one.
func (s *alterTable) others(w *world) []Effect {
	var effects []Effect
	if !s.exchange.IsZero() {
		e := Effect{Kind: Altered, Name: s.exchange, Opaque: s.exchanged()}
		if t := w.table(s.exchange); t != nil {
			e.After, e.Former = clone(t), sameColumns(t)
		}
		effects = append(effects, e)
	}
	if !s.detached.IsZero() { // the new table has rows that no INSERT in the log brings
		effects = append(effects, Effect{Kind: Created, Name: s.detached, Opaque: "its rows are those of a partition"})
	}
	if !s.absorbed.IsZero() {
		effects = append(effects, Effect{Kind: Dropped, Name: s.absorbed})
	}
	return effects
}

// exchanged returns what EXCHANGE PARTITION does, in words, or "". The log has none of the rows that the two tables
// exchange.
func (s *alterTable) exchanged() string {
	if s.exchange.IsZero() {
		return ""
	}
	return fmt.Sprintf("rows of %s and %s were exchanged (EXCHANGE PARTITION)", s.name, s.exchange)
}

// opacity returns why rows changed in a way that no other server can repeat, or "".
func (s *alterTable) opacity(w *world, before *schema.Table) string {
	switch {
	case s.opaque != "":
		return s.opaque
	case s.ignore:
		return "rows that did not fit may be gone (ALTER IGNORE)"
	case !s.absorbed.IsZero():
		return "rows came from another table (CONVERT TABLE)"
	}
	for i := range s.columns {
		c := &s.columns[i]
		if c.old != "" { // an existing column keeps its values
			continue
		}
		if c.auto && (before == nil || before.Primary == nil) {
			return "rows were numbered in an order that nothing tells (AUTO_INCREMENT column " + c.name +
				" in a table without a primary key)"
		}
		// DEFAULT (RAND()) of a new column, or a new generated column over UUID().
		if c.def != nil && c.def.expr.volatile() != "" || c.expr.volatile() != "" {
			return "column " + c.name + " has values in each row that cannot be computed again"
		}
	}
	return s.exchanged()
}

// alteration is a table while it is altered.
type alteration struct {
	builder
	s      *alterTable
	before *schema.Table
	from   []int             // per column of the table: its position before, or -1 of a new one
	defs   []*columnDef      // per column of the table: its new definition, or nil when it has none
	names  map[string]string // new names of renamed columns, by the old name in lower case
	gone   map[string]bool   // dropped columns, in lower case
	lost   map[string]bool   // dropped checks, in lower case
}

// alter returns the effect on the table, and on tables whose foreign keys reference it.
//
// The order of the steps is the server's. Options come first, as new columns take the table's new character set.
// Columns come before expressions, which name columns that may be added by a later clause. What exists is changed
// before anything is added: `DROP INDEX a, ADD INDEX a (v)` replaces a, whatever the order of the clauses.
func (s *alterTable) alter(w *world, before *schema.Table) (Effect, []Effect, error) {
	a := &alteration{s: s, before: before, names: map[string]string{}, gone: map[string]bool{}, lost: map[string]bool{}}
	a.builder = builder{w: w, t: clone(before)}
	a.doubt(s.unsure)
	if before.Kind != schema.BaseTable {
		a.doubt("a table with system versioning")
	}
	a.doubtRewritten(before) // the server prints all expressions anew, also those that the statement does not touch
	a.options(&s.options)
	a.engineChanges()
	a.convertDefault()
	for _, step := range []func() error{a.columns, a.columnDefaults, a.expressionsOf, a.oldConstraints, a.indexes} {
		if err := step(); err != nil {
			return Effect{}, nil, err
		}
	}
	if err := a.elements(&s.elements, a.lost); err != nil {
		return Effect{}, nil, err
	}
	empties, err := a.partitions()
	if err != nil {
		return Effect{}, nil, err
	}
	e := Effect{
		Kind: Altered, Name: s.name, Former: a.former(), Converts: a.converts(), Empties: empties,
		Opaque: s.opacity(w, before),
	}
	// `ALTER TABLE t ADD CHECK (a > 0), RENAME TO u` makes t_chk_1 or u_chk_1, by the server.
	unnamed := slices.ContainsFunc(s.checks, func(c checkDef) bool { return c.name == "" }) ||
		slices.ContainsFunc(s.foreign, func(f foreignDef) bool { return f.name == "" })
	if !s.to.IsZero() && unnamed {
		a.doubt("names of constraints beside a new name of the table")
	}
	e.Opaque = cmp.Or(e.Opaque, a.numbered())
	// One unknown is enough to leave the shape open: the caller takes the source's then. All else of the effect stands.
	if a.unsure == "" {
		e.After = a.t
	}
	return e, a.children(), nil
}

// numbered returns why the numbers cannot be repeated that rows got in a column which becomes AUTO_INCREMENT, or "". A
// server numbers rows with 0 or NULL in the order of the primary key, so with a primary key they can. If the column is
// the row key by itself, at most one row has 0, and its number does not depend on any order.
func (a *alteration) numbered() string {
	for i, from := range a.from {
		if from < 0 || !a.t.Columns[i].AutoIncrement || a.before.Columns[from].AutoIncrement ||
			a.before.Primary != nil || slices.Equal(a.before.Key(), []int{from}) {
			continue
		}
		return "rows with 0 or NULL in " + a.t.Columns[i].Name +
			" were numbered in an order that nothing tells (AUTO_INCREMENT in a table without a primary key)"
	}
	return ""
}

// engineChanges notes what is unknown when the engine changes: which indexes, row formats and options the new engine
// keeps as they are.
func (a *alteration) engineChanges() {
	if !strings.EqualFold(a.t.Engine, a.before.Engine) &&
		(len(a.before.Indexes) > 0 && a.before.Primary == nil || a.t.RowFormat != "" || len(a.t.Options) > 0) {
		for i := range a.before.Indexes {
			if a.before.Indexes[i].Using != "" {
				a.doubt("the kind of an index under another engine")
			}
		}
		if a.t.RowFormat != "" || len(a.t.Options) > 0 {
			a.doubt("options under another engine")
		}
	}
}

// convertDefault sets the table's default character set of CONVERT TO. `CONVERT TO CHARACTER SET DEFAULT` means the
// database's.
func (a *alteration) convertDefault() {
	o := a.s.convert
	if o == nil {
		return
	}
	if a.s.options.charset != nil || a.s.options.collation != nil {
		a.doubt("several character sets")
	}
	set, order := "", ""
	if o.charset != nil { // else CONVERT TO CHARACTER SET DEFAULT
		set = *o.charset
	} else {
		set, order = a.w.database(a.s.name.Database)
	}
	if o.collation != nil {
		order = *o.collation
	}
	if set == "binary" {
		a.doubt("CONVERT TO CHARACTER SET binary")
	}
	var what string
	a.t.Charset, a.t.Collation, what = a.w.complete(set, order, a.t.Charset)
	a.doubt(what)
}

// former returns the lineage of the columns: by the new name, the name before. New columns have none.
func (a *alteration) former() map[string]string {
	former := map[string]string{}
	for i, from := range a.from {
		if from >= 0 {
			former[a.t.Columns[i].Name] = a.before.Columns[from].Name
		}
	}
	return former
}

// partitions changes the partition clause and returns the partitions that lose their rows. The clause is kept as the
// server's text, so it is parsed, changed, and written as that server would print it. A new engine changes it too: each
// partition is printed with its ENGINE.
func (a *alteration) partitions() ([]string, error) {
	s := a.s
	// An engine is printed with every partition, so a new one changes the clause.
	engine := !strings.EqualFold(a.t.Engine, a.before.Engine)
	// The clause stays as it is. What a server makes of a renamed column in it is unknown.
	if len(s.parts) == 0 && (!engine || a.t.Partition == "") {
		if _, found := renamed(a.t.Partition, a.w.ctx, a.names); found || a.partitionsBy() {
			a.doubt("partitions by a column that has another name")
		}
		return nil, nil
	}
	var d *partitioning
	if a.before.Partition != "" {
		p := newParser(a.before.Partition, Context{Flavor: a.w.ctx.Flavor})
		p.Expect("PARTITION BY")
		if d = p.partitioning(); p.Err == nil && p.Peek().Kind != sqltext.End {
			p.Misunderstood()
		}
		// Without the present partitions the new ones are unknown. The names of emptied partitions are in the
		// statement.
		if p.Err != nil {
			d = &partitioning{unsure: "partitions"}
			a.doubt("how the table is partitioned")
			return s.empties(nil), nil //nolint:nilerr // what cannot be read is left open
		}
	}
	empties := s.empties(d)
	for _, c := range s.parts {
		var err error
		if d, err = c.change(d); err != nil {
			return nil, err
		}
	}
	a.t.Partition = ""
	if d != nil {
		a.t.Partition = d.text(a.t)
		a.doubt(d.unknown(a.t))
	}
	return empties, nil
}

// partitionsBy returns whether the partition clause may name a renamed column without quotes: MySQL prints
// `PARTITION BY KEY (id)`.
func (a *alteration) partitionsBy() bool {
	if a.t.Partition == "" || len(a.names) == 0 {
		return false
	}
	words := mentions(a.t.Partition, a.w.ctx)
	for old := range a.names {
		if words[old] {
			return true
		}
	}
	return false
}

// children returns the effects on other tables whose foreign keys reference renamed columns. The log has no statement
// of those tables: after `ALTER TABLE parent RENAME COLUMN id TO nr` child references parent (nr).
func (a *alteration) children() []Effect {
	var effects []Effect
	if len(a.names) == 0 {
		return nil
	}
	for _, child := range a.w.children(a.s.name) {
		after, changed := clone(child), false
		for i := range after.ForeignKeys {
			if f := &after.ForeignKeys[i]; f.Parent == a.s.name { // a child may have keys to other tables too
				changed = rename(f.ParentColumns, a.names) || changed
			}
		}
		if changed {
			a.w.changed[child.Name] = after
			effects = append(effects, Effect{Kind: Altered, Name: child.Name, After: after, Former: sameColumns(after)})
		}
	}
	return effects
}

// rename replaces renamed columns in a list, in place, and returns whether there are any.
func rename(columns []string, names map[string]string) bool {
	changed := false
	for i, c := range columns {
		if to, ok := names[strings.ToLower(c)]; ok {
			columns[i], changed = to, true
		}
	}
	return changed
}

// converts returns the columns whose values the server converts.
func (a *alteration) converts() []string {
	var names []string
	for i, from := range a.from {
		if from >= 0 && converts(&a.before.Columns[from], &a.t.Columns[i], a.names, a.w.ctx) {
			names = append(names, a.t.Columns[i].Name)
		}
	}
	return names
}

// sortedKeys returns a map's keys in order, so that the same statement always gives the same error.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
