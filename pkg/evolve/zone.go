package evolve

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// within returns the definition to write, and the moment to write it as of, so that a table becomes want when its
// definition is got now.
//
// Shapes tell the defaults of TIMESTAMP columns in UTC, as they are read. Servers read such a literal in the session's
// time zone, and convert with it what rows hold already, and what the clock gives them. So the statement is executed in
// UTC, unless it gives rows values that depend on the session's own time zone: then the literals are told in that one.
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

// zoned tells whether rows get values that depend on the session's time zone: by a default that is worked out, or as
// another type.
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

var offset = regexp.MustCompile(`^([+-])(\d{1,2}):(\d{2})$`)

// local tells a TIMESTAMP's text in UTC as it is in a time zone.
func local(text, zone string) (string, bool) {
	const zero, layout = "0000-00-00 00:00:00", "2006-01-02 15:04:05"
	if len(text) < len(layout) || text[:len(zero)] == zero {
		return text, text != ""
	}
	place, ok := location(zone)
	at, err := time.ParseInLocation(layout, text[:len(layout)], time.UTC)
	if !ok || err != nil {
		return "", false
	}
	return at.In(place).Format(layout) + text[len(layout):], true
}

// location finds a time zone by its name on servers.
func location(zone string) (*time.Location, bool) {
	if found := offset.FindStringSubmatch(zone); found != nil {
		hours, _ := strconv.Atoi(found[2])
		minutes, _ := strconv.Atoi(found[3])
		seconds := hours*3600 + minutes*60
		if found[1] == "-" {
			seconds = -seconds
		}
		return time.FixedZone(fmt.Sprintf("UTC%s", zone), seconds), true
	}
	if zone == "SYSTEM" {
		return nil, false
	}
	place, err := time.LoadLocation(zone)
	return place, err == nil
}
