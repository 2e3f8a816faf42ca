package plan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// reader is a source that has tables and nothing else.
type reader struct {
	db.Reader
	tables []*schema.Table
	err    error
}

func (r reader) Tables(_ context.Context, match func(schema.Name) bool) (found []*schema.Table, err error) {
	for _, t := range r.tables {
		if match(t.Name) {
			found = append(found, t)
		}
	}
	return found, r.err
}

// lossy is the dialect in memory, with losses.
type lossy struct {
	schema.Dialect
	losses []schema.Loss
	err    error
}

func (d lossy) Map(source *schema.Table, to schema.Name, rename func(schema.Name) schema.Name) (*schema.Table,
	[]schema.Loss, error,
) {
	if d.err != nil {
		return nil, nil, d.err
	}
	t, _, err := d.Dialect.Map(source, to, rename)
	return t, d.losses, err
}

func memory() schema.Dialect { return dbtest.NewServer("target").Target("m").Dialect() }

func name(table string) schema.Name { return schema.Name{Database: "shop", Table: table} }

// table makes a good table (id, name), and lets each change spoil it.
func table(named string, changes ...func(*schema.Table)) *schema.Table {
	t := &schema.Table{
		Name: name(named), Engine: "InnoDB",
		Primary: &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "id"}}},
		Columns: []schema.Column{
			{Name: "id", Type: schema.Type{Kind: schema.Integer, Size: 8, Text: "bigint"}},
			{Name: "name", Nullable: true, Type: schema.Type{
				Kind: schema.Varchar, Size: 20, Text: "varchar(20)",
				Charset: "utf8mb4", Collation: "utf8mb4_bin",
			}},
		},
	}
	for _, change := range changes {
		change(t)
	}
	return t
}

func kind(k schema.TableKind) func(*schema.Table) { return func(t *schema.Table) { t.Kind = k } }

func engine(e string) func(*schema.Table) { return func(t *schema.Table) { t.Engine = e } }

func keyless(t *schema.Table) { t.Primary = nil }

func column(k schema.Kind, text, charset string) func(*schema.Table) {
	return func(t *schema.Table) {
		t.Columns = append(t.Columns, schema.Column{Name: "c", Type: schema.Type{
			Kind: k, Name: text, Text: text,
			Charset: charset,
		}})
	}
}

func unclear(text string) func(*schema.Table) {
	return func(t *schema.Table) {
		t.Columns = append(t.Columns, schema.Column{Name: "c", Type: schema.Type{
			Kind: schema.Enum, Name: "enum",
			Text: text, Unclear: true,
		}})
	}
}

func references(parent string) func(*schema.Table) {
	return func(t *schema.Table) {
		t.ForeignKeys = append(t.ForeignKeys, schema.ForeignKey{
			Name: "f_" + parent, Columns: []string{"id"},
			Parent: name(parent), ParentColumns: []string{"id"},
		})
	}
}

func unique(columns ...string) func(*schema.Table) {
	return func(t *schema.Table) {
		index := schema.Index{Name: "u", Unique: true}
		for _, c := range columns {
			index.Parts = append(index.Parts, schema.Part{Column: c})
		}
		t.Indexes = append(t.Indexes, index)
	}
}

func notNull(t *schema.Table) { t.Columns[1].Nullable = false }

