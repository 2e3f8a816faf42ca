package ddl

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// builder completes a table as a server does: it finds names for indexes and constraints, adds what is implied, and
// notes what is unknown. For example `CREATE TABLE c (p INT, FOREIGN KEY (p) REFERENCES p (id))` gets the constraint
// c_ibfk_1 and, since no index serves it, an index p over (p).
type builder struct {
	w      *world
	t      *schema.Table
	unsure string // the first thing that is unknown, or empty
}

// doubt notes something that is unknown. Only the first is kept: one is enough to leave the shape open. "" is nothing.
func (b *builder) doubt(what string) {
	if b.unsure == "" {
		b.unsure = what
	}
}

// options sets the table's options, in the order in which the statement names them: KEY_BLOCK_SIZE is printed where it
// was set.
func (b *builder) options(o *options) {
	t := b.t
	b.doubt(o.unsure)
	if o.engine != nil {
		t.Engine = *o.engine
	}
	// Another engine may keep other indexes, row formats and options, or replace itself by InnoDB.
	innodb := strings.EqualFold(t.Engine, "InnoDB")
	if !innodb && !strings.EqualFold(t.Engine, "MyISAM") && !strings.EqualFold(t.Engine, "MEMORY") {
		b.doubt("what engine " + t.Engine + " makes of a table")
	}
	if o.charset != nil || o.collation != nil {
		var set, order string
		if o.charset != nil {
			set = *o.charset
		}
		if o.collation != nil {
			order = *o.collation
		}
		var what string
		if t.Charset, t.Collation, what = b.w.complete(set, order, t.Charset); what != "" {
			b.doubt(what)
		}
	}
	if o.rowFormat != nil {
		t.RowFormat = strings.ToUpper(*o.rowFormat)
		if t.RowFormat == "DEFAULT" {
			t.RowFormat = ""
		}
		if t.RowFormat == "FIXED" && innodb {
			b.doubt("the row format")
		}
	}
	if o.comment != nil {
		t.Comment = *o.comment
	}
	if o.counter != nil {
		t.AutoIncrement = *o.counter
	}
	for _, option := range o.order {
		// Indexes remember the KEY_BLOCK_SIZE that the table had when they were made, and print it if it is another
		// now.
		if option == "KEY_BLOCK_SIZE" && slices.ContainsFunc(t.Options, func(have string) bool {
			return strings.HasPrefix(have, option)
		}) {
			b.doubt("what indexes keep of KEY_BLOCK_SIZE")
		}
		t.Options = slices.DeleteFunc(t.Options, func(have string) bool { return strings.HasPrefix(have, option+"=") })
		if text := o.further[option]; text != "" {
			t.Options = append(t.Options, text)
		}
		if o.further[option] == "COMPRESSION=''" {
			b.doubt("the option COMPRESSION")
		}
	}
}

// firstTimestamp gives TIMESTAMP columns the defaults that they have by themselves if explicit_defaults_for_timestamp
// is off (MySQL manual 13.2.5). Of `a TIMESTAMP, b TIMESTAMP` a gets DEFAULT CURRENT_TIMESTAMP ON UPDATE
// CURRENT_TIMESTAMP, and b DEFAULT '0000-00-00 00:00:00'.
func (b *builder) firstTimestamp(defs []columnDef) {
	if !b.w.ctx.ImplicitTimestamps {
		return
	}
	b.unsure = strings.TrimPrefix(b.unsure, implicitDefault) // known now that all columns are
	for i, first := 0, true; i < len(defs); i++ {
		c := &b.t.Columns[i]
		bare := defs[i].def == nil && defs[i].onUpdate == "" && defs[i].generated == 0
		if c.Type.Kind != schema.Timestamp || defs[i].null {
			continue
		}
		switch {
		case bare && first:
			c.Default, c.OnUpdate = &schema.Default{Text: nowWith(c.Type.Scale)}, nowWith(c.Type.Scale)
		case bare:
			c.Default = &schema.Default{Literal: true, Text: "0000-00-00 00:00:00" + fraction("", c.Type.Scale)}
		}
		first = false
	}
}

