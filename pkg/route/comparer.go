package route

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"

	"wherry/pkg/schema"
)

// A row filter is decided in two places: by the server when rows are copied, and here when they come from the log. The
// two must agree on every row, or a row is copied that the log never updates. So a type is listed here only if its
// comparison is known exactly; every other one is an error, and the filter is refused.

// reader reads the literals of a condition for one column, and has the comparison of its values with them.
type reader struct {
	by   comparer
	read func(node ast.ExprNode) (operand, error)
}

// use is the kind of comparison, on which some servers' rules depend.
type use struct {
	ordered bool // more than equality
	several bool // several literals at once, as in IN and BETWEEN
}

// comparerOf returns how values of a column compare with literals. It is an error if that is not known exactly:
// floating point numbers, for instance, print in fewer digits than they compare with.
func comparerOf(column *schema.Column, u use) (reader, error) {
	t := &column.Type
	switch t.Kind {
	case schema.Integer:
		if u.several { // IN and BETWEEN convert all literals to one type first, see readInteger
			return reader{compareNumber, func(n ast.ExprNode) (operand, error) { return readInteger(n, t) }}, nil
		}
		return reader{compareNumber, readNumber}, nil
	case schema.Decimal:
		return reader{compareNumber, readNumber}, nil
	case schema.Year:
		return reader{compareNumber, readYear}, nil
	case schema.Date:
		return reader{compareBytes, readDate}, nil
	case schema.Datetime, schema.Timestamp:
		return reader{compareBytes, func(n ast.ExprNode) (operand, error) { return readDatetime(n, t.Scale) }}, nil
	case schema.Time:
		return reader{compareTime, func(n ast.ExprNode) (operand, error) { return readTime(n, t.Scale) }}, nil
	case schema.Binary, schema.Varbinary, schema.Blob:
		return reader{compareBytes, readBytes}, nil
	case schema.Char, schema.Varchar, schema.Text:
		return comparerOfText(column)
	case schema.Enum:
		if u.ordered {
			return reader{}, fmt.Errorf("enum column %s compares with = and IN only", column.Name)
		}
		return comparerOfEnum(column)
	default:
		return reader{}, fmt.Errorf("column %s has type %s", column.Name, t.Text)
	}
}

// asciiCharsets are the character sets in which ASCII characters are their own bytes and no other character has such
// bytes. In sjis, for instance, the second byte of a character may be that of a backslash.
var asciiCharsets = []string{
	"ascii", "latin1", "latin2", "latin5", "latin7", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866",
	"greek", "hebrew", "koi8r", "koi8u", "utf8mb3", "utf8mb4",
}

// comparerOfText compares texts by their bytes, which is right for _bin collations only.
func comparerOfText(column *schema.Column) (reader, error) {
	t := &column.Type
	if !strings.HasSuffix(t.Collation, "_bin") {
		return reader{}, fmt.Errorf("column %s has collation %s, by which values with different bytes may be equal",
			column.Name, t.Collation)
	}
	if !slices.Contains(asciiCharsets, t.Charset) {
		return reader{}, fmt.Errorf("column %s has character set %s", column.Name, t.Charset)
	}
	// Of _bin collations only these two compare trailing spaces; for all others 'a' = 'a  '.
	by := comparePadded
	if strings.HasSuffix(t.Collation, "_0900_bin") || strings.HasSuffix(t.Collation, "_nopad_bin") {
		by = compareBytes
	}
	return reader{by, func(n ast.ExprNode) (operand, error) { return readText(n, t.Charset) }}, nil
}

// comparerOfEnum compares labels. Under a collation that is not binary, 'EU' also finds rows with 'eu'. Bytes give the
// same answer only if the literal is a label in the same letters, and no two labels are equal under the collation. The
// empty string is never a label here, since it also is how an enum's error value reads.
func comparerOfEnum(column *schema.Column) (reader, error) {
	t := &column.Type
	if !strings.HasSuffix(t.Collation, "_bin") && !distinctLabels(t) {
		return reader{}, fmt.Errorf("enum column %s has collation %s, by which its labels may be equal to "+
			"one another", column.Name, t.Collation)
	}
	read := func(node ast.ExprNode) (operand, error) {
		value, err := readText(node, t.Charset)
		if err == nil && (len(value.text) == 0 || !slices.Contains(t.Labels, string(value.text))) {
			return operand{}, fmt.Errorf("%q is no label of enum column %s", value.text, column.Name)
		}
		return value, err
	}
	return reader{compareBytes, read}, nil
}

// plainCollations are those, without their character set, under which two texts of ASCII letters and digits are equal
// only if they differ in nothing but case.
var plainCollations = []string{
	"general_ci", "unicode_ci", "unicode_520_ci", "0900_ai_ci", "0900_as_ci", "0900_as_cs", "swedish_ci",
	"uca1400_ai_ci", "uca1400_as_ci", "uca1400_as_cs", "uca1400_nopad_ai_ci", "uca1400_nopad_as_ci",
	"uca1400_nopad_as_cs",
}

