package ddl

import (
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// alterTable is ALTER TABLE, CREATE INDEX and DROP INDEX. Servers do not run the clauses one after another. They gather
// them by kind and then make one new table, as here: `ADD c INT, DROP c` drops the old c and adds a new one.
type alterTable struct {
	elements
	name     schema.Name
	ignore   bool
	drops    []drop
	columns  []columnChange
	defaults []columnDefault
	renames  [][2]string     // of indexes
	absent   map[string]bool // indexes that need not exist (IF EXISTS)
	visible  map[string]bool // by the name of an index
	enforced map[string]bool // by the name of a check
	options  options
	convert  *options // CONVERT TO CHARACTER SET
	to       schema.Name
	parts    []partitionChange
	exchange schema.Name
	detached schema.Name // by CONVERT PARTITION .. TO TABLE
	absorbed schema.Name // by CONVERT TABLE .. TO PARTITION
	sorted   bool        // ORDER BY
	opaque   string      // why rows changed in a way that cannot be repeated
	unsure   string      // why the shape is unknown
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
	old      string // the name before; "" of ADD
	renaming bool   // RENAME COLUMN: only the name changes
	after    string // AFTER; "" leaves the column where it was, and puts a new one at the end
	first    bool
	optional bool // IF EXISTS, or IF NOT EXISTS of ADD
}

// columnDefault is ALTER COLUMN.
type columnDefault struct {
	name     string
	def      *defaultDef // nil of DROP DEFAULT
	visible  *bool       // of SET VISIBLE and SET INVISIBLE, else nil
	optional bool        // IF EXISTS
}

// partitionChange is a partition clause.
type partitionChange struct {
	verb  string // "BY", "ADD", "DROP", "TRUNCATE", "COALESCE", "REORGANIZE", "REMOVE"
	by    *partitioning
	parts []partition
	names []string // of partitions; nil of TRUNCATE ALL
	count int      // of ADD PARTITIONS n and COALESCE
}

// alterStatement reads what follows ALTER. Between clauses stands a comma; between options of the table it may be left
// out.
func (p *parser) alterStatement() statement {
	p.acceptAny("ONLINE", "OFFLINE")
	s := &alterTable{visible: map[string]bool{}, enforced: map[string]bool{}, absent: map[string]bool{}}
	s.ignore = p.Accept("IGNORE")
	if p.acceptAny("DATABASE", "SCHEMA") != "" {
		return p.alterDatabase()
	}
	p.Expect("TABLE")
	p.Accept("IF EXISTS")
	s.name = p.table()
	p.wait()
	for p.Err == nil && p.Peek().Kind != sqltext.End && !p.Peek().IsMark(";") {
		p.clause(s)
		p.AcceptMark(",")
	}
	return s
}

// clause reads one clause. Partitions come before ADD and DROP, whose words they begin with.
func (p *parser) clause(s *alterTable) {
	switch {
	case p.alterHint():
	case p.partitionClause(s):
	case p.Accept("ADD"):
		p.addClause(s)
	case p.Accept("DROP"):
		p.dropClause(s)
	case p.Accept("CHANGE"):
		p.Accept("COLUMN")
		optional := p.Accept("IF EXISTS")
		old := p.column()
		p.columnClause(s, columnChange{old: old, optional: optional})
	case p.Accept("MODIFY"):
		p.Accept("COLUMN")
		optional := p.Accept("IF EXISTS")
		// MODIFY names the column once, and the name stays what it was.
		p.columnClause(s, columnChange{old: p.Peek().Text, optional: optional})
	case p.Accept("ALTER"):
		p.alterClause(s)
	case p.Accept("RENAME"):
		p.renameClause(s)
	default:
		p.optionClause(s)
	}
}

// optionClause reads clauses that are about the table as a whole. FORCE, ENABLE KEYS and the like change no shape.
func (p *parser) optionClause(s *alterTable) {
	switch {
	case p.Accept("CONVERT TO"):
		p.convertClause(s)
	case p.Accept("ORDER BY"):
		s.sorted = true
		for p.Next().Kind != sqltext.End { // it is the last clause
		}
	case p.Accept("FORCE"), p.Accept("ENABLE KEYS"), p.Accept("DISABLE KEYS"):
	case p.Accept("DISCARD TABLESPACE"), p.Accept("IMPORT TABLESPACE"):
		s.opaque = "the table's file was exchanged (TABLESPACE)"
	case p.acceptAny("SECONDARY_LOAD", "SECONDARY_UNLOAD") != "":
	default:
		if !p.option(&s.options) {
			p.Misunderstood()
		}
	}
}

// alterHint passes what only says how the server runs the statement: ALGORITHM=INPLACE, LOCK=NONE.
func (p *parser) alterHint() bool {
	switch {
	case p.Accept("ALGORITHM"), p.Accept("LOCK"):
		p.AcceptMark("=")
		p.ident()
	case p.Accept("WITH VALIDATION"), p.Accept("WITHOUT VALIDATION"):
	default:
		return false
	}
	return true
}

// convertClause reads CONVERT TO CHARACTER SET x [COLLATE y]. DEFAULT leaves the character set nil: the database's.
func (p *parser) convertClause(s *alterTable) {
	if !p.Accept("CHARACTER SET") && !p.Accept("CHARSET") {
		p.Misunderstood()
	}
	s.convert = &options{}
	p.AcceptMark("=")
	if !p.Accept("DEFAULT") {
		s.convert.setCharset(p.charsetName())
	}
	if p.Accept("COLLATE") {
		p.AcceptMark("=")
		collation := p.charsetName()
		s.convert.collation = &collation
	}
}

// addClause reads ADD but for partitions: an index, a constraint, a column, or several columns in parentheses.
func (p *parser) addClause(s *alterTable) {
	switch {
	case p.Accept("SYSTEM VERSIONING"), p.Accept("PERIOD FOR SYSTEM_TIME"):
		s.unsure = "system versioning"
		if p.Peek().IsMark("(") {
			p.Parentheses()
		}
		return
	case p.Accept("PERIOD FOR"):
		p.ident()
		p.names()
		s.unsure = "a period"
		return
	case p.element(&s.elements):
		return
	}
	p.Accept("COLUMN")
	optional := p.ifNotExists()
	if !p.AcceptMark("(") {
		p.columnClause(s, columnChange{optional: optional})
		return
	}
	for {
		if !p.element(&s.elements) {
			p.columnClause(s, columnChange{optional: optional})
		}
		if !p.AcceptMark(",") {
			break
		}
	}
	p.ExpectMark(")")
}

// columnClause reads a column's name and definition, and where it goes.
func (p *parser) columnClause(s *alterTable, c columnChange) {
	c.columnDef = p.columnDef(p.column())
	switch {
	case p.Accept("FIRST"):
		c.first = true
	case p.Accept("AFTER"):
		c.after = p.column()
	}
	s.columns = append(s.columns, c)
	s.columnElements(&c.columnDef, p.ctx.Flavor)
}

// dropClause reads DROP but for partitions. Without a keyword it drops a column. CHECK may be a column's name too, so
// it is a keyword only if a name follows.
func (p *parser) dropClause(s *alterTable) {
	d := drop{}
	switch {
	case p.Accept("PRIMARY KEY"):
		s.drops = append(s.drops, drop{what: dropPrimary, name: "PRIMARY"})
		return
	case p.Accept("SYSTEM VERSIONING"):
		s.unsure = "system versioning"
		return
	case p.Accept("PERIOD FOR"):
		p.Accept("IF EXISTS")
		p.ident()
		s.unsure = "a period"
		return
	case p.acceptAny("INDEX", "KEY") != "":
		d.what = dropIndex
	case p.Accept("FOREIGN KEY"):
		d.what = dropForeign
	case p.Peek().Is("CHECK") && p.Ahead(1).Kind != sqltext.End && !p.Ahead(1).IsMark(","):
		p.Next()
		d.what = dropCheck
	case p.Accept("CONSTRAINT"):
		d.what = dropConstraint
	default:
		p.Accept("COLUMN")
	}
	d.optional = p.Accept("IF EXISTS")
	d.name = p.column()
	if d.what == dropColumn {
		p.acceptAny("RESTRICT", "CASCADE")
	}
	if p.Err == nil && d.what == dropIndex && strings.EqualFold(d.name, "PRIMARY") {
		d.what = dropPrimary
	}
	s.drops = append(s.drops, d)
}

// alterClause reads ALTER [COLUMN | INDEX | CHECK | CONSTRAINT].
func (p *parser) alterClause(s *alterTable) {
	switch {
	case p.acceptAny("INDEX", "KEY") != "":
		optional := p.Accept("IF EXISTS")
		index := p.ident()
		s.absent[index] = optional
		switch p.acceptAny("VISIBLE", "NOT IGNORED", "INVISIBLE", "IGNORED") {
		case "VISIBLE", "NOT IGNORED":
			s.visible[index] = true
		case "INVISIBLE", "IGNORED":
			s.visible[index] = false
		default:
			p.Misunderstood()
		}
		return
	case p.acceptAny("CHECK", "CONSTRAINT") != "":
		check := p.ident()
		s.enforced[check] = !p.Accept("NOT") // ALTER CHECK c [NOT] ENFORCED
		p.Expect("ENFORCED")
		return
	}
	p.Accept("COLUMN")
	d := columnDefault{optional: p.Accept("IF EXISTS")}
	d.name = p.column()
	yes := true
	switch {
	case p.Accept("SET DEFAULT"):
		d.def = p.defaultDef()
	case p.Accept("DROP DEFAULT"):
	case p.Accept("SET VISIBLE"):
		d.visible = &yes
	case p.Accept("SET INVISIBLE"):
		d.visible = new(bool)
	default:
		p.Misunderstood()
	}
	s.defaults = append(s.defaults, d)
}

// renameClause reads RENAME COLUMN a TO b, RENAME INDEX a TO b, and RENAME [TO | AS | =] table.
func (p *parser) renameClause(s *alterTable) {
	switch {
	case p.Accept("COLUMN"):
		optional := p.Accept("IF EXISTS")
		c := columnChange{old: p.column(), renaming: true, optional: optional}
		p.Expect("TO")
		c.name = p.column()
		s.columns = append(s.columns, c)
	case p.acceptAny("INDEX", "KEY") != "":
		optional := p.Accept("IF EXISTS")
		from := p.ident()
		s.absent[from] = optional
		p.Expect("TO")
		s.renames = append(s.renames, [2]string{from, p.ident()})
	default:
		if p.acceptAny("TO", "AS") == "" {
			p.AcceptMark("=")
		}
		s.to = p.table()
	}
}
