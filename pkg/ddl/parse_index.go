package ddl

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
	"wherry/pkg/sqltext"
)

// indexDef is an index as a statement gives it.
type indexDef struct {
	name      string // "" if the server makes one
	primary   bool
	unique    bool
	kind      schema.IndexKind
	parts     []partDef
	using     string
	comment   string
	invisible bool
	extra     []string
	optional  bool // IF NOT EXISTS
	unsure    string
}

// partDef is one part of an index: a column with its prefix, or an expression.
type partDef struct {
	column string
	prefix int
	desc   bool
	expr   expression // of a functional part
}

// foreignDef is a foreign key as a statement gives it.
type foreignDef struct {
	name     string
	index    string // the name between FOREIGN KEY and the columns
	columns  []string
	parent   schema.Name
	parents  []string // the referenced columns; nil if it names none
	onDelete string
	onUpdate string
	optional bool
	inline   bool // REFERENCES of a column
}

// checkDef is a check as a statement gives it.
type checkDef struct {
	name        string
	expr        expression
	notEnforced bool
	optional    bool
}

// elements are the indexes and constraints of CREATE TABLE and ALTER TABLE .. ADD, in their order.
type elements struct {
	indexes []indexDef
	foreign []foreignDef
	checks  []checkDef
	keys    []int // the order of both: i for indexes[i], -1-i for foreign[i]
}

// addIndex adds an index behind all others.
func (e *elements) addIndex(def indexDef) {
	e.keys = append(e.keys, len(e.indexes))
	e.indexes = append(e.indexes, def)
}

// addForeign adds a foreign key behind all others.
func (e *elements) addForeign(def foreignDef) {
	e.keys = append(e.keys, -1-len(e.foreign))
	e.foreign = append(e.foreign, def)
}

// element reads an index or a constraint and returns whether there was one. If not, nothing was passed, and it is a
// column. The name of a constraint may be left out: CONSTRAINT CHECK (a > 0).
func (p *parser) element(e *elements) bool {
	name, constraint, optional := "", false, false
	if p.Accept("CONSTRAINT") {
		constraint = true
		if !p.constraintKind() {
			optional = p.ifNotExists()
			if !p.constraintKind() {
				name = p.ident()
			}
		}
	}
	switch {
	case p.Accept("PRIMARY KEY"):
		e.addIndex(p.index(indexDef{name: "PRIMARY", primary: true, unique: true}))
	case p.Accept("UNIQUE"):
		p.acceptAny("INDEX", "KEY")
		e.addIndex(p.index(indexDef{name: name, unique: true}))
	case p.Accept("FOREIGN KEY"):
		def := p.foreign(name)
		def.optional = def.optional || optional
		e.addForeign(def)
	case p.Accept("CHECK"):
		c := checkDef{name: name, optional: optional}
		p.check(&c)
		e.checks = append(e.checks, c)
	case constraint:
		p.Misunderstood()
	case p.plainIndexAhead():
		if p.acceptAny("INDEX", "KEY") == "" {
			kind := map[string]schema.IndexKind{
				"FULLTEXT": schema.Fulltext, "SPATIAL": schema.Spatial,
				"VECTOR": schema.VectorIndex,
			}[p.acceptAny("FULLTEXT", "SPATIAL", "VECTOR")]
			p.acceptAny("INDEX", "KEY")
			e.addIndex(p.index(indexDef{kind: kind}))
		} else {
			e.addIndex(p.index(indexDef{}))
		}
	default:
		return false
	}
	return true
}

// constraintKind returns whether the kind of a constraint comes next, rather than its name.
func (p *parser) constraintKind() bool {
	t := p.Peek()
	return t.Is("PRIMARY") && p.Ahead(1).Is("KEY") || t.Is("UNIQUE") || t.Is("FOREIGN") && p.Ahead(1).Is("KEY") ||
		t.Is("CHECK") && p.Ahead(1).IsMark("(")
}

// plainIndexAhead returns whether an index begins. INDEX, KEY, FULLTEXT and SPATIAL are reserved words, so none of them
// is a column's name without quotes. VECTOR may be one: `vector VECTOR(3)`.
func (p *parser) plainIndexAhead() bool {
	t := p.Peek()
	return t.Is("INDEX") || t.Is("KEY") || t.Is("FULLTEXT") || t.Is("SPATIAL") ||
		t.Is("VECTOR") && (p.Ahead(1).Is("INDEX") || p.Ahead(1).Is("KEY"))
}

func (p *parser) ifNotExists() bool { return p.Accept("IF NOT EXISTS") }

