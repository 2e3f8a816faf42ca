package postgres

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"wherry/pkg/schema"
)

// relation is what CatalogSQL tells of a table.
type relation struct {
	Schema, Name, Kind, Persistence, Comment string
	Rows, Bytes                              int64
	Columns                                  []catalogColumn
	Indexes                                  []catalogIndex
	Constraints                              []catalogConstraint
	Triggers                                 []string
}

type catalogColumn struct {
	Name, Type, Default, Identity, Generated, Collation, Comment, Next string
	NotNull                                                            bool
}

type catalogIndex struct {
	Name, Method, Comment, Predicate            string
	Primary, Unique, Valid, Deferred, Exclusion bool
	EqualNulls                                  bool `json:"equal_nulls"`
	Included                                    int
	Parts                                       []struct {
		Column, Expr string
		Desc         bool
	}
}

type catalogConstraint struct {
	Name, Type, Expr, Parent string
	ParentSchema             string `json:"parent_schema"`
	OnDelete, OnUpdate       string
	Valid, Deferrable        bool
	Columns                  []string
	ParentColumns            []string `json:"parent_columns"`
}

// ReadTable returns the table that a row of CatalogSQL tells of. A view has its kind and columns.
func ReadTable(row []byte) (*schema.Table, error) {
	var r relation
	if err := json.Unmarshal(row, &r); err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	t := &schema.Table{
		Name: schema.Name{Database: r.Schema, Table: r.Name}, Comment: r.Comment, Rows: r.Rows, Bytes: r.Bytes,
		Flavor: schema.Flavor{Family: schema.PostgreSQL},
	}
	t.Kind = r.tableKind()
	if r.Persistence == "u" {
		t.Options = append(t.Options, "UNLOGGED")
	}
	for i := range r.Columns {
		t.Columns = append(t.Columns, r.Columns[i].column())
		if next, err := strconv.ParseUint(r.Columns[i].Next, 10, 64); err == nil {
			t.AutoIncrement = next
		}
	}
	for i := range r.Indexes {
		index := r.Indexes[i].index()
		if r.Indexes[i].Primary {
			index.Name, t.Primary = "PRIMARY", &index
			continue
		}
		t.Indexes = append(t.Indexes, index)
	}
	for i := range r.Constraints {
		r.Constraints[i].add(t)
	}
	return t, nil
}

// tableKind tells what a relation is. A partitioned table, or one of another server, is none that wherry makes: it is
// told by its options.
func (r *relation) tableKind() schema.TableKind {
	if r.Kind == "v" || r.Kind == "m" {
		return schema.View
	}
	return schema.BaseTable
}

func (c *catalogColumn) column() schema.Column {
	out := schema.Column{
		Name: c.Name, Nullable: !c.NotNull, Comment: c.Comment, AutoIncrement: c.Identity != "",
		Type: ParseType(c.Type),
	}
	out.Type.Collation = c.Collation
	switch {
	case c.Generated != "":
		out.Generated, out.Expr = schema.Stored, c.Default
	case c.Default != "":
		out.Default = &schema.Default{Text: c.Default}
	}
	if c.Identity == "a" {
		out.Extra = []string{"GENERATED ALWAYS"} // an identity that takes no values of others
	}
	return out
}

func (x *catalogIndex) index() schema.Index {
	index := schema.Index{Name: x.Name, Unique: x.Unique, Comment: x.Comment}
	switch x.Method {
	case "gin":
		index.Kind = schema.Fulltext
	case "gist":
		index.Kind = schema.Spatial
	case "btree":
	default:
		index.Using = strings.ToUpper(x.Method)
		index.Extra = append(index.Extra, "USING "+x.Method)
	}
	for _, part := range x.Parts {
		index.Parts = append(index.Parts, schema.Part{Column: part.Column, Expr: part.Expr, Desc: part.Desc})
	}
	for text, has := range map[string]bool{
		"WHERE " + x.Predicate: x.Predicate != "", "NULLS NOT DISTINCT": x.EqualNulls, "DEFERRABLE": x.Deferred,
		"EXCLUDE": x.Exclusion, fmt.Sprintf("INCLUDE %d", x.Included): x.Included > 0, "INVALID": !x.Valid,
	} {
		if has {
			index.Extra = append(index.Extra, text)
		}
	}
	return index
}

func (s *catalogConstraint) add(t *schema.Table) {
	if s.Type == "c" {
		t.Checks = append(t.Checks, schema.Check{Name: s.Name, Expr: s.Expr, NotEnforced: !s.Valid})
		return
	}
	t.ForeignKeys = append(t.ForeignKeys, schema.ForeignKey{
		Name: s.Name, Columns: s.Columns, Parent: schema.Name{Database: s.ParentSchema, Table: s.Parent},
		ParentColumns: s.ParentColumns, OnDelete: actions[s.OnDelete], OnUpdate: actions[s.OnUpdate],
		NotValid: !s.Valid,
	})
}

// actions are those of foreign keys, by the letters of pg_constraint.
var actions = map[string]string{
	"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT",
}
