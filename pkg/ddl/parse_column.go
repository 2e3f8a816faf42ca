package ddl

import (
	"strings"
)

// columnDef is a column as a statement gives it.
type columnDef struct {
	name      string
	typ       typeSpec
	notNull   bool
	null      bool // NULL was written
	def       *defaultDef
	onUpdate  string // "CURRENT_TIMESTAMP" with its precision, or empty
	auto      bool
	generated int // 0, or virtual or stored
	expr      expression
	invisible bool
	comment   string
	checks    []checkDef
	unique    bool
	primary   bool
	parent    *foreignDef // REFERENCES
	srid      *uint32
	extra     []string
	unsure    string
}

const (
	virtual = 1
	stored  = 2
)

// defaultDef is what stands behind DEFAULT.
type defaultDef struct {
	null bool
	lit  *token     // a literal
	neg  bool       // of a number
	now  string     // CURRENT_TIMESTAMP with its precision
	expr expression // anything else
}

// columnDef reads a column's definition, behind its name.
func (p *parser) columnDef(name string) columnDef {
	c := columnDef{name: name, typ: p.columnType()}
	if c.typ.serial {
		c.serial()
	}
	for p.err == nil && (p.typeAttribute(&c.typ) || p.columnAttribute(&c) || p.furtherAttribute(&c)) {
	}
	return c
}

// serial makes the column what SERIAL stands for.
func (c *columnDef) serial() { c.notNull, c.auto, c.unique = true, true, true }

// columnAttribute reads one of the attributes of a column and tells whether there was one.
func (p *parser) columnAttribute(c *columnDef) bool {
	switch {
	case p.accept("NOT NULL"):
		c.notNull = true
	case p.accept("NULL"):
		c.null = true
	case p.accept("DEFAULT"):
		c.def = p.defaultDef()
	case p.accept("SERIAL DEFAULT VALUE"):
		c.serial()
	case p.accept("ON UPDATE"):
		if c.onUpdate = p.now(); c.onUpdate == "" {
			p.misunderstood()
		}
	case p.accept("AUTO_INCREMENT"):
		c.auto = true
	case p.accept("UNIQUE"):
		p.accept("KEY")
		c.unique = true
	case p.accept("PRIMARY"):
		p.accept("KEY")
		c.primary = true
	case p.accept("KEY"):
		c.primary = true
	case p.accept("COMMENT"):
		c.comment = basic(p.value())
	case p.accept("INVISIBLE"):
		c.invisible = true
	case p.accept("VISIBLE"):
	case p.accept("GENERATED ALWAYS AS"), p.accept("AS"):
		p.generated(c)
	case p.accept("REFERENCES"):
		c.parent = p.references(foreignDef{columns: []string{c.name}})
	case p.peek().is("CHECK"), p.peek().is("CONSTRAINT"):
		c.checks = append(c.checks, p.columnCheck())
	default:
		return false
	}
	return true
}

// furtherAttribute reads one of the rarer attributes, which are kept as they are.
func (p *parser) furtherAttribute(c *columnDef) bool {
	keep := func(text string) { c.extra = append(c.extra, text) }
	switch {
	case p.accept("COLUMN_FORMAT"):
		if format := strings.ToUpper(p.ident()); format != "DEFAULT" {
			keep("COLUMN_FORMAT " + format)
		}
	case p.accept("STORAGE"):
		if storage := strings.ToUpper(p.ident()); storage != "DEFAULT" {
			keep("STORAGE " + storage)
		}
	case p.accept("SRID"):
		srid := uint32(p.integer()) //nolint:gosec // at most nine digits
		c.srid = &srid
	case p.accept("COMPRESSED"):
		if p.acceptMark("=") {
			p.ident()
			c.unsure = "COMPRESSED with a method"
		}
		keep("COMPRESSED")
	case p.accept("WITHOUT SYSTEM VERSIONING"):
		keep("WITHOUT SYSTEM VERSIONING")
	case p.accept("WITH SYSTEM VERSIONING"):
		c.unsure = "system versioning"
	case p.accept("NOT SECONDARY"):
		keep("NOT SECONDARY")
	case p.accept("REF_SYSTEM_ID"):
		p.expectMark("=")
		p.integer()
		c.unsure = "REF_SYSTEM_ID"
	case (p.peek().kind == word || p.peek().kind == name) && p.ahead(1).mark("="):
		c.unsure = "the attribute " + p.ident()
		p.next()
		p.next()
	default:
		return false
	}
	return true
}

