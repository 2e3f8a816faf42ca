package ddl

import (
	"strconv"
	"strings"

	"wherry/pkg/schema/mysql"
	"wherry/pkg/sqltext"
)

// options are a table's options as a statement gives them; a nil pointer is one that it does not name.
type options struct {
	engine    *string
	charset   *string
	collation *string
	rowFormat *string
	comment   *string
	counter   *uint64
	// further gives, by the name of a further option, its text as in schema.Table.Options, or "" to take it away.
	further map[string]string
	order   []string
	unsure  string
}

// plainOptions are the options with a number, by the value that the server does not print: after KEY_BLOCK_SIZE=0 the
// table has no such option.
var plainOptions = map[string]string{
	"STATS_PERSISTENT": "DEFAULT", "STATS_AUTO_RECALC": "DEFAULT", "STATS_SAMPLE_PAGES": "DEFAULT",
	"KEY_BLOCK_SIZE": "0", "CHECKSUM": "0", "DELAY_KEY_WRITE": "0", "MIN_ROWS": "0", "MAX_ROWS": "0",
	"AVG_ROW_LENGTH": "0", "PACK_KEYS": "DEFAULT",
}

// textOptions are the options with a string.
var textOptions = set("COMPRESSION CONNECTION PASSWORD ENCRYPTION")

// option reads one table option and returns whether there was one. The equals sign may be left out: ENGINE InnoDB.
func (p *parser) option(o *options) bool {
	switch {
	case p.Accept("ENGINE"), p.Accept("TYPE"):
		o.engine = p.optionName()
	case p.Accept("AUTO_INCREMENT"):
		p.AcceptMark("=")
		n, err := strconv.ParseUint(p.Next().Text, 10, 64)
		if err != nil {
			p.Fail("invalid AUTO_INCREMENT")
		}
		o.counter = &n
	case p.Accept("DEFAULT CHARACTER SET"), p.Accept("CHARACTER SET"), p.Accept("DEFAULT CHARSET"), p.Accept("CHARSET"),
		p.Accept("CHAR SET"),
		p.Accept("DEFAULT CHAR SET"):
		p.AcceptMark("=")
		o.setCharset(p.charsetName())
	case p.Accept("DEFAULT COLLATE"), p.Accept("COLLATE"):
		p.AcceptMark("=")
		o.setCollation(p.charsetName())
	case p.Accept("ROW_FORMAT"):
		o.rowFormat = p.optionName()
	case p.Accept("COMMENT"):
		p.AcceptMark("=")
		comment := basic(p.value())
		o.comment = &comment
	case p.Accept("WITH SYSTEM VERSIONING"):
		o.keep("WITH SYSTEM VERSIONING", "WITH SYSTEM VERSIONING")
		o.unsure = "system versioning"
	default:
		return p.furtherOption(o)
	}
	return true
}

// setCharset notes the character set. If a statement names several, which one counts is unknown.
func (o *options) setCharset(name string) {
	if o.charset != nil || o.collation != nil {
		o.unsure = "several character sets"
	}
	o.charset = &name
}

// setCollation notes the collation, of which a statement may name one.
func (o *options) setCollation(name string) {
	if o.collation != nil {
		o.unsure = "several collations"
	}
	o.collation = &name
}

// optionName reads [=] name, where the name may be a string: ENGINE = 'InnoDB'.
func (p *parser) optionName() *string {
	p.AcceptMark("=")
	if p.Peek().Kind == sqltext.String {
		value := p.value()
		return &value
	}
	value := p.ident()
	return &value
}

// keep notes a further option's text; "" removes the option. An option that is named twice keeps its first place and
// its last value.
func (o *options) keep(option, text string) {
	if o.further == nil {
		o.further = map[string]string{}
	}
	if _, again := o.further[option]; !again {
		o.order = append(o.order, option)
	}
	o.further[option] = text
}

// furtherOption reads what only few tables have. An option whose effect on the printed table is unknown leaves the
// shape open; the statement as a whole is still read, so that its effects on rows are known.
func (p *parser) furtherOption(o *options) bool {
	t := p.Peek()
	option := strings.ToUpper(t.Text)
	none, plain := plainOptions[option]
	switch {
	case t.Kind == sqltext.Word && plain:
		p.Next()
		p.AcceptMark("=")
		value := strings.ToUpper(p.Next().Text)
		if kept := option + "=" + value; value == none {
			o.keep(option, "")
		} else {
			o.keep(option, kept)
		}
	case t.Kind == sqltext.Word && textOptions[option]:
		p.Next()
		p.AcceptMark("=")
		o.keep(option, option+"="+mysql.Literal(p.value()))
	case p.acceptAny("DATA DIRECTORY", "INDEX DIRECTORY") != "":
		p.AcceptMark("=")
		p.value()
		o.unsure = option + " DIRECTORY"
	case p.Accept("UNION"):
		p.AcceptMark("=")
		p.parenthesised()
		o.unsure = "UNION"
	case t.Is("TABLESPACE") && p.Ahead(1).Kind != sqltext.End && !p.Ahead(1).IsMark(","):
		p.Next()
		p.AcceptMark("=")
		p.Next()
		p.Accept("STORAGE DISK")
		o.unsure = "TABLESPACE"
	case p.Accept("STORAGE DISK"), p.Accept("STORAGE MEMORY"):
		o.unsure = "STORAGE"
	case (t.Kind == sqltext.Word || t.Kind == sqltext.Name) && p.Ahead(1).IsMark("="):
		p.Next()
		p.Next()
		p.Next()
		o.unsure = "the option " + t.Text
	case t.Kind == sqltext.Word && set("INSERT_METHOD AUTOEXTEND_SIZE SECONDARY_ENGINE ENGINE_ATTRIBUTE " +
		"SECONDARY_ENGINE_ATTRIBUTE PAGE_CHECKSUM TRANSACTIONAL ENCRYPTED")[option]:
		p.Next()
		p.Next()
		o.unsure = "the option " + option
	default:
		return false
	}
	return true
}
