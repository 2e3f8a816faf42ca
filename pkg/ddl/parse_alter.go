package ddl

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// alterTable is ALTER TABLE, CREATE INDEX and DROP INDEX. Servers do not run the clauses one after another but gather them, as here.
type alterTable struct {
	elements
	name     schema.Name
	ignore   bool
	drops    []drop
	columns  []columnChange
	defaults []columnDefault
	renames  [][2]string     // of indexes
	absent   map[string]bool // indexes that need not be there (IF EXISTS)
	visible  map[string]bool
	enforced map[string]bool
	options  options
	convert  *options // CONVERT TO CHARACTER SET
	to       schema.Name
	parts    []partitionChange
	exchange schema.Name
	made     schema.Name // by CONVERT PARTITION .. TO TABLE
	taken    schema.Name // by CONVERT TABLE .. TO PARTITION
	sorted   bool        // ORDER BY
	opaque   string
	unsure   string
}

// drop is a DROP clause.
type drop struct {
	what     dropKind
	name     string
	optional bool // IF EXISTS
}

type dropKind int

const (
	dropColumn dropKind = iota
	dropIndex
	dropPrimary
	dropForeign
	dropCheck
	dropConstraint
)

// columnChange is ADD, CHANGE, MODIFY or RENAME COLUMN.
type columnChange struct {
	columnDef
	old      string // "" of ADD
	renaming bool   // RENAME COLUMN: only the name changes
	after    string // "" where it was, or for ADD at the end
	first    bool
	optional bool
}

// columnDefault is ALTER COLUMN.
type columnDefault struct {
	name     string
	def      *defaultDef // nil to drop it
	visible  *bool
	optional bool
}

// partitionChange is a partition clause.
type partitionChange struct {
	verb  string // "BY", "ADD", "DROP", "TRUNCATE", "COALESCE", "REORGANIZE", "REMOVE"
	by    *partitioning
	parts []partition
	names []string // nil of TRUNCATE ALL
	count int
}

func (p *parser) alterStatement() statement {
	p.acceptAny("ONLINE", "OFFLINE")
	s := &alterTable{visible: map[string]bool{}, enforced: map[string]bool{}, absent: map[string]bool{}}
	s.ignore = p.accept("IGNORE")
	if p.acceptAny("DATABASE", "SCHEMA") != "" {
		for p.next().kind != end {
		}
		return nothing{}
	}
	p.expect("TABLE")
	p.accept("IF EXISTS")
	s.name = p.table()
	p.wait()
	for p.err == nil && p.peek().kind != end && !p.peek().mark(";") {
		p.clause(s)
		p.acceptMark(",")
	}
	return s
}

// clause reads one clause.
func (p *parser) clause(s *alterTable) {
	switch {
	case p.alterHint():
	case p.partitionClause(s):
	case p.accept("ADD"):
		p.addClause(s)
	case p.accept("DROP"):
		p.dropClause(s)
	case p.accept("CHANGE"):
		p.accept("COLUMN")
		optional := p.accept("IF EXISTS")
		old := p.column()
		p.columnClause(s, columnChange{old: old, optional: optional})
	case p.accept("MODIFY"):
		p.accept("COLUMN")
		optional := p.accept("IF EXISTS")
		p.columnClause(s, columnChange{old: p.peek().text, optional: optional})
	case p.accept("ALTER"):
		p.alterClause(s)
	case p.accept("RENAME"):
		p.renameClause(s)
	default:
		p.optionClause(s)
	}
}

// optionClause reads clauses that are about the table as a whole.
func (p *parser) optionClause(s *alterTable) {
	switch {
	case p.accept("CONVERT TO"):
		p.convertClause(s)
	case p.accept("ORDER BY"):
		s.sorted = true
		for p.next().kind != end { // it is the last clause
		}
	case p.accept("FORCE"), p.accept("ENABLE KEYS"), p.accept("DISABLE KEYS"):
	case p.accept("DISCARD TABLESPACE"), p.accept("IMPORT TABLESPACE"):
		s.opaque = "the table's file was exchanged (TABLESPACE)"
	case p.acceptAny("SECONDARY_LOAD", "SECONDARY_UNLOAD") != "":
	default:
		if !p.option(&s.options) {
			p.misunderstood()
		}
	}
}

// alterHint passes what only says how a statement is to be run.
func (p *parser) alterHint() bool {
	switch {
	case p.accept("ALGORITHM"), p.accept("LOCK"):
		p.acceptMark("=")
		p.ident()
	case p.accept("WITH VALIDATION"), p.accept("WITHOUT VALIDATION"):
	default:
		return false
	}
	return true
}

func (p *parser) convertClause(s *alterTable) {
	if !p.accept("CHARACTER SET") && !p.accept("CHARSET") {
		p.misunderstood()
	}
	s.convert = &options{}
	p.acceptMark("=")
	if !p.accept("DEFAULT") {
		s.convert.setCharset(p.charsetName())
	}
	if p.accept("COLLATE") {
		p.acceptMark("=")
		collation := p.charsetName()
		s.convert.collation = &collation
	}
}