// key is an index while it is decided which are kept.
type key struct {
	schema.Index
	primary   bool
	generated bool // made by the server for a foreign key
	gone      bool // another index makes it needless
}

// elements adds indexes, foreign keys and checks. lost are the foreign keys and checks that the same statement drops.
//
// Indexes and foreign keys are added in the order of the statement, as each foreign key brings an index of its own.
// Only when all are known it is decided which of those are needless, and then names are given: a name may depend on an
// index that comes earlier in the text and is not kept.
func (b *builder) elements(e *elements, lost map[string]bool) error {
	keys := b.existing()
	fresh := len(keys)
	foreign := b.highest(b.foreignNames(), "_ibfk_")
	for _, k := range e.keys {
		if k >= 0 {
			def := &e.indexes[k]
			if def.optional && find(keys, def.name) >= 0 { // ADD INDEX IF NOT EXISTS (MariaDB)
				continue
			}
			b.doubt(def.unsure)
			keys = append(keys, key{Index: b.index(def), primary: def.primary})
			continue
		}
		def := &e.foreign[-1-k]
		// `p INT REFERENCES p (id)` beside the column: some servers read that and ignore it.
		if def.inline && !mysql.Flavor(b.w.ctx.Flavor).HasInlineReferences() ||
			def.optional && slices.Contains(b.foreignNames(), strings.ToLower(def.name)) {
			continue
		}
		keys = append(keys, b.foreign(def, &foreign))
	}
	if len(e.foreign) > 0 && !strings.EqualFold(b.t.Engine, "InnoDB") {
		b.doubt("foreign keys without InnoDB")
	}
	b.spare(keys, fresh)
	prune(keys, fresh)
	if err := b.keep(keys); err != nil {
		return err
	}
	b.checks(e.checks, lost)
	b.doubtRewritten(b.t)
	return nil
}

// doubtRewritten notes expressions that the server may print differently after any ALTER, though no clause names them.
func (b *builder) doubtRewritten(t *schema.Table) {
	for _, c := range t.Checks {
		if rewrites(c.Expr, t.Columns) {
			b.doubt("how the server prints check " + c.Name)
		}
	}
	for _, c := range t.Columns {
		if rewrites(c.Expr, t.Columns) || rewrites(c.Check, t.Columns) {
			b.doubt("how the server prints an expression of column " + c.Name)
		}
	}
}

// existing returns the indexes that the table has, the primary key first.
func (b *builder) existing() []key {
	var keys []key
	if b.t.Primary != nil {
		keys = append(keys, key{Index: *b.t.Primary, primary: true})
	}
	for _, index := range b.t.Indexes {
		keys = append(keys, key{Index: index})
	}
	return keys
}

// find returns the position of an index that is kept, by its name, or -1.
func find(keys []key, name string) int {
	return slices.IndexFunc(keys, func(k key) bool { return !k.gone && strings.EqualFold(k.Name, name) })
}

// prune marks the generated indexes that another one makes needless, as mysql_prepare_create_table does. For `INDEX i
// (a, b), FOREIGN KEY (a) ..` no index over a alone is made, since i begins with a. Pairs in which both indexes existed
// before are left alone, so keys before fresh are only compared with later ones.
func prune(keys []key, fresh int) {
	for i := fresh; i < len(keys); i++ {
		for j := range i {
			if keys[j].gone || !covers(&keys[i], &keys[j]) {
				continue
			}
			// Of two generated indexes the shorter one goes; else the generated one does.
			if !keys[j].generated || keys[i].generated && len(keys[i].Parts) < len(keys[j].Parts) {
				keys[i].gone = true
			} else {
				keys[j].gone = true
			}
			break
		}
	}
}

// covers returns whether one of the two is generated, and its columns are the first ones of the other.
func covers(a, b *key) bool {
	// Let a be the one that may go: the generated one, of two the shorter.
	if !a.generated || b.generated && len(a.Parts) > len(b.Parts) {
		a, b = b, a
	}
	if !a.generated || len(a.Parts) > len(b.Parts) {
		return false
	}
	return begins(a.Parts, b.Parts)
}

