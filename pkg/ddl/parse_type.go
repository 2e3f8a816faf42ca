package ddl

import (
	"strconv"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
	"wherry/pkg/sqltext"
)

// typeSpec is a type as a statement gives it, under the base name that servers print: INTEGER is int.
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
	"integer": "int", "int1": "tinyint", "int2": "smallint", "int3": "mediumint", "middleint": "mediumint",
	"int4": "int", "int8": "bigint", "dec": "decimal", "numeric": "decimal", "fixed": "decimal", "real": "double",
	"float4": "float", "float8": "double", "character": "char", "varcharacter": "varchar",
	"geomcollection": "geometrycollection",
}

var typeNames = set(`tinyint smallint mediumint int bigint decimal float double bit char varchar binary
	varbinary tinytext text mediumtext longtext tinyblob blob mediumblob longblob enum set date time datetime
	timestamp year json geometry point linestring polygon multipoint multilinestring multipolygon
	geometrycollection vector uuid inet4 inet6`)

// columnType reads a type with its attributes: INT UNSIGNED, VARCHAR(9) CHARACTER SET latin1, NATIONAL CHAR VARYING(9).
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
	case t.name == "char" && p.Accept("VARYING"):
		t.name = "varchar"
	case t.name == "double":
		p.Accept("PRECISION")
	// MariaDB's JSON is LONGTEXT with a check.
	case t.name == "json" && p.ctx.Flavor.Family == schema.MariaDB:
		t.name, t.json = "longtext", true
	}
	// A type of a newer server may have arguments and attributes of its own, so it is not passed over.
	if p.Err == nil && !typeNames[t.name] {
		p.Fail("type %s is not known", t.name)
	}
	if p.Peek().IsMark("(") {
		p.typeArguments(&t)
	}
	for p.typeAttribute(&t) {
	}
	return t
}

// typeName reads the name of a type, which is never in quotes, and returns the server's base name.
func (p *parser) typeName() string {
	name := strings.ToLower(p.ident())
	if p.Err == nil && p.Tokens[p.At-1].Kind != sqltext.Word {
		p.At--
		p.Misunderstood()
	}
	if alias := typeAliases[name]; alias != "" {
		return alias
	}
	return name
}

// national reads what follows NATIONAL, which means utf8mb3.
func (p *parser) national() typeSpec {
	t := typeSpec{name: "char", national: true}
	switch {
	case p.acceptAny("VARCHAR", "VARCHARACTER") != "":
		t.name = "varchar"
	case p.acceptAny("CHAR", "CHARACTER") == "":
		p.Misunderstood()
	case p.Accept("VARYING"):
		t.name = "varchar"
	}
	return t
}

// long reads what follows LONG: LONG VARBINARY is MEDIUMBLOB, LONG and LONG VARCHAR are MEDIUMTEXT.
func (p *parser) long() typeSpec {
	switch {
	case p.Accept("VARBINARY"):
		return typeSpec{name: "mediumblob"}
	case p.acceptAny("VARCHAR", "VARCHARACTER", "CHAR VARYING", "CHARACTER VARYING") != "":
	}
	return typeSpec{name: "mediumtext"}
}

// typeArguments reads (9), (10,2) or the labels of an enum, whose trailing spaces servers remove.
func (p *parser) typeArguments(t *typeSpec) {
	t.args = nil
	p.ExpectMark("(")
	for {
		switch {
		case t.name != "enum" && t.name != "set":
			t.args = append(t.args, strconv.Itoa(p.Integer()))
		case p.Peek().Kind == sqltext.Bytes:
			t.args = append(t.args, p.Next().Text)
		default:
			t.args = append(t.args, strings.TrimRight(p.value(), " "))
		}
		if !p.AcceptMark(",") {
			break
		}
	}
	p.ExpectMark(")")
}

// typeAttribute reads one of the attributes that belong to the type and returns whether there was one. They may stand
// among the column's attributes too: `v CHAR(9) NOT NULL COLLATE latin1_bin`.
func (p *parser) typeAttribute(t *typeSpec) bool {
	switch {
	case p.Accept("UNSIGNED"):
		t.unsigned = true
	case p.Accept("SIGNED"):
	case p.Accept("ZEROFILL"):
		t.unsigned, t.zerofill = true, true
	case p.Accept("CHARACTER SET"), p.Accept("CHAR SET"), p.Accept("CHARSET"):
		t.charset = p.charsetName()
	case p.Accept("COLLATE"):
		t.collation = p.charsetName()
	case p.Accept("ASCII"):
		t.charset = "latin1"
	case p.Accept("UNICODE"):
		t.charset = "ucs2"
	case p.Accept("BYTE"):
		t.charset = "binary"
	case p.Accept("BINARY"):
		t.binary = true
	default:
		return false
	}
	return true
}

// charsetName reads the name of a character set or collation, which may be a string, and returns today's name of it in
// lower case: utf8mb3 for UTF8.
func (p *parser) charsetName() string {
	if p.Peek().Kind == sqltext.String {
		return mysql.Modern(p.value())
	}
	return mysql.Modern(p.ident())
}
