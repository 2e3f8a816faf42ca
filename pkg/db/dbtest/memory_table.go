package dbtest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"wherry/pkg/charset"
	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// record is one version of a row, in the order of the table's columns. It never changes: another version is another
// record. So two records can be compared by address, and snapshots share them.
type record struct{ row db.Row }

// table holds committed rows. Its definition never changes: DDL replaces the whole table.
type table struct {
	family *family
	def    *schema.Table
	key    []int // nil: rows have hidden identifiers
	unique []unique
	rows   map[string]*record
	order  []string // keys in key order; nil: not sorted since the last change
	next   uint64   // automatic value
}

// unique is a unique index besides the key's. owners finds the row that has a value; a row with a NULL in the index
// is not in it.
type unique struct {
	name    string
	columns []int
	owners  map[string]string // values to key of the row
}

// newTable makes an empty table. The index that is the row key is not among the unique ones: rows are kept by it.
func newTable(f *family, def *schema.Table) *table {
	def.Flavor = schema.Flavor{Family: f.name}
	f.encode(def)
	t := &table{family: f, def: def, key: def.Key(), rows: map[string]*record{}, next: max(def.AutoIncrement, 1)}
	own := def.KeyIndex()
	for i := range def.Indexes {
		index := &def.Indexes[i]
		if !index.Unique || index == own {
			continue
		}
		u := unique{name: index.Name, owners: map[string]string{}}
		for _, part := range index.Parts {
			u.columns = append(u.columns, def.Column(part.Column))
		}
		t.unique = append(t.unique, u)
	}
	return t
}

// fill puts rows into a new table, or says which of them it cannot hold: a unique index that is added to rows with
// duplicates fails, as a real one does.
func (t *table) fill(keys []string, rows []*record) error {
	for i, rec := range rows {
		key := keys[i]
		if t.key != nil {
			key = encode(rec.row.Pick(t.key))
		}
		if t.rows[key] != nil {
			return fmt.Errorf("duplicate key %s of %s", show(rec.row.Pick(t.key)), t.def.Name)
		}
		for _, u := range t.unique {
			if v, ok := u.value(rec.row); ok && u.owners[v] != "" {
				return fmt.Errorf("duplicate entry %s for key %s of %s", show(rec.row.Pick(u.columns)), u.name,
					t.def.Name)
			}
		}
		t.set(key, rec)
	}
	return nil
}

// set makes key hold rec, or nothing when it is nil. A unique value is given up only if it is still this key's:
// within one commit another row may have got it already.
func (t *table) set(key string, rec *record) {
	before := t.rows[key]
	for _, u := range t.unique {
		if before != nil {
			if v, ok := u.value(before.row); ok && u.owners[v] == key {
				delete(u.owners, v)
			}
		}
		if rec != nil {
			if v, ok := u.value(rec.row); ok {
				u.owners[v] = key
			}
		}
	}
	if rec == nil {
		delete(t.rows, key)
	} else {
		t.rows[key] = rec
	}
	if (before == nil) != (rec == nil) {
		t.order = nil
	}
}

// sorted returns the keys in key order.
func (t *table) sorted() []string {
	if t.order == nil {
		t.order = slices.AppendSeq(make([]string, 0, len(t.rows)), maps.Keys(t.rows))
		slices.SortFunc(t.order, func(a, b string) int {
			if t.key == nil {
				return cmp.Compare(a, b)
			}
			return t.compare(t.key, t.rows[a].row.Pick(t.key), t.rows[b].row.Pick(t.key))
		})
	}
	return t.order
}

// compare orders values of columns as this server does: numbers by value, text by the family's order, all else by
// bytes.
func (t *table) compare(columns []int, a, b db.Row) int {
	for i, column := range columns {
		if c := t.family.compare(&t.def.Columns[column].Type, a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// compare orders two values of a type. Numbers beyond 64 bits, and decimals, are compared exactly: as floats two of
// them could be equal.
func (f *family) compare(typ *schema.Type, a, b []byte) int {
	switch {
	case typ.IsText():
		return f.order(a, b)
	case !typ.IsNumber():
		return bytes.Compare(a, b)
	}
	x, errX := strconv.ParseInt(string(a), 10, 64)
	y, errY := strconv.ParseInt(string(b), 10, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	p, okP := new(big.Rat).SetString(string(a))
	q, okQ := new(big.Rat).SetString(string(b))
	if !okP || !okQ {
		return bytes.Compare(a, b)
	}
	return p.Cmp(q)
}

// value returns what a row has in the index; ok is false when a NULL keeps it out of the competition.
func (u *unique) value(row db.Row) (v string, ok bool) {
	values := row.Pick(u.columns)
	if slices.ContainsFunc(values, func(v []byte) bool { return v == nil }) {
		return "", false
	}
	return encode(values), true
}

// encode makes different rows different strings, none of them empty. The lengths keep ("a", "bc") and ("ab", "c")
// apart.
func encode(row db.Row) string {
	var b strings.Builder
	for _, v := range row {
		if v == nil {
			b.WriteByte('~')
			continue
		}
		fmt.Fprintf(&b, "%d:%s", len(v), v)
	}
	return b.String()
}

// show writes values for messages.
func show(row db.Row) string {
	texts := make([]string, len(row))
	for i, v := range row {
		texts[i] = "NULL"
		if v != nil {
			texts[i] = strconv.Quote(string(v))
		}
	}
	return "(" + strings.Join(texts, ", ") + ")"
}

// checkRow refuses what a column cannot hold.
func checkRow(def *schema.Table, row db.Row) error {
	if len(row) != len(def.Columns) {
		return fmt.Errorf("write row of %s: %d values for %d columns", def.Name, len(row), len(def.Columns))
	}
	for i, v := range row {
		if err := checkValue(&def.Columns[i], v); err != nil {
			return fmt.Errorf("write row of %s: column %s: %w", def.Name, def.Columns[i].Name, err)
		}
	}
	return nil
}

// checkValue refuses a value that a real server would refuse in strict mode.
// length returns how many characters a text in a character set has; ok is false when it is none.
func length(of string, text []byte) (n int, ok bool) {
	set, known := charset.Find(of)
	if !known {
		return utf8.RuneCount(text), true
	}
	read, ok := set.Decode(nil, text)
	return utf8.RuneCount(read), ok
}

func checkValue(c *schema.Column, v []byte) error {
	if v == nil {
		if !c.Nullable {
			return fmt.Errorf("cannot be NULL")
		}
		return nil
	}
	var err error
	fits := true
	switch size := c.Type.Size; c.Type.Kind {
	case schema.Integer:
		bits := cmp.Or(size, 8) * 8
		if c.Type.Unsigned {
			_, err = strconv.ParseUint(string(v), 10, bits)
		} else {
			_, err = strconv.ParseInt(string(v), 10, bits)
		}
	case schema.Decimal:
		_, fits = new(big.Rat).SetString(string(v))
	case schema.Float, schema.Double:
		_, err = strconv.ParseFloat(string(v), 64)
	case schema.Char, schema.Varchar:
		n, ok := length(c.Type.Charset, v)
		fits = ok && (size == 0 || n <= size)
	case schema.Text:
		_, fits = length(c.Type.Charset, v)
	case schema.Binary, schema.Varbinary:
		fits = size == 0 || len(v) <= size
	case schema.Enum:
		fits = slices.Contains(c.Type.Labels, string(v))
	default:
	}
	if err != nil || !fits {
		return fmt.Errorf("cannot hold %.40q", v)
	}
	return nil
}
