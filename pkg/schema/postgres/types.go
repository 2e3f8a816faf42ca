package postgres

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// typeRule is one entry of Options.Types.
type typeRule struct {
	key    string // as the user wrote it
	column bool   // whether the key is db.table.column, in which * and ? stand for anything, rather than a type
	to     string
}

// newTypeRule reads an entry. A key with two dots or more means columns.
func newTypeRule(key, to string) (typeRule, error) {
	t := ParseType(to)
	if t.Kind == schema.Other {
		return typeRule{}, fmt.Errorf("%s: %q is no type that wherry writes", key, to)
	}
	r := typeRule{key: strings.ToLower(strings.TrimSpace(key)), column: strings.Count(key, ".") >= 2, to: t.Text}
	if !r.column && !knownSources[baseOf(r.key)] {
		return typeRule{}, fmt.Errorf("%s: neither a type of MySQL or MariaDB nor db.table.column", key)
	}
	return r, nil
}

// knownSources are the names of types that a key may have.
var knownSources = words(`tinyint smallint mediumint int bigint decimal float double bit char varchar binary varbinary
	tinytext text mediumtext longtext tinyblob blob mediumblob longblob enum set json date time datetime timestamp year
	geometry point linestring polygon multipoint multilinestring multipolygon geometrycollection vector uuid inet4
	inet6`)

func words(text string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		set[word] = true
	}
	return set
}

// baseOf returns the name of a type without what is in parentheses and behind.
func baseOf(text string) string {
	end := strings.IndexAny(text, "( ")
	if end < 0 {
		return text
	}
	return text[:end]
}

// override returns the type that a user asked for, or "".
func (m *mapping) override(source *schema.Column) string {
	text := m.asked(m.source.Name, source)
	if to := ParseType(text); text != "" && !convertible(&source.Type, &to) {
		m.fatal("type", source.Name, "types asks for %s, which cannot hold what %s holds", text, source.Type.Text)
		return ""
	}
	return text
}

// asked returns the type that the rules give a column. A rule for columns goes before one for types, and of several the
// one with the most letters that stand for themselves, which is the most particular.
func (d Dialect) asked(table schema.Name, c *schema.Column) string {
	best := -1
	for i := range d.rules {
		if d.rules[i].matches(table, c) && (best < 0 || d.rules[i].weight() > d.rules[best].weight()) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return d.rules[best].to
}

func (r *typeRule) weight() int {
	weight := len(r.key) - strings.Count(r.key, "*") - strings.Count(r.key, "?")
	if r.column {
		weight += 1 << 16
	}
	return weight
}

// matches tells whether a rule is for a column of a table.
func (r *typeRule) matches(table schema.Name, c *schema.Column) bool {
	if r.column {
		return matchesGlob(r.key, strings.ToLower(table.String()+"."+c.Name))
	}
	text := strings.ToLower(c.Type.Text)
	return r.key == text || r.key == baseOf(text) || r.key == baseOf(text)+" unsigned" && c.Type.Unsigned
}

// matchesGlob tells whether a text has the form of a pattern: * stands for any characters, ? for one.
func matchesGlob(pattern, text string) bool {
	star, mark, at, i := -1, 0, 0, 0
	for i < len(text) {
		switch {
		case at < len(pattern) && (pattern[at] == '?' || pattern[at] == text[i]) && pattern[at] != '*':
			at, i = at+1, i+1
		case at < len(pattern) && pattern[at] == '*':
			star, mark = at, i
			at++
		case star >= 0:
			mark++
			at, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[at:], "*") == ""
}

// Unused returns the entries of Options.Types for columns of which no table has one.
func (d Dialect) Unused(tables []*schema.Table) (keys []string) {
	for i := range d.rules {
		r := &d.rules[i]
		if r.column && !slices.ContainsFunc(tables, func(t *schema.Table) bool {
			return slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return r.matches(t.Name, &c) })
		}) {
			keys = append(keys, r.key)
		}
	}
	return keys
}

// convertible tells whether values of a type of the source can be those of a type here, each as itself. Which of them
// do not fit a smaller type is a loss of its own.
func convertible(source, to *schema.Type) bool {
	switch source.Kind {
	case schema.Integer:
		return to.Kind == schema.Integer || to.Kind == schema.Boolean && source.Size == 1 ||
			to.Kind == schema.Decimal && to.Scale == 0
	case schema.Decimal:
		return to.Kind == schema.Decimal && (to.Precision == 0 || to.Scale >= source.Scale &&
			to.Precision-to.Scale >= source.Precision-source.Scale)
	case schema.Bit:
		return to.Kind == schema.Boolean && source.Size == 1 || to.Kind == schema.Bit && to.Size == source.Size
	case schema.Char, schema.Varchar, schema.Text:
		return to.Kind == schema.Text || to.Kind == schema.Varchar && (to.Size == 0 || to.Size >= source.Size &&
			source.Kind != schema.Text) || to.Kind == schema.JSON || to.Kind == schema.UUID &&
			source.Kind != schema.Text
	case schema.Binary, schema.Varbinary, schema.Blob:
		return to.Name == "bytea" || to.Kind == schema.UUID && source.Kind == schema.Binary && source.Size == 16
	case schema.Enum:
		return to.Kind == schema.Text || to.Kind == schema.Varchar && to.Size == 0
	case schema.Set:
		return to.Kind == schema.Text || to.Name == "text[]"
	case schema.Year:
		return to.Kind == schema.Integer
	default:
		return to.Kind == schema.Text && to.Name == "text" && source.Kind != schema.Geometry &&
			source.Kind != schema.Vector || alike(source, to)
	}
}

// alike tells whether a type here is of the class that the source's is.
func alike(source, to *schema.Type) bool {
	switch source.Kind {
	case schema.Time:
		return to.Kind == schema.Time && to.Scale >= source.Scale ||
			to.Kind == schema.Interval && to.Scale >= source.Scale
	case schema.Datetime, schema.Timestamp:
		return to.Kind == source.Kind && to.Scale >= source.Scale
	case schema.INET4, schema.INET6:
		return to.Name == "inet"
	case schema.Geometry:
		return to.Name == "bytea" || to.Kind == schema.Geometry
	case schema.Vector:
		return to.Name == "real[]"
	case schema.Float, schema.Double, schema.Date, schema.JSON, schema.UUID:
		return to.Kind == source.Kind
	default:
		return false
	}
}