// index reads an index from its name on: [name] [USING type] (parts) [options].
func (p *parser) index(def indexDef) indexDef {
	def.optional = p.ifNotExists()
	if t := p.Peek(); (t.Kind == sqltext.Name || t.Kind == sqltext.Word && !p.indexTypeAhead()) && !def.primary {
		def.name = p.ident()
	} else if t.Kind == sqltext.Name || t.Kind == sqltext.Word && !p.indexTypeAhead() {
		p.ident() // of a primary key, which has none
	}
	p.indexType(&def)
	p.indexParts(&def)
	for p.indexOption(&def) {
	}
	return def
}

// indexTypeAhead returns whether USING or TYPE begins the type of an index. `INDEX type (a)` has the name type.
func (p *parser) indexTypeAhead() bool {
	return (p.Peek().Is("USING") || p.Peek().Is("TYPE")) && p.Ahead(1).Kind == sqltext.Word && !p.Ahead(1).IsMark("(")
}

// indexType reads USING type. RTREE is what every spatial index is, and servers do not print it.
func (p *parser) indexType(def *indexDef) bool {
	if p.acceptAny("USING", "TYPE") == "" {
		return false
	}
	switch def.using = strings.ToUpper(p.ident()); def.using {
	case "BTREE", "HASH":
	case "RTREE":
		def.using = ""
	default:
		p.Fail("USING %s is not known", def.using)
	}
	return true
}

// indexParts reads (a, b(10) DESC, (lower(c))).
func (p *parser) indexParts(def *indexDef) {
	p.ExpectMark("(")
	for {
		var part partDef
		if p.Peek().IsMark("(") {
			part.expr = p.parenthesised()
		} else {
			part.column = p.ident()
			if p.AcceptMark("(") {
				part.prefix = p.Integer()
				p.ExpectMark(")")
			}
		}
		if p.acceptAny("DESC", "ASC") == "DESC" {
			part.desc = true
		}
		if p.Accept("WITHOUT OVERLAPS") {
			def.unsure = "WITHOUT OVERLAPS"
		}
		def.parts = append(def.parts, part)
		if !p.AcceptMark(",") {
			break
		}
	}
	p.ExpectMark(")")
}

// indexOption reads one option and returns whether there was one. INVISIBLE is MySQL's word, IGNORED MariaDB's.
func (p *parser) indexOption(def *indexDef) bool {
	switch {
	case p.indexType(def):
	case p.Accept("COMMENT"):
		def.comment = basic(p.value())
	case p.acceptAny("INVISIBLE", "IGNORED") != "":
		def.invisible = true
	case p.acceptAny("VISIBLE", "NOT IGNORED") != "":
		def.invisible = false
	case p.Accept("KEY_BLOCK_SIZE"):
		p.AcceptMark("=")
		if size := p.Integer(); size != 0 {
			def.extra = append(def.extra, fmt.Sprintf("KEY_BLOCK_SIZE=%d", size))
			if p.ctx.Flavor.Family == schema.MySQL {
				def.unsure = "KEY_BLOCK_SIZE of an index"
			}
		}
	case p.Accept("WITH PARSER"):
		def.extra = append(def.extra, "WITH PARSER "+mysql.Quote(p.ident()))
	case (p.Peek().Kind == sqltext.Word || p.Peek().Kind == sqltext.Name) && p.Ahead(1).IsMark("="):
		def.unsure = "the index option " + p.ident()
		p.Next()
		p.Next()
	default:
		return false
	}
	return true
}

// foreign reads a foreign key behind FOREIGN KEY: [index] (columns) REFERENCES ..
func (p *parser) foreign(name string) foreignDef {
	def := foreignDef{name: name, optional: p.ifNotExists()}
	if !p.Peek().IsMark("(") {
		def.index = p.ident()
	}
	def.columns = p.names()
	p.Expect("REFERENCES")
	def = *p.references(def)
	def.inline = false // references sets it, since that is what a column's own REFERENCES is
	return def
}

// references reads what follows REFERENCES: table [(columns)] [ON DELETE action] [ON UPDATE action]. MATCH is read and
// means nothing to servers.
func (p *parser) references(def foreignDef) *foreignDef {
	def.parent, def.inline = p.table(), true
	if p.Peek().IsMark("(") {
		def.parents = p.names()
	}
	for p.Err == nil {
		switch {
		case p.Accept("ON DELETE"):
			def.onDelete = p.action()
		case p.Accept("ON UPDATE"):
			def.onUpdate = p.action()
		case p.Accept("MATCH"):
			p.ident()
		default:
			return &def
		}
	}
	return &def
}

// action reads what a foreign key does.
func (p *parser) action() string {
	action := p.acceptAny("CASCADE", "RESTRICT", "NO ACTION", "SET NULL", "SET DEFAULT")
	if action == "" {
		p.Misunderstood()
	}
	return action
}
