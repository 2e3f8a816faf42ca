package ddl

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// nothing is a statement on temporary tables: no base table changes.
type nothing struct{}

func (nothing) tables() []schema.Name          { return nil }
func (nothing) apply(*world) ([]Effect, error) { return nil, nil }

// truncateTable is TRUNCATE TABLE.
type truncateTable struct{ name schema.Name }

func (s *truncateTable) tables() []schema.Name { return []schema.Name{s.name} }

func (s *truncateTable) apply(*world) ([]Effect, error) {
	return []Effect{{Kind: Truncated, Name: s.name}}, nil
}

// dropTable is DROP TABLE.
type dropTable struct{ names []schema.Name }

func (s *dropTable) tables() []schema.Name { return s.names }

// apply returns an effect for unknown tables too: with IF EXISTS the log does not say which of them existed.
func (s *dropTable) apply(*world) ([]Effect, error) {
	var effects []Effect
	for _, n := range s.names {
		effects = append(effects, Effect{Kind: Dropped, Name: n})
	}
	return effects, nil
}

// renameTable is RENAME TABLE. The pairs are done one after another, so a later one may use a name that an earlier one
// freed: t TO x, u TO t, x TO u.
type renameTable struct{ pairs [][2]schema.Name }

func (s *renameTable) tables() []schema.Name {
	var names []schema.Name
	for _, pair := range s.pairs {
		names = append(names, pair[0], pair[1])
	}
	return names
}

func (s *renameTable) apply(w *world) ([]Effect, error) {
	var effects []Effect
	for _, pair := range s.pairs {
		effects = append(effects, w.rename(pair[0], pair[1])...)
	}
	return effects, nil
}

// rename gives a table another name. It returns that effect, and one for each table whose foreign keys follow: after
// `RENAME TABLE parent TO p2` child references p2, though the log has no statement of child.
func (w *world) rename(from, to schema.Name) []Effect {
	before := w.table(from)
	children := w.children(from)
	effects := []Effect{{Kind: Renamed, Name: from, To: to}}
	// Both names are known to hold nothing that the catalog has, even if the shape of the table is unknown.
	w.changed[from] = nil
	w.changed[to] = nil
	if before != nil {
		after := w.under(before, to)
		w.changed[to] = after
		effects[0].After = after
		effects[0].Former = sameColumns(after)
	}
	// Their rows stay as they are, and only the name of the parent in their definitions changes.
	for _, child := range children {
		after := clone(child)
		for i := range after.ForeignKeys {
			if after.ForeignKeys[i].Parent == from {
				after.ForeignKeys[i].Parent = to
			}
		}
		w.changed[child.Name] = after
		effects = append(effects, Effect{Kind: Altered, Name: child.Name, After: after, Former: sameColumns(after)})
	}
	return effects
}

// under returns a table's shape under another name. Constraints that the server named after the table follow it,
// t_ibfk_1 becoming u_ibfk_1, and foreign keys of the table to itself reference the new name.
func (w *world) under(t *schema.Table, to schema.Name) *schema.Table {
	after := clone(t)
	after.Name = to
	for i, key := range after.ForeignKeys {
		after.ForeignKeys[i].Name = follow(key.Name, t.Name.Table, to.Table, "_ibfk_")
		if key.Parent == t.Name {
			after.ForeignKeys[i].Parent = to
		}
	}
	// MariaDB's own names of checks, such as CONSTRAINT_1, do not have the table's name in them.
	if w.ctx.Flavor.Family == schema.MySQL {
		for i, check := range after.Checks {
			after.Checks[i].Name = follow(check.Name, t.Name.Table, to.Table, "_chk_")
		}
	}
	return after
}

// follow renames a constraint if a server has named it after its table. A name like t_ibfk_01 was given by a person.
func follow(name, from, to, infix string) string {
	if numbered(name, from, infix) > 0 {
		return to + name[len(from):]
	}
	return name
}

// numbered returns n of a name like table_ibfk_n, or 0 if the name is of another form.
func numbered(name, table, infix string) int {
	rest, ok := strings.CutPrefix(strings.ToLower(name), strings.ToLower(table+infix))
	n := 0
	if _, err := fmt.Sscanf(rest, "%d", &n); !ok || err != nil || fmt.Sprint(n) != rest {
		return 0
	}
	return n
}

// sameColumns returns the lineage of columns of which none has changed its name.
func sameColumns(t *schema.Table) map[string]string {
	former := make(map[string]string, len(t.Columns))
	for i := range t.Columns {
		former[t.Columns[i].Name] = t.Columns[i].Name
	}
	return former
}
