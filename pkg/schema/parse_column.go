package schema

import (
	"fmt"
	"strings"
)

// column reads one column, from its name on.
func (p *parser) column() {
	c := Column{Name: p.ident(), Nullable: true}
	c.Type = p.columnType()
	var charset pendingCharset
	for p.err == nil && (p.attribute(&c) || p.charset(&charset) || p.furtherAttribute(&c)) {
	}
	if c.Generated == NotGenerated && c.Default == nil && c.Nullable && lacksDefault(c.Type.Kind) {
		// MySQL prints no DEFAULT NULL for these types, MariaDB does.
		c.Default = &Default{Null: true}
	}
	p.table.Columns = append(p.table.Columns, c)
	p.pending = append(p.pending, charset)
}

// lacksDefault tells whether MySQL lets values of the kind have no literal default.
func lacksDefault(kind Kind) bool {
	switch kind {
	case Text, Blob, JSON, Geometry, Vector:
		return true
	default:
		return false
	}
}

// attribute reads one of the attributes that a Column has a field for and tells whether there was one.
func (p *parser) attribute(c *Column) bool {
	switch {
	case p.accept("NOT", "NULL"):
		c.Nullable = false
	case p.accept("NULL"):
		c.Nullable = true
	case p.accept("AUTO_INCREMENT"):
		c.AutoIncrement = true
	case p.accept("INVISIBLE"):
		c.Invisible = true
	case p.accept("COMMENT"):
		c.Comment = p.take(tokenString)
	case p.accept("CHECK"):
		c.Check = p.parenthesised()
	case p.accept("GENERATED", "ALWAYS", "AS"):
		p.generated(c)
	case p.accept("DEFAULT"):
		c.Default = p.defaultOf(c)
	case p.accept("ON", "UPDATE"):
		if c.OnUpdate = p.now(); c.OnUpdate == "" {
			p.misunderstood()
		}
	case p.accept("SRID"):
		srid := uint32(p.integer()) //nolint:gosec // at most nine digits
		c.Type.SRID = &srid
	default:
		return false
	}
	return true
}

func (p *parser) charset(c *pendingCharset) bool {
	switch {
	case p.accept("CHARACTER", "SET"):
		c.charset = modernCharset(p.keyword())
	case p.accept("COLLATE"):
		c.collation = modernCollation(p.keyword())
	default:
		return false
	}
	return true
}

// furtherAttribute reads one of the attributes that are kept in Extra.
func (p *parser) furtherAttribute(c *Column) bool {
	keep := func(text string) { c.Extra = append(c.Extra, text) }
	switch {
	case p.accept("COMPRESSED"):
		keep(compressedColumn)
	case p.accept("WITHOUT", "SYSTEM", "VERSIONING"):
		keep("WITHOUT SYSTEM VERSIONING")
	case p.accept("COLUMN_FORMAT"):
		keep("COLUMN_FORMAT " + strings.ToUpper(p.keyword()))
	case p.accept("STORAGE"):
		keep("STORAGE " + strings.ToUpper(p.keyword()))
	case p.accept("NOT", "SECONDARY"):
		keep("NOT SECONDARY")
	case p.accept("ENGINE_ATTRIBUTE"):
		p.acceptPunct("=")
		keep("ENGINE_ATTRIBUTE " + literal(p.take(tokenString)))
	case p.accept("SECONDARY_ENGINE_ATTRIBUTE"):
		p.acceptPunct("=")
		keep("SECONDARY_ENGINE_ATTRIBUTE " + literal(p.take(tokenString)))
	case p.accept("REF_SYSTEM_ID"):
		p.expectPunct("=")
		keep(fmt.Sprintf("REF_SYSTEM_ID=%d", p.integer()))
	case p.peek().kind == tokenIdent:
		keep(p.engineOption())
	default:
		return false
	}
	return true
}

// compressedColumn is the entry of Column.Extra that stands right behind the type (MariaDB).
const compressedColumn = "COMPRESSED"

func (p *parser) generated(c *Column) {
	if p.accept("ROW", "START") {
		c.Generated, c.Expr = Stored, "ROW START"
		return
	}
	if p.accept("ROW", "END") {
		c.Generated, c.Expr = Stored, "ROW END"
		return
	}
	c.Expr = p.parenthesised()
	switch {
	case p.accept("VIRTUAL"):
		c.Generated = Virtual
	case p.accept("STORED"), p.accept("PERSISTENT"):
		c.Generated = Stored
	default:
		p.misunderstood()
	}
}

