package ddl

import (
	"strconv"
	"strings"
)

// typeSpec is a type as a statement gives it, under its servers' base name.
type typeSpec struct {
	name      string
	args      []string // numbers; of enum and set the labels
	unsigned  bool
	zerofill  bool
	charset   string // as given, "" when not
	collation string
	binary    bool // the attribute BINARY: the _bin collation
	national  bool
	serial    bool
	json      bool // MariaDB's alias
	bool      bool
}

// typeAliases are names of types that are others (MySQL manual 13.9, MariaDB "Data Types").
var typeAliases = map[string]string{
	"integer": "int", "int1": "tinyint", "int2": "smallint", "int3": "mediumint", "middleint": "mediumint", "int4": "int",
	"int8": "bigint", "dec": "decimal", "numeric": "decimal", "fixed": "decimal", "real": "double", "float4": "float", "float8": "double",
	"character": "char", "varcharacter": "varchar", "geomcollection": "geometrycollection",
}

var typeNames = set(`tinyint smallint mediumint int bigint decimal float double bit char varchar binary varbinary tinytext text mediumtext
	longtext tinyblob blob mediumblob longblob enum set date time datetime timestamp year json geometry point linestring polygon multipoint
	multilinestring multipolygon geometrycollection vector uuid inet4 inet6`)

// columnType reads a type with what may stand right behind it.
func (p *parser) columnType() typeSpec {
	t := typeSpec{name: p.typeName()}
	switch {
	case t.name == "national":
		t = p.national()
	case t.name == "long":
		t = p.long()
	case t.name == "bool", t.name == "boolean":
		t.name, t.args, t.bool = "tinyint", []string{"1"}, true
	case t.name == "serial":
		t = typeSpec{name: "bigint", unsigned: true, serial: true}
	case t.name == "nchar", t.name == "nvarchar":
		t.national = true
		if t.name == "nvarchar" || p.acceptAny("VARYING", "VARCHAR", "VARCHARACTER") != "" {
			t.name = "varchar"
		} else {
			t.name = "char"
		}
	case t.name == "char" && p.accept("VARYING"):
		t.name = "varchar"
	case t.name == "double":
		p.accept("PRECISION")
	case t.name == "json" && p.ctx.Flavor.MariaDB:
		t.name, t.json = "longtext", true
	}
	if p.err == nil && !typeNames[t.name] {
		p.fail("type %s is not known", t.name)
	}
	if p.peek().mark("(") {
		p.typeArguments(&t)
	}
	for p.typeAttribute(&t) {
	}
	return t
}

func (p *parser) typeName() string {
	name := strings.ToLower(p.ident())
	if p.err == nil && p.tokens[p.at-1].kind != word {
		p.at--
		p.misunderstood()
	}
	if alias := typeAliases[name]; alias != "" {
		return alias
	}
	return name
}

// national reads what follows NATIONAL.
func (p *parser) national() typeSpec {
	t := typeSpec{name: "char", national: true}
	switch {
	case p.acceptAny("VARCHAR", "VARCHARACTER") != "":
		t.name = "varchar"
	case p.acceptAny("CHAR", "CHARACTER") == "":
		p.misunderstood()
	case p.accept("VARYING"):
		t.name = "varchar"
	}
	return t
}

// long reads what follows LONG.
func (p *parser) long() typeSpec {
	switch {
	case p.accept("VARBINARY"):
		return typeSpec{name: "mediumblob"}
	case p.acceptAny("VARCHAR", "VARCHARACTER", "CHAR VARYING", "CHARACTER VARYING") != "":
	}
	return typeSpec{name: "mediumtext"}
}

func (p *parser) typeArguments(t *typeSpec) {
	t.args = nil
	p.expectMark("(")
	for {
		switch {
		case t.name != "enum" && t.name != "set":
			t.args = append(t.args, strconv.Itoa(p.integer()))
		case p.peek().kind == bytes:
			t.args = append(t.args, p.next().text)
		default:
			t.args = append(t.args, strings.TrimRight(p.value(), " "))
		}
		if !p.acceptMark(",") {
			break
		}
	}
	p.expectMark(")")
}

// typeAttribute reads one of the attributes that belong to the type, wherever they stand, and tells whether there was one.
func (p *parser) typeAttribute(t *typeSpec) bool {
	switch {
	case p.accept("UNSIGNED"):
		t.unsigned = true
	case p.accept("SIGNED"):
	case p.accept("ZEROFILL"):
		t.unsigned, t.zerofill = true, true
	case p.accept("CHARACTER SET"), p.accept("CHAR SET"), p.accept("CHARSET"):
		t.charset = p.charsetName()
	case p.accept("COLLATE"):
		t.collation = p.charsetName()
	case p.accept("ASCII"):
		t.charset = "latin1"
	case p.accept("UNICODE"):
		t.charset = "ucs2"
	case p.accept("BYTE"):
		t.charset = "binary"
	case p.accept("BINARY"):
		t.binary = true
	default:
		return false
	}
	return true
}

// charsetName reads the name of a character set or collation, which may be a string, in lower case and of today (utf8mb3).
func (p *parser) charsetName() string {
	if p.peek().kind == text {
		return modern(p.value())
	}
	return modern(p.ident())
}

func modern(name string) string {
	name = strings.ToLower(name)
	if rest, ok := strings.CutPrefix(name, "utf8_"); ok {
		return "utf8mb3_" + rest
	}
	if name == "utf8" {
		return "utf8mb3"
	}
	return name
}