func TestFindings(t *testing.T) {
	for _, c := range []struct {
		title    string
		tables   []*schema.Table
		include  []string
		renames  []route.Rename
		filters  []route.Where
		findings []string // level, check and subject
		routes   []string
	}{
		{title: "good", tables: []*schema.Table{table("a"), table("b")}, routes: []string{"shop.a", "shop.b"}},
		{
			title: "no table", tables: []*schema.Table{table("a")}, include: []string{"shop.A"},
			findings: []string{"fail tables "},
		},
		{
			title: "view matched by pattern", tables: []*schema.Table{table("v", kind(schema.View)), table("a")},
			include:  []string{"shop.*"},
			findings: []string{"warn view shop.v"}, routes: []string{"shop.a"},
		},
		{
			title: "view of no include at all", tables: []*schema.Table{table("v", kind(schema.View)), table("a")},
			findings: []string{"warn view shop.v"}, routes: []string{"shop.a"},
		},
		{
			title: "view named", tables: []*schema.Table{table("v", kind(schema.View)), table("a")},
			include:  []string{"shop.*", "shop.v"},
			findings: []string{"fail view shop.v"}, routes: []string{"shop.a"},
		},
		{
			title: "sequence", tables: []*schema.Table{table("s", kind(schema.Sequence))},
			findings: []string{"warn sequence shop.s"},
		},
		{
			title: "sequence named", tables: []*schema.Table{table("s", kind(schema.Sequence))},
			include:  []string{"shop.s"},
			findings: []string{"fail sequence shop.s"},
		},
		{
			title: "system versioning", tables: []*schema.Table{table("s", kind(schema.SystemVersioned))},
			findings: []string{"fail system_versioning shop.s"},
		},
		{
			title: "engine", tables: []*schema.Table{table("a", engine("MyISAM")), table("b", engine(""))},
			findings: []string{"fail engine shop.a"}, routes: []string{"shop.b"},
		},
		{
			title: "no key", tables: []*schema.Table{table("a", keyless)}, findings: []string{"warn key shop.a"},
			routes: []string{"shop.a"},
		},
		{
			title: "unique key over NULL", tables: []*schema.Table{table("a", keyless, unique("name"))},
			findings: []string{"warn key shop.a"}, routes: []string{"shop.a"},
		},
		{
			title: "unique key", tables: []*schema.Table{table("a", keyless, notNull, unique("name", "id"))},
			routes: []string{"shop.a"},
		},
		{title: "periods kept apart", tables: []*schema.Table{table("a", func(t *schema.Table) {
			t.Indexes = append(t.Indexes, schema.Index{Name: "u", Unique: true, Parts: []schema.Part{
				{Column: "id"},
				{Column: "p"},
			}, Extra: []string{"WITHOUT OVERLAPS"}})
		})}, findings: []string{"fail key shop.a.u"}},
		{title: "column types", tables: []*schema.Table{
			table("other", column(schema.Other, "xmltype", "")), table("unclear", unclear("enum('?')")),
			table("enum", column(schema.Enum, "enum", "ucs2")), table("set", column(schema.Set, "set", "gbk")),
			table("json", column(schema.JSON, "json", "utf8mb4")),
			table("point", column(schema.Geometry, "point", "")), table("vector", column(schema.Vector, "vector(3)",
				"")),
			table("uuid", column(schema.UUID, "uuid", "")), table("inet", column(schema.INET6, "inet6", "")),
		}, findings: []string{"fail type shop.other.c", "fail type shop.unclear.c"}, routes: []string{
			"shop.enum", "shop.set", "shop.json", "shop.point", "shop.vector", "shop.uuid", "shop.inet",
		}},
		{
			title: "foreign key leaves the move", tables: []*schema.Table{
				table("a", references("p"), references("q")),
				table("p"), table("q"),
			},
			include: []string{"shop.a", "shop.p"}, findings: []string{"fail foreign_key shop.a.f_q"},
			routes: []string{"shop.p"},
		},
		{
			title: "foreign key to a view", tables: []*schema.Table{
				table("a", references("v")),
				table("v", kind(schema.View)),
			},
			findings: []string{"fail foreign_key shop.a.f_v", "warn view shop.v"},
		},
		{
			title: "foreign key to itself", tables: []*schema.Table{table("a", references("a"))},
			routes: []string{"shop.a"},
		},
		{
			title: "foreign key to a filtered parent", tables: []*schema.Table{table("a", references("p")), table("p")},
			filters:  []route.Where{{Table: "shop.p", Where: "id < 5"}},
			findings: []string{"warn foreign_key shop.a.f_p"}, routes: []string{"shop.a", "shop.p"},
		},
		{
			title: "filter that cannot be evaluated", tables: []*schema.Table{table("a")},
			filters: []route.Where{{Table: "shop.*", Where: "rand() < 0.5"}}, findings: []string{"fail route shop.a"},
		},
		{
			title: "collision", tables: []*schema.Table{table("a"), table("b")},
			renames:  []route.Rename{{From: "shop.*", To: "new.all"}},
			findings: []string{"fail routes "}, routes: []string{"shop.a", "shop.b"},
		},
		{title: "everything at once", tables: []*schema.Table{
			table("a", engine("MyISAM"), keyless, column(schema.Other, "xmltype", ""), references("q")),
			table("s", kind(schema.Sequence)),
		}, findings: []string{
			"fail engine shop.a", "warn key shop.a", "fail type shop.a.c",
			"fail foreign_key shop.a.f_q", "warn sequence shop.s",
		}},
	} {
		t.Run(c.title, func(t *testing.T) {
			rules, err := route.NewRules(c.include, nil, c.renames, c.filters)
			require.NoError(t, err)
			p, err := plan.Build(t.Context(), reader{tables: c.tables}, memory(), rules, plan.Options{})
			require.NoError(t, err)
			var got []string
			failed := 0
			for _, f := range p.Findings {
				got = append(got, fmt.Sprintf("%s %s %s", f.Level, f.Check, f.Subject))
				assert.Equal(t, "move", f.End)
				assert.NotEmpty(t, f.What)
				assert.NotEmpty(t, f.Fix)
				if f.Level == db.Fail {
					failed++
				}
			}
			assert.Equal(t, c.findings, got)
			assert.Len(t, p.Refused(), failed)
			var routes []string
			for i, r := range p.Routes {
				routes = append(routes, r.Source.Name().String())
				assert.Same(t, r.Source.Table, p.Steps[i].Source)
				assert.Same(t, r.Target.Table, p.Steps[i].Target)
			}
			assert.Equal(t, c.routes, routes)
			for _, table := range c.tables { // the invariant
				named := slices.ContainsFunc(p.Findings, func(f db.Finding) bool {
					return strings.HasPrefix(f.Subject, table.Name.String())
				})
				included := rules.Includes(table.Name)
				assert.True(t, !included || named || slices.Contains(routes, table.Name.String()),
					"%s is in no route and no finding", table.Name)
			}
		})
	}
}