// begins returns whether the parts of an index are the first ones of another, with the same prefixes.
func begins(short, long []schema.Part) bool {
	if len(short) > len(long) {
		return false
	}
	for i, part := range short {
		if !strings.EqualFold(part.Column, long[i].Column) || part.Prefix != long[i].Prefix || long[i].Expr != "" {
			return false
		}
	}
	return true
}

// spare decides about existing indexes that a new one makes needless. A server drops such an index if it made it by
// itself for a foreign key, even if the foreign key was dropped long ago; one that a user made stays. No definition
// shows which is which, so the caller says what to assume (schema.Spare), and compares the result with the source.
func (b *builder) spare(keys []key, fresh int) {
	for i := range keys[:fresh] {
		old := &keys[i]
		if !b.generable(old) || !slices.ContainsFunc(keys[fresh:], func(added key) bool {
			return begins(old.Parts, added.Parts)
		}) {
			continue
		}
		switch b.w.ctx.Spare {
		case schema.SpareGoes:
			old.generated = true
		case schema.SpareUnknown:
			b.doubt("whether index " + old.Name + " goes, which another can stand in for")
		case schema.SpareStays:
		}
	}
}

// generable returns whether a server may have made an index by itself for a foreign key. Such an index has plain
// columns and no options, and is named after the constraint or its first column. A name like idx_parent or parent_ix
// was given by a person.
func (b *builder) generable(k *key) bool {
	unlike := func(p schema.Part) bool { return p.Prefix > 0 || p.Desc || p.Expr != "" }
	return !k.primary && !k.Unique && k.Kind == schema.BTree && k.Using == "" && k.Comment == "" && !k.Invisible &&
		len(k.Extra) == 0 && strings.EqualFold(b.t.Engine, "InnoDB") && !indexName.MatchString(k.Name) &&
		!slices.ContainsFunc(k.Parts, unlike)
}

var indexName = regexp.MustCompile(`(?i)^(idx|index|ix)_|_(idx|index|ix)$`)

// keep names the indexes that are left and puts them in the server's order. A name is only given after pruning: an
// index that is not kept leaves its name to the next one.
func (b *builder) keep(keys []key) error {
	b.t.Primary, b.t.Indexes = nil, nil
	var kept []key
	for _, k := range keys {
		if k.gone {
			continue
		}
		if k.Name == "" {
			k.Name = freeName(k.Parts[0], kept)
		} else if find(kept, k.Name) >= 0 {
			return fmt.Errorf("table %s: index %s is there already", b.t.Name, k.Name)
		}
		kept = append(kept, k)
		if !k.primary {
			continue
		}
		index := k.Index
		b.t.Primary = &index
		for _, part := range k.Parts {
			if at := b.t.Column(part.Column); at >= 0 {
				b.demand(&b.t.Columns[at])
			}
		}
	}
	for _, k := range kept {
		if !k.primary {
			b.t.Indexes = append(b.t.Indexes, k.Index)
		}
	}
	slices.SortStableFunc(b.t.Indexes, func(x, y schema.Index) int { return cmp.Compare(b.rank(&x), b.rank(&y)) })
	return nil
}

// demand makes a column of the primary key NOT NULL, as servers do without a word, and takes away its DEFAULT NULL.
func (b *builder) demand(c *schema.Column) {
	c.Nullable = false
	if c.Default != nil && c.Default.Null {
		c.Default = nil
	}
}

// rank orders indexes as servers print them (sort_keys of both): unique ones before others, of those the ones without
// NULL first, fulltext last. Within a rank the order of the statement stays.
func (b *builder) rank(index *schema.Index) int {
	switch {
	case index.Kind == schema.Fulltext:
		return 4
	case !index.Unique:
		return 3
	}
	rank := 0
	for _, part := range index.Parts {
		at := b.t.Column(part.Column)
		if part.Expr != "" || at >= 0 && b.t.Columns[at].Nullable {
			rank = max(rank, 2)
		} else if part.Prefix > 0 && b.w.ctx.Flavor.Family == schema.MySQL {
			rank = max(rank, 1)
		}
	}
	return rank
}

