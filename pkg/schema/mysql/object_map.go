package mysql

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"wherry/pkg/schema"
)

// objectMapping is the work of one MapObject.
type objectMapping struct {
	dialect
	places   schema.Places
	source   *schema.Object
	target   *schema.Object
	home     string // the database that the target is in
	crossing bool
	remarks  []schema.Remark
}

// MapObject implements schema.Dialect.
func (d dialect) MapObject(source *schema.Object, places schema.Places) (*schema.Object, []schema.Remark) {
	target := *source
	m := &objectMapping{
		dialect: d, places: places, source: source, target: &target,
		crossing: source.Flavor.Family.Across(d.flavor.Family),
	}
	target.Definition, target.Flavor = "", schema.Flavor(d.flavor)
	if m.possible() {
		m.place()
		m.definer()
		m.session()
		target.Schedule = m.translate(source.Schedule)
		target.Body = m.translate(source.Body)
		target.Session.Database = m.home
	}
	return &target, m.remarks
}

func (m *objectMapping) fatal(fix, format string, args ...any) {
	m.remarks = append(m.remarks, schema.Remark{Fatal: true, What: fmt.Sprintf(format, args...), Fix: fix})
}

func (m *objectMapping) note(fix, format string, args ...any) {
	m.remarks = append(m.remarks, schema.Remark{What: fmt.Sprintf(format, args...), Fix: fix})
}

// byHand is what to do about an object that is not moved.
const byHand = "create it on the target by hand, and take it out of the move with tables.exclude"

// possible returns whether the object can be on the target at all, and says why not.
func (m *objectMapping) possible() bool {
	switch o := m.source; {
	case o.Hidden != "":
		m.fatal("grant what is needed to see it, or leave its kind out of cutover.objects",
			"its definition cannot be read: %s", o.Hidden)
	case o.Kind == schema.Package:
		m.fatal(byHand, "packages are not moved")
	case o.Kind == schema.SequenceObject && m.flavor.Family == schema.MySQL:
		m.fatal("leave sequences out of cutover.objects", "%s has no sequences", m.flavor)
	case o.Language != "":
		m.fatal(byHand, "is written in %s; only routines in SQL are moved", o.Language)
	case o.Kind == schema.ViewObject && len(o.Columns) == 0:
		m.fatal("mend it, drop it, or exclude it", "is broken on the source: it reads something that is not there")
	case wide(o.Session.Charset) && !ascii(o.Definition):
		m.fatal("create it again there by a client with utf8mb4",
			"was created by a client with the character set %s, whose characters may hold quotes", o.Session.Charset)
	default:
		return true
	}
	return false
}

// wide returns whether a character set has characters of several bytes of which some are those of ASCII.
func wide(charset string) bool {
	return slices.Contains([]string{"big5", "gbk", "gb18030", "sjis", "cp932"}, charset)
}

// ascii returns whether a text has ASCII characters only.
func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// place finds where the object goes. Routes lead views and sequences like tables; a trigger goes with its table;
// routines and events keep their names, in the database that their own one becomes.
func (m *objectMapping) place() {
	o, t := m.source, m.target
	switch o.Kind {
	case schema.ViewObject, schema.SequenceObject:
		t.Name = m.places.Tables[o.Name]
	case schema.TriggerObject:
		t.Table = m.places.Tables[o.Table]
		t.Name.Database = t.Table.Database
	default:
		t.Name.Database = m.places.Homes[o.Name.Database]
	}
	m.home = t.Name.Database
	if o.Kind == schema.ViewObject { // functions may stand without their database in its text
		m.home = m.places.Homes[o.Name.Database]
	}
}

// definer sets whose the object will be. A sequence belongs to nobody.
func (m *objectMapping) definer() {
	if m.source.Kind == schema.SequenceObject {
		return
	}
	if !m.places.Definer.IsZero() || m.places.Current {
		m.target.Definer = m.places.Definer
	}
	if m.target.Definer.IsZero() {
		return
	}
	if m.target.Definer.Host == "" && m.flavor.Family == schema.MySQL {
		m.fatal("name an account in cutover.definer", "belongs to the role %s: on %s only accounts can be definers",
			m.target.Definer, m.flavor)
	}
}

// session translates the session that the object has to be created in. Text in a routine is compared by the collation
// that its session had, so another one is a change of behaviour, and is noted.
func (m *objectMapping) session() {
	s := &m.target.Session
	if m.flavor.HasUtf8mb3Names() {
		s.Charset = Modern(s.Charset)
	}
	if m.crossing {
		m.modes()
	}
	for _, c := range []struct {
		of    string
		value *string
	}{{"text in it", &s.Collation}, {"variables and parameters without one of their own", &s.DatabaseCollation}} {
		near := m.collations.nearest(Modern(*c.value), false)
		switch {
		case *c.value == "":
		case near == "":
			m.fatal(byHand, "%s has no collation like %s, by which the source compares %s", m.flavor, *c.value, c.of)
		case near != Modern(*c.value) && !sameCollation(Modern(*c.value), near):
			m.note("", "%s is compared by %s instead of %s", c.of, near, *c.value)
			fallthrough
		default:
			if !m.flavor.HasUtf8mb3Names() {
				near = oldCollation(near)
			}
			*c.value = near
		}
	}
	if m.source.Session.TimeZone == "SYSTEM" {
		m.note("", "its times are in the server's own time zone, SYSTEM: make sure that it is the same on the target")
	}
}

// modes translates sql_mode. Without a mode MySQL rounds fractions of seconds that a type has no room for, and
// MariaDB cuts them (MySQL manual, TIME_TRUNCATE_FRACTIONAL; MDEV-16991 TIME_ROUND_FRACTIONAL).
func (m *objectMapping) modes() {
	if m.source.Kind == schema.ViewObject || m.source.Kind == schema.SequenceObject {
		return
	}
	var kept []string
	rounds := m.source.Flavor.Family == schema.MySQL
	for _, mode := range strings.Split(m.source.Session.SQLMode, ",") {
		switch mode {
		case "", "NO_AUTO_CREATE_USER", "NO_KEY_OPTIONS", "NO_TABLE_OPTIONS", "NO_FIELD_OPTIONS",
			"IGNORE_BAD_TABLE_OPTIONS":
		case "TIME_TRUNCATE_FRACTIONAL":
			rounds = false
		case "TIME_ROUND_FRACTIONAL":
			rounds = true
		case "ORACLE", "MSSQL", "DB2", "MAXDB", "POSTGRESQL", "MYSQL323", "MYSQL40", "EMPTY_STRING_IS_NULL",
			"SIMULTANEOUS_ASSIGNMENT":
			m.fatal(byHand, "was created with sql_mode %s, which %s does not have", mode, m.flavor)
		default:
			kept = append(kept, mode)
		}
	}
	if mode := "TIME_ROUND_FRACTIONAL"; m.flavor.Family == schema.MariaDB && rounds && m.flavor.Version >= 100400 {
		kept = append(kept, mode)
	}
	if mode := "TIME_TRUNCATE_FRACTIONAL"; m.flavor.Family == schema.MySQL && !rounds && m.flavor.Version >= 80001 {
		kept = append(kept, mode)
	}
	m.target.Session.SQLMode = strings.Join(kept, ",")
}
