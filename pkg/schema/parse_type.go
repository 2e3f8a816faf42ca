package schema

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// baseType is what a type's name alone tells.
type baseType struct {
	kind Kind
	size int // where the name decides it
	args int // how many numbers may follow in parentheses; -1 for labels
}

var baseTypes = map[string]baseType{
	"tinyint": {Integer, 1, 1}, "smallint": {Integer, 2, 1}, "mediumint": {Integer, 3, 1}, "int": {Integer, 4, 1}, "bigint": {Integer, 8, 1},
	"decimal": {Decimal, 0, 2}, "float": {Float, 4, 2}, "double": {Double, 8, 2}, "bit": {Bit, 0, 1},
	"char": {Char, 0, 1}, "varchar": {Varchar, 0, 1}, "binary": {Binary, 0, 1}, "varbinary": {Varbinary, 0, 1},
	"tinytext": {Text, 1, 0}, "text": {Text, 2, 0}, "mediumtext": {Text, 3, 0}, "longtext": {Text, 4, 0},
	"tinyblob": {Blob, 1, 0}, "blob": {Blob, 2, 0}, "mediumblob": {Blob, 3, 0}, "longblob": {Blob, 4, 0},
	"enum": {Enum, 0, -1}, "set": {Set, 0, -1},
	"date": {Date, 0, 0}, "time": {Time, 0, 1}, "datetime": {Datetime, 0, 1}, "timestamp": {Timestamp, 0, 1}, "year": {Year, 0, 1},
	"json":     {JSON, 0, 0},
	"geometry": {Geometry, 0, 0}, "point": {Geometry, 0, 0}, "linestring": {Geometry, 0, 0}, "polygon": {Geometry, 0, 0},
	"multipoint": {Geometry, 0, 0}, "multilinestring": {Geometry, 0, 0}, "multipolygon": {Geometry, 0, 0},
	"geometrycollection": {Geometry, 0, 0},
	"vector":             {Vector, 0, 1},
	"uuid":               {UUID, 16, 0}, "inet4": {INET4, 4, 0}, "inet6": {INET6, 16, 0}, "xmltype": {Other, 0, 0},
}

// columnType reads a type without its character set and writes it canonically: display widths go, except tinyint(1)'s
// and those that zerofill pads to.
func (p *parser) columnType() Type {
	at := p.peek()
	name := p.keyword()
	if name == "geomcollection" { // MySQL's name since 8.0.11
		name = "geometrycollection"
	}
	base, ok := baseTypes[name]
	if !ok {
		p.fail(fmt.Errorf("cannot understand type %q of SHOW CREATE TABLE", at.text))
		return Type{}
	}
	t := Type{Kind: base.kind, Name: name, Size: base.size}
	var args []int
	if base.args < 0 {
		t.Labels = p.labels()
	} else if base.args > 0 && p.acceptPunct("(") {
		args = append(args, p.integer())
		if base.args > 1 && p.acceptPunct(",") {
			args = append(args, p.integer())
		}
		p.expectPunct(")")
	}
	if t.IsNumber() {
		t.Unsigned = p.accept("UNSIGNED")
		t.Zerofill = p.accept("ZEROFILL")
		t.Unsigned = t.Unsigned || t.Zerofill
	}
	t.size(args)
	t.Text = t.canonical(args)
	return t
}

// ParseType reads a type as SHOW CREATE TABLE prints it, without character set and collation.
func ParseType(text string) (Type, error) {
	tokens, err := lex(text)
	if err != nil {
		return Type{}, fmt.Errorf("parse type %s: %w", text, err)
	}
	p := &parser{src: text, tokens: tokens}
	t := p.columnType()
	if p.err == nil && p.peek().kind != tokenEnd {
		p.misunderstood()
	}
	if p.err != nil {
		return Type{}, fmt.Errorf("parse type %s: %w", text, p.err)
	}
	return t, nil
}

func (p *parser) labels() []string {
	p.expectPunct("(")
	labels := []string{p.label()}
	for p.acceptPunct(",") {
		labels = append(labels, p.label())
	}
	p.expectPunct(")")
	return labels
}

// label reads one label. MySQL prints those of character set binary in hexadecimal digits when they are no UTF-8.
func (p *parser) label() string {
	if p.peek().kind == tokenHex {
		return p.take(tokenHex)
	}
	return p.take(tokenString)
}

// size fills in what the numbers in parentheses mean.
func (t *Type) size(args []int) {
	arg := func(i, otherwise int) int {
		if i < len(args) {
			return args[i]
		}
		return otherwise
	}
	switch t.Kind {
	case Decimal:
		t.Precision, t.Scale = arg(0, 10), arg(1, 0)
	case Float, Double:
		t.Precision, t.Scale = arg(0, 0), arg(1, 0)
	case Bit, Char, Binary:
		t.Size = arg(0, 1)
	case Varchar, Varbinary, Vector:
		t.Size = arg(0, 0)
	case Time, Datetime, Timestamp:
		t.Scale = arg(0, 0)
	default:
	}
}

// canonical writes the type in the way that all versions of both families read.
func (t *Type) canonical(args []int) string {
	var b strings.Builder
	b.WriteString(t.Name)
	switch {
	case t.Labels != nil:
		quoted := make([]string, len(t.Labels))
		for i, label := range t.Labels {
			quoted[i] = literal(label)
			if !utf8.ValidString(label) {
				quoted[i] = fmt.Sprintf("x'%x'", label)
			}
		}
		b.WriteString("(" + strings.Join(quoted, ",") + ")")
	case t.Kind == Decimal:
		fmt.Fprintf(&b, "(%d,%d)", t.Precision, t.Scale)
	case t.Kind == Bit, t.Kind == Char, t.Kind == Binary:
		fmt.Fprintf(&b, "(%d)", t.Size)
	case t.Kind == Integer && !t.Zerofill && (t.Size != 1 || t.Unsigned || len(args) == 0 || args[0] != 1), t.Kind == Year:
	case (t.Kind == Time || t.Kind == Datetime || t.Kind == Timestamp) && t.Scale == 0:
	case len(args) > 0:
		texts := make([]string, len(args))
		for i, arg := range args {
			texts[i] = strconv.Itoa(arg)
		}
		b.WriteString("(" + strings.Join(texts, ",") + ")")
	}
	if t.Unsigned && t.Kind != Year {
		b.WriteString(" unsigned")
	}
	if t.Zerofill && t.Kind != Year {
		b.WriteString(" zerofill")
	}
	return b.String()
}