// addClause reads ADD but for partitions.
func (p *parser) addClause(s *alterTable) {
	switch {
	case p.accept("SYSTEM VERSIONING"), p.accept("PERIOD FOR SYSTEM_TIME"):
		s.unsure = "system versioning"
		if p.peek().mark("(") {
			p.skipParentheses()
		}
		return
	case p.accept("PERIOD FOR"):
		p.ident()
		p.names()
		s.unsure = "a period"
		return
	case p.element(&s.elements):
		return
	}
	p.accept("COLUMN")
	optional := p.ifNotExists()
	if !p.acceptMark("(") {
		p.columnClause(s, columnChange{optional: optional})
		return
	}
	for {
		if !p.element(&s.elements) {
			p.columnClause(s, columnChange{optional: optional})
		}
		if !p.acceptMark(",") {
			break
		}
	}
	p.expectMark(")")
}

// columnClause reads a column's name and definition, and where it goes.
func (p *parser) columnClause(s *alterTable, c columnChange) {
	c.columnDef = p.columnDef(p.column())
	switch {
	case p.accept("FIRST"):
		c.first = true
	case p.accept("AFTER"):
		c.after = p.column()
	}
	s.columns = append(s.columns, c)
	s.columnElements(&c.columnDef, p.ctx.Flavor)
}

func (p *parser) dropClause(s *alterTable) {
	d := drop{}
	switch {
	case p.accept("PRIMARY KEY"):
		s.drops = append(s.drops, drop{what: dropPrimary, name: "PRIMARY"})
		return
	case p.accept("SYSTEM VERSIONING"):
		s.unsure = "system versioning"
		return
	case p.accept("PERIOD FOR"):
		p.accept("IF EXISTS")
		p.ident()
		s.unsure = "a period"
		return
	case p.acceptAny("INDEX", "KEY") != "":
		d.what = dropIndex
	case p.accept("FOREIGN KEY"):
		d.what = dropForeign
	case p.peek().is("CHECK") && p.ahead(1).kind != end && !p.ahead(1).mark(","):
		p.next()
		d.what = dropCheck
	case p.accept("CONSTRAINT"):
		d.what = dropConstraint
	default:
		p.accept("COLUMN")
	}
	d.optional = p.accept("IF EXISTS")
	d.name = p.column()
	if d.what == dropColumn {
		p.acceptAny("RESTRICT", "CASCADE")
	}
	if p.err == nil && d.what == dropIndex && strings.EqualFold(d.name, "PRIMARY") {
		d.what = dropPrimary
	}
	s.drops = append(s.drops, d)
}

// alterClause reads ALTER [COLUMN | INDEX | CHECK | CONSTRAINT].
func (p *parser) alterClause(s *alterTable) {
	switch {
	case p.acceptAny("INDEX", "KEY") != "":
		optional := p.accept("IF EXISTS")
		index := p.ident()
		s.absent[index] = optional
		switch p.acceptAny("VISIBLE", "NOT IGNORED", "INVISIBLE", "IGNORED") {
		case "VISIBLE", "NOT IGNORED":
			s.visible[index] = true
		case "INVISIBLE", "IGNORED":
			s.visible[index] = false
		default:
			p.misunderstood()
		}
		return
	case p.acceptAny("CHECK", "CONSTRAINT") != "":
		check := p.ident()
		s.enforced[check] = !p.accept("NOT")
		p.expect("ENFORCED")
		return
	}
	p.accept("COLUMN")
	d := columnDefault{optional: p.accept("IF EXISTS")}
	d.name = p.column()
	yes := true
	switch {
	case p.accept("SET DEFAULT"):
		d.def = p.defaultDef()
	case p.accept("DROP DEFAULT"):
	case p.accept("SET VISIBLE"):
		d.visible = &yes
	case p.accept("SET INVISIBLE"):
		d.visible = new(bool)
	default:
		p.misunderstood()
	}
	s.defaults = append(s.defaults, d)
}

func (p *parser) renameClause(s *alterTable) {
	switch {
	case p.accept("COLUMN"):
		optional := p.accept("IF EXISTS")
		c := columnChange{old: p.column(), renaming: true, optional: optional}
		p.expect("TO")
		c.name = p.column()
		s.columns = append(s.columns, c)
	case p.acceptAny("INDEX", "KEY") != "":
		optional := p.accept("IF EXISTS")
		from := p.ident()
		s.absent[from] = optional
		p.expect("TO")
		s.renames = append(s.renames, [2]string{from, p.ident()})
	default:
		if p.acceptAny("TO", "AS") == "" {
			p.acceptMark("=")
		}
		s.to = p.table()
	}
}

