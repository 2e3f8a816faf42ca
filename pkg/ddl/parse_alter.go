package ddl

import (
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
