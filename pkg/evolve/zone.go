package evolve

import (
	"regexp"
	"slices"
	"strconv"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// within returns the definition to write in an ALTER of the table got, and the session to execute it in, so that the
// table becomes want and its rows get the values that the source's rows got.
//
// The hazard is the time zone. Shapes have defaults of TIMESTAMP columns in UTC. A server reads such a literal in the
// session's time zone, and uses the same zone to convert values of existing rows. So the session is UTC as a rule. But
// `ALTER TABLE t MODIFY at DATETIME`, where at was TIMESTAMP, writes the local time of the session's zone into every
// row. Then the session has the zone of the source's statement, and the literals are written in that zone:
//
//	DEFAULT '2024-01-01 00:00:00' (UTC) becomes DEFAULT '2024-01-01 01:00:00' under +01:00
func within(got, want *schema.Table, former map[string]string, at db.Moment) (*schema.Table, db.Moment, error) {
	if at.TimeZone == "" || !zoned(got, want, former) {
		at.TimeZone = ""
		return want, at, nil
	}
	out := *want
	out.Columns = slices.Clone(want.Columns)
	for i := range out.Columns {
		c := &out.Columns[i]
		if c.Type.Kind != schema.Timestamp || c.Default == nil || !c.Default.Literal {
			continue
		}
		text, ok := local(c.Default.Text, at.TimeZone)
		if !ok {
			return nil, at, unsupported("default %q of column %s of %s cannot be told in the time zone %s, "+
				"which the statement's values depend on", c.Default.Text, c.Name, want.Name, at.TimeZone)
		}
		own := *c.Default
		own.Text, c.Default = text, &own
	}
	return &out, at, nil
}

// zoned returns whether the ALTER gives rows values that depend on the session's time zone: by a conversion between
// TIMESTAMP and another type, by an expression as the default of a new column, or by a stored generated column.
func zoned(got, want *schema.Table, former map[string]string) bool {
	for i := range want.Columns {
		c := &want.Columns[i]
		was := got.Column(former[c.Name])
		switch {
		case was >= 0:
			if k := got.Columns[was].Type.Kind; k != c.Type.Kind && (k == schema.Timestamp ||
				c.Type.Kind == schema.Timestamp) {
				return true
			}
		case c.Default != nil && !c.Default.Literal && !c.Default.Null:
			return true
		}
		if c.Generated == schema.Stored {
			return true
		}
	}
	return false
}

// offset is a time zone by its distance from UTC, such as +05:30.
var offset = regexp.MustCompile(`^([+-])(\d{1,2}):(\d{2})$`)

// local converts a TIMESTAMP's text from UTC to a time zone; ok is false when it cannot. The zero value is no moment,
// and is the same in every zone. Fractions of seconds stay as they are.
func local(text, zone string) (converted string, ok bool) {
	const zero, layout = "0000-00-00 00:00:00", "2006-01-02 15:04:05"
	if len(text) < len(layout) || text[:len(zero)] == zero {
		return text, text != ""
	}
	place, known := location(zone)
	at, err := time.ParseInLocation(layout, text[:len(layout)], time.UTC)
	if !known || err != nil {
		return "", false
	}
	return at.In(place).Format(layout) + text[len(layout):], true
}

// location returns a time zone by its name on servers: an offset, or a name such as Europe/Berlin. SYSTEM is the zone
// of the source's operating system, which nobody here knows.
func location(zone string) (*time.Location, bool) {
	if found := offset.FindStringSubmatch(zone); found != nil {
		hours, _ := strconv.Atoi(found[2])
		minutes, _ := strconv.Atoi(found[3])
		seconds := hours*3600 + minutes*60
		if found[1] == "-" {
			seconds = -seconds
		}
		return time.FixedZone("UTC"+zone, seconds), true
	}
	if zone == "SYSTEM" {
		return nil, false
	}
	place, err := time.LoadLocation(zone)
	return place, err == nil
}
