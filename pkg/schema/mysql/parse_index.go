package mysql

import (
	"fmt"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// secondary reads an index other than the primary key, from its name on.
func (p *parser) secondary(kind schema.IndexKind, unique bool) {
	p.table.Indexes = append(p.table.Indexes, p.index(p.ident(), kind, unique))
}

// index reads the parts and options of an index.
func (p *parser) index(name string, kind schema.IndexKind, unique bool) schema.Index {
	index := schema.Index{Name: name, Kind: kind, Unique: unique}
	p.ExpectMark("(")
	index.Parts = append(index.Parts, p.part())
	for p.AcceptMark(",") {
		index.Parts = append(index.Parts, p.part())
	}
	if p.Accept("WITHOUT OVERLAPS") {
		index.Extra = append(index.Extra, schema.WithoutOverlaps)
	}
	p.ExpectMark(")")
	for p.indexOption(&index) {
	}
	return index
}

// part reads `a`(10) DESC, or an expression in parentheses.
func (p *parser) part() schema.Part {
	var part schema.Part
	if p.Peek().IsMark("(") {
		part.Expr = p.parenthesised()
	} else {
		part.Column = p.ident()
		if p.AcceptMark("(") {
			part.Prefix = p.Integer()
			p.ExpectMark(")")
		}
	}
	part.Desc = p.Accept("DESC")
	if !part.Desc {
		p.Accept("ASC")
	}
	return part
}

// indexOption reads one option and returns whether there was one.
func (p *parser) indexOption(index *schema.Index) bool {
	switch {
	case p.Accept("USING"):
		switch using := p.keyword(); using {
		case "btree":
			index.Using = "BTREE"
		case "hash":
			index.Using = "HASH"
		case "rtree":
		default:
			p.Fail("cannot understand USING %s of index %s of SHOW CREATE TABLE", using, index.Name)
		}
	case p.Accept("COMMENT"):
		index.Comment = p.Read(sqltext.String)
	case p.Accept("INVISIBLE"), p.Accept("IGNORED"):
		index.Invisible = true
	case p.Accept("KEY_BLOCK_SIZE"):
		p.AcceptMark("=")
		index.Extra = append(index.Extra, fmt.Sprintf("KEY_BLOCK_SIZE=%d", p.Integer()))
	case p.Accept("WITH PARSER"):
		index.Extra = append(index.Extra, "WITH PARSER "+Quote(p.ident()))
	case p.Accept("CLUSTERING"):
		p.AcceptMark("=")
		p.Expect("YES")
		index.Extra = append(index.Extra, "CLUSTERING=YES")
	case p.Accept("ENGINE_ATTRIBUTE"):
		p.AcceptMark("=")
		index.Extra = append(index.Extra, "ENGINE_ATTRIBUTE "+Literal(p.Read(sqltext.String)))
	case p.Accept("SECONDARY_ENGINE_ATTRIBUTE"):
		p.AcceptMark("=")
		index.Extra = append(index.Extra, "SECONDARY_ENGINE_ATTRIBUTE "+Literal(p.Read(sqltext.String)))
	case p.Peek().Kind == sqltext.Name:
		index.Extra = append(index.Extra, p.engineOption())
	default:
		return false
	}
	return true
}

// engineOption reads `NAME`=value, which engines of MariaDB define for themselves.
func (p *parser) engineOption() string {
	name := Quote(p.ident())
	p.ExpectMark("=")
	return name + "=" + p.scalar()
}

// scalar reads a word, number, string or identifier and returns it in SQL.
func (p *parser) scalar() string {
	t := p.Peek()
	switch t.Kind {
	case sqltext.Word, sqltext.Number, sqltext.String, sqltext.Name:
		p.At++
	default:
		p.Misunderstood()
	}
	switch t.Kind {
	case sqltext.Word, sqltext.Number:
		return t.Text
	case sqltext.String:
		return Literal(t.Text)
	case sqltext.Name:
		return Quote(t.Text)
	default:
		return ""
	}
}
