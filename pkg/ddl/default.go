package ddl

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// value returns a default that is no expression as a server keeps it, and what is unknown, or "". A server converts the
// literal to the column's type and prints the result: DEFAULT '2024-1-5' of a DATE is 2024-01-05.
func (w *world) value(d *defaultDef, t *schema.Type) (def *schema.Default, unsure string) {
	switch {
	case d.null:
		return &schema.Default{Null: true}, ""
	case d.now != "":
		return &schema.Default{Text: d.now}, ""
	}
	value, ok := d.literal(t)
	if ok && t.Kind == schema.Timestamp {
		value, ok = w.utc(value)
	}
	if !ok {
		return nil, fmt.Sprintf("what default the server makes of %.40q", d.lit.Text)
	}
	return &schema.Default{Literal: true, Text: value}, ""
}

// utc converts a TIMESTAMP from the session's time zone, in which the statement writes it, to UTC, in which shapes have
// it. The zero value is the same in every zone.
func (w *world) utc(local string) (utc string, ok bool) {
	const whole = len("2006-01-02 15:04:05")
	if strings.HasPrefix(local, "0000-00-00 00:00:00") {
		return local, true
	}
	if w.cat.UTC == nil || len(local) < whole {
		return "", false
	}
	utc, ok = w.cat.UTC(local[:whole])
	return utc + local[whole:], ok
}

// literal returns the text of a literal as a value of the type, a TIMESTAMP in the session's time zone. ok is false
// when that is unknown. Forms are checked strictly: whatever a server would round, cut or complete is unknown, apart
// from what is listed here.
func (d *defaultDef) literal(t *schema.Type) (value string, ok bool) {
	raw := d.lit.Text
	switch t.Kind {
	case schema.Integer, schema.Decimal, schema.Float, schema.Double, schema.Year:
		return d.number(t)
	case schema.Bit:
		return d.bits()
	case schema.Date, schema.Datetime, schema.Time:
		return d.moment(t)
	case schema.Timestamp:
		return d.moment(&schema.Type{Kind: schema.Datetime, Scale: t.Scale})
	case schema.Char, schema.Varchar, schema.Text, schema.Enum, schema.Set, schema.Binary, schema.Varbinary,
		schema.Blob:
		value, ok = d.characters(t)
	case schema.UUID:
		return strings.ToLower(raw), d.lit.Kind == sqltext.String && uuidForm.MatchString(raw)
	case schema.INET4:
		return raw, d.lit.Kind == sqltext.String && inet4Form.MatchString(raw)
	default:
		return "", false
	}
	// What the type does to a value: CHAR drops trailing spaces, BINARY fills up with zero bytes.
	switch t.Kind {
	case schema.Char:
		value = strings.TrimRight(value, " ")
	case schema.Binary:
		value += strings.Repeat("\x00", max(t.Size-len(value), 0))
	case schema.Enum:
		value, ok = label(t, value, ok)
	case schema.Set:
		return members(t, value, ok)
	default:
	}
	return value, ok
}

