package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// plainOptions are the table options that are kept verbatim as NAME=value.
var plainOptions = map[string]bool{
	"STATS_PERSISTENT": true, "STATS_AUTO_RECALC": true, "STATS_SAMPLE_PAGES": true, "KEY_BLOCK_SIZE": true,
	"COMPRESSION": true, "ENCRYPTION": true, "ENCRYPTION_KEY_ID": true, "ENCRYPTED": true, "PAGE_COMPRESSED": true,
	"PAGE_COMPRESSION_LEVEL": true, "PAGE_CHECKSUM": true, "TRANSACTIONAL": true, "CHECKSUM": true, "DELAY_KEY_WRITE": true,
	"MIN_ROWS": true, "MAX_ROWS": true, "AVG_ROW_LENGTH": true, "PACK_KEYS": true, "INSERT_METHOD": true, "CONNECTION": true,
	"AUTOEXTEND_SIZE": true, "SECONDARY_ENGINE": true, "ENGINE_ATTRIBUTE": true, "SECONDARY_ENGINE_ATTRIBUTE": true,
	"TABLE_CHECKSUM": true, "PASSWORD": true, "STORAGE": true,
}

// options reads what follows the closing parenthesis.
func (p *parser) options() {
	for p.err == nil && p.peek().kind != tokenEnd {
		if p.peek().is("PARTITION") {
			p.partition()
			return
		}
		p.option()
		p.acceptPunct(",")
	}
}

func (p *parser) option() {
	t := p.table
	switch {
	case p.accept("ENGINE"):
		p.expectPunct("=")
		t.Engine = p.scalar()
	case p.accept("AUTO_INCREMENT"):
		p.expectPunct("=")
		n, err := strconv.ParseUint(p.take(tokenNumber), 10, 64)
		if err != nil {
			p.fail(fmt.Errorf("invalid AUTO_INCREMENT of SHOW CREATE TABLE"))
		}
		t.AutoIncrement = n
	case p.accept("DEFAULT", "CHARSET"), p.accept("CHARSET"):
		p.expectPunct("=")
		t.Charset = modernCharset(p.keyword())
	case p.accept("COLLATE"):
		p.expectPunct("=")
		t.Collation = modernCollation(p.keyword())
	case p.accept("ROW_FORMAT"):
		p.expectPunct("=")
		t.RowFormat = strings.ToUpper(p.keyword())
	case p.accept("COMMENT"):
		p.expectPunct("=")
		t.Comment = p.take(tokenString)
	default:
		p.furtherOption()
	}
}

// furtherOption reads what only few tables have.
func (p *parser) furtherOption() {
	t, keep := p.table, func(option string) { p.table.Options = append(p.table.Options, option) }
	switch {
	case p.accept("WITH", "SYSTEM", "VERSIONING"):
		t.Kind = SystemVersioned
		keep("WITH SYSTEM VERSIONING")
	case p.accept("SEQUENCE"):
		p.expectPunct("=")
		p.integer()
		t.Kind = Sequence
	case p.accept("TABLESPACE"):
		p.acceptPunct("=")
		keep("TABLESPACE " + p.scalar())
	case p.accept("DATA", "DIRECTORY"):
		p.expectPunct("=")
		keep("DATA DIRECTORY=" + literal(p.take(tokenString)))
	case p.accept("INDEX", "DIRECTORY"):
		p.expectPunct("=")
		keep("INDEX DIRECTORY=" + literal(p.take(tokenString)))
	case p.accept("START", "TRANSACTION"):
		p.fail(fmt.Errorf("no complete table: it is still being created (START TRANSACTION of SHOW CREATE TABLE)"))
	case p.accept("UNION"):
		p.acceptPunct("=")
		keep("UNION=(" + p.parenthesised() + ")")
	case p.accept("DEFAULT", "ENCRYPTION"):
		p.acceptPunct("=")
		keep("ENCRYPTION=" + literal(p.take(tokenString)))
	case p.peek().kind == tokenIdent:
		keep(p.engineOption())
	case p.peek().kind == tokenWord && plainOptions[strings.ToUpper(p.peek().text)]:
		name := strings.ToUpper(p.next().text)
		p.acceptPunct("=")
		keep(name + "=" + p.scalar())
	default:
		p.misunderstood()
	}
}

// partition keeps the rest, from the comment around it on.
func (p *parser) partition() {
	begin := p.peek().lead
	depth := 0
	for {
		t := p.next()
		switch {
		case t.punct("("):
			depth++
		case t.punct(")"):
			depth--
		case t.kind == tokenEnd && depth == 0:
			p.table.Partition = strings.TrimSpace(p.src[begin:])
			return
		}
		if depth < 0 || t.kind == tokenEnd {
			p.misunderstood()
			return
		}
	}
}
