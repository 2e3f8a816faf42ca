package ddl

import (
	"strconv"
	"strings"

	"wherry/pkg/schema"
)

// options are a table's options as a statement gives them; a nil pointer is one that it does not name.
type options struct {
	engine    *string
	charset   *string
	collation *string
	rowFormat *string
	comment   *string
	counter   *uint64
	further   map[string]string // the name of a further option -> its text as in schema.Table.Options, or "" to take it away
	order     []string
	unsure    string
}

// plainOptions are the options of a number; what the text of the value is where the server prints none.
var plainOptions = map[string]string{
	"STATS_PERSISTENT": "DEFAULT", "STATS_AUTO_RECALC": "DEFAULT", "STATS_SAMPLE_PAGES": "DEFAULT", "KEY_BLOCK_SIZE": "0", "CHECKSUM": "0",
	"DELAY_KEY_WRITE": "0", "MIN_ROWS": "0", "MAX_ROWS": "0", "AVG_ROW_LENGTH": "0", "PACK_KEYS": "DEFAULT",
}

// textOptions are the options of a string.
var textOptions = set("COMPRESSION CONNECTION PASSWORD ENCRYPTION")

// option reads one table option and tells whether there was one.
func (p *parser) option(o *options) bool {
	switch {
	case p.accept("ENGINE"), p.accept("TYPE"):
		o.engine = p.optionName()
	case p.accept("AUTO_INCREMENT"):
		p.acceptMark("=")
		n, err := strconv.ParseUint(p.next().text, 10, 64)
		if err != nil {
			p.fail("invalid AUTO_INCREMENT")
		}
		o.counter = &n
	case p.accept("DEFAULT CHARACTER SET"), p.accept("CHARACTER SET"), p.accept("DEFAULT CHARSET"), p.accept("CHARSET"), p.accept("CHAR SET"),
		p.accept("DEFAULT CHAR SET"):
		p.acceptMark("=")
		o.setCharset(p.charsetName())
	case p.accept("DEFAULT COLLATE"), p.accept("COLLATE"):
		p.acceptMark("=")
		o.setCollation(p.charsetName())
	case p.accept("ROW_FORMAT"):
		o.rowFormat = p.optionName()
	case p.accept("COMMENT"):
		p.acceptMark("=")
		comment := basic(p.value())
		o.comment = &comment
	case p.accept("WITH SYSTEM VERSIONING"):
		o.keep("WITH SYSTEM VERSIONING", "WITH SYSTEM VERSIONING")
		o.unsure = "system versioning"
	default:
		return p.furtherOption(o)
	}
	return true
}

// setCharset notes the character set. It is not sure which counts when a statement names several.
func (o *options) setCharset(name string) {
	if o.charset != nil || o.collation != nil {
		o.unsure = "several character sets"
	}
	o.charset = &name
}

func (o *options) setCollation(name string) {
	if o.collation != nil {
		o.unsure = "several collations"
	}
	o.collation = &name
}

func (p *parser) optionName() *string {
	p.acceptMark("=")
	if p.peek().kind == text {
		value := p.value()
		return &value
	}
	value := p.ident()
	return &value
}

// keep notes a further option's text, "" to take it away.
func (o *options) keep(option, text string) {
	if o.further == nil {
		o.further = map[string]string{}
	}
	if _, again := o.further[option]; !again {
		o.order = append(o.order, option)
	}
	o.further[option] = text
}

// furtherOption reads what only few tables have.
func (p *parser) furtherOption(o *options) bool {
	t := p.peek()
	option := strings.ToUpper(t.text)
	none, plain := plainOptions[option]
	switch {
	case t.kind == word && plain:
		p.next()
		p.acceptMark("=")
		value := strings.ToUpper(p.next().text)
		if kept := option + "=" + value; value == none {
			o.keep(option, "")
		} else {
			o.keep(option, kept)
		}
	case t.kind == word && textOptions[option]:
		p.next()
		p.acceptMark("=")
		o.keep(option, option+"="+schema.Literal(p.value()))
	case p.acceptAny("DATA DIRECTORY", "INDEX DIRECTORY") != "":
		p.acceptMark("=")
		p.value()
		o.unsure = option + " DIRECTORY"
	case p.accept("UNION"):
		p.acceptMark("=")
		p.parenthesised()
		o.unsure = "UNION"
	case t.is("TABLESPACE") && p.ahead(1).kind != end && !p.ahead(1).mark(","):
		p.next()
		p.acceptMark("=")
		p.next()
		p.accept("STORAGE DISK")
		o.unsure = "TABLESPACE"
	case p.accept("STORAGE DISK"), p.accept("STORAGE MEMORY"):
		o.unsure = "STORAGE"
	case (t.kind == word || t.kind == name) && p.ahead(1).mark("="):
		p.next()
		p.next()
		p.next()
		o.unsure = "the option " + t.text
	case t.kind == word && set("INSERT_METHOD AUTOEXTEND_SIZE SECONDARY_ENGINE ENGINE_ATTRIBUTE SECONDARY_ENGINE_ATTRIBUTE PAGE_CHECKSUM TRANSACTIONAL ENCRYPTED")[option]:
		p.next()
		p.next()
		o.unsure = "the option " + option
	default:
		return false
	}
	return true
}
