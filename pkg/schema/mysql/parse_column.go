package mysql

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// column reads one column, from its name on.
func (p *parser) column() {
	c := schema.Column{Name: p.ident(), Nullable: true}
	c.Type = p.columnType()
	var charset pendingCharset
	for p.Err == nil && (p.attribute(&c) || p.charset(&charset) || p.furtherAttribute(&c)) {
	}
	if c.Generated == schema.NotGenerated && c.Default == nil && c.Nullable && lacksDefault(c.Type.Kind) {
		// MySQL prints no DEFAULT NULL for these types, MariaDB does.
		c.Default = &schema.Default{Null: true}
	}
	p.table.Columns = append(p.table.Columns, c)
	p.pending = append(p.pending, charset)
}

// lacksDefault returns whether columns of the kind have no literal default on MySQL.
func lacksDefault(kind schema.Kind) bool {
	switch kind {
	case schema.Text, schema.Blob, schema.JSON, schema.Geometry, schema.Vector:
		return true
	default:
		return false
	}
}

// attribute reads one of the attributes that a Column has a field for and returns whether there was one.
func (p *parser) attribute(c *schema.Column) bool {
	switch {
	case p.Accept("NOT NULL"):
		c.Nullable = false
	case p.Accept("NULL"):
		c.Nullable = true
	case p.Accept("AUTO_INCREMENT"):
		c.AutoIncrement = true
	case p.Accept("INVISIBLE"):
		c.Invisible = true
	case p.Accept("COMMENT"):
		c.Comment = p.Read(sqltext.String)
	case p.Accept("CHECK"):
		c.Check = p.parenthesised()
	case p.Accept("GENERATED ALWAYS AS"):
		p.generated(c)
	case p.Accept("DEFAULT"):
		c.Default = p.defaultOf(c)
	case p.Accept("ON UPDATE"):
		if c.OnUpdate = p.now(); c.OnUpdate == "" {
			p.Misunderstood()
		}
	case p.Accept("SRID"):
		srid := uint32(p.Integer()) //nolint:gosec // at most nine digits
		c.Type.SRID = &srid
	default:
		return false
	}
	return true
}

// charset reads one word about the character set and returns whether there was one.
func (p *parser) charset(c *pendingCharset) bool {
	switch {
	case p.Accept("CHARACTER SET"):
		c.charset = Modern(p.keyword())
	case p.Accept("COLLATE"):
		c.collation = Modern(p.keyword())
	default:
		return false
	}
	return true
}

// furtherAttribute reads one of the attributes that are kept in Extra.
func (p *parser) furtherAttribute(c *schema.Column) bool {
	keep := func(text string) { c.Extra = append(c.Extra, text) }
	switch {
	case p.Accept("COMPRESSED"):
		keep(compressedColumn)
	case p.Accept("WITHOUT SYSTEM VERSIONING"):
		keep("WITHOUT SYSTEM VERSIONING")
	case p.Accept("COLUMN_FORMAT"):
		keep("COLUMN_FORMAT " + strings.ToUpper(p.keyword()))
	case p.Accept("STORAGE"):
		keep("STORAGE " + strings.ToUpper(p.keyword()))
	case p.Accept("NOT SECONDARY"):
		keep("NOT SECONDARY")
	case p.Accept("ENGINE_ATTRIBUTE"):
		p.AcceptMark("=")
		keep("ENGINE_ATTRIBUTE " + Literal(p.Read(sqltext.String)))
	case p.Accept("SECONDARY_ENGINE_ATTRIBUTE"):
		p.AcceptMark("=")
		keep("SECONDARY_ENGINE_ATTRIBUTE " + Literal(p.Read(sqltext.String)))
	case p.Accept("REF_SYSTEM_ID"):
		p.ExpectMark("=")
		keep(fmt.Sprintf("REF_SYSTEM_ID=%d", p.Integer()))
	case p.Peek().Kind == sqltext.Name:
		keep(p.engineOption())
	default:
		return false
	}
	return true
}

// compressedColumn is the entry of Column.Extra that stands right behind the type (MariaDB).
const compressedColumn = "COMPRESSED"

// generated reads (expr) VIRTUAL or STORED, or ROW START and ROW END of system versioning.
func (p *parser) generated(c *schema.Column) {
	if p.Accept("ROW START") {
		c.Generated, c.Expr = schema.Stored, "ROW START"
		return
	}
	if p.Accept("ROW END") {
		c.Generated, c.Expr = schema.Stored, "ROW END"
		return
	}
	c.Expr = p.parenthesised()
	switch {
	case p.Accept("VIRTUAL"):
		c.Generated = schema.Virtual
	case p.Accept("STORED"), p.Accept("PERSISTENT"):
		c.Generated = schema.Stored
	default:
		p.Misunderstood()
	}
}