var (
	uuidForm    = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	inet4Form   = regexp.MustCompile(`^(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}$`)
	integerForm = regexp.MustCompile(`^-?[0-9]+$`)
	decimalForm = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
	realForm    = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?$`)
	momentForm  = regexp.MustCompile(`^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[ ` +
		`T]([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]{1,6}))?)?)?$`)
	timeForm = regexp.MustCompile(`^(-?)([0-9]{1,3}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?$`)
)

// number returns a numeric default. What the type would round is unknown: 1.005 of a DECIMAL(9,2), and more digits than
// a FLOAT prints.
func (d *defaultDef) number(t *schema.Type) (string, bool) {
	value := d.lit.Text
	switch d.lit.Kind {
	case sqltext.Bytes, sqltext.Bits:
		n, ok := d.integer()
		return n.String(), ok && t.Kind != schema.Year
	case sqltext.Number, sqltext.String:
	default:
		return "", false
	}
	if d.neg {
		value = "-" + value
	}
	whole, fraction, _ := strings.Cut(value, ".")
	switch t.Kind {
	case schema.Integer:
		return value, integerForm.MatchString(value)
	case schema.Year:
		return value, integerForm.MatchString(value) && len(value) == 4
	case schema.Decimal:
		return value, decimalForm.MatchString(value) && len(fraction) <= t.Scale
	case schema.Float, schema.Double:
		digits := 15
		if t.Kind == schema.Float {
			digits = 6
		}
		return value, realForm.MatchString(value) && len(whole)+len(fraction) <= digits && t.Precision == 0
	default:
		return "", false
	}
}

// integer returns the number of a literal in digits, bits or bytes: 0xff is 255.
func (d *defaultDef) integer() (*big.Int, bool) {
	n := new(big.Int)
	switch d.lit.Kind {
	case sqltext.Bytes:
		return n.SetBytes([]byte(d.lit.Text)), true
	case sqltext.Bits:
		return n.SetString("0"+d.lit.Text, 2)
	case sqltext.Number:
		return n.SetString(d.lit.Text, 10)
	default:
		return n, false
	}
}

// bits returns a default of a BIT column in binary digits, without leading zeros.
func (d *defaultDef) bits() (string, bool) {
	n, ok := d.integer()
	if !ok || n == nil || d.neg {
		return "", false
	}
	return n.Text(2), true
}

// characters returns a default of a text or binary column. Beyond ASCII the bytes depend on the character set of the
// connection that sent the statement, so a binary column's are unknown.
func (d *defaultDef) characters(t *schema.Type) (string, bool) {
	value := d.lit.Text
	switch d.lit.Kind {
	case sqltext.String:
		ascii := strings.IndexFunc(value, func(r rune) bool { return r >= 0x80 }) < 0
		return value, ascii || t.IsText() && shown(value)
	case sqltext.Number:
		if d.neg {
			value = "-" + value
		}
		return value, decimalForm.MatchString(value) && !leadingZero(d.lit.Text) && t.Kind != schema.Enum &&
			t.Kind != schema.Set
	case sqltext.Bytes:
		return value, strings.IndexFunc(value, func(r rune) bool { return r >= 0x80 || r < ' ' }) < 0 || t.IsBytes()
	case sqltext.Bits:
		n, ok := d.integer()
		return string(n.Bytes()), ok && (n.Sign() > 0 && n.BitLen() < 8 || t.IsBytes())
	default:
		return "", false
	}
}

// shown returns whether SHOW CREATE TABLE can print a text: it does so in utf8mb3.
func shown(s string) bool { return basic(s) == s }

// label returns the enum's label that a default names: the same one, else the only one that differs in case.
func label(t *schema.Type, value string, ok bool) (string, bool) {
	value = strings.TrimRight(value, " ")
	if slices.Contains(t.Labels, value) {
		return value, ok
	}
	found := slices.DeleteFunc(slices.Clone(t.Labels), func(l string) bool { return !strings.EqualFold(l, value) })
	if len(found) != 1 {
		return "", false
	}
	return found[0], ok
}

// members returns a set's value in the order of its labels: 'b,a' of SET('a','b') is a,b.
func members(t *schema.Type, value string, ok bool) (string, bool) {
	if value == "" {
		return "", ok
	}
	chosen := map[string]bool{}
	for _, member := range strings.Split(value, ",") {
		name, known := label(t, member, ok)
		ok = ok && known
		chosen[name] = true
	}
	var all []string
	for _, l := range t.Labels {
		if chosen[l] {
			all = append(all, l)
		}
	}
	return strings.Join(all, ","), ok
}

// moment returns a date, a time or both as servers print them: 20240105 and '2024-1-5' are 2024-01-05. More fractional
// digits than the type has would be rounded, so they are unknown.
func (d *defaultDef) moment(t *schema.Type) (string, bool) {
	value := d.lit.Text
	// A number is read by its digits: 8 are a date, 14 a date and time. Shorter ones have years of two digits.
	if d.lit.Kind == sqltext.Number && !d.neg {
		switch {
		case t.Kind != schema.Time && len(value) == 8:
			value = value[:4] + "-" + value[4:6] + "-" + value[6:]
		case t.Kind != schema.Time && len(value) == 14:
			value = value[:4] + "-" + value[4:6] + "-" + value[6:8] + " " + value[8:10] + ":" + value[10:12] + ":" +
				value[12:]
		case value == "0" && t.Kind == schema.Time:
			value = "00:00:00"
		case value == "0":
			value = "0000-00-00"
		default:
			return "", false
		}
	} else if d.lit.Kind != sqltext.String {
		return "", false
	}
	// TIME may have three digits of hours, and a sign.
	if t.Kind == schema.Time {
		m := timeForm.FindStringSubmatch(value)
		if m == nil || len(m[5]) > t.Scale {
			return "", false
		}
		return fmt.Sprintf("%s%02d:%s:%s%s", m[1], atoi(m[2]), m[3], m[4], fraction(m[5], t.Scale)), true
	}
	m := momentForm.FindStringSubmatch(value)
	if m == nil || len(m[7]) > t.Scale || t.Kind == schema.Date && m[4] != "" {
		return "", false
	}
	date := fmt.Sprintf("%s-%02d-%02d", m[1], atoi(m[2]), atoi(m[3]))
	if t.Kind == schema.Date {
		return date, true
	}
	return date + fmt.Sprintf(" %02d:%02d:%02d%s", atoi(m[4]), atoi(m[5]), atoi(m[6]), fraction(m[7], t.Scale)), true
}

// fraction completes fractional digits to the scale: ".500" for "5" at 3.
func fraction(digits string, scale int) string {
	if scale == 0 {
		return ""
	}
	return "." + digits + strings.Repeat("0", scale-len(digits))
}

// atoi reads digits that a pattern has checked.
func atoi(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
