package mysql

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// mapping is the work of one Map: target starts as a copy of source and is changed until the server can hold it. Every
// change that could matter to anybody is recorded as a loss. Within one family little changes; between the families
// whatever is not known to mean the same on both is refused.
type mapping struct {
	dialect
	source   *schema.Table
	target   *schema.Table
	losses   []schema.Loss
	crossing bool     // between the two families
	standIns []string // columns of another type than the source's, besides JSON
}

// Map implements schema.Dialect.
func (d dialect) Map(source *schema.Table, to schema.Name,
	rename func(schema.Name) schema.Name,
) (*schema.Table, []schema.Loss, error) {
	if source.Kind == schema.View || source.Kind == schema.Sequence {
		return nil, nil, fmt.Errorf("map %s: no base table", source.Name)
	}
	m := &mapping{
		dialect: d, source: source, target: source.Clone(),
		crossing: source.Flavor.Family.Across(d.flavor.Family),
	}
	t := m.target
	t.Name, t.Flavor = to, schema.Flavor(d.flavor)
	t.Definition, t.Rows, t.Bytes = "", 0, 0
	if source.Kind == schema.SystemVersioned {
		m.fatal("system-versioning", "", "the history of a system-versioned table cannot be written, and is left "+
			"behind")
	}
	m.engine()
	t.DatabaseCollation = m.collations.nearest(Modern(source.DatabaseCollation), false) // without any, the server's
	t.Collation = m.tableCollation(t.Charset, t.Collation)
	for i := range t.Columns {
		m.column(&t.Columns[i])
	}
	m.checks()
	if t.Primary != nil {
		m.index(t.Primary)
	}
	m.withoutVectors()
	for i := range t.Indexes {
		m.index(&t.Indexes[i])
	}
	m.foreignKeys(rename)
	m.options()
	m.sessionPartitions()
	m.standInsUsed()
	return t, m.losses, nil
}

// record notes a loss; column is "" when the whole table is meant.
func (m *mapping) record(grade schema.Grade, name, column, what string) {
	m.losses = append(m.losses, schema.Loss{Name: name, Table: m.source.Name, Column: column, What: what, Grade: grade})
}

// note records what makes no difference to rows, rules or the results of queries.
func (m *mapping) note(name, column, format string, args ...any) {
	m.record(schema.Note, name, column, fmt.Sprintf(format, args...))
}

// lose records what the user has to allow. The name is one of LossNames.
func (m *mapping) lose(name, column, format string, args ...any) {
	m.record(schema.Lossy, name, column, fmt.Sprintf(format, args...))
}

// fatal records what cannot be allowed.
func (m *mapping) fatal(name, column, format string, args ...any) {
	m.record(schema.Fatal, name, column, fmt.Sprintf(format, args...))
}

// sharedEngines exist on both families.
var sharedEngines = wordSet("innodb myisam memory csv archive blackhole")

// engine carries the storage engine. Aria is not on MySQL, and InnoDB holds the same rows.
func (m *mapping) engine() {
	t := m.target
	engine := strings.ToLower(t.Engine)
	switch {
	case !m.crossing || sharedEngines[engine] || engine == "":
	case engine == "aria":
		m.lose("engine", "", "engine Aria becomes InnoDB")
		t.Engine = "InnoDB"
		if t.RowFormat == "PAGE" {
			t.RowFormat = ""
		}
	default:
		m.fatal("engine", "", "%s has no engine %s", m.flavor, t.Engine)
	}
	if m.crossing && t.RowFormat == "COMPRESSED" && engine != "innodb" {
		t.RowFormat = ""
	}
}

// charsets that only one family has.
var lonelyCharsets = map[string]bool{"gb18030": true}

// nearest returns what stands in for a collation on the target, or "" when that has nothing like it.
func (m *mapping) nearest(column, charset, collation string, key bool) string {
	if lonelyCharsets[charset] && m.flavor.Family == schema.MariaDB {
		m.fatal("charset", column, "%s has no character set %s", m.flavor, charset)
		return ""
	}
	near := m.collations.nearest(collation, key)
	switch {
	case near != "":
	case key:
		m.fatal("collation", column, "%s has no collation that tells apart what %s does, and two rows could become "+
			"one by a key over the column", m.flavor, collation)
	default:
		m.fatal("collation", column, "%s has no collation like %s", m.flavor, collation)
	}
	return near
}

