package binlog

import (
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// match completes the column with what only the table's definition tells (whether bytes are text, whether a number has
// a sign, the labels). It refuses a definition that the log's layout contradicts: the table has been changed since this
// place in the log. The check is the last guard against reading rows by a wrong definition. It cannot be complete: an
// INT that became another INT looks the same, which is why schema changes are followed.
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
		ok = c.variable() && c.size > 0 == (t.Size > 0)
	case schema.Varbinary:
		ok = c.variable() && c.size == t.Size
	case schema.Text, schema.Blob:
		ok = c.variable() && c.size == 0 && c.prefix > 0
	case schema.Geometry, schema.Vector:
		ok = c.kind == decodeVar && c.size == 0 && c.prefix > 0
	case schema.UUID, schema.INET4, schema.INET6:
		ok = c.kind == decodeBinary && c.size == t.Size
		c.kind = map[schema.Kind]decodeKind{
			schema.UUID: decodeUUID, schema.INET4: decodeINET4, schema.INET6: decodeINET6,
		}[t.Kind]
	case schema.JSON:
		ok = c.kind == decodeJSON || c.kind == decodeVar // MariaDB keeps JSON as text
	case schema.Enum, schema.Set:
		ok = c.kind == decodeEnum && t.Kind == schema.Enum || c.kind == decodeSet && t.Kind == schema.Set
		return c.matched(t, ok, c.setLabels(t))
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
	case schema.Other, schema.Boolean, schema.Interval, schema.Array: // no column of these families has the last three
		return fmt.Errorf("%w: type %s is not known to be read from the binary log", db.ErrUnsupported, t.Name)
	}
	return c.matched(t, ok, nil)
}

// variable tells whether values are bytes of any length.
func (c *decodeColumn) variable() bool { return c.kind == decodeVar || c.kind == decodePacked }

// matched turns the outcome of a comparison into an error that names the type as the table has it.
func (c *decodeColumn) matched(t *schema.Type, ok bool, err error) error {
	if !ok {
		return fmt.Errorf("%w: schema at this position differs, the log has another type than %s", db.ErrUnsupported,
			t.Text)
	}
	return err
}

// setLabels keeps the labels as SELECT prints them.
func (c *decodeColumn) setLabels(t *schema.Type) error {
	if t.Unclear || t.Encoded == nil && !LabelsAsPrinted(t.Charset) {
		return fmt.Errorf("%w: labels of %s in character set %s", db.ErrUnsupported, t.Name, t.Charset)
	}
	if t.Encoded != nil {
		c.labels, c.comma = t.Encoded[:len(t.Labels)], t.Encoded[len(t.Labels)]
		return nil
	}
	c.comma = []byte(",")
	c.labels = make([][]byte, len(t.Labels))
	for i, label := range t.Labels {
		c.labels[i] = []byte(label)
	}
	return nil
}

// LabelsAsPrinted tells whether labels in a character set are the bytes that SHOW CREATE TABLE prints.
func LabelsAsPrinted(charset string) bool {
	switch charset {
	case "utf8mb4", "utf8mb3", "binary", "":
		return true
	default:
		return false
	}
}
