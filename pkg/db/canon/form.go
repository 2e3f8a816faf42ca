package canon

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"wherry/pkg/schema"
)

// A text column may lead to a column whose server prints values in one way only: MySQL's JSON, MariaDB's UUID, INET6
// and INET4. The value is carried, its spelling cannot be: {"b":1,"a":2} comes back as {"a": 2, "b": 1}. So rows are
// read in the other server's spelling, wherever they are read from: by SELECT, from the log, and for checksums, which
// are computed here then. Otherwise verify would report every such row as a difference.

// AppendForm writes a text as a column of the given kind prints it. Text that such a column does not accept stays as
// it is: the target refuses it with an error that names the row.
func AppendForm(dst, text []byte, kind schema.Kind) []byte {
	switch kind {
	case schema.JSON:
		return appendDocument(dst, text, false)
	case schema.UUID:
		var whole [16]byte
		digits := bytes.ReplaceAll(text, []byte("-"), nil)
		if n, err := hex.Decode(whole[:], digits[:min(len(digits), 32)]); err == nil && n == len(whole) &&
			len(digits) == 32 {
			return AppendUUID(dst, &whole)
		}
	case schema.INET6:
		if address, err := netip.ParseAddr(string(text)); err == nil && address.Is6() && address.Zone() == "" {
			whole := address.As16()
			return AppendINET6(dst, &whole)
		}
	case schema.INET4:
		if address, err := netip.ParseAddr(string(text)); err == nil && address.Is4() {
			v := address.As4()
			return AppendINET4(dst, v[:])
		}
	default:
	}
	return append(dst, text...)
}

// AppendNumericForm writes a JSON text as PostgreSQL's jsonb prints it: the order of members is MySQL's, numbers keep
// all their digits.
func AppendNumericForm(dst, text []byte) []byte { return appendDocument(dst, text, true) }

func appendDocument(dst, text []byte, numeric bool) []byte {
	n, at := former{text: text, dst: dst, numeric: numeric}, len(dst)
	if n.value(0); n.space() < len(text) || n.bad {
		return append(n.dst[:at], text...)
	}
	return n.dst
}

// former writes a JSON text as MySQL prints the document that it makes of it (mysql-server
// sql-common/json_dom.cc): members by the length of their names and then by bytes, of members of one name the last,
// numbers as they are stored. A number that would be stored as another one is put into the document as it is (see
// appendDocument), as far as SQL's decimals go.
type former struct {
	text []byte
	at   int
	dst  []byte
	bad  bool

	numeric bool // numbers as PostgreSQL's numeric prints them
}

// Limits of MySQL: the depth of documents, the bytes of a member's name, and the digits of a decimal.
const (
	formDepth  = 100
	formName   = 65535
	formDigits = 65
	formScale  = 30
)

// space passes over blanks and returns the place behind them.
func (n *former) space() int {
	for n.at < len(n.text) && bytes.IndexByte([]byte(" \t\r\n"), n.text[n.at]) >= 0 {
		n.at++
	}
	return n.at
}

// next passes over blanks and returns the byte that follows, 0 at the end.
func (n *former) next() byte {
	if n.space() == len(n.text) {
		return 0
	}
	return n.text[n.at]
}

// expect passes over one byte that must come next.
func (n *former) expect(c byte) bool {
	if n.bad = n.bad || n.next() != c; n.bad {
		return false
	}
	n.at++
	return true
}

func (n *former) value(depth int) {
	switch c := n.next(); {
	case n.bad:
	case c == '{':
		n.object(depth + 1)
	case c == '[':
		n.array(depth + 1)
	case c == '"':
		text := n.name()
		n.dst = AppendJSONString(n.dst, text)
	case c == '-' || c >= '0' && c <= '9':
		n.number()
	default:
		n.word()
	}
}

func (n *former) word() {
	for _, word := range []string{"null", "true", "false"} {
		if bytes.HasPrefix(n.text[n.at:], []byte(word)) {
			n.at += len(word)
			n.dst = append(n.dst, word...)
			return
		}
	}
	n.bad = true
}

// array writes an array, with MySQL's blank behind each comma.
func (n *former) array(depth int) {
	n.bad = n.bad || depth > formDepth
	n.expect('[')
	n.dst = append(n.dst, '[')
	for first := true; !n.bad && n.next() != ']'; first = false {
		if !first {
			n.expect(',')
			n.dst = append(n.dst, ", "...)
		}
		n.value(depth)
	}
	n.expect(']')
	n.dst = append(n.dst, ']')
}

