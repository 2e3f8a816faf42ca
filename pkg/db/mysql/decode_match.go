package mysql

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// match completes the column with what only the table's definition tells, and refuses a definition that the log's layout
// contradicts: the table has been changed since this place in the log.
func (c *decodeColumn) match(t *schema.Type) error {
	ok := false
	switch t.Kind {
	case schema.Integer:
		ok = c.kind == decodeInt && c.width == t.Size
		if t.Unsigned {
			c.kind = decodeUint
		}
	case schema.Decimal:
		ok = c.kind == decodeDecimal && c.size == t.Precision && c.scale == t.Scale
	case schema.Float:
		ok = c.kind == decodeFloat
	case schema.Double:
		ok = c.kind == decodeDouble
	case schema.Bit:
		ok = c.kind == decodeRaw && c.width == (t.Size+7)/8
	case schema.Char:
		ok = c.kind == decodeBinary
		c.kind = decodeVar
	case schema.Binary:
		ok = c.kind == decodeBinary && c.size == t.Size
	case schema.Varchar:
		ok = c.kind == decodeVar && c.size > 0 == (t.Size > 0)
	case schema.Varbinary:
		ok = c.kind == decodeVar && c.size == t.Size
	case schema.Text, schema.Blob, schema.Geometry, schema.Vector:
		ok = c.kind == decodeVar && c.size == 0 && c.prefix > 0
	case schema.JSON:
		ok = c.kind == decodeJSON || c.kind == decodeVar // MariaDB keeps JSON as text
	case schema.Enum, schema.Set:
		ok = c.kind == decodeEnum && t.Kind == schema.Enum || c.kind == decodeSet && t.Kind == schema.Set
		return c.matched(t, ok, c.encodeLabels(t))
	case schema.Date:
		ok = c.kind == decodeDate
	case schema.Year:
		ok = c.kind == decodeYear
	case schema.Time:
		ok = (c.kind == decodeTime || c.kind == decodeTime2) && c.scale == t.Scale
	case schema.Datetime:
		ok = (c.kind == decodeDatetime || c.kind == decodeDatetime2) && c.scale == t.Scale
	case schema.Timestamp:
		ok = (c.kind == decodeTimestamp || c.kind == decodeTimestamp2) && c.scale == t.Scale
	case schema.Other:
		return fmt.Errorf("%w: type %s is not known to be read from the binary log", db.ErrUnsupported, t.Name)
	}
	return c.matched(t, ok, nil)
}

func (c *decodeColumn) matched(t *schema.Type, ok bool, err error) error {
	if !ok {
		return fmt.Errorf("%w: schema at this position differs, the log has another type than %s", db.ErrUnsupported, t.Text)
	}
	return err
}

// encodeLabels turns labels into the column's own character set, in which SELECT prints them.
func (c *decodeColumn) encodeLabels(t *schema.Type) error {
	c.labels = make([][]byte, len(t.Labels))
	for i, label := range t.Labels {
		encoded, ok := encodeCharset(label, t.Charset)
		if !ok {
			return fmt.Errorf("%w: label %q in character set %s", db.ErrUnsupported, label, t.Charset)
		}
		c.labels[i] = encoded
	}
	c.comma, _ = encodeCharset(",", t.Charset)
	return nil
}

// encodeCharset turns text into a character set. ok is false when it cannot: only ASCII is known to be the same in
// the character sets that are not listed here.
func encodeCharset(text, charset string) (out []byte, ok bool) {
	switch charset {
	case "utf8mb4", "utf8mb3", "utf8", "binary", "":
		return []byte(text), true
	case "ucs2", "utf16":
		for _, unit := range utf16.Encode([]rune(text)) {
			out = binary.BigEndian.AppendUint16(out, unit)
		}
		return out, true
	case "utf16le":
		for _, unit := range utf16.Encode([]rune(text)) {
			out = binary.LittleEndian.AppendUint16(out, unit)
		}
		return out, true
	case "utf32":
		for _, r := range text {
			out = binary.BigEndian.AppendUint32(out, uint32(r)) //nolint:gosec // a code point
		}
		return out, true
	}
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case charset == "latin1":
			b, known := encodeLatin1(r)
			if !known {
				return nil, false
			}
			out = append(out, b)
		default:
			return nil, false
		}
	}
	return out, true
}

// encodeLatin1 encodes MySQL's latin1, which is Windows-1252 with its five gaps filled by their numbers (manual, "West
// European Character Sets").
func encodeLatin1(r rune) (byte, bool) {
	const upper = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
	if r >= 0xa0 && r <= 0xff {
		return byte(r), true
	}
	b := byte(0x80)
	for _, u := range upper {
		if u == r {
			return b, true
		}
		b++
	}
	return 0, false
}
