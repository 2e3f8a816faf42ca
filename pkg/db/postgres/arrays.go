package postgres

import (
	"encoding/binary"
	"strconv"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/codec"
	"wherry/pkg/db/postgres/wire"
)

// arrays are values of many rows as parameters of one statement: an array for each column, which unnest() makes rows
// of.
type arrays struct {
	c         *columns
	positions []int // of the values within a row
	columns   [][]byte
	rows      int
	bytes     int
	numbers   []byte // how often each row is meant, see counted
}

func newArrays(c *columns, positions []int) *arrays {
	return &arrays{c: c, positions: positions, columns: make([][]byte, len(positions))}
}

// reset makes room for other rows.
func (a *arrays) reset() {
	a.rows, a.bytes, a.numbers = 0, 0, a.numbers[:0]
	for i := range a.columns {
		a.columns[i] = a.columns[i][:0]
	}
}

// add appends a row. values are those of positions, in their order; of which row they are is told in errors.
func (a *arrays) add(values db.Row, positions []int) (err error) {
	for i, p := range a.positions {
		if len(a.columns[i]) == 0 { // the head is known when all rows are there
			a.columns[i] = codec.AppendArray(a.columns[i], a.c.codecs[p].OID, 1)
		}
		before := len(a.columns[i])
		column, err := a.c.codecs[p].AppendElement(a.columns[i], values[i])
		if err != nil {
			return a.c.unfit(p, values, positions, err)
		}
		a.columns[i] = column
		a.bytes += len(column) - before
	}
	a.rows++
	return nil
}

// addRow appends the values of a whole row that are at the positions.
func (a *arrays) addRow(row db.Row) (err error) {
	for i, p := range a.positions {
		if len(a.columns[i]) == 0 {
			a.columns[i] = codec.AppendArray(a.columns[i], a.c.codecs[p].OID, 1)
		}
		before := len(a.columns[i])
		column, err := a.c.codecs[p].AppendElement(a.columns[i], row[p])
		if err != nil {
			return a.c.unfit(p, row, a.c.all(), err)
		}
		a.columns[i] = column
		a.bytes += len(column) - before
	}
	a.rows++
	return nil
}

// count appends a number for the row that was added last.
func (a *arrays) count(n int64) {
	if len(a.numbers) == 0 {
		a.numbers = codec.AppendArray(a.numbers, 20, 1)
	}
	a.numbers = binary.BigEndian.AppendUint64(append(a.numbers, 0, 0, 0, 8), uint64(n)) //nolint:gosec // positive
}

// params returns the parameters of a statement.
func (a *arrays) params() []wire.Param {
	params := make([]wire.Param, 0, len(a.positions)+1)
	for i, p := range a.positions {
		if a.rows == 0 {
			a.columns[i] = codec.AppendArray(a.columns[i][:0], a.c.codecs[p].OID, 0)
		} else {
			binary.BigEndian.PutUint32(a.columns[i][12:], uint32(a.rows)) //nolint:gosec // rows of a statement
		}
		params = append(params, wire.Param{OID: a.c.codecs[p].Array(), Value: a.columns[i]})
	}
	if len(a.numbers) > 0 {
		binary.BigEndian.PutUint32(a.numbers[12:], uint32(a.rows)) //nolint:gosec // rows of a statement
		params = append(params, wire.Param{OID: 1016, Value: a.numbers})
	}
	return params
}

// from returns what makes rows of the parameters: a table v whose columns have the names of the target's, and n for
// the numbers.
func (a *arrays) from(counted bool) string {
	parameters, names, values := make([]string, len(a.positions)), make([]string, len(a.positions)), []string{}
	for i, p := range a.positions {
		parameters[i], names[i] = "$"+strconv.Itoa(i+1), "c"+strconv.Itoa(i)
		values = append(values, names[i]+a.c.types[p]+" AS "+a.c.names[p])
	}
	if counted {
		parameters, names = append(parameters, "$"+strconv.Itoa(len(parameters)+1)), append(names, "n")
		values = append(values, "n AS "+a.number())
	}
	return "(SELECT " + strings.Join(values, ", ") + " FROM ROWS FROM (pg_catalog.unnest(" +
		strings.Join(parameters, "), pg_catalog.unnest(") + ")) AS u (" + strings.Join(names, ", ") + ")) AS v"
}

// number is a name for the numbers that no column of the table has.
func (a *arrays) number() string {
	name := `"n"`
	for i := 0; i < len(a.c.names); i++ {
		if a.c.names[i] == name {
			name, i = `"n`+name[1:], -1
		}
	}
	return name
}

// among returns the condition that a row's values are those of one of the rows added.
func (a *arrays) among(c *columns, positions []int) string {
	return "(" + c.list(positions, "") + ") IN (SELECT " + c.list(positions, "v.") + " FROM " + a.from(false) + ")"
}
