package ddl

import (
	"strings"

	"wherry/pkg/sqltext"
)

// columnDef is a column as a statement gives it: what it says, and nothing that the server adds.
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

// columnDef reads a column's definition, behind its name: type first, then attributes in any order.
func (p *parser) columnDef(name string) columnDef {
	c := columnDef{name: name, typ: p.columnType()}
	if c.typ.serial {
		c.serial()
	}
	for p.Err == nil && (p.typeAttribute(&c.typ) || p.columnAttribute(&c) || p.furtherAttribute(&c)) {
	}
	return c
}

// serial makes the column what SERIAL stands for: BIGINT UNSIGNED NOT NULL AUTO_INCREMENT UNIQUE.
func (c *columnDef) serial() { c.notNull, c.auto, c.unique = true, true, true }

// columnAttribute reads one of the attributes of a column and returns whether there was one.
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

// furtherAttribute reads one of the rarer attributes. Those that servers print are kept as text. An attribute that is
// not known but has the form name = value is MariaDB's for storage engines: the shape is left open.
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

// generated reads what follows AS of a generated column: (expr) [VIRTUAL | STORED | PERSISTENT].
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

// check reads (expr) [[NOT] ENFORCED].
func (p *parser) check(c *checkDef) {
	c.expr = p.parenthesised()
	switch {
	case p.Accept("NOT ENFORCED"):
		c.notEnforced = true
	case p.Accept("ENFORCED"):
	}
}

// now reads CURRENT_TIMESTAMP[(n)] and its synonyms and returns it canonically: NOW(3) is CURRENT_TIMESTAMP(3). "" is
// something else, of which nothing was passed. NOW needs parentheses; without them it is a name.
func (p *parser) now() string {
	t := p.Peek()
	bare := t.Is("CURRENT_TIMESTAMP") || t.Is("LOCALTIME") || t.Is("LOCALTIMESTAMP")
	if !bare && (!t.Is("NOW") || !p.Ahead(1).IsMark("(")) {
		return ""
	}
	// NOW(3 + 1) is an expression.
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

// defaultDef reads what follows DEFAULT: NULL, CURRENT_TIMESTAMP, a literal, or an expression in parentheses. A literal
// with a character set (_latin1'x') or a type (DATE'2024-01-01') is treated as an expression, whose text the server
// decides.
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
	// _latin1'x' or DATE'2024-01-01': two tokens that belong together.
	case introduced, t.Kind == sqltext.Word && p.Ahead(1).Kind == sqltext.String:
		p.At += 2
		return &defaultDef{expr: p.Tokens[p.At-2 : p.At]}
	}
	return &defaultDef{expr: p.bare()}
}

// bare reads an expression without parentheses, which MariaDB takes as a default: uuid(), or NEXT VALUE FOR s.
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
