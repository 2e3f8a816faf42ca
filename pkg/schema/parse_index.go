package schema

import "fmt"

// secondary reads an index other than the primary key, from its name on.
func (p *parser) secondary(kind IndexKind, unique bool) {
	p.table.Indexes = append(p.table.Indexes, p.index(p.ident(), kind, unique))
}

// index reads the parts and options of an index.
func (p *parser) index(name string, kind IndexKind, unique bool) Index {
	index := Index{Name: name, Kind: kind, Unique: unique}
	p.expectPunct("(")
	index.Parts = append(index.Parts, p.part())
	for p.acceptPunct(",") {
		index.Parts = append(index.Parts, p.part())
	}
	if p.accept("WITHOUT", "OVERLAPS") {
		index.Extra = append(index.Extra, withoutOverlaps)
	}
	p.expectPunct(")")
	for p.indexOption(&index) {
	}
	return index
}

// withoutOverlaps is the entry of Index.Extra that stands behind the last part (MariaDB's application-time periods).
const withoutOverlaps = "WITHOUT OVERLAPS"

func (p *parser) part() Part {
	var part Part
	if p.peek().punct("(") {
		part.Expr = p.parenthesised()
	} else {
		part.Column = p.ident()
		if p.acceptPunct("(") {
			part.Prefix = p.integer()
			p.expectPunct(")")
		}
	}
	part.Desc = p.accept("DESC")
	if !part.Desc {
		p.accept("ASC")
	}
	return part
}

// indexOption reads one option and tells whether there was one.
func (p *parser) indexOption(index *Index) bool {
	switch {
	case p.accept("USING"):
		switch using := p.keyword(); using {
		case "btree":
			index.Using = "BTREE"
		case "hash":
			index.Using = "HASH"
		case "rtree":
		default:
			p.fail(fmt.Errorf("cannot understand USING %s of index %s of SHOW CREATE TABLE", using, index.Name))
		}
	case p.accept("COMMENT"):
		index.Comment = p.take(tokenString)
	case p.accept("INVISIBLE"), p.accept("IGNORED"):
		index.Invisible = true
	case p.accept("KEY_BLOCK_SIZE"):
		p.acceptPunct("=")
		index.Extra = append(index.Extra, fmt.Sprintf("KEY_BLOCK_SIZE=%d", p.integer()))
	case p.accept("WITH", "PARSER"):
		index.Extra = append(index.Extra, "WITH PARSER "+Quote(p.ident()))
	case p.accept("CLUSTERING"):
		p.acceptPunct("=")
		p.expect("YES")
		index.Extra = append(index.Extra, "CLUSTERING=YES")
	case p.accept("ENGINE_ATTRIBUTE"):
		p.acceptPunct("=")
		index.Extra = append(index.Extra, "ENGINE_ATTRIBUTE "+literal(p.take(tokenString)))
	case p.accept("SECONDARY_ENGINE_ATTRIBUTE"):
		p.acceptPunct("=")
		index.Extra = append(index.Extra, "SECONDARY_ENGINE_ATTRIBUTE "+literal(p.take(tokenString)))
	case p.peek().kind == tokenIdent:
		index.Extra = append(index.Extra, p.engineOption())
	default:
		return false
	}
	return true
}

// engineOption reads `NAME`=value, which engines of MariaDB define for themselves.
func (p *parser) engineOption() string {
	name := Quote(p.ident())
	p.expectPunct("=")
	return name + "=" + p.scalar()
}

// scalar reads a word, number, string or identifier and returns it in SQL.
func (p *parser) scalar() string {
	t := p.peek()
	switch t.kind {
	case tokenWord, tokenNumber, tokenString, tokenIdent:
		p.at++
	default:
		p.misunderstood()
	}
	switch t.kind {
	case tokenWord, tokenNumber:
		return t.text
	case tokenString:
		return literal(t.text)
	case tokenIdent:
		return Quote(t.text)
	default:
		return ""
	}
}
