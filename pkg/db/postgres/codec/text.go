package codec

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"

	"wherry/pkg/schema"
)

// unicode are the character sets whose bytes are those of UTF-8.
var unicode = []string{"", "utf8mb4", "utf8mb3", "utf8", "ascii"}

// text holds characters, and every value whose canonical bytes are characters.
func text(value, column *schema.Type) (Codec, bool) {
	if value.IsBytes() || value.IsText() && !slices.Contains(unicode, value.Charset) {
		return Codec{}, false
	}
	c := Codec{OID: oidText, Encode: appendText}
	short := (value.Kind == schema.Char || value.Kind == schema.Varchar) && value.Size <= column.Size
	if column.Name == "varchar" && column.Size > 0 && !short {
		c.Encode = limited(column.Size)
	}
	return c, true
}

// appendText refuses bytes that are no characters, and 0x00.
func appendText(dst, v []byte) ([]byte, error) {
	if err := characters(v); err != nil {
		return nil, err
	}
	return append(dst, v...), nil
}

func characters(v []byte) error {
	if bytes.IndexByte(v, 0) >= 0 {
		return &ValueError{
			Why:  "it has the character 0x00, which text of PostgreSQL does not hold",
			Loss: schema.ZeroByte,
		}
	}
	if !utf8.Valid(v) {
		return &ValueError{
			Why: "its bytes are no characters of its character set",
			Fix: "mend the value on the source, or give the column type bytea on the target",
		}
	}
	return nil
}

// limited refuses text that is too long. PostgreSQL cuts spaces at the end without a word.
func limited(size int) Func {
	return func(dst, v []byte) ([]byte, error) {
		if n := utf8.RuneCount(v); n > size {
			return nil, &ValueError{Why: fmt.Sprintf("it has %d characters, and the column takes %d", n, size)}
		}
		return appendText(dst, v)
	}
}

// bytea holds any bytes, also those of text in any character set.
func bytea(value *schema.Type) (Codec, bool) {
	switch {
	case value.IsBytes(), value.Kind == schema.Char, value.Kind == schema.Varchar, value.Kind == schema.Text:
		return Codec{OID: oidBytea}, true
	default:
		return Codec{}, false
	}
}

// bits are a number of bits and their bytes; the first bit is the highest of the first byte, while the last bit of
// MySQL is the lowest of the last byte.
func bits(value, column *schema.Type) (Codec, bool) {
	n := value.Size
	if value.Kind != schema.Bit || n < 1 || column.Name == "bit" && column.Size != n {
		return Codec{}, false
	}
	width, shift := (n+7)/8, (8-n%8)%8
	return Codec{
		OID: oidVarbit, // also for bit: bit[] is an array of single bits, to which values are cut without a word
		Encode: func(dst, v []byte) ([]byte, error) {
			if len(v) != width || v[0]>>(8-shift) != 0 && shift > 0 {
				return nil, &ValueError{Why: fmt.Sprintf("%x is not %d bits", v, n)}
			}
			dst = appendInteger(dst, int64(n), 4)
			for i := range v {
				b := v[i] << shift
				if i+1 < width {
					b |= v[i+1] >> (8 - shift)
				}
				dst = append(dst, b)
			}
			return dst, nil
		},
		Decode: func(dst, field []byte) ([]byte, error) {
			if len(field) != 4+width || int(field[2])<<8|int(field[3]) != n || field[0]|field[1] != 0 {
				return unknown(dst, field)
			}
			field = field[4:]
			for i := range field {
				b := field[i] >> shift
				if i > 0 {
					b |= field[i-1] << (8 - shift)
				}
				dst = append(dst, b)
			}
			return dst, nil
		},
	}, true
}

// jsonb is text behind the number of its form. A document that arrives is in the form in which jsonb prints it.
func jsonb(value *schema.Type) (Codec, bool) {
	c := Codec{
		OID: oidJSONB,
		Encode: func(dst, v []byte) ([]byte, error) {
			if err := document(v); err != nil {
				return nil, err
			}
			return append(append(dst, 1), v...), nil
		},
		Decode: func(dst, field []byte) ([]byte, error) {
			if len(field) == 0 || field[0] != 1 {
				return unknown(dst, field)
			}
			return append(dst, field[1:]...), nil
		},
	}
	return c, holdsDocuments(value)
}

// plainJSON keeps the text of a document.
func plainJSON(value *schema.Type) (Codec, bool) {
	return Codec{OID: oidJSON, Encode: func(dst, v []byte) ([]byte, error) {
		if err := characters(v); err != nil {
			return nil, err
		}
		return append(dst, v...), nil
	}}, holdsDocuments(value)
}

func holdsDocuments(value *schema.Type) bool {
	return value.Kind == schema.JSON || value.Kind == schema.Text && slices.Contains(unicode, value.Charset)
}

// document refuses what jsonb does not hold though it is JSON.
func document(v []byte) error {
	if err := characters(v); err != nil {
		return err
	}
	for rest := v; ; {
		at := bytes.Index(rest, []byte(`\u0000`))
		if at < 0 {
			return nil
		}
		slashes := 0
		for at-slashes > 0 && rest[at-slashes-1] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return &ValueError{
				Why: `it has the character \u0000, which jsonb does not hold`, Loss: schema.ZeroByte,
				Fix: "give the column type json on the target",
			}
		}
		rest = rest[at+6:]
	}
}

// uuid is sixteen bytes.
func uuid(value *schema.Type) (Codec, bool) {
	c := Codec{OID: oidUUID}
	switch value.Kind {
	case schema.Binary, schema.Varbinary:
		c.Encode = func(dst, v []byte) ([]byte, error) {
			if len(v) != 16 {
				return nil, &ValueError{Why: fmt.Sprintf("it has %d bytes, and a uuid has 16", len(v))}
			}
			return append(dst, v...), nil
		}
	case schema.UUID, schema.Char, schema.Varchar:
		c.Encode, c.Decode = encodeUUID, decodeUUID
	default:
		return c, false
	}
	return c, true
}

// encodeUUID reads 8-4-4-4-12 digits in lower case: written otherwise they would not come back as they were.
func encodeUUID(dst, v []byte) ([]byte, error) {
	if len(v) != 36 {
		return nil, noUUID(v)
	}
	high, half := byte(0), false
	for i, c := range v {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return nil, noUUID(v)
			}
			continue
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		default:
			return nil, noUUID(v)
		}
		if half {
			dst = append(dst, high<<4|c)
		}
		high, half = c, !half
	}
	return dst, nil
}

func noUUID(v []byte) error {
	return &ValueError{Why: fmt.Sprintf("%q is no uuid in lower case", v)}
}
