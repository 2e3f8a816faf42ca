// Package codec turns canonical bytes (see package db) of a source's column into the binary form in which PostgreSQL
// takes and gives values of the target's column, and back.
//
// Its one invariant: what Encode takes, Decode gives back, byte for byte; a value for which that does not hold is an
// error of Encode. Decode takes whatever PostgreSQL may hold: what no source column can be is written so that it is
// equal to no value of the source. It knows no connection, and no rule by which a value was changed before.
package codec

import (
	"fmt"

	"wherry/pkg/schema"
)

// Func appends the other form of a value to dst. The value is not NULL.
type Func func(dst, value []byte) ([]byte, error)

// Codec is how the values of one column travel.
type Codec struct {
	// Encode writes the binary field of a column; nil: the canonical bytes are the field.
	Encode Func
	// Decode writes canonical bytes; nil: the field is them.
	Decode Func
	// Param writes a value as an element of an array that is a parameter, of the type OID; nil: as Encode does. Where
	// the column's type is itself an array it is text, because unnest() would take an array of arrays apart.
	Param Func
	OID   uint32
	// Cast is the type that an element has to be cast to before it is put into the column or compared with it; empty:
	// none.
	Cast string
}

// ValueError is a value that the column does not hold as it is.
type ValueError struct {
	Why string
	// Loss is the loss that lets such a value be changed; empty: there is none.
	Loss string
	// Fix is what else helps, in words; empty: nothing.
	Fix string
}

// Error implements error.
func (e *ValueError) Error() string { return e.Why }

// New returns how values of a source's column travel to and from a column of PostgreSQL. value is the type whose
// canonical bytes they are.
func New(value, column *schema.Type) (Codec, error) {
	if build, ok := builders[column.Name]; ok {
		if c, ok := build(value, column); ok {
			return c, nil
		}
		return Codec{}, fmt.Errorf("no way to carry %s into %s", value.Text, column.Text)
	}
	// A type that users have made: an enum, a domain of text, citext.
	if c, ok := text(value, column); ok {
		c.Cast = column.Text
		return c, nil
	}
	return Codec{}, fmt.Errorf("no way to carry %s into %s", value.Text, column.Text)
}

// builders are the types of PostgreSQL by their base names.
var builders = map[string]func(value, column *schema.Type) (Codec, bool){
	"smallint":         func(v, _ *schema.Type) (Codec, bool) { return integer(v, 2, oidInt2) },
	"integer":          func(v, _ *schema.Type) (Codec, bool) { return integer(v, 4, oidInt4) },
	"bigint":           func(v, _ *schema.Type) (Codec, bool) { return integer(v, 8, oidInt8) },
	"numeric":          numeric,
	"real":             func(v, _ *schema.Type) (Codec, bool) { return float(v, 4, oidFloat4) },
	"double precision": func(v, _ *schema.Type) (Codec, bool) { return float(v, 8, oidFloat8) },
	"boolean":          func(v, _ *schema.Type) (Codec, bool) { return boolean(v) },
	"bit":              bits,
	"varbit":           bits,
	"bit varying":      bits,
	"varchar":          text,
	"text":             text,
	"bytea":            func(v, _ *schema.Type) (Codec, bool) { return bytea(v) },
	"date":             func(v, _ *schema.Type) (Codec, bool) { return date(v) },
	"timestamp":        func(v, c *schema.Type) (Codec, bool) { return moment(v, c, oidTimestamp) },
	"timestamptz":      func(v, c *schema.Type) (Codec, bool) { return moment(v, c, oidTimestamptz) },
	"time":             clock,
	"interval":         func(v, _ *schema.Type) (Codec, bool) { return interval(v) },
	"jsonb":            func(v, _ *schema.Type) (Codec, bool) { return jsonb(v) },
	"json":             func(v, _ *schema.Type) (Codec, bool) { return plainJSON(v) },
	"uuid":             func(v, _ *schema.Type) (Codec, bool) { return uuid(v) },
	"inet":             func(v, _ *schema.Type) (Codec, bool) { return inet(v) },
	"text[]":           func(v, _ *schema.Type) (Codec, bool) { return labels(v) },
	"real[]":           func(v, _ *schema.Type) (Codec, bool) { return vector(v) },
	"geometry":         geometry,
}

// Numbers of types (PostgreSQL source, catalog/pg_type.dat). They never change.
const (
	oidBool        = 16
	oidBytea       = 17
	oidInt8        = 20
	oidInt2        = 21
	oidInt4        = 23
	oidText        = 25
	oidJSON        = 114
	oidFloat4      = 700
	oidFloat8      = 701
	oidInet        = 869
	oidDate        = 1082
	oidTime        = 1083
	oidTimestamp   = 1114
	oidTimestamptz = 1184
	oidInterval    = 1186
	oidVarbit      = 1562
	oidNumeric     = 1700
	oidUUID        = 2950
	oidJSONB       = 3802
)

// arrays are the types of arrays of a type.
var arrays = map[uint32]uint32{
	oidBool: 1000, oidBytea: 1001, oidInt8: 1016, oidInt2: 1005, oidInt4: 1007, oidText: 1009, oidJSON: 199,
	oidFloat4: 1021, oidFloat8: 1022, oidInet: 1041, oidDate: 1182, oidTime: 1183, oidTimestamp: 1115,
	oidTimestamptz: 1185, oidInterval: 1187, oidVarbit: 1563, oidNumeric: 1231, oidUUID: 2951,
	oidJSONB: 3807,
}

// Array returns the type of a parameter that has elements of the codec's type.
func (c *Codec) Array() uint32 { return arrays[c.OID] }

// AppendElement appends a value as an element of an array: its length and what Param makes of it. nil is NULL.
func (c *Codec) AppendElement(dst, value []byte) ([]byte, error) {
	f := c.Param
	if f == nil {
		f = c.Encode
	}
	return appendField(dst, value, f)
}

// AppendField appends a value as a field of COPY's binary form: its length and what Encode makes of it. nil is NULL.
func (c *Codec) AppendField(dst, value []byte) ([]byte, error) {
	return appendField(dst, value, c.Encode)
}

func appendField(dst, value []byte, f Func) (_ []byte, err error) {
	if value == nil {
		return append(dst, 0xff, 0xff, 0xff, 0xff), nil
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if f == nil {
		dst = append(dst, value...)
	} else if dst, err = f(dst, value); err != nil {
		return nil, err
	}
	return putLength(dst, at)
}

// putLength writes the length of what follows at a place, and refuses what no field can be.
func putLength(dst []byte, at int) ([]byte, error) {
	n := len(dst) - at - 4
	if n >= maxField {
		return nil, &ValueError{Why: fmt.Sprintf("the value has %d bytes, and PostgreSQL takes less than 1 GiB", n)}
	}
	dst[at], dst[at+1], dst[at+2], dst[at+3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	return dst, nil
}

// maxField is the size that no value reaches (PostgreSQL manual, "Appendix K. PostgreSQL Limits").
const maxField = 1<<30 - 8
