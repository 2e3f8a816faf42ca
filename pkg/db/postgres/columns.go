package postgres

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/codec"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// columns are the values of a relation's rows, ready for statements.
type columns struct {
	rel     *route.Relation
	table   string        // quoted
	names   []string      // quoted, per value
	codecs  []codec.Codec // per value
	types   []string      // what a parameter is cast to, "" for nothing, per value
	written []int         // positions of the values that are written: generated columns are made by the server
}

// newColumns returns the columns of a relation. The error names what cannot be carried.
func newColumns(rel *route.Relation) (*columns, error) {
	n := len(rel.Columns)
	c := &columns{
		rel: rel, table: dialect.Quoted(rel.Name()), names: make([]string, n), codecs: make([]codec.Codec, n),
		types: make([]string, n),
	}
	for i := range n {
		column := rel.Column(i)
		c.names[i] = dialect.Quote(column.Name)
		var err error
		if c.codecs[i], err = codec.New(rel.Value(i), &column.Type); err != nil {
			return nil, fmt.Errorf("read or write column %s of %s: %w: %w", column.Name, rel.Name(), err,
				db.ErrUnsupported)
		}
		if c.codecs[i].Cast != "" {
			c.types[i] = "::" + c.codecs[i].Cast
		}
		if rel.Written(i) {
			c.written = append(c.written, i)
		}
	}
	return c, nil
}

// list returns names of values, separated by commas, with something before each.
func (c *columns) list(positions []int, before string) string {
	parts := make([]string, len(positions))
	for i, p := range positions {
		parts[i] = before + c.names[p]
	}
	return strings.Join(parts, ", ")
}

// all returns the positions of all values.
func (c *columns) all() []int {
	positions := make([]int, len(c.names))
	for i := range positions {
		positions[i] = i
	}
	return positions
}

// scalar returns a value as a parameter, and the expression that it is in a statement.
func (c *columns) scalar(p, number int, v []byte) (wire.Param, string, error) {
	field, err := c.codecs[p].AppendElement(nil, v)
	if err != nil {
		return wire.Param{}, "", c.unfit(p, db.Row{v}, []int{p}, err)
	}
	param := wire.Param{OID: c.codecs[p].OID, Value: field[4:]}
	if v == nil {
		param.Value = nil
	}
	return param, "$" + strconv.Itoa(number) + c.types[p], nil
}

// unfit says which value of which row the target does not hold, and what would let it.
func (c *columns) unfit(p int, row db.Row, positions []int, err error) error {
	column := c.rel.Column(p)
	at := ""
	if len(row) > 1 && len(c.rel.Key) > 0 {
		key := row.Pick(c.rel.Key)
		at = " of the row " + describe(c.rel, key, c.rel.Key)
	}
	value := row[0]
	for i, position := range positions {
		if position == p {
			value = row[i]
		}
	}
	help := helpFor(nil)
	var unfit *codec.ValueError
	if errors.As(err, &unfit) {
		help = helpFor(unfit)
	}
	return fmt.Errorf("%w: %s does not take column %s%s: %s: %w: %s", db.ErrUnsupported, c.rel.Name(), column.Name, at,
		shorten(value), err, help)
}

// helpFor says what lets a row with such a value through.
func helpFor(unfit *codec.ValueError) string {
	switch {
	case unfit == nil, unfit.Loss == "" && unfit.Fix == "":
		return "exclude the table, or mend the value on the source"
	case unfit.Loss != "" && unfit.Fix != "":
		return "allow the loss (schema.allow_losses: [" + unfit.Loss + "]), or " + unfit.Fix
	case unfit.Loss != "":
		return "allow the loss (schema.allow_losses: [" + unfit.Loss + "]), or mend the value on the source"
	default:
		return unfit.Fix + ", or mend the value on the source"
	}
}

const (
	describedValue = 40  // bytes of a value in a message
	describedRow   = 400 // and of a row
)

func shorten(v []byte) string {
	text := strconv.Quote(string(v[:min(len(v), describedValue)]))
	if len(v) > describedValue {
		text += ".."
	}
	return text
}

// describe renders values of a row for messages, shortened.
func describe(rel *route.Relation, row db.Row, positions []int) string {
	var b strings.Builder
	for i, v := range row {
		if b.Len() > describedRow {
			b.WriteString(", ..")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(rel.Column(positions[i]).Name + "=")
		switch kind := rel.Value(positions[i]); {
		case v == nil:
			b.WriteString("NULL")
		case kind.IsNumber():
			b.Write(v)
		default:
			b.WriteString(shorten(v))
		}
	}
	return "(" + b.String() + ")"
}

// isText tells whether values of a column are compared by a collation.
func isText(t *schema.Type) bool {
	return t.Kind == schema.Text || t.Kind == schema.Varchar || t.Kind == schema.Char || t.Kind == schema.Other
}