// now reads CURRENT_TIMESTAMP[(n)] in any spelling and returns it canonically, or "".
func (p *parser) now() string {
	if !p.Accept("CURRENT_TIMESTAMP") {
		return ""
	}
	digits := 0
	if p.AcceptMark("(") {
		if p.Peek().Kind == sqltext.Number {
			digits = p.Integer()
		}
		p.ExpectMark(")")
	}
	if digits == 0 {
		return currentTimestamp
	}
	return fmt.Sprintf("%s(%d)", currentTimestamp, digits)
}

const currentTimestamp = "CURRENT_TIMESTAMP"

// defaultOf reads what follows DEFAULT. The literal of a bit column is its binary digits, that of a binary column its
// bytes; all others are the text of the value.
func (p *parser) defaultOf(c *schema.Column) *schema.Default {
	if p.Accept("NULL") {
		return &schema.Default{Null: true}
	}
	if now := p.now(); now != "" {
		return &schema.Default{Text: now}
	}
	begin := p.Peek()
	switch {
	case begin.IsMark("("):
		return &schema.Default{Text: p.parenthesised()}
	case begin.IsMark("-"), begin.IsMark("+"):
		p.At++
		number := p.Read(sqltext.Number)
		if begin.IsMark("-") {
			number = "-" + number
		}
		return &schema.Default{Literal: true, Text: number}
	case begin.Kind == sqltext.String, begin.Kind == sqltext.Number, begin.Kind == sqltext.Bytes:
		p.At++
		return &schema.Default{Literal: true, Text: begin.Text}
	case begin.Kind == sqltext.Bits:
		p.At++
		if digits := strings.TrimLeft(begin.Text, "0"); digits != "" {
			return &schema.Default{Literal: true, Text: digits}
		}
		return &schema.Default{Literal: true, Text: "0"}
	}
	return p.bareExpression(c, begin)
}

// bareExpression reads a default that MariaDB prints without parentheses: a function call, a literal with an
// introducer or of a temporal type, or a column.
func (p *parser) bareExpression(c *schema.Column, begin sqltext.Token) *schema.Default {
	switch {
	case begin.Kind == sqltext.Name:
		p.At++
	case begin.Kind == sqltext.Word && p.Tokens[p.At+1].IsMark("("):
		p.At++
		p.Parentheses()
	case begin.Kind == sqltext.Word && p.Tokens[p.At+1].Kind == sqltext.String:
		p.At++
		value := p.Read(sqltext.String)
		if begin.Is("_binary") && c.Type.IsBytes() {
			return &schema.Default{Literal: true, Text: value}
		}
	default:
		p.Misunderstood()
	}
	if p.Err != nil {
		return nil
	}
	return &schema.Default{Text: p.Src[begin.From:p.Tokens[p.At-1].To]}
}

// resolve fills in the character sets and collations that a server leaves out because they are the default: a column
// without any has the table's, and one with a character set only has that one's default collation.
func (p *parser) resolve() {
	if p.Err != nil {
		return
	}
	t := p.table
	p.distinct()
	p.complete(&t.Charset, &t.Collation, "table")
	for i := range t.Columns {
		c, said := &t.Columns[i], p.pending[i]
		if !c.Type.IsText() {
			if said.charset != "" || said.collation != "" && said.collation != "binary" {
				p.Fail("cannot understand the character set of column %s of SHOW CREATE TABLE", c.Name)
			}
			continue
		}
		if said == (pendingCharset{}) {
			said = pendingCharset{t.Charset, t.Collation}
		}
		p.complete(&said.charset, &said.collation, "column "+c.Name)
		c.Type.Charset, c.Type.Collation = said.charset, said.collation
		if said.charset == "" {
			p.Fail("no character set of column %s in SHOW CREATE TABLE", c.Name)
		}
	}
}

// distinct refuses two columns, indexes, checks or foreign keys of one name. Everything else finds them by name, and
// would miss the second.
func (p *parser) distinct() {
	seen := map[string]bool{}
	note := func(kind, name string) {
		if key := kind + " " + strings.ToLower(name); seen[key] {
			p.Fail("cannot understand two of %s %q of SHOW CREATE TABLE", kind, name)
		} else {
			seen[key] = true
		}
	}
	for i := range p.table.Columns {
		note("column", p.table.Columns[i].Name)
	}
	for i := range p.table.Indexes {
		note("index", p.table.Indexes[i].Name)
	}
	for _, check := range p.table.Checks {
		note("check", check.Name)
	}
	for _, key := range p.table.ForeignKeys {
		note("foreign key", key.Name)
	}
}

// complete derives a character set from its collation, or a collation as the default of its character set.
func (p *parser) complete(charset, collation *string, of string) {
	if *collation != "" && *charset == "" {
		*charset = p.collations.Charset(*collation)
	}
	if *charset != "" && *collation == "" {
		if *collation = p.collations.Standard(*charset); *collation == "" {
			p.Fail("no default collation is known for character set %s of %s", *charset, of)
		}
	}
}