// freeName returns the name that servers give an index without one: its first column's, with a number when that is in
// use: a, a_2, a_3. An index over a column called primary becomes primary_2.
func freeName(first schema.Part, used []key) string {
	base := first.Column
	if first.Expr != "" {
		base = "functional_index"
	}
	name := base
	for n := 2; find(used, name) >= 0 || strings.EqualFold(name, "PRIMARY"); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}

// index returns an index as a server keeps and prints it.
func (b *builder) index(def *indexDef) schema.Index {
	index := schema.Index{
		Name: def.name, Unique: def.unique, Kind: def.kind, Using: def.using, Comment: def.comment,
		Invisible: def.invisible, Extra: def.extra,
	}
	if def.primary {
		index.Name = "PRIMARY"
	}
	size := 0
	for _, part := range def.parts {
		made, bytes := b.part(&index, &part)
		index.Parts = append(index.Parts, made)
		size += bytes
	}
	// A hash has no order, and MariaDB prints none.
	if index.Using == "HASH" && b.w.ctx.Flavor.Family == schema.MariaDB {
		for i := range index.Parts {
			if def.using == "HASH" && index.Parts[i].Desc {
				b.doubt("a descending hash")
			}
			index.Parts[i].Desc = false
		}
	}
	if size > b.longest() {
		b.doubt("what becomes of an index of many bytes")
	}
	// InnoDB of MySQL makes a BTREE of USING HASH, and prints neither.
	if index.Kind != schema.BTree || b.w.ctx.Flavor.Family == schema.MySQL && index.Using == "HASH" &&
		strings.EqualFold(b.t.Engine, "InnoDB") {
		index.Using = ""
	}
	return index
}

// longest returns how many bytes of values an index may certainly hold. Beyond that a server refuses the index,
// shortens it with a warning, or makes a hash of it.
func (b *builder) longest() int {
	if strings.EqualFold(b.t.Engine, "InnoDB") && b.t.RowFormat != "REDUNDANT" && b.t.RowFormat != "COMPACT" {
		return 3072
	}
	return 767
}

// part returns a part of an index as a server keeps it, and how many bytes of values it holds at most.
func (b *builder) part(index *schema.Index, def *partDef) (part schema.Part, bytes int) {
	part = schema.Part{
		Column: def.column, Prefix: def.prefix,
		Desc: def.desc && mysql.Flavor(b.w.ctx.Flavor).HasDescIndexes(),
	}
	if def.expr != nil { // a functional part, such as (lower(c)), whose size nobody here knows
		part.Column, part.Expr = "", def.expr.sql(b.t.Columns)
		if what := def.expr.unsure(b.t.Columns); what != "" {
			b.doubt("how the server prints " + what)
		}
		return part, 0
	}
	at := b.t.Column(def.column)
	if at < 0 {
		b.doubt("an index over " + def.column)
		return part, 0
	}
	c := &b.t.Columns[at]
	part.Column = c.Name
	if index.Kind != schema.BTree { // fulltext, spatial and vector indexes have no prefixes and no order
		part.Prefix, part.Desc = 0, false
		return part, 0
	}
	unit := width(c.Type.Charset)
	switch c.Type.Kind {
	case schema.Char, schema.Varchar, schema.Binary, schema.Varbinary:
		if part.Prefix == c.Type.Size { // v(9) of VARCHAR(9) is printed as v
			part.Prefix = 0
		}
		if part.Prefix == 0 {
			return part, c.Type.Size * unit
		}
	case schema.Text, schema.Blob:
		// MariaDB holds a unique index over a whole TEXT as a hash (MDEV-371).
		if part.Prefix == 0 && index.Unique && b.w.ctx.Flavor.Family == schema.MariaDB && index.Name != "PRIMARY" {
			index.Using = "HASH"
		} else if part.Prefix == 0 {
			b.doubt("an index over the whole of " + c.Name)
		}
	case schema.JSON, schema.Geometry, schema.Vector:
		b.doubt("an index over " + c.Name)
	default:
		part.Prefix = 0 // as many bytes as the value has, or the server refuses
		return part, 8
	}
	return part, part.Prefix * unit
}