func TestRoutesAndRenames(t *testing.T) {
	rules, err := route.NewRules([]string{"shop.*"}, []string{"shop.b"},
		[]route.Rename{{From: "shop.*", To: "new.*_v2"}},
		[]route.Where{{Table: "shop.a", Where: "id < 10"}})
	require.NoError(t, err)
	p, err := plan.Build(t.Context(), reader{tables: []*schema.Table{
		table("a", references("c")), table("b"),
		table("c"),
	}}, memory(), rules, plan.Options{})
	require.NoError(t, err)
	require.Empty(t, p.Findings)
	require.Len(t, p.Routes, 2)
	assert.Equal(t, "new.a_v2", p.Routes[0].Target.Name().String())
	assert.Equal(t, "new.c_v2", p.Routes[0].Target.Table.ForeignKeys[0].Parent.String(), "parents are renamed too")
	assert.Equal(t, "id < 10", p.Routes[0].Source.Where)
	assert.NotNil(t, p.Routes[0].Filter)
	assert.Nil(t, p.Routes[1].Filter)
}

// TestLosses: notes are told, losses refuse unless they are allowed for the table, and what is fatal cannot be allowed.
func TestLosses(t *testing.T) {
	losses := []schema.Loss{
		{Name: "collation", Table: name("a"), What: "of later columns", Grade: schema.Note},
		{Name: "collation", Table: name("a"), Column: "name", What: "becomes another", Grade: schema.Lossy},
		{Name: "check", Table: name("a"), What: "is dropped", Grade: schema.Lossy},
		{Name: "type", Table: name("a"), Column: "id", What: "does not fit", Grade: schema.Fatal},
	}
	for _, c := range []struct {
		allow    []string
		findings []string
	}{
		{nil, []string{
			"ok note:collation shop.a", "fail loss:collation shop.a.name", "fail loss:check shop.a",
			"fail loss:type shop.a.id",
		}},
		{
			[]string{"collation@shop.*", "type", "json"},
			[]string{
				"ok note:collation shop.a", "warn loss:collation shop.a.name", "fail loss:check shop.a",
				"fail loss:type shop.a.id",
			},
		},
		{
			[]string{"collation@shop.b", "check@*.a"},
			[]string{
				"ok note:collation shop.a", "fail loss:collation shop.a.name", "warn loss:check shop.a",
				"fail loss:type shop.a.id",
			},
		},
		{
			[]string{"collation", "check"},
			[]string{
				"ok note:collation shop.a", "warn loss:collation shop.a.name", "warn loss:check shop.a",
				"fail loss:type shop.a.id",
			},
		},
	} {
		allowed, err := route.NewAllowances(c.allow)
		require.NoError(t, err)
		d := lossy{Dialect: memory(), losses: slices.Clone(losses)}
		p, err := plan.Build(t.Context(), reader{tables: []*schema.Table{table("a")}}, d, &route.Rules{},
			plan.Options{Allowed: allowed})
		require.NoError(t, err)
		var got []string
		for _, f := range p.Findings {
			got = append(got, fmt.Sprintf("%s %s %s", f.Level, f.Check, f.Subject))
		}
		assert.Equal(t, c.findings, got, c.allow)
		require.Len(t, p.Steps, 1)
		for i, l := range p.Steps[0].Losses {
			assert.Equal(t, p.Findings[i].Level == db.Fail, l.Refuses(),
				"%v: what init-schema refuses is what the plan does: %+v", c.allow, l)
		}
	}
}

