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

// builder makes of a table what a server makes of it: it finds names, adds what is implied and notes what cannot be
// told.
type builder struct {
	w      *world
	t      *schema.Table
	unsure string // the first thing that cannot be told, or empty
}

// doubt notes something that cannot be told; "" is nothing.
func (b *builder) doubt(what string) {
	if b.unsure == "" {
		b.unsure = what
	}
}

// options sets the table's options.
func (b *builder) options(o *options) {
	t := b.t
	b.doubt(o.unsure)
	if o.engine != nil {
		t.Engine = *o.engine
	}
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

// firstTimestamp gives the first TIMESTAMP column the defaults that it has under implicit rules (MySQL manual 13.2.5).
func (b *builder) firstTimestamp(defs []columnDef) {
	if !b.w.ctx.ImplicitTimestamps {
		return
	}
	b.unsure = strings.TrimPrefix(b.unsure, implicitDefault)
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

// key is an index while the server decides which are kept.
type key struct {
	schema.Index
	primary   bool
	generated bool
	gone      bool
}

// elements adds indexes, foreign keys and checks. lost are the foreign keys and checks that the same statement drops.
func (b *builder) elements(e *elements, lost map[string]bool) error {
	keys := b.existing()
	fresh := len(keys)
	foreign := b.highest(b.foreignNames(), "_ibfk_")
	for _, k := range e.keys {
		if k >= 0 {
			def := &e.indexes[k]
			if def.optional && find(keys, def.name) >= 0 {
				continue
			}
			b.doubt(def.unsure)
			keys = append(keys, key{Index: b.index(def), primary: def.primary})
			continue
		}
		def := &e.foreign[-1-k]
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

// doubtRewritten notes expressions of a table that servers may print otherwise though they were not touched.
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

func find(keys []key, name string) int {
	return slices.IndexFunc(keys, func(k key) bool { return !k.gone && strings.EqualFold(k.Name, name) })
}

// prune marks the generated indexes that another one, which is added, makes needless, as mysql_prepare_create_table
// does.
func prune(keys []key, fresh int) {
	for i := fresh; i < len(keys); i++ {
		for j := range i {
			if keys[j].gone || !covers(&keys[i], &keys[j]) {
				continue
			}
			if !keys[j].generated || keys[i].generated && len(keys[i].Parts) < len(keys[j].Parts) {
				keys[i].gone = true
			} else {
				keys[j].gone = true
			}
			break
		}
	}
}

// covers tells whether one of the two is generated, and the beginning of the other.
func covers(a, b *key) bool {
	if !a.generated || b.generated && len(a.Parts) > len(b.Parts) {
		a, b = b, a
	}
	if !a.generated || len(a.Parts) > len(b.Parts) {
		return false
	}
	return begins(a.Parts, b.Parts)
}

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

// spare sees to indexes that were there and may go: one that a server has made for a foreign key goes when another is
// added that can serve instead, also when the foreign key has gone long ago. Nothing shows which ones are such.
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

// generable tells whether an index may be one that a server has made for a foreign key: it has nothing but columns,
// and its name, which is then a constraint's or a column's, does not say that it is an index.
func (b *builder) generable(k *key) bool {
	unlike := func(p schema.Part) bool { return p.Prefix > 0 || p.Desc || p.Expr != "" }
	return !k.primary && !k.Unique && k.Kind == schema.BTree && k.Using == "" && k.Comment == "" && !k.Invisible &&
		len(k.Extra) == 0 && strings.EqualFold(b.t.Engine, "InnoDB") && !indexName.MatchString(k.Name) &&
		!slices.ContainsFunc(k.Parts, unlike)
}

var indexName = regexp.MustCompile(`(?i)^(idx|index|ix)_|_(idx|index|ix)$`)

// keep names the indexes that are left and puts them in the server's order.
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

// demand makes a column of the primary key NOT NULL.
func (b *builder) demand(c *schema.Column) {
	c.Nullable = false
	if c.Default != nil && c.Default.Null {
		c.Default = nil
	}
}

// rank orders indexes as servers print them: unique ones before others, of those the ones without NULL first,
// fulltext last.
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

// freeName returns the name that servers give an index: its first column's, with a number when that is used.
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

// index returns an index as a server keeps it.
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
	if index.Kind != schema.BTree || b.w.ctx.Flavor.Family == schema.MySQL && index.Using == "HASH" &&
		strings.EqualFold(b.t.Engine, "InnoDB") {
		index.Using = ""
	}
	return index
}

// longest returns how many bytes of values an index may hold for sure.
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
	if def.expr != nil {
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
	if index.Kind != schema.BTree {
		part.Prefix, part.Desc = 0, false
		return part, 0
	}
	unit := width(c.Type.Charset)
	switch c.Type.Kind {
	case schema.Char, schema.Varchar, schema.Binary, schema.Varbinary:
		if part.Prefix == c.Type.Size {
			part.Prefix = 0
		}
		if part.Prefix == 0 {
			return part, c.Type.Size * unit
		}
	case schema.Text, schema.Blob:
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
