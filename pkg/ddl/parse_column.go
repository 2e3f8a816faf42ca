package ddl

import (
	"strings"

	"wherry/pkg/sqltext"
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
	lit  *sqltext.Token // a literal
	neg  bool           // of a number
	now  string         // CURRENT_TIMESTAMP with its precision
	expr expression     // anything else
}

// columnDef reads a column's definition, behind its name.
func (p *parser) columnDef(name string) columnDef {
	c := columnDef{name: name, typ: p.columnType()}
	if c.typ.serial {
		c.serial()
	}
	for p.Err == nil && (p.typeAttribute(&c.typ) || p.columnAttribute(&c) || p.furtherAttribute(&c)) {
	}
	return c
}

// serial makes the column what SERIAL stands for.
func (c *columnDef) serial() { c.notNull, c.auto, c.unique = true, true, true }

// columnAttribute reads one of the attributes of a column and tells whether there was one.
func (p *parser) columnAttribute(c *columnDef) bool {
	switch {
	case p.Accept("NOT NULL"):
		c.notNull = true
	case p.Accept("NULL"):
		c.null = true
	case p.Accept("DEFAULT"):
		c.def = p.defaultDef()
	case p.Accept("SERIAL DEFAULT VALUE"):
		c.serial()
	case p.Accept("ON UPDATE"):
		if c.onUpdate = p.now(); c.onUpdate == "" {
			p.Misunderstood()
		}
	case p.Accept("AUTO_INCREMENT"):
		c.auto = true
	case p.Accept("UNIQUE"):
		p.Accept("KEY")
		c.unique = true
	case p.Accept("PRIMARY"):
		p.Accept("KEY")
		c.primary = true
	case p.Accept("KEY"):
		c.primary = true
	case p.Accept("COMMENT"):
		c.comment = basic(p.value())
	case p.Accept("INVISIBLE"):
		c.invisible = true
	case p.Accept("VISIBLE"):
	case p.Accept("GENERATED ALWAYS AS"), p.Accept("AS"):
		p.generated(c)
	case p.Accept("REFERENCES"):
		c.parent = p.references(foreignDef{columns: []string{c.name}})
	case p.Peek().Is("CHECK"), p.Peek().Is("CONSTRAINT"):
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
	case p.Accept("COLUMN_FORMAT"):
		if format := strings.ToUpper(p.ident()); format != "DEFAULT" {
			keep("COLUMN_FORMAT " + format)
		}
	case p.Accept("STORAGE"):
		if storage := strings.ToUpper(p.ident()); storage != "DEFAULT" {
			keep("STORAGE " + storage)
		}
	case p.Accept("SRID"):
		srid := uint32(p.Integer()) //nolint:gosec // at most nine digits
		c.srid = &srid
	case p.Accept("COMPRESSED"):
		if p.AcceptMark("=") {
			p.ident()
			c.unsure = "COMPRESSED with a method"
		}
		keep("COMPRESSED")
	case p.Accept("WITHOUT SYSTEM VERSIONING"):
		keep("WITHOUT SYSTEM VERSIONING")
	case p.Accept("WITH SYSTEM VERSIONING"):
		c.unsure = "system versioning"
	case p.Accept("NOT SECONDARY"):
		keep("NOT SECONDARY")
	case p.Accept("REF_SYSTEM_ID"):
		p.ExpectMark("=")
		p.Integer()
		c.unsure = "REF_SYSTEM_ID"
	case (p.Peek().Kind == sqltext.Word || p.Peek().Kind == sqltext.Name) && p.Ahead(1).IsMark("="):
		c.unsure = "the attribute " + p.ident()
		p.Next()
		p.Next()
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
		p.Accept("VIRTUAL")
	}
}

// columnCheck reads [CONSTRAINT [name]] CHECK (expr) [[NOT] ENFORCED].
func (p *parser) columnCheck() checkDef {
	var c checkDef
	if p.Accept("CONSTRAINT") && !p.Peek().Is("CHECK") {
		c.name = p.ident()
	}
	p.Expect("CHECK")
	p.check(&c)
	return c
}

func (p *parser) check(c *checkDef) {
	c.expr = p.parenthesised()
	switch {
	case p.Accept("NOT ENFORCED"):
		c.notEnforced = true
	case p.Accept("ENFORCED"):
	}
}

// now reads CURRENT_TIMESTAMP[(n)] and its synonyms and returns it canonically, or "".
func (p *parser) now() string {
	t := p.Peek()
	bare := t.Is("CURRENT_TIMESTAMP") || t.Is("LOCALTIME") || t.Is("LOCALTIMESTAMP")
	if !bare && (!t.Is("NOW") || !p.Ahead(1).IsMark("(")) {
		return ""
	}
	if p.Ahead(1).IsMark("(") && !p.Ahead(2).IsMark(")") && !p.Ahead(3).IsMark(")") {
		return ""
	}
	p.Next()
	digits := 0
	if p.AcceptMark("(") && !p.AcceptMark(")") {
		digits = p.Integer()
		p.ExpectMark(")")
	}
	return nowWith(digits)
}

// defaultDef reads what follows DEFAULT.
func (p *parser) defaultDef() *defaultDef {
	if p.Accept("NULL") {
		return &defaultDef{null: true}
	}
	if now := p.now(); now != "" {
		return &defaultDef{now: now}
	}
	t := p.Peek()
	introduced := t.Kind == sqltext.Word && strings.HasPrefix(t.Text, "_") && p.Ahead(1).Kind == sqltext.String
	switch {
	case t.IsMark("("):
		return &defaultDef{expr: p.parenthesised()}
	case t.IsMark("-"), t.IsMark("+"):
		p.At++
		n := p.Next()
		if n.Kind != sqltext.Number {
			p.Misunderstood()
		}
		return &defaultDef{lit: &n, neg: t.IsMark("-")}
	case t.Kind == sqltext.String:
		t.Text = p.value()
		return &defaultDef{lit: &t}
	case t.Kind == sqltext.Number, t.Kind == sqltext.Bits, t.Kind == sqltext.Bytes:
		p.At++
		return &defaultDef{lit: &t}
	case t.Is("TRUE"), t.Is("FALSE"):
		p.At++
		return &defaultDef{lit: &sqltext.Token{
			Kind: sqltext.Number,
			Text: map[bool]string{true: "1", false: "0"}[t.Is("TRUE")],
		}}
	case introduced, t.Kind == sqltext.Word && p.Ahead(1).Kind == sqltext.String:
		p.At += 2
		return &defaultDef{expr: p.Tokens[p.At-2 : p.At]}
	}
	return &defaultDef{expr: p.bare()}
}

// bare reads an expression without parentheses, which MariaDB takes as a default: a call or a column.
func (p *parser) bare() expression {
	from := p.At
	if p.Accept("NEXT VALUE FOR") {
		p.table()
	} else {
		p.ident()
	}
	if p.Peek().IsMark("(") {
		p.Parentheses()
	}
	if p.Err != nil {
		return nil
	}
	return p.Tokens[from:p.At]
}
