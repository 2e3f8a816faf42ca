package dbtest

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// family is what servers differ in. The second one exists to find phases that rely on what only MySQL does: one
// statement for many indexes, equal column names, equal order of text. A phase that works within each family and from
// the first to the second does not depend on the engine.
type family struct {
	name  schema.Family
	order func(a, b []byte) int // of text
	// charset is that of text whose table says nothing else.
	charset string
	// single tells that a statement makes a table, or adds one index or one foreign key: what the other family does
	// with one statement takes several.
	single bool
	// translate makes a table of the first family one of this family's; nil: they are alike.
	translate func(*schema.Table)
}

// first sorts text by its bytes.
var first = &family{name: "memory", order: bytes.Compare, charset: "latin1"}

// second sorts text by its last characters: no range of the first family's keys is a range of its own. For example,
// "ab" comes before "ba" in the first family and after it in the second. Its text is UTF-8 only, as PostgreSQL's is.
var second = &family{
	name: "other memory", charset: "utf8mb4", single: true, translate: translate,
	order: func(a, b []byte) int {
		for i := 1; i <= min(len(a), len(b)); i++ {
			if c := cmp.Compare(a[len(a)-i], b[len(b)-i]); c != 0 {
				return c
			}
		}
		return cmp.Compare(len(a), len(b))
	},
}

// NewServer returns an empty server of the first family.
func NewServer(name string) *Server { return newServer(name, first) }

// NewOther returns an empty server of the second family: it sorts text otherwise.
func NewOther(name string) *Server { return newServer(name, second) }

func newServer(name string, f *family) *Server {
	return &Server{
		name: name, family: f, born: time.Now(), changed: make(chan struct{}),
		tables: map[schema.Name]*table{}, ledgers: map[string]*books{}, appliers: map[string]*applier{},
		locked: map[schema.Name]*fence{},
	}
}

// identity tells which server this is.
func (s *Server) identity() db.Identity {
	return db.Identity{UUID: s.name, Host: s.name, Flavor: string(s.family.name), Version: "1.0.0"}
}

// encode gives text without a character set the family's.
func (f *family) encode(t *schema.Table) {
	t.Columns = slices.Clone(t.Columns)
	for i := range t.Columns {
		if of := &t.Columns[i].Type; of.IsText() && of.Charset == "" {
			of.Charset = f.charset
		}
	}
}

// translate gives every column a name of its own, and integers that identify nothing the type of a text: the second
// family has no others. So a phase that matches columns by name, or writes values by the source's type, fails there.
// A table of the second family stays as it is.
func translate(t *schema.Table) {
	key := t.Key()
	t.Columns = slices.Clone(t.Columns)
	for i := range t.Columns {
		c := &t.Columns[i]
		c.From, c.Name = c.Name, translated(c.Name)
		if c.Type.Kind == schema.Integer && !slices.Contains(key, i) && !c.AutoIncrement && !references(t, c.From) {
			c.Type = schema.Type{Kind: schema.Varchar, Name: "varchar", Size: 20}
		}
		if c.Type.IsText() {
			c.Type.Charset = "utf8mb4"
		}
	}
	names := func(columns []string) []string {
		out := make([]string, len(columns))
		for i, name := range columns {
			out[i] = translated(name)
		}
		return out
	}
	index := func(i schema.Index) schema.Index {
		i.Parts = slices.Clone(i.Parts)
		for p := range i.Parts {
			i.Parts[p].Column = translated(i.Parts[p].Column)
		}
		return i
	}
	if t.Primary != nil {
		primary := index(*t.Primary)
		t.Primary = &primary
	}
	t.Indexes = slices.Clone(t.Indexes)
	for i := range t.Indexes {
		t.Indexes[i] = index(t.Indexes[i])
	}
	for i := range t.ForeignKeys {
		k := &t.ForeignKeys[i]
		k.Columns, k.ParentColumns = names(k.Columns), names(k.ParentColumns)
	}
}

// translated returns the second family's name of a column. For example, id becomes the_id.
func translated(name string) string {
	if strings.HasPrefix(name, "the_") {
		return name
	}
	return "the_" + name
}

// references tells whether a foreign key uses a column: its type must stay that of the parent's column.
func references(t *schema.Table, column string) bool {
	return slices.ContainsFunc(t.ForeignKeys, func(k schema.ForeignKey) bool {
		return slices.Contains(k.Columns, column)
	})
}

// targets is the family of the servers that NewTarget returns, see Twice.
var targets = first

// NewTarget returns an empty server to move to, of the family whose turn it is.
func NewTarget(name string) *Server { return newServer(name, targets) }

// Twice runs a package's tests two times, with targets of the first family and then of the second. It is for TestMain.
func Twice(m *testing.M) (code int) {
	for _, targets = range []*family{first, second} {
		if code = m.Run(); code != 0 {
			fmt.Println("with a target of the family", targets.name)
			return code
		}
	}
	return 0
}

// MapTable makes the table that a move makes for one of the source, and returns its definition as planned.
func (s *Server) MapTable(source *schema.Table, to schema.Name) (*schema.Table, error) {
	planned, _, err := dialect{s.family}.Map(source, to, func(n schema.Name) schema.Name { return n })
	if err != nil {
		return nil, err
	}
	return planned, s.DDL(db.DDL{Statement: "create"}, dialect{s.family}.CreateTable(planned, false)...)
}