// partitionClause reads a clause about partitions and tells whether there was one.
func (p *parser) partitionClause(s *alterTable) bool {
	c := partitionChange{}
	switch {
	case p.accept("PARTITION BY"):
		c.verb, c.by = "BY", p.partitioning()
	case p.accept("REMOVE PARTITIONING"):
		c.verb = "REMOVE"
	case p.accept("ADD PARTITION"):
		c.verb = "ADD"
		p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		if p.ifNotExists() {
			s.unsure = "a partition that may be there"
		}
		if p.accept("PARTITIONS") {
			c.count = p.integer()
		} else {
			c.parts = p.partitions()
		}
	case p.accept("DROP PARTITION"):
		c.verb = "DROP"
		if p.accept("IF EXISTS") {
			s.unsure = "a partition that may not be there"
		}
		c.names = p.list()
	case p.accept("TRUNCATE PARTITION"):
		c.verb = "TRUNCATE"
		if !p.accept("ALL") {
			c.names = p.list()
		}
	case p.accept("COALESCE PARTITION"):
		c.verb = "COALESCE"
		p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		c.count = p.integer()
	case p.accept("REORGANIZE PARTITION"):
		c.verb = "REORGANIZE"
		p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		c.names = p.list()
		p.expect("INTO")
		c.parts = p.partitions()
	default:
		return p.partitionService(s)
	}
	s.parts = append(s.parts, c)
	return true
}

// partitionService reads the clauses that leave the shape as it is, or move whole partitions.
func (p *parser) partitionService(s *alterTable) bool {
	switch {
	case p.accept("EXCHANGE PARTITION"):
		p.ident()
		p.expect("WITH TABLE")
		s.exchange = p.table()
	case p.accept("CONVERT PARTITION"):
		part := p.ident()
		p.expect("TO TABLE")
		s.made = p.table()
		s.parts = append(s.parts, partitionChange{verb: "DROP", names: []string{part}})
	case p.accept("CONVERT TABLE"):
		s.taken = p.table()
		p.expect("TO PARTITION")
		s.parts = append(s.parts, partitionChange{verb: "ADD", parts: []partition{p.partition()}})
	case p.acceptAny("ANALYZE PARTITION", "CHECK PARTITION", "OPTIMIZE PARTITION", "REBUILD PARTITION", "REPAIR PARTITION") != "":
		p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		p.list()
		for p.peek().kind == word {
			p.next()
		}
	case p.accept("DISCARD PARTITION"), p.accept("IMPORT PARTITION"):
		p.list()
		p.expect("TABLESPACE")
		s.opaque = "a partition's file was exchanged (TABLESPACE)"
	default:
		return false
	}
	return true
}

// empties returns the names of the partitions that lose their rows.
func (s *alterTable) empties(before *partitioning) []string {
	var names []string
	for _, c := range s.parts {
		switch {
		case c.verb == "TRUNCATE" && c.names == nil && before != nil:
			names = append(names, before.all()...)
		case c.verb == "TRUNCATE", c.verb == "DROP":
			names = append(names, c.names...)
		}
	}
	return slices.Compact(names)
}

// change makes the partitioning what it is after the clause; before is nil of a table that has none.
func (c partitionChange) change(d *partitioning) (*partitioning, error) {
	switch c.verb {
	case "BY":
		return c.by, nil
	case "REMOVE":
		return nil, nil //nolint:nilnil // no partitions, as before PARTITION BY
	}
	if d == nil {
		return nil, fmt.Errorf("the table has no partitions")
	}
	after := *d
	after.parts = slices.Clone(d.parts)
	switch c.verb {
	case "ADD":
		after.add(c)
	case "COALESCE":
		if after.count = max(d.count, 1) - c.count; len(d.parts) > 0 {
			after.count = 0
			after.parts = after.parts[:max(len(after.parts)-c.count, 1)]
		}
	case "DROP", "REORGANIZE":
		if c.verb == "REORGANIZE" && len(d.parts) == 0 {
			after.unsure = "partitions without names"
			return &after, nil
		}
		if err := after.replace(c); err != nil {
			return nil, err
		}
	}
	return &after, nil
}

func (d *partitioning) add(c partitionChange) {
	switch {
	case len(d.parts) == 0 && len(c.parts) == 0:
		d.count = max(d.count, 1) + c.count
	case len(d.parts) == 0:
		d.unsure = "names beside partitions without names"
	case len(c.parts) > 0:
		d.parts = append(d.parts, c.parts...)
	default:
		for range c.count {
			d.parts = append(d.parts, partition{name: fmt.Sprintf("p%d", len(d.parts))})
		}
	}
}

// replace takes partitions out and puts others in their place.
func (d *partitioning) replace(c partitionChange) error {
	first := -1
	for _, name := range c.names {
		at := d.find(name)
		if at < 0 {
			return fmt.Errorf("the table has no partition %s", name)
		}
		d.parts = slices.Delete(d.parts, at, at+1)
		if first < 0 || at < first {
			first = at
		}
	}
	d.parts = slices.Insert(d.parts, first, c.parts...)
	return nil
}
