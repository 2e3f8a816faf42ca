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

func (s *alterTable) tables() []schema.Name {
	names := []schema.Name{s.name}
	for _, n := range []schema.Name{s.to, s.exchange, s.detached, s.absorbed} {
		if !n.IsZero() {
			names = append(names, n)
		}
	}
	return names
}

// apply tells first what becomes of the table's shape, then of other tables, then of its name.
func (s *alterTable) apply(w *world) ([]Effect, error) {
	var effects []Effect
	before := w.table(s.name)
	if before == nil {
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
		if s.onlyRenames() {
			effects = nil
		}
		effects = append(effects, w.rename(s.name, s.to)...)
	}
	return effects, nil
}

// onlyRenames tells whether the statement is RENAME TABLE in other words.
func (s *alterTable) onlyRenames() bool {
	return len(s.drops)+len(s.columns)+len(s.defaults)+len(s.renames)+len(s.visible)+len(s.enforced)+
		len(s.parts)+len(s.keys)+len(s.checks) == 0 &&
		s.convert == nil && s.exchange.IsZero() && s.opaque == "" && s.unsure == "" && !s.ignore && !s.sorted &&
		s.options.none()
}

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
	if !s.detached.IsZero() {
		effects = append(effects, Effect{Kind: Created, Name: s.detached, Opaque: "its rows are those of a partition"})
	}
	if !s.absorbed.IsZero() {
		effects = append(effects, Effect{Kind: Dropped, Name: s.absorbed})
	}
	return effects
}

// exchanged tells what EXCHANGE PARTITION does, or "": the log has none of the rows that the two tables exchange.
func (s *alterTable) exchanged() string {
	if s.exchange.IsZero() {
		return ""
	}
	return fmt.Sprintf("rows of %s and %s were exchanged (EXCHANGE PARTITION)", s.name, s.exchange)
}

// opacity tells why rows changed in a way that cannot be repeated, or "".
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
		if c.old != "" {
			continue
		}
		if c.auto && (before == nil || before.Primary == nil) {
			return "rows were numbered in an order that nothing tells (AUTO_INCREMENT column " + c.name +
				" in a table without a primary key)"
		}
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
	from   []int             // per column of the table: its place before, or -1
	defs   []*columnDef      // likewise its new definition, or nil
	names  map[string]string // columns that have another name, by the old one in lower case
	gone   map[string]bool   // columns that are gone, in lower case
	lost   map[string]bool   // checks that are gone
}

// alter returns the effect on the table, and on tables whose foreign keys refer to it.
func (s *alterTable) alter(w *world, before *schema.Table) (Effect, []Effect, error) {
	a := &alteration{s: s, before: before, names: map[string]string{}, gone: map[string]bool{}, lost: map[string]bool{}}
	a.builder = builder{w: w, t: clone(before)}
	a.doubt(s.unsure)
	if before.Kind != schema.BaseTable {
		a.doubt("a table with system versioning")
	}
	a.doubtRewritten(before)
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
	unnamed := slices.ContainsFunc(s.checks, func(c checkDef) bool { return c.name == "" }) ||
		slices.ContainsFunc(s.foreign, func(f foreignDef) bool { return f.name == "" })
	if !s.to.IsZero() && unnamed {
		a.doubt("names of constraints beside a new name of the table")
	}
	e.Opaque = cmp.Or(e.Opaque, a.numbered())
	if a.unsure == "" {
		e.After = a.t
	}
	return e, a.children(), nil
}

// numbered tells why the numbers that 0 and NULL became in a column that counts from now on cannot be repeated, or
// "". Rows get them in the order of the primary key; where the column tells rows apart by itself, at most one is 0.
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

// engineChanges notes what cannot be told when the engine changes.
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

// convertDefault sets the table's default character set of CONVERT TO.
func (a *alteration) convertDefault() {
	o := a.s.convert
	if o == nil {
		return
	}
	if a.s.options.charset != nil || a.s.options.collation != nil {
		a.doubt("several character sets")
	}
	set, order := "", ""
	if o.charset != nil {
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

// former returns the lineage of the columns.
func (a *alteration) former() map[string]string {
	former := map[string]string{}
	for i, from := range a.from {
		if from >= 0 {
			former[a.t.Columns[i].Name] = a.before.Columns[from].Name
		}
	}
	return former
}

// partitions changes the partition clause and returns the partitions that lose their rows.
func (a *alteration) partitions() ([]string, error) {
	s := a.s
	engine := !strings.EqualFold(a.t.Engine, a.before.Engine)
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
		a.doubt(d.sure(a.t))
	}
	return empties, nil
}

// partitionsBy tells whether the partition clause may name a renamed column without quotes.
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

// children returns the effects on other tables whose foreign keys refer to renamed columns.
func (a *alteration) children() []Effect {
	var effects []Effect
	if len(a.names) == 0 {
		return nil
	}
	for _, child := range a.w.children(a.s.name) {
		after, changed := clone(child), false
		for i := range after.ForeignKeys {
			if f := &after.ForeignKeys[i]; f.Parent == a.s.name {
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

// rename replaces columns that have another name and tells whether there are any.
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

// sortedKeys returns a map's keys in order, so that what is told does not depend on chance.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
