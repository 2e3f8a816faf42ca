package ddl

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// nothing is a statement that is about no base table: one on temporary tables.
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

// apply tells of tables that are not known too: whether they were there is not in the log.
func (s *dropTable) apply(*world) ([]Effect, error) {
	var effects []Effect
	for _, n := range s.names {
		effects = append(effects, Effect{Kind: Dropped, Name: n})
	}
	return effects, nil
}

// renameTable is RENAME TABLE; the pairs are done one after another.
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

// rename gives a table another name, and tells of it and of the tables whose foreign keys follow.
func (w *world) rename(from, to schema.Name) []Effect {
	before := w.table(from)
	children := w.children(from)
	effects := []Effect{{Kind: Renamed, Name: from, To: to}}
	w.changed[from] = nil
	w.changed[to] = nil
	if before != nil {
		after := w.under(before, to)
		w.changed[to] = after
		effects[0].After = after
		effects[0].Former = sameColumns(after)
	}
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

// under returns a table's shape under another name: what the server named after the table is named after the new
// name, and keys to the table itself are keys to the new name.
func (w *world) under(t *schema.Table, to schema.Name) *schema.Table {
	after := clone(t)
	after.Name = to
	for i, key := range after.ForeignKeys {
		after.ForeignKeys[i].Name = follow(key.Name, t.Name.Table, to.Table, "_ibfk_")
		if key.Parent == t.Name {
			after.ForeignKeys[i].Parent = to
		}
	}
	if w.ctx.Flavor.Family == schema.MySQL {
		for i, check := range after.Checks {
			after.Checks[i].Name = follow(check.Name, t.Name.Table, to.Table, "_chk_")
		}
	}
	return after
}

// follow renames a constraint that a server has named after its table.
func follow(name, from, to, infix string) string {
	if numbered(name, from, infix) > 0 {
		return to + name[len(from):]
	}
	return name
}

// numbered returns n of a name like table_ibfk_n, or 0.
func numbered(name, table, infix string) int {
	rest, ok := strings.CutPrefix(strings.ToLower(name), strings.ToLower(table+infix))
	n := 0
	if _, err := fmt.Sscanf(rest, "%d", &n); !ok || err != nil || fmt.Sprint(n) != rest {
		return 0
	}
	return n
}

func sameColumns(t *schema.Table) map[string]string {
	former := make(map[string]string, len(t.Columns))
	for i := range t.Columns {
		former[t.Columns[i].Name] = t.Columns[i].Name
	}
	return former
}