// formMember is a member of an object: its name, and where its value is among what was written.
type formMember struct {
	name       []byte
	begin, end int
}

// object writes members in MySQL's order. Values are written first, in the order of the text, and put into order
// afterwards: their lengths are not known before.
func (n *former) object(depth int) {
	n.bad = n.bad || depth > formDepth
	n.expect('{')
	var members []formMember
	from := len(n.dst)
	for first := true; !n.bad && n.next() != '}'; first = false {
		if !first {
			n.expect(',')
			n.next()
		}
		m := formMember{name: n.name()}
		n.bad = n.bad || len(m.name) > formName
		n.expect(':')
		m.begin = len(n.dst)
		n.value(depth)
		m.end = len(n.dst)
		members = append(members, m)
	}
	n.expect('}')
	slices.SortStableFunc(members, func(a, b formMember) int {
		if len(a.name) != len(b.name) {
			return len(a.name) - len(b.name)
		}
		return bytes.Compare(a.name, b.name)
	})
	values := slices.Clone(n.dst[from:])
	n.dst = append(n.dst[:from], '{')
	wrote := false
	for i, m := range members {
		if i+1 < len(members) && bytes.Equal(m.name, members[i+1].name) {
			continue // the last counts
		}
		if wrote {
			n.dst = append(n.dst, ", "...)
		}
		wrote = true
		n.dst = append(AppendJSONString(n.dst, m.name), ": "...)
		n.dst = append(n.dst, values[m.begin-from:m.end-from]...)
	}
	n.dst = append(n.dst, '}')
}

// name reads a string, of a name or a value, without its escapes.
func (n *former) name() (text []byte) {
	if !n.expect('"') {
		return nil
	}
	for n.at < len(n.text) {
		c := n.text[n.at]
		n.at++
		switch {
		case c == '"':
			return text
		case c < 0x20:
			n.bad = true
			return nil
		case c == '\\':
			text = n.escape(text)
		default:
			text = append(text, c)
		}
	}
	n.bad = true
	return nil
}

// escape reads what follows a backslash.
func (n *former) escape(text []byte) []byte {
	if n.at == len(n.text) {
		n.bad = true
		return text
	}
	c := n.text[n.at]
	n.at++
	if at := bytes.IndexByte([]byte(`"\/bfnrt`), c); at >= 0 {
		return append(text, "\"\\/\b\f\n\r\t"[at])
	}
	if c != 'u' {
		n.bad = true
		return text
	}
	r := n.unit()
	if utf16.IsSurrogate(r) {
		if n.bad = n.bad || !bytes.HasPrefix(n.text[n.at:], []byte(`\u`)); n.bad {
			return text
		}
		n.at += 2
		r = utf16.DecodeRune(r, n.unit())
		n.bad = n.bad || r == utf8.RuneError
	}
	return utf8.AppendRune(text, r)
}

// unit reads the four digits of \u.
func (n *former) unit() rune {
	if n.at+4 > len(n.text) {
		n.bad = true
		return 0
	}
	v, err := strconv.ParseUint(string(n.text[n.at:n.at+4]), 16, 16)
	n.bad = n.bad || err != nil
	n.at += 4
	return rune(v) //nolint:gosec // 16 bits
}

// number writes a number as it is stored: integers of 64 bits and decimals by their digits, everything else as a
// double. 1.0 is a double, because it reads back as itself; 1.10 is a decimal.
func (n *former) number() {
	begin := n.at
	n.at = NumberEnd(n.text, n.at)
	number := n.text[begin:n.at]
	if n.bad = n.bad || !isJSONNumber(number); n.bad {
		return
	}
	if n.numeric {
		n.dst = AppendNumeric(n.dst, number)
		return
	}
	digits := bytes.TrimPrefix(number, []byte("-"))
	whole, fraction, real := bytes.Cut(digits, []byte("."))
	switch {
	case bytes.ContainsAny(number, "eE"), real && PlainNumber(number), len(whole)+len(fraction) > formDigits,
		len(fraction) > formScale:
		v, err := strconv.ParseFloat(string(number), 64)
		n.bad = n.bad || err != nil // larger than a double
		n.dst = AppendJSONDouble(n.dst, v)
	case !real && string(digits) == "0":
		n.dst = append(n.dst, '0') // -0 is an integer
	default:
		n.dst = append(n.dst, number...)
	}
}