// TestLossSaysWhatToWrite: the fix is the line to add, for the table and for all.
func TestLossSaysWhatToWrite(t *testing.T) {
	d := lossy{Dialect: memory(), losses: []schema.Loss{{
		Name: "json", Table: name("a"), Column: "name",
		What: "is text", Grade: schema.Lossy,
	}}}
	p, err := plan.Build(t.Context(), reader{tables: []*schema.Table{table("a")}}, d, &route.Rules{}, plan.Options{})
	require.NoError(t, err)
	require.Len(t, p.Findings, 1)
	assert.Contains(t, p.Findings[0].Fix, `allow_losses: ["json@shop.a"]`)
	assert.Contains(t, p.Findings[0].Fix, "[json]")
	_, err = route.NewAllowances([]string{"json@shop"})
	require.ErrorContains(t, err, `"json@shop"`)
}

func TestTableThatTheTargetCannotHold(t *testing.T) {
	p, err := plan.Build(t.Context(), reader{tables: []*schema.Table{table("a")}}, lossy{
		Dialect: memory(),
		err:     errors.New("no such thing"),
	}, &route.Rules{}, plan.Options{})
	require.NoError(t, err)
	require.Len(t, p.Refused(), 1)
	assert.Equal(t, "schema", p.Findings[0].Check)
	assert.Equal(t, "shop.a", p.Findings[0].Subject)
	assert.Empty(t, p.Routes)
}

func TestTablesCannotBeRead(t *testing.T) {
	_, err := plan.Build(t.Context(), reader{err: db.ErrConnection}, memory(), &route.Rules{}, plan.Options{})
	require.ErrorIs(t, err, db.ErrConnection)
}

// TestDefinitions: a table that does not come out the same when it is written again is refused, naming it and what
// differs.
func TestDefinitions(t *testing.T) {
	read := func() *schema.Table {
		read, err := mysql.ParseCreate("CREATE TABLE `a` (\n  `id` int NOT NULL,\n  `b` varchar(5) DEFAULT 'x',\n  "+
			"PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
			name("a"), mysql.Flavor{Family: schema.MySQL, Version: 90704}, mysql.Collations{})
		require.NoError(t, err)
		return read
	}
	dialect := mysql.New(mysql.Flavor{Family: schema.MySQL, Version: 90704}, mysql.Collations{})
	good, spoilt := read(), read()
	spoilt.Columns[1].Type.Size = 6
	for _, c := range []struct {
		table *schema.Table
		want  []string
	}{{good, nil}, {spoilt, []string{"columns: not the same"}}} {
		rules, err := route.NewRules([]string{"shop.*"}, nil, nil, nil)
		require.NoError(t, err)
		p, err := plan.Build(t.Context(), reader{tables: []*schema.Table{c.table}}, dialect, rules, plan.Options{})
		require.NoError(t, err)
		refused := p.Refused()
		require.Len(t, refused, len(c.want))
		for i, finding := range refused {
			assert.Equal(t, "definition", finding.Check)
			assert.Equal(t, "shop.a", finding.Subject)
			assert.Contains(t, finding.What, c.want[i])
		}
		assert.Len(t, p.Routes, 1-len(c.want))
	}
}
