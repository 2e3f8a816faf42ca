package postgres

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// comparison collects differences between a plan and what was read back.
type comparison struct{ found []string }

func (c *comparison) add(subject, attribute, planned, got string) {
	if planned == "" {
		planned = "none"
	}
	if got == "" {
		got = "none"
	}
	c.found = append(c.found, fmt.Sprintf("%s: %s is %s, planned %s", subject, attribute, got, planned))
}

func (c *comparison) texts(subject, attribute, planned, got string) {
	if planned != got {
		c.add(subject, attribute, planned, got)
	}
}

func (c *comparison) expressions(subject, attribute, planned, got string) {
	if normal(planned) != normal(got) {
		c.add(subject, attribute, planned, got)
	}
}

// Differences implements schema.Dialect. Indexes, checks and foreign keys are told apart by what they do: their names
// follow no rename of their table. The order of columns does not count, because no ALTER TABLE can change it.
// Comments are compared when indexes is true.
func (d Dialect) Differences(plan, got *schema.Table, indexes, foreign bool) []string {
	c := &comparison{}
	if plan.Kind != got.Kind {
		c.add("table", "kind", kindText(plan.Kind), kindText(got.Kind))
	}
	c.texts("table", "options", strings.Join(plan.Options, " "), strings.Join(got.Options, " "))
	c.texts("table", "partitions", plan.Partition, got.Partition)
	c.columns(plan, got, indexes)
	c.checks(plan.Checks, got.Checks)
	c.texts("primary key", "definition", primaryText(plan.Primary), primaryText(got.Primary))
	if indexes {
		c.texts("table", "comment", plan.Comment, got.Comment)
		c.indexes(plan, got)
	} else if key := plan.KeyIndex(); key != nil && key != plan.Primary {
		lacking, _ := unmatched([]schema.Index{*key}, got.Indexes, indexText)
		for range lacking {
			c.add("index "+key.Name, "definition", indexText(key), "")
		}
	}
	if foreign {
		c.foreignKeys(plan.ForeignKeys, got.ForeignKeys)
	}
	return c.found
}

func kindText(kind schema.TableKind) string {
	return [...]string{
		schema.BaseTable: "table", schema.View: "view", schema.Sequence: "sequence",
		schema.SystemVersioned: "system-versioned table",
	}[kind]
}

func (c *comparison) columns(plan, got *schema.Table, comments bool) {
	for i := range plan.Columns {
		p := &plan.Columns[i]
		at := got.Column(p.Name)
		if at < 0 {
			c.add("column "+p.Name, "definition", p.Type.Text, "")
			continue
		}
		c.column(p, &got.Columns[at])
		if comments {
			c.texts("column "+p.Name, "comment", p.Comment, got.Columns[at].Comment)
		}
	}
	for i := range got.Columns {
		if plan.Column(got.Columns[i].Name) < 0 {
			c.add("column "+got.Columns[i].Name, "definition", "", got.Columns[i].Type.Text)
		}
	}
}

func (c *comparison) column(plan, got *schema.Column) {
	subject := "column " + plan.Name
	c.texts(subject, "name", plan.Name, got.Name)
	c.texts(subject, "type", plan.Type.Text, got.Type.Text)
	c.texts(subject, "collation", plan.Type.Collation, got.Type.Collation)
	c.texts(subject, "nullable", fmt.Sprint(plan.Nullable), fmt.Sprint(got.Nullable))
	c.expressions(subject, "default", defaultText(plan), defaultText(got))
	c.texts(subject, "identity", fmt.Sprint(plan.AutoIncrement), fmt.Sprint(got.AutoIncrement))
	c.texts(subject, "generated", fmt.Sprint(plan.Generated != schema.NotGenerated),
		fmt.Sprint(got.Generated != schema.NotGenerated))
	c.expressions(subject, "expression", plan.Expr, got.Expr)
}

func (c *comparison) checks(plan, got []schema.Check) {
	lacking, extra := unmatched(plan, got, checkText)
	for _, i := range lacking {
		c.add("check "+plan[i].Name, "expression", plan[i].Expr, "")
	}
	for _, i := range extra {
		c.add("check "+got[i].Name, "expression", "", got[i].Expr)
	}
}

// checkText writes a CHECK for comparing, without its name.
func checkText(check *schema.Check) string {
	text := normal(check.Expr)
	if check.NotEnforced {
		text += " not enforced"
	}
	return text
}

func (c *comparison) indexes(plan, got *schema.Table) {
	lacking, extra := unmatched(plan.Indexes, got.Indexes, indexText)
	for _, i := range lacking {
		c.add("index "+plan.Indexes[i].Name, "definition", indexText(&plan.Indexes[i]), "")
	}
	for _, i := range extra {
		c.add("index "+got.Indexes[i].Name, "definition", "", indexText(&got.Indexes[i]))
	}
}

// primaryText writes a primary key for comparing.
func primaryText(index *schema.Index) string {
	if index == nil {
		return ""
	}
	return indexText(index)
}

// indexText writes an index for comparing, without its name.
func indexText(index *schema.Index) string {
	texts := make([]string, len(index.Parts))
	for i, part := range index.Parts {
		if texts[i] = Quote(part.Column); part.Expr != "" {
			texts[i] = normal(part.Expr)
		}
		if part.Desc {
			texts[i] += " desc"
		}
	}
	text := methodOf(index) + " (" + strings.Join(texts, ", ") + ")"
	if index.Unique {
		text = "unique " + text
	}
	for _, extra := range index.Extra {
		text += " " + extra
	}
	if index.Comment != "" {
		text += " comment " + Literal(index.Comment)
	}
	return text
}

func (c *comparison) foreignKeys(plan, got []schema.ForeignKey) {
	lacking, extra := unmatched(plan, got, foreignKeyText)
	for _, i := range lacking {
		c.add("foreign key "+plan[i].Name, "definition", foreignKey(plan[i]), "")
	}
	for _, i := range extra {
		c.add("foreign key "+got[i].Name, "definition", "", foreignKey(got[i]))
	}
	for _, key := range got {
		if key.NotValid {
			c.add("foreign key "+key.Name, "valid", "yes", "no")
		}
	}
}

// foreignKeyText writes a foreign key for comparing, without its name.
func foreignKeyText(key *schema.ForeignKey) string { return foreignKey(*key) }

// unmatched pairs the entries of two lists that have one text, each with one other, and returns the places of those
// that are left: of want in lacking, of have in extra.
func unmatched[T any](want, have []T, text func(*T) string) (lacking, extra []int) {
	places := map[string][]int{}
	for i := range have {
		key := text(&have[i])
		places[key] = append(places[key], i)
	}
	matched := map[int]bool{}
	for i := range want {
		key := text(&want[i])
		if found := places[key]; len(found) > 0 {
			matched[found[0]], places[key] = true, found[1:]
			continue
		}
		lacking = append(lacking, i)
	}
	for i := range have {
		if !matched[i] {
			extra = append(extra, i)
		}
	}
	return lacking, extra
}
