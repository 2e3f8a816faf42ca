package mysql

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// baseType is what a type's name alone says.
type baseType struct {
	kind schema.Kind
	size int // where the name decides it
	args int // how many numbers may follow in parentheses; -1 for labels
}

var baseTypes = map[string]baseType{
	"tinyint": {schema.Integer, 1, 1}, "smallint": {schema.Integer, 2, 1}, "mediumint": {schema.Integer, 3, 1},
	"int": {schema.Integer, 4, 1}, "bigint": {schema.Integer, 8, 1},
	"decimal": {schema.Decimal, 0, 2}, "float": {schema.Float, 4, 2}, "double": {schema.Double, 8, 2},
	"char": {schema.Char, 0, 1}, "varchar": {schema.Varchar, 0, 1},
	"binary": {schema.Binary, 0, 1}, "varbinary": {schema.Varbinary, 0, 1}, "bit": {schema.Bit, 0, 1},
	"tinytext": {schema.Text, 1, 0}, "text": {schema.Text, 2, 0},
	"mediumtext": {schema.Text, 3, 0}, "longtext": {schema.Text, 4, 0},
	"tinyblob": {schema.Blob, 1, 0}, "blob": {schema.Blob, 2, 0},
	"mediumblob": {schema.Blob, 3, 0}, "longblob": {schema.Blob, 4, 0},
	"enum": {schema.Enum, 0, -1}, "set": {schema.Set, 0, -1}, "json": {schema.JSON, 0, 0},
	"date": {schema.Date, 0, 0}, "time": {schema.Time, 0, 1}, "datetime": {schema.Datetime, 0, 1},
	"timestamp": {schema.Timestamp, 0, 1}, "year": {schema.Year, 0, 1},
	"geometry": {schema.Geometry, 0, 0}, "geometrycollection": {schema.Geometry, 0, 0},
	"point": {schema.Geometry, 0, 0}, "multipoint": {schema.Geometry, 0, 0},
	"linestring": {schema.Geometry, 0, 0}, "multilinestring": {schema.Geometry, 0, 0},
	"polygon": {schema.Geometry, 0, 0}, "multipolygon": {schema.Geometry, 0, 0}, "vector": {schema.Vector, 0, 1},
	"uuid": {schema.UUID, 16, 0}, "inet4": {schema.INET4, 4, 0}, "inet6": {schema.INET6, 16, 0},
	"xmltype": {schema.Other, 0, 0},
}

// columnType reads a type without its character set and writes it canonically, so that texts of both families can be
// compared: int(11) is int. Two display widths mean something and stay: tinyint(1), which clients read as a boolean,
// and the width that zerofill pads to.
func (p *parser) columnType() schema.Type {
	at := p.Peek()
	name := p.keyword()
	if name == "geomcollection" { // MySQL's name since 8.0.11
		name = "geometrycollection"
	}
	base, ok := baseTypes[name]
	if !ok {
		p.Fail("cannot understand type %q of SHOW CREATE TABLE", at.Text)
		return schema.Type{}
	}
	t := schema.Type{Kind: base.kind, Name: name, Size: base.size}
	var args []int
	if base.args < 0 {
		t.Labels = p.labels()
	} else if base.args > 0 && p.AcceptMark("(") {
		args = append(args, p.Integer())
		if base.args > 1 && p.AcceptMark(",") {
			args = append(args, p.Integer())
		}
		p.ExpectMark(")")
	}
	if t.IsNumber() {
		t.Unsigned = p.Accept("UNSIGNED")
		t.Zerofill = p.Accept("ZEROFILL")
		t.Unsigned = t.Unsigned || t.Zerofill
	}
	setSize(&t, args)
	t.Text = canonicalType(&t, args)
	return t
}

// ParseType reads a type as SHOW CREATE TABLE prints it, without character set and collation.
func ParseType(text string) (schema.Type, error) {
	p := &parser{Cursor: sqltext.NewCursor(text, printed)}
	t := p.columnType()
	if p.Err == nil && p.Peek().Kind != sqltext.End {
		p.Misunderstood()
	}
	if p.Err != nil {
		return schema.Type{}, fmt.Errorf("parse type %s: %w", text, p.Err)
	}
	return t, nil
}

// labels reads ('a','b').
func (p *parser) labels() []string {
	p.ExpectMark("(")
	labels := []string{p.label()}
	for p.AcceptMark(",") {
		labels = append(labels, p.label())
	}
	p.ExpectMark(")")
	return labels
}

// label reads one label. MySQL prints those of character set binary in hexadecimal digits when they are no UTF-8.
func (p *parser) label() string {
	if p.Peek().Kind == sqltext.Bytes {
		return p.Read(sqltext.Bytes)
	}
	return p.Read(sqltext.String)
}

// setSize fills in what the numbers in parentheses mean.
func setSize(t *schema.Type, args []int) {
	arg := func(i, standard int) int {
		if i < len(args) {
			return args[i]
		}
		return standard
	}
	switch t.Kind {
	case schema.Decimal:
		t.Precision, t.Scale = arg(0, 10), arg(1, 0)
	case schema.Float, schema.Double:
		t.Precision, t.Scale = arg(0, 0), arg(1, 0)
	case schema.Bit, schema.Char, schema.Binary:
		t.Size = arg(0, 1)
	case schema.Varchar, schema.Varbinary, schema.Vector:
		t.Size = arg(0, 0)
	case schema.Time, schema.Datetime, schema.Timestamp:
		t.Scale = arg(0, 0)
	default:
	}
}

// canonicalType writes the type in the way that all versions of both families read.
func canonicalType(t *schema.Type, args []int) string {
	var b strings.Builder
	b.WriteString(t.Name)
	switch {
	case t.Labels != nil:
		quoted := make([]string, len(t.Labels))
		for i, label := range t.Labels {
			quoted[i] = Literal(label)
			if !utf8.ValidString(label) {
				quoted[i] = fmt.Sprintf("x'%x'", label)
			}
		}
		b.WriteString("(" + strings.Join(quoted, ",") + ")")
	case t.Kind == schema.Decimal:
		fmt.Fprintf(&b, "(%d,%d)", t.Precision, t.Scale)
	case t.Kind == schema.Bit, t.Kind == schema.Char, t.Kind == schema.Binary:
		fmt.Fprintf(&b, "(%d)", t.Size)
	case t.Kind == schema.Integer && !t.Zerofill && (t.Size != 1 || t.Unsigned || len(args) == 0 || args[0] != 1),
		t.Kind == schema.Year:
	case (t.Kind == schema.Time || t.Kind == schema.Datetime || t.Kind == schema.Timestamp) && t.Scale == 0:
	case len(args) > 0:
		texts := make([]string, len(args))
		for i, arg := range args {
			texts[i] = strconv.Itoa(arg)
		}
		b.WriteString("(" + strings.Join(texts, ",") + ")")
	}
	if t.Unsigned && t.Kind != schema.Year {
		b.WriteString(" unsigned")
	}
	if t.Zerofill && t.Kind != schema.Year {
		b.WriteString(" zerofill")
	}
	return b.String()
}
