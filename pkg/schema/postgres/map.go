package postgres

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// mapping is the work of one Map.
type mapping struct {
	Dialect
	source *schema.Table
	target *schema.Table
	losses []schema.Loss
	names  map[string]string // of columns: the source's in lower case -> PostgreSQL's
	held   map[string]bool   // constraints that need no CHECK of their own any more, see jsonText
}

// Map implements schema.Dialect. The rule for identifiers is applied to the names that it is given as well: whoever
// applied it before sees no change.
func (d Dialect) Map(source *schema.Table, to schema.Name, rename func(schema.Name) schema.Name) (*schema.Table,
	[]schema.Loss, error,
) {
	if source.Kind == schema.View || source.Kind == schema.Sequence {
		return nil, nil, fmt.Errorf("map %s: no base table", source.Name)
	}
	m := &mapping{Dialect: d, source: source, target: &schema.Table{
		Name: d.opts.Identifiers.Name(to), Comment: source.Comment, AutoIncrement: source.AutoIncrement,
		Flavor: schema.Flavor{Family: schema.PostgreSQL},
	}, held: map[string]bool{}}
	if err := m.nameColumns(); err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", source.Name, err)
	}
	if source.Kind == schema.SystemVersioned {
		m.fatal("system-versioning", "", "the history of a system-versioned table cannot be written, and is left "+
			"behind")
	}
	for i := range source.Columns {
		m.target.Columns = append(m.target.Columns, m.column(&source.Columns[i]))
	}
	for i := range source.Columns { // when the types of all are known
		m.generated(&source.Columns[i], &m.target.Columns[i])
		m.columnDefault(&source.Columns[i], &m.target.Columns[i])
	}
	m.checks()
	m.indexes()
	m.foreignKeys(rename)
	m.options()
	return m.target, m.losses, nil
}

func (m *mapping) record(grade schema.Grade, name, column, what string) {
	m.losses = append(m.losses, schema.Loss{Name: name, Table: m.source.Name, Column: column, What: what, Grade: grade})
}

// note records what makes no difference to rows, rules or the results of queries.
func (m *mapping) note(name, column, format string, args ...any) {
	m.record(schema.Note, name, column, fmt.Sprintf(format, args...))
}

// rare records what only certain values lose.
func (m *mapping) rare(name, column, format string, args ...any) {
	m.record(schema.Rare, name, column, fmt.Sprintf(format, args...))
}

// lose records what the user has to allow. The name is one of schema.LossNames.
func (m *mapping) lose(name, column, format string, args ...any) {
	m.record(schema.Lossy, name, column, fmt.Sprintf(format, args...))
}

// fatal records what cannot be allowed.
func (m *mapping) fatal(name, column, format string, args ...any) {
	m.record(schema.Fatal, name, column, fmt.Sprintf(format, args...))
}

// nameColumns gives every column its name. Two that become one are refused.
func (m *mapping) nameColumns() error {
	m.names = map[string]string{}
	of := map[string]string{}
	for i := range m.source.Columns {
		name := m.source.Columns[i].Name
		to := m.opts.Identifiers.Apply(name)
		if other, taken := of[strings.ToLower(to)]; taken {
			return fmt.Errorf("columns %s and %s would both be %s: rename one of them, or choose another rule for "+
				"identifiers", other, name, to)
		}
		if reservedColumns[to] {
			return fmt.Errorf("column %s has a name that PostgreSQL keeps for itself: rename it", name)
		}
		of[strings.ToLower(to)], m.names[strings.ToLower(name)] = name, to
	}
	return nil
}

// reservedColumns are the system columns, whose names no column can have (manual 5.5).
var reservedColumns = map[string]bool{
	"tableoid": true, "xmin": true, "cmin": true, "xmax": true, "cmax": true, "ctid": true,
}

// columnName returns the name that a column of the source has.
func (m *mapping) columnName(source string) string {
	if name, ok := m.names[strings.ToLower(source)]; ok {
		return name
	}
	return m.opts.Identifiers.Apply(source)
}

func (m *mapping) columnNames(source []string) []string {
	names := make([]string, len(source))
	for i, name := range source {
		names[i] = m.columnName(name)
	}
	return names
}

// options tells what else a table of the source has. Where and how rows are stored is the target's business.
func (m *mapping) options() {
	if m.source.Partition != "" {
		m.note("partition", "", "the table is one table without partitions")
	}
	for _, option := range m.source.Options {
		switch upper := strings.ToUpper(option); {
		case encrypted(upper):
			m.lose("encryption", "", "%s is dropped: the table is encrypted at rest only if PostgreSQL's disk is",
				option)
		case strings.HasPrefix(upper, "PERIOD FOR") && !strings.Contains(upper, "SYSTEM_TIME"):
			m.lose("period", "", "%s is dropped, and with it the rule that it begins before it ends", option)
		}
	}
}

// encrypted tells whether a table option says that rows are encrypted at rest.
func encrypted(option string) bool {
	name, value, _ := strings.Cut(strings.NewReplacer("`", "", "'", "", " ", "").Replace(option), "=")
	return (name == "ENCRYPTION" || name == "ENCRYPTED") && (value == "Y" || value == "YES" || value == "1")
}