// now reads CURRENT_TIMESTAMP[(n)] in any spelling and returns it canonically, or "".
func (p *parser) now() string {
	if !p.accept("CURRENT_TIMESTAMP") {
		return ""
	}
	digits := 0
	if p.acceptPunct("(") {
		if p.peek().kind == tokenNumber {
			digits = p.integer()
		}
		p.expectPunct(")")
	}
	if digits == 0 {
		return currentTimestamp
	}
	return fmt.Sprintf("%s(%d)", currentTimestamp, digits)
}

const currentTimestamp = "CURRENT_TIMESTAMP"

// defaultOf reads what follows DEFAULT. The literal of a bit column is its binary digits, that of a binary column its
// bytes; all others are the text of the value.
func (p *parser) defaultOf(c *Column) *Default {
	if p.accept("NULL") {
		return &Default{Null: true}
	}
	if now := p.now(); now != "" {
		return &Default{Text: now}
	}
	begin := p.peek()
	switch {
	case begin.punct("("):
		return &Default{Text: p.parenthesised()}
	case begin.punct("-"), begin.punct("+"):
		p.at++
		number := p.take(tokenNumber)
		if begin.punct("-") {
			number = "-" + number
		}
		return &Default{Literal: true, Text: number}
	case begin.kind == tokenString, begin.kind == tokenNumber, begin.kind == tokenHex:
		p.at++
		return &Default{Literal: true, Text: begin.text}
	case begin.kind == tokenBits:
		p.at++
		if digits := strings.TrimLeft(begin.text, "0"); digits != "" {
			return &Default{Literal: true, Text: digits}
		}
		return &Default{Literal: true, Text: "0"}
	}
	return p.bareExpression(c, begin)
}

// bareExpression reads a default that MariaDB prints without parentheses: a function call, a literal with an
// introducer or of a temporal type, or a column.
func (p *parser) bareExpression(c *Column, begin token) *Default {
	switch {
	case begin.kind == tokenIdent:
		p.at++
	case begin.kind == tokenWord && p.tokens[p.at+1].punct("("):
		p.at++
		p.skipParentheses()
	case begin.kind == tokenWord && p.tokens[p.at+1].kind == tokenString:
		p.at++
		value := p.take(tokenString)
		if begin.is("_binary") && c.Type.IsBytes() {
			return &Default{Literal: true, Text: value}
		}
	default:
		p.misunderstood()
	}
	if p.err != nil {
		return nil
	}
	return &Default{Text: p.src[begin.begin:p.tokens[p.at-1].end]}
}

// resolve fills in the character sets and collations that a server leaves out because they are the default.
func (p *parser) resolve() {
	if p.err != nil {
		return
	}
	t := p.table
	p.distinct()
	p.complete(&t.Charset, &t.Collation, "table")
	for i := range t.Columns {
		c, said := &t.Columns[i], p.pending[i]
		if !c.Type.IsText() {
			if said.charset != "" || said.collation != "" && said.collation != "binary" {
				p.fail(fmt.Errorf("cannot understand the character set of column %s of SHOW CREATE TABLE", c.Name))
			}
			continue
		}
		if said == (pendingCharset{}) {
			said = pendingCharset{t.Charset, t.Collation}
		}
		p.complete(&said.charset, &said.collation, "column "+c.Name)
		c.Type.Charset, c.Type.Collation = said.charset, said.collation
		if said.charset == "" {
			p.fail(fmt.Errorf("no character set of column %s in SHOW CREATE TABLE", c.Name))
		}
	}
}

// distinct refuses two columns, indexes, checks or foreign keys of one name: they are told apart by it.
func (p *parser) distinct() {
	seen := map[string]bool{}
	note := func(kind, name string) {
		if key := kind + " " + strings.ToLower(name); seen[key] {
			p.fail(fmt.Errorf("cannot understand two of %s %q of SHOW CREATE TABLE", kind, name))
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
		*charset = p.collations.charset(*collation)
	}
	if *charset != "" && *collation == "" {
		if *collation = p.collations.standard(*charset); *collation == "" {
			p.fail(fmt.Errorf("no default collation is known for character set %s of %s", *charset, of))
		}
	}
}
