package postgres

import (
	"encoding/hex"
	"strconv"
	"strings"

	"wherry/pkg/schema"
)

// columnDefault carries a default. One that PostgreSQL cannot hold is dropped, by a loss: then INSERT has to name the
// column, or it is NULL.
func (m *mapping) columnDefault(source, c *schema.Column) {
	if source.Default == nil || source.Default.Null || source.AutoIncrement {
		return
	}
	if !source.Default.Literal {
		m.defaultExpression(source, c)
		return
	}
	text, ok := m.literal(&source.Type, &c.Type, source.Default.Text)
	switch {
	case ok && c.Type.Kind == schema.Array:
		c.Default = &schema.Default{Text: text}
	case ok:
		c.Default = &schema.Default{Literal: true, Text: text}
	case zeroDate(&source.Type, source.Default.Text):
		m.lose("zero-date", source.Name, "the default %s is dropped: PostgreSQL has no such date", source.Default.Text)
	default:
		m.lose("default-expression", source.Name, "the default %s is dropped: %s cannot hold it", source.Default.Text,
			c.Type.Text)
	}
}

// literal returns the value of a default as PostgreSQL prints it for a type; ok is false when it cannot be held. The
// literal of an array is an expression.
func (m *mapping) literal(source, to *schema.Type, text string) (value string, ok bool) {
	switch to.Kind {
	case schema.Boolean:
		return boolean(text)
	case schema.Bit:
		return bits(text, to.Size)
	case schema.Blob:
		return byteLiteral(source, text), source.Kind != schema.Geometry && source.Kind != schema.Vector
	case schema.UUID:
		return uuidLiteral(source, text)
	case schema.Array:
		return arrayLiteral(text), source.Kind == schema.Set
	case schema.Date, schema.Datetime, schema.Timestamp:
		return momentLiteral(to, text), !zeroDate(source, text)
	case schema.Interval:
		return clockLiteral(text), true
	case schema.Time:
		return clockLiteral(text), !strings.HasPrefix(text, "-") && len(text) >= 8 && text[2] == ':' &&
			text < "24:00:01"
	case schema.JSON:
		return jsonLiteral(text)
	case schema.Float, schema.Double:
		return floatLiteral(text, to.Size*8)
	case schema.Integer, schema.Decimal:
		return numberLiteral(text), to.Kind == schema.Decimal || fits(text, to.Size)
	default:
		return text, !strings.Contains(text, "\x00")
	}
}

func boolean(text string) (string, bool) {
	switch text {
	case "0":
		return "false", true
	case "1":
		return "true", true
	default:
		return "", false
	}
}

// bits fills the digits of a bit string to its size.
func bits(text string, size int) (string, bool) {
	if strings.Trim(text, "01") != "" || len(text) > size {
		return "", false
	}
	return strings.Repeat("0", size-len(text)) + text, true
}

// byteLiteral returns bytes as PostgreSQL prints them. BINARY fills its values with zero bytes.
func byteLiteral(source *schema.Type, text string) string {
	if source.Kind == schema.Binary && len(text) < source.Size {
		text += strings.Repeat("\x00", source.Size-len(text))
	}
	return `\x` + hex.EncodeToString([]byte(text))
}

// uuidLiteral returns a UUID with its hyphens, of text or of 16 bytes.
func uuidLiteral(source *schema.Type, text string) (string, bool) {
	digits := strings.ToLower(strings.ReplaceAll(text, "-", ""))
	if source.Kind == schema.Binary {
		digits = hex.EncodeToString([]byte(text))
	}
	if _, err := hex.DecodeString(digits); err != nil || len(digits) != 32 {
		return "", false
	}
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:], true
}

// arrayLiteral returns the array of a SET's labels, which have no commas.
func arrayLiteral(text string) string {
	if text == "" {
		return "ARRAY[]::text[]"
	}
	labels := strings.Split(text, ",")
	for i, label := range labels {
		labels[i] = Literal(label)
	}
	return "ARRAY[" + strings.Join(labels, ", ") + "]"
}

// momentLiteral returns a date or time as PostgreSQL prints it: without zeros at the end of a fraction, and with the
// zone of TIMESTAMPTZ, which is UTC in a session of ours.
func momentLiteral(to *schema.Type, text string) string {
	text = clockLiteral(text)
	if to.Kind == schema.Timestamp {
		return text + "+00"
	}
	return text
}

// clockLiteral drops zeros at the end of a fraction.
func clockLiteral(text string) string {
	if strings.Contains(text, ".") {
		return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// zeroDate tells whether a value is a date that no calendar has, such as 0000-00-00 or 2024-02-00.
func zeroDate(source *schema.Type, text string) bool {
	switch source.Kind {
	case schema.Date, schema.Datetime, schema.Timestamp:
		return len(text) < 10 || text[:4] == "0000" || text[5:7] == "00" || text[8:10] == "00"
	default:
		return false
	}
}

// numberLiteral drops the zeros that ZEROFILL puts before a number.
func numberLiteral(text string) string {
	sign, digits := "", text
	if strings.HasPrefix(text, "-") {
		sign, digits = "-", text[1:]
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" || digits[0] == '.' {
		digits = "0" + digits
	}
	return sign + digits
}

// floatLiteral returns a number as PostgreSQL prints those of floating point: the shortest digits that mean it, with
// an exponent from 15 digits on, of REAL from 6 on.
func floatLiteral(text string, bits int) (string, bool) {
	value, err := strconv.ParseFloat(text, bits)
	if err != nil {
		return "", false
	}
	scientific := strconv.FormatFloat(value, 'e', -1, bits)
	_, exponent, _ := strings.Cut(scientific, "e")
	power, most := 0, map[int]int{32: 6, 64: 15}[bits]
	if power, err = strconv.Atoi(exponent); err != nil || power < -4 || power >= most {
		return scientific, err == nil
	}
	return strconv.FormatFloat(value, 'f', -1, bits), true
}

// fits tells whether an integer's digits are a number of so many bytes.
func fits(text string, size int) bool {
	most := map[int]string{2: "32767", 4: "2147483647", 8: "9223372036854775807"}[size]
	digits := strings.TrimLeft(strings.TrimPrefix(text, "-"), "0")
	return len(digits) < len(most) || len(digits) == len(most) && digits <= most
}