// collation returns the collation of a column or expression on the target.
func (m *mapping) collation(column, charset, collation string) string {
	key := m.inKey(column)
	near := m.nearest(column, charset, collation, key)
	switch {
	case near == "":
		return collation
	case near == collation:
	case sameCollation(collation, near):
		m.note("collation", column, "collation %s becomes %s, which is the same by another name", collation, near)
	case key && !strings.HasSuffix(near, "bin"):
		m.lose("collation", column, "collation %s becomes %s: values may sort and compare differently; of two keys "+
			"that differ only in letters which the older one does not know the target may take one only, and the move "+
			"stops then", collation, near)
	default:
		m.lose("collation", column, "collation %s becomes %s: values may sort and compare differently", collation, near)
	}
	return near
}

// tableCollation returns the collation of columns that will be added later. It makes no difference to existing ones,
// which have collations of their own.
func (m *mapping) tableCollation(charset, collation string) string {
	near := m.nearest("", charset, collation, false)
	if near == "" {
		return collation
	}
	if near != collation {
		m.note("collation", "", "the default collation of columns that are added later, %s, becomes %s", collation,
			near)
	}
	return near
}

// expression returns an expression for the target, and refuses what that may read differently. A generated column that
// is computed differently would be another value in every row.
func (m *mapping) expression(subject, column, expr string) string {
	if !m.crossing || expr == "" {
		return expr
	}
	if name := foreignFunction(expr, m.flavor); name != "" {
		m.fatal("expression", column, "%s uses %s, which %s does not have or may read otherwise: change it to what "+
			"both have", subject, name, m.flavor)
	}
	return portable(expr, func(collation string) string {
		return m.collation(column, m.collations.Charset(collation), collation)
	})
}

// checks carries CHECK constraints. A family without them, or without unenforced ones, loses them.
func (m *mapping) checks() {
	t := m.target
	kept := t.Checks[:0]
	for _, check := range t.Checks {
		switch {
		case !m.flavor.HasChecks():
			m.lose("check", "", "CHECK (%s) is dropped: %s ignores it", check.Expr, m.flavor)
			continue
		case check.NotEnforced && !m.flavor.HasChecksNotEnforced():
			m.note("check", "", "CHECK (%s) NOT ENFORCED is dropped: %s has no such thing", check.Expr, m.flavor)
			continue
		}
		m.sessionCheck(&check)
		check.Expr = m.expression("CHECK", "", check.Expr)
		check.Name = m.checkName(check.Name)
		kept = append(kept, check)
	}
	t.Checks = kept
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Check == "" || m.flavor.HasColumnChecks() {
			continue
		}
		if m.flavor.HasChecks() {
			check := schema.Check{Name: m.freeCheckName(), Expr: c.Check}
			m.sessionCheck(&check)
			t.Checks = append(t.Checks, check)
		} else {
			m.lose("check", c.Name, "CHECK (%s) is dropped: %s ignores it", c.Check, m.flavor)
		}
		c.Check = ""
	}
}

// checkName renames constraints that a server named: MySQL's names hold the table's and must be unique in the
// database, MariaDB's are CONSTRAINT_1 and so on in every table.
func (m *mapping) checkName(name string) string {
	if number, ok := strings.CutPrefix(name, m.source.Name.Table+"_chk_"); ok {
		return ownName(m.target.Name.Table, "_chk_"+number)
	}
	if strings.HasPrefix(name, "CONSTRAINT_") && m.flavor.Family == schema.MySQL {
		return m.freeCheckName()
	}
	return name
}

// freeCheckName returns the first name of MySQL's pattern that neither a check read nor one made has.
func (m *mapping) freeCheckName() string {
	for n := 1; ; n++ {
		name := ownName(m.target.Name.Table, fmt.Sprintf("_chk_%d", n))
		taken := func(check schema.Check) bool { return strings.EqualFold(check.Name, name) }
		renamed := func(check schema.Check) bool {
			return strings.EqualFold(check.Name, fmt.Sprintf("%s_chk_%d", m.source.Name.Table, n))
		}
		if !slices.ContainsFunc(m.target.Checks, taken) && !slices.ContainsFunc(m.source.Checks, taken) &&
			!slices.ContainsFunc(m.source.Checks, renamed) {
			return name
		}
	}
}

// ownName returns table and suffix, cut to the 64 characters of an identifier.
func ownName(table, suffix string) string {
	runes := []rune(table)
	return string(runes[:min(len(runes), 64-len(suffix))]) + suffix
}

// foreignKeys gives parents their names on the target, and names that the server made the table's new name.
func (m *mapping) foreignKeys(rename func(schema.Name) schema.Name) {
	for i := range m.target.ForeignKeys {
		key := &m.target.ForeignKeys[i]
		if rename != nil {
			key.Parent = rename(key.Parent)
		}
		if number, ok := strings.CutPrefix(key.Name, m.source.Name.Table+"_ibfk_"); ok {
			key.Name = ownName(m.target.Name.Table, "_ibfk_"+number)
		}
	}
}