func (p *parser) generated(c *columnDef) {
	if p.acceptAny("ROW START", "ROW END") != "" {
		c.unsure, c.generated = "system versioning", stored
		return
	}
	c.expr, c.generated = p.parenthesised(), virtual
	if p.acceptAny("STORED", "PERSISTENT") != "" {
		c.generated = stored
	} else {
		p.accept("VIRTUAL")
	}
}

// columnCheck reads [CONSTRAINT [name]] CHECK (expr) [[NOT] ENFORCED].
func (p *parser) columnCheck() checkDef {
	var c checkDef
	if p.accept("CONSTRAINT") && !p.peek().is("CHECK") {
		c.name = p.ident()
	}
	p.expect("CHECK")
	p.check(&c)
	return c
}

func (p *parser) check(c *checkDef) {
	c.expr = p.parenthesised()
	switch {
	case p.accept("NOT ENFORCED"):
		c.notEnforced = true
	case p.accept("ENFORCED"):
	}
}

// now reads CURRENT_TIMESTAMP[(n)] and its synonyms and returns it canonically, or "".
func (p *parser) now() string {
	t := p.peek()
	bare := t.is("CURRENT_TIMESTAMP") || t.is("LOCALTIME") || t.is("LOCALTIMESTAMP")
	if !bare && (!t.is("NOW") || !p.ahead(1).mark("(")) {
		return ""
	}
	if p.ahead(1).mark("(") && !p.ahead(2).mark(")") && !p.ahead(3).mark(")") {
		return ""
	}
	p.next()
	digits := 0
	if p.acceptMark("(") && !p.acceptMark(")") {
		digits = p.integer()
		p.expectMark(")")
	}
	return nowWith(digits)
}

// defaultDef reads what follows DEFAULT.
func (p *parser) defaultDef() *defaultDef {
	if p.accept("NULL") {
		return &defaultDef{null: true}
	}
	if now := p.now(); now != "" {
		return &defaultDef{now: now}
	}
	t := p.peek()
	introduced := t.kind == word && strings.HasPrefix(t.text, "_") && p.ahead(1).kind == text
	switch {
	case t.mark("("):
		return &defaultDef{expr: p.parenthesised()}
	case t.mark("-"), t.mark("+"):
		p.at++
		n := p.next()
		if n.kind != number {
			p.misunderstood()
		}
		return &defaultDef{lit: &n, neg: t.mark("-")}
	case t.kind == text:
		t.text = p.value()
		return &defaultDef{lit: &t}
	case t.kind == number, t.kind == bits, t.kind == bytes:
		p.at++
		return &defaultDef{lit: &t}
	case t.is("TRUE"), t.is("FALSE"):
		p.at++
		return &defaultDef{lit: &token{kind: number, text: map[bool]string{true: "1", false: "0"}[t.is("TRUE")]}}
	case introduced, t.kind == word && p.ahead(1).kind == text:
		p.at += 2
		return &defaultDef{expr: p.tokens[p.at-2 : p.at]}
	}
	return &defaultDef{expr: p.bare()}
}

// bare reads an expression without parentheses, which MariaDB takes as a default: a call or a column.
func (p *parser) bare() expression {
	from := p.at
	if p.accept("NEXT VALUE FOR") {
		p.table()
	} else {
		p.ident()
	}
	if p.peek().mark("(") {
		p.skipParentheses()
	}
	if p.err != nil {
		return nil
	}
	return p.tokens[from:p.at]
}