// distinctLabels returns whether it is certain that no two labels are equal under the enum's collation: the collation
// is one of plainCollations, all labels are ASCII letters, digits and _, and they differ in more than case.
func distinctLabels(t *schema.Type) bool {
	if !slices.Contains(plainCollations, strings.TrimPrefix(t.Collation, t.Charset+"_")) {
		return false
	}
	// Only that of latin1 is known here; in other character sets swedish_ci is a collation of its own.
	if strings.HasSuffix(t.Collation, "swedish_ci") && t.Charset != "latin1" {
		return false
	}
	seen := map[string]bool{}
	for _, label := range t.Labels {
		for i := 0; i < len(label); i++ {
			c := label[i] | 0x20
			if (c < 'a' || c > 'z') && (label[i] < '0' || label[i] > '9') && label[i] != '_' {
				return false
			}
		}
		if folded := strings.ToLower(label); label == "" || seen[folded] {
			return false
		}
		seen[strings.ToLower(label)] = true
	}
	return true
}

func compareBytes(value []byte, o *operand) int { return bytes.Compare(value, o.text) }

// comparePadded compares as if the shorter side were filled with spaces (PAD SPACE, MySQL manual 12.10.1).
func comparePadded(value []byte, o *operand) int {
	n := min(len(value), len(o.text))
	if c := bytes.Compare(value[:n], o.text[:n]); c != 0 {
		return c
	}
	return againstSpaces(value[n:]) - againstSpaces(o.text[n:])
}

// againstSpaces compares the rest of a text with as many spaces: negative, zero or positive. A tab sorts before a
// space, so 'a\t' < 'a'.
func againstSpaces(rest []byte) int {
	for _, c := range rest {
		if c != ' ' {
			return int(c) - ' '
		}
	}
	return 0
}

// compareNumber compares integers and decimals of any length exactly, by their digits. A float64 would call
// 9007199254740993 and 9007199254740992 equal.
func compareNumber(value []byte, o *operand) int {
	negA, intA, fracA := splitNumber(value)
	negB, intB, fracB := splitNumber(o.text)
	switch {
	case negA && !negB:
		return -1
	case negB && !negA:
		return 1
	}
	c := len(intA) - len(intB) // without leading zeros the longer one is larger
	if c == 0 {
		c = bytes.Compare(intA, intB)
	}
	if c == 0 {
		c = bytes.Compare(fracA, fracB)
	}
	if negA {
		return -c
	}
	return c
}

// splitNumber returns a number's sign, its digits before the point without leading zeros and those after the point
// without trailing zeros: -007.50 is true, 7 and 5. Zero has no sign, so -0.0 equals 0.
func splitNumber(s []byte) (negative bool, whole, fraction []byte) {
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		negative, s = s[0] == '-', s[1:]
	}
	whole = s
	if point := bytes.IndexByte(s, '.'); point >= 0 {
		whole, fraction = s[:point], s[point+1:]
	}
	for len(whole) > 0 && whole[0] == '0' {
		whole = whole[1:]
	}
	for len(fraction) > 0 && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	return negative && len(whole)+len(fraction) > 0, whole, fraction
}

// compareTime compares TIME values as numbers, since as texts -02:00:00 would follow -01:00:00 and 100:00:00 precede
// 99:00:00.
func compareTime(value []byte, o *operand) int {
	ticks, _ := parseTime(value)
	switch {
	case ticks < o.ticks:
		return -1
	case ticks > o.ticks:
		return 1
	default:
		return 0
	}
}

// parseTime reads [-]HH:MM:SS[.ffffff], with two or three digits of hours, as microseconds: -00:00:01.5 is -1500000. ok
// is false for other forms, such as 1:2:3, and beyond 838 hours, the most that a TIME holds.
func parseTime(s []byte) (ticks int64, ok bool) {
	negative := len(s) > 0 && s[0] == '-'
	if negative {
		s = s[1:]
	}
	hours := bytes.IndexByte(s, ':')
	if hours != 2 && hours != 3 || len(s) < hours+6 || s[hours+3] != ':' {
		return 0, false
	}
	h, okH := digits(s[:hours])
	m, okM := digits(s[hours+1 : hours+3])
	sec, okS := digits(s[hours+4 : hours+6])
	ticks = (h*3600 + m*60 + sec) * 1000000
	ok = okH && okM && okS && h <= 838 && m < 60 && sec < 60
	if rest := s[hours+6:]; len(rest) > 0 {
		f, okF := digits(rest[1:])
		ok = ok && rest[0] == '.' && okF && len(rest) <= 7
		for n := len(rest); n < 7; n++ {
			f *= 10
		}
		ticks += f
	}
	if negative {
		ticks = -ticks
	}
	return ticks, ok
}

// digits reads one to nine digits, which cannot overflow; ok is false for anything else.
func digits(s []byte) (n int64, ok bool) {
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(s) > 0 && len(s) < 10
}
