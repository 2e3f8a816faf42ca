package postgres

import (
	"fmt"
	"strconv"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// baseType is what a type's name tells: its class, the name that this package uses, and the one that format_type()
// prints.
type baseType struct {
	kind    schema.Kind
	name    string
	printed string
	size    int
}

// baseTypes are the types that columns can have here, by every name that people and PostgreSQL write them with.
var baseTypes = aliases(map[string]baseType{
	"smallint int2":                  {schema.Integer, "smallint", "smallint", 2},
	"integer int int4":               {schema.Integer, "integer", "integer", 4},
	"bigint int8":                    {schema.Integer, "bigint", "bigint", 8},
	"numeric decimal":                {schema.Decimal, "numeric", "numeric", 0},
	"real float4":                    {schema.Float, "real", "real", 4},
	"double_precision float8 double": {schema.Double, "double precision", "double precision", 8},
	"boolean bool":                   {schema.Boolean, "boolean", "boolean", 1},
	"bit":                            {schema.Bit, "bit", "bit", 0},
	"varchar character_varying":      {schema.Varchar, "varchar", "character varying", 0},
	"char character bpchar":          {schema.Char, "char", "character", 0},
	"text":                           {schema.Text, "text", "text", 4},
	"citext":                         {schema.Text, "citext", "citext", 4},
	"bytea":                          {schema.Blob, "bytea", "bytea", 4},
	"date":                           {schema.Date, "date", "date", 0},
	"timestamp":                      {schema.Datetime, "timestamp", "timestamp", 0},
	"timestamptz":                    {schema.Timestamp, "timestamptz", "timestamp", 0},
	"time":                           {schema.Time, "time", "time", 0},
	"timetz":                         {schema.Other, "timetz", "time", 0},
	"interval":                       {schema.Interval, "interval", "interval", 0},
	"jsonb":                          {schema.JSON, "jsonb", "jsonb", 0},
	"json":                           {schema.JSON, "json", "json", 0},
	"uuid":                           {schema.UUID, "uuid", "uuid", 16},
	"inet":                           {schema.INET6, "inet", "inet", 0},
	"geometry":                       {schema.Geometry, "geometry", "geometry", 0},
})

// aliases spreads the names of each entry.
func aliases(of map[string]baseType) map[string]baseType {
	all := map[string]baseType{}
	for names, base := range of {
		for name := range strings.FieldsSeq(names) {
			all[strings.ReplaceAll(name, "_", " ")] = base
		}
	}
	return all
}

// defaultScale is the digits of a second that a temporal type without a number has.
const defaultScale = 6

// ParseType reads a type as format_type() prints it, such as "character varying(20)[]", or as people write it, such as
// varchar(20)[]. A type that is not known is of kind Other and has the text as its name.
func ParseType(text string) schema.Type {
	c := sqltext.NewCursor(text, sqltext.Rules{ANSIQuotes: true, NoBackslashEscapes: true})
	t, ok := parseType(&c)
	if !ok || c.Err != nil || c.Peek().Kind != sqltext.End {
		text = strings.TrimSpace(text)
		return schema.Type{Kind: schema.Other, Name: text, Text: text}
	}
	return t
}

func parseType(c *sqltext.Cursor) (schema.Type, bool) {
	base, ok := parseBase(c)
	if !ok {
		return schema.Type{}, false
	}
	t := schema.Type{Kind: base.kind, Name: base.name, Size: base.size}
	if t.Kind == schema.Geometry {
		return parseGeometry(c, t)
	}
	args, bare := parseArguments(c), t
	if (base.name == "timestamp" || base.name == "time") && c.Accept("WITH TIME ZONE") {
		t.Name, t.Kind = base.name+"tz", map[string]schema.Kind{"timestamp": schema.Timestamp}[base.name]
	} else {
		c.Accept("WITHOUT TIME ZONE")
	}
	if !setArguments(&t, args) {
		return bare, false
	}
	t.Text = typeText(&t)
	if isText(&t) {
		t.Charset = "utf8mb4" // in every database that a move takes
	}
	if c.AcceptMark("[") {
		c.ExpectMark("]")
		t = arrayOf(t)
	}
	return t, true
}

// parseBase reads the name of a type, of one or two words, in quotes or not, after a schema or not.
func parseBase(c *sqltext.Cursor) (baseType, bool) {
	if c.Ahead(1).IsMark(".") {
		c.At += 2
	}
	name := strings.ToLower(c.Peek().Text)
	for _, second := range []string{"precision", "varying"} {
		if c.Ahead(1).Is(second) {
			c.At++
			name += " " + second
		}
	}
	base, ok := baseTypes[name]
	if ok {
		c.At++
	}
	return base, ok
}

func parseArguments(c *sqltext.Cursor) (args []int) {
	if !c.AcceptMark("(") {
		return nil
	}
	args = append(args, c.Integer())
	if c.AcceptMark(",") {
		args = append(args, c.Integer())
	}
	c.ExpectMark(")")
	return args
}

// setArguments fills in what the numbers in parentheses mean, and tells whether the type takes that many.
func setArguments(t *schema.Type, args []int) bool {
	most := 1
	switch t.Kind {
	case schema.Decimal:
		most = 2
		if len(args) > 0 {
			t.Precision = args[0]
		}
		if len(args) > 1 {
			t.Scale = args[1]
		}
	case schema.Bit, schema.Char:
		t.Size = 1
		if len(args) > 0 {
			t.Size = args[0]
		}
	case schema.Varchar:
		if len(args) > 0 {
			t.Size = args[0]
		}
	case schema.Datetime, schema.Timestamp, schema.Time, schema.Interval:
		t.Scale = defaultScale
		if len(args) > 0 {
			t.Scale = args[0]
		}
	default:
		most = 0
	}
	return len(args) <= most
}

// parseGeometry reads PostGIS's (Point,4326), of which both parts may be left out.
func parseGeometry(c *sqltext.Cursor, t schema.Type) (schema.Type, bool) {
	t.Text = "geometry"
	if !c.AcceptMark("(") {
		return t, true
	}
	t.Text += "(" + c.Read(sqltext.Word)
	if c.AcceptMark(",") {
		number := c.Read(sqltext.Number)
		if srid, err := strconv.ParseUint(number, 10, 32); err == nil && srid != 0 {
			value := uint32(srid)
			t.SRID = &value
			t.Text += "," + number
		}
	}
	c.ExpectMark(")")
	t.Text += ")"
	return t, true
}

// typeText writes a type as format_type() prints it.
func typeText(t *schema.Type) string {
	printed := baseTypes[t.Name].printed
	switch t.Kind {
	case schema.Decimal:
		if t.Precision == 0 {
			return printed
		}
		return fmt.Sprintf("%s(%d,%d)", printed, t.Precision, t.Scale)
	case schema.Bit, schema.Char:
		return fmt.Sprintf("%s(%d)", printed, t.Size)
	case schema.Varchar:
		if t.Size == 0 {
			return printed
		}
		return fmt.Sprintf("%s(%d)", printed, t.Size)
	case schema.Datetime, schema.Timestamp, schema.Time, schema.Interval, schema.Other:
		if t.Scale != defaultScale {
			printed += fmt.Sprintf("(%d)", t.Scale)
		}
		switch t.Name {
		case "timestamptz", "timetz":
			printed += " with time zone"
		case "timestamp", "time":
			printed += " without time zone"
		}
		return printed
	default:
		return printed
	}
}

// arrayOf returns the type of arrays of a type.
func arrayOf(t schema.Type) schema.Type {
	return schema.Type{Kind: schema.Array, Name: t.Name + "[]", Text: t.Text + "[]"}
}
