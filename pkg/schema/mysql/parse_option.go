package mysql

import (
	"strconv"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// plainOptions are the table options that are kept verbatim as NAME=value.
var plainOptions = wordSet(`STATS_PERSISTENT STATS_AUTO_RECALC STATS_SAMPLE_PAGES KEY_BLOCK_SIZE COMPRESSION
	ENCRYPTION ENCRYPTION_KEY_ID ENCRYPTED PAGE_COMPRESSED PAGE_COMPRESSION_LEVEL PAGE_CHECKSUM TRANSACTIONAL
	CHECKSUM DELAY_KEY_WRITE MIN_ROWS MAX_ROWS AVG_ROW_LENGTH PACK_KEYS INSERT_METHOD CONNECTION AUTOEXTEND_SIZE
	SECONDARY_ENGINE ENGINE_ATTRIBUTE SECONDARY_ENGINE_ATTRIBUTE TABLE_CHECKSUM PASSWORD STORAGE`)

// options reads what follows the closing parenthesis.
func (p *parser) options() {
	for p.Err == nil && p.Peek().Kind != sqltext.End {
		if p.Peek().Is("PARTITION") {
			p.partition()
			return
		}
		p.option()
		p.AcceptMark(",")
	}
}

// option reads one table option.
func (p *parser) option() {
	t := p.table
	switch {
	case p.Accept("ENGINE"):
		p.ExpectMark("=")
		t.Engine = p.scalar()
	case p.Accept("AUTO_INCREMENT"):
		p.ExpectMark("=")
		n, err := strconv.ParseUint(p.Read(sqltext.Number), 10, 64)
		if err != nil {
			p.Fail("invalid AUTO_INCREMENT of SHOW CREATE TABLE")
		}
		t.AutoIncrement = n
	case p.Accept("DEFAULT CHARSET"), p.Accept("CHARSET"):
		p.ExpectMark("=")
		t.Charset = Modern(p.keyword())
	case p.Accept("COLLATE"):
		p.ExpectMark("=")
		t.Collation = Modern(p.keyword())
	case p.Accept("ROW_FORMAT"):
		p.ExpectMark("=")
		t.RowFormat = strings.ToUpper(p.keyword())
	case p.Accept("COMMENT"):
		p.ExpectMark("=")
		t.Comment = p.Read(sqltext.String)
	default:
		p.furtherOption()
	}
}

// furtherOption reads what only few tables have.
func (p *parser) furtherOption() {
	t, keep := p.table, func(option string) { p.table.Options = append(p.table.Options, option) }
	switch {
	case p.Accept("WITH SYSTEM VERSIONING"):
		t.Kind = schema.SystemVersioned
		keep("WITH SYSTEM VERSIONING")
	case p.Accept("SEQUENCE"):
		p.ExpectMark("=")
		p.Integer()
		t.Kind = schema.Sequence
	case p.Accept("TABLESPACE"):
		p.AcceptMark("=")
		keep("TABLESPACE " + p.scalar())
	case p.Accept("DATA DIRECTORY"):
		p.ExpectMark("=")
		keep("DATA DIRECTORY=" + Literal(p.Read(sqltext.String)))
	case p.Accept("INDEX DIRECTORY"):
		p.ExpectMark("=")
		keep("INDEX DIRECTORY=" + Literal(p.Read(sqltext.String)))
	case p.Accept("START TRANSACTION"):
		p.Fail("no complete table: it is still being created (START TRANSACTION of SHOW CREATE TABLE)")
	case p.Accept("UNION"):
		p.AcceptMark("=")
		keep("UNION=(" + p.parenthesised() + ")")
	case p.Accept("DEFAULT ENCRYPTION"):
		p.AcceptMark("=")
		keep("ENCRYPTION=" + Literal(p.Read(sqltext.String)))
	case p.Peek().Kind == sqltext.Name:
		keep(p.engineOption())
	case p.Peek().Kind == sqltext.Word && plainOptions[strings.ToUpper(p.Peek().Text)]:
		name := strings.ToUpper(p.Next().Text)
		p.AcceptMark("=")
		keep(name + "=" + p.scalar())
	default:
		p.Misunderstood()
	}
}

// partition keeps the rest as text, from the versioned comment around it on. Only its parentheses are checked.
func (p *parser) partition() {
	begin := p.Peek().Lead
	depth := 0
	for {
		t := p.Next()
		switch {
		case t.IsMark("("):
			depth++
		case t.IsMark(")"):
			depth--
		case t.Kind == sqltext.End && depth == 0:
			p.table.Partition = strings.TrimSpace(p.Src[begin:])
			return
		}
		if depth < 0 || t.Kind == sqltext.End {
			p.Misunderstood()
			return
		}
	}
}
