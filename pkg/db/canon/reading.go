package canon

import (
	"bytes"
	"fmt"
	"strings"

	"wherry/pkg/charset"
	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Reading reads values of a source by the rules of its relation (see route.Rule): it is the one place where they are
// applied, for copy, replication and verification alike. It never changes, and may be used by several goroutines.
//
// Beyond an engine's doors all rows, keys and bounds are as they are read. Where an engine asks its server for them, it
// asks for Own ones. For example, the key 'é' of a table in latin1 is the byte E9 on its server, and the two bytes
// C3 A9 everywhere else: in the log of changes, in the ledger, and on the target.
type Reading struct {
	rel    *route.Relation
	values []value // by value; nil: all of them stay as they are
}

// value is the rule of one value, ready for use.
type value struct {
	rule       route.Rule
	from, into *charset.Set // nil: UTF-8
}

// NewReading returns how the rows of a source's relation are read. It is db.ErrUnsupported when this version does not
// know a character set.
func NewReading(rel *route.Relation) (*Reading, error) {
	r := &Reading{rel: rel}
	if rel.Rules == nil {
		return r, nil
	}
	r.values = make([]value, len(rel.Columns))
	for i := range rel.Columns {
		v := value{rule: rel.Rule(i)}
		for _, of := range []struct {
			name string
			set  **charset.Set
		}{{v.rule.Charset, &v.from}, {v.rule.Into, &v.into}} {
			if of.name == "" {
				continue
			}
			set, ok := charset.Find(of.name)
			if !ok {
				return nil, fmt.Errorf("%w: column %s of %s has character set %s, which this version cannot convert",
					db.ErrUnsupported, rel.Column(i).Name, rel.Name(), of.name)
			}
			*of.set = set
		}
		r.values[i] = v
	}
	return r, nil
}

// Changes tells whether value i has a rule.
func (r *Reading) Changes(i int) bool { return r.values != nil && r.values[i].rule != route.Rule{} }

// Shortens tells whether characters may be taken out of value i.
func (r *Reading) Shortens(i int) bool { return r.values != nil && r.values[i].rule.ZeroByte }

// Null tells whether value i is read as NULL.
func (r *Reading) Null(own []byte, i int) bool {
	return own == nil || r.values != nil && r.values[i].rule.ZeroDate && !IsDate(own)
}

// Append appends value i as it is read, unless it is Null. ok is false when it cannot be: then the row is refused,
// see Refuse.
func (r *Reading) Append(dst, own []byte, i int) (_ []byte, ok bool) {
	if !r.Changes(i) {
		return append(dst, own...), true
	}
	v := &r.values[i]
	if v.from != nil {
		if own, ok = convert(own, v.from, v.into); !ok {
			return dst, false
		}
	}
	if v.rule.ZeroByte && bytes.IndexByte(own, 0) >= 0 {
		own = bytes.ReplaceAll(own, []byte{0}, nil)
	}
	switch {
	case v.rule.Numeric:
		return AppendNumericForm(dst, own), true
	case v.rule.Form != schema.Other:
		return AppendForm(dst, own, v.rule.Form), true
	case v.rule.PlainZero && string(own) == "-0":
		return append(dst, '0'), true
	default:
		return append(dst, own...), true
	}
}

// convert returns a text in another character set.
func convert(text []byte, from, into *charset.Set) (_ []byte, ok bool) {
	out := make([]byte, 0, 2*len(text))
	if from != nil {
		if out, ok = from.Decode(out, text); !ok {
			return nil, false
		}
		text = out
	}
	if into == nil {
		return text, true
	}
	return into.Encode(make([]byte, 0, 2*len(text)), text)
}

// Row returns a row as it is read, in memory of its own where it changes.
func (r *Reading) Row(own db.Row) (db.Row, error) {
	if r.values == nil || own == nil {
		return own, nil
	}
	row := append(make(db.Row, 0, len(own)), own...)
	for i, v := range own {
		if v == nil || !r.Changes(i) {
			continue
		}
		if r.Null(v, i) {
			row[i] = nil
			continue
		}
		read, ok := r.Append([]byte{}, v, i)
		if !ok {
			return nil, r.Refuse(own, i)
		}
		row[i] = read
	}
	return row, nil
}

// Refuse is the error for a row of which value i cannot be read.
func (r *Reading) Refuse(own db.Row, i int) error {
	where := "a row without a key"
	if len(r.rel.Key) > 0 {
		key := make([]string, len(r.rel.Key))
		for j, at := range r.rel.Key {
			key[j] = fmt.Sprintf("%s = %.100q", r.rel.Column(at).Name, own[at])
		}
		where = "the row with " + strings.Join(key, ", ")
	}
	rule := r.rel.Rule(i)
	what := "is no text in character set " + rule.Charset + " that other character sets have exactly"
	if rule.Into != "" {
		what += ", such as " + rule.Into
	}
	return fmt.Errorf("%w: column %s of %s, in %s: %.100q %s", db.ErrUnsupported, r.rel.Column(i).Name, r.rel.Name(),
		where, own[i], what)
}

// Key returns a key as it is read.
func (r *Reading) Key(own db.Row) (db.Row, error) {
	if r.values == nil || own == nil {
		return own, nil
	}
	key := append(make(db.Row, 0, len(own)), own...)
	for j, at := range r.rel.Key {
		read, ok := r.Append([]byte{}, own[j], at)
		if !ok {
			row := make(db.Row, len(r.rel.Columns))
			for j, at := range r.rel.Key {
				row[at] = own[j]
			}
			return nil, r.Refuse(row, at)
		}
		key[j] = read
	}
	return key, nil
}

// Own returns a key as the source has it: what Key makes key of. ok is false when the source can have no such key, as
// when it has a character that the source's character set lacks.
func (r *Reading) Own(key db.Row) (own db.Row, ok bool) {
	if r.values == nil || key == nil {
		return key, true
	}
	own = append(make(db.Row, 0, len(key)), key...)
	for j, at := range r.rel.Key {
		if v := &r.values[at]; v.from != nil {
			if own[j], ok = convert(key[j], v.into, v.from); !ok {
				return nil, false
			}
		}
	}
	return own, true
}

// OwnKeys returns keys as the source has them, without those that it cannot have.
func (r *Reading) OwnKeys(keys []db.Row) []db.Row {
	if r.values == nil {
		return keys
	}
	own := make([]db.Row, 0, len(keys))
	for _, key := range keys {
		if k, ok := r.Own(key); ok {
			own = append(own, k)
		}
	}
	return own
}

// OwnRange returns a range as the source has it.
func (r *Reading) OwnRange(of db.Range) (db.Range, error) {
	after, okAfter := r.Own(of.After)
	upto, okUpto := r.Own(of.Upto)
	if !okAfter || !okUpto {
		return db.Range{}, fmt.Errorf("read a range of %s from %q to %q: the source can have no such key: %w",
			r.rel.Name(), of.After, of.Upto, db.ErrUnsupported)
	}
	return db.Range{After: after, Upto: upto}, nil
}

// Rows returns rows as they are read.
func (r *Reading) Rows(rows db.Rows) db.Rows {
	if r.values == nil {
		return rows
	}
	return &readRows{Rows: rows, by: r, texts: make([][]byte, len(r.values))}
}

type readRows struct {
	db.Rows
	by    *Reading
	row   db.Row
	texts [][]byte // by value, used again
}

// Next returns the next row.
func (r *readRows) Next() (db.Row, error) {
	own, err := r.Rows.Next()
	if err != nil {
		return nil, err
	}
	r.row = append(r.row[:0], own...)
	for i, v := range own {
		if v == nil || !r.by.Changes(i) {
			continue
		}
		if r.by.Null(v, i) {
			r.row[i] = nil
			continue
		}
		text, ok := r.by.Append(r.texts[i][:0], v, i)
		if !ok {
			return nil, r.by.Refuse(own, i)
		}
		if text == nil { // which would be NULL
			text = []byte{}
		}
		r.texts[i], r.row[i] = text, text
	}
	return r.row, nil
}
