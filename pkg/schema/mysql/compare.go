package mysql

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// comparison collects differences between a plan and what was read back.
// Both sides may be printed by servers of different versions and families, so it compares meanings where the same thing
// has several texts: RESTRICT and nothing, now() and current_timestamp(), options in another order.
type comparison struct {
	found   []string
	unasked bool // a DEFAULT NULL that a server gives by itself is no difference; a later statement drops it
}

// add notes a difference: "column a: type is int, planned bigint".
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

func (c *comparison) bools(subject, attribute string, planned, got bool) {
	if planned != got {
		c.add(subject, attribute, yes(planned), yes(got))
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// Differences implements schema.Dialect. The next automatic value and the servers' estimates are not compared.
func (d dialect) Differences(plan, got *schema.Table, indexes, foreign bool) []string {
	c := &comparison{unasked: !foreign}
	c.texts("table", "engine", strings.ToLower(plan.Engine), strings.ToLower(got.Engine))
	c.texts("table", "character set", plan.Charset, got.Charset)
	c.texts("table", "collation", plan.Collation, got.Collation)
	c.texts("table", "row format", plan.RowFormat, got.RowFormat)
	c.texts("table", "comment", plan.Comment, got.Comment)
	c.texts("table", "options", optionText(plan.Options), optionText(got.Options))
	if !samePartitioning(plan.Partition, got.Partition) {
		c.add("table", "partitions", plan.Partition, got.Partition)
	}
	c.columns(plan, got)
	c.checks(plan.Checks, got.Checks)
	c.indexes(plan, got, indexes)
	if foreign {
		c.foreignKeys(plan.ForeignKeys, got.ForeignKeys)
	}
	return c.found
}

// optionText writes options in one order and one spelling, since neither means anything.
func optionText(options []string) string {
	sorted := make([]string, len(options))
	for i, option := range options {
		sorted[i] = strings.ToUpper(strings.NewReplacer("`", "", "'", "").Replace(option))
	}
	slices.Sort(sorted)
	return strings.Join(sorted, " ")
}

func (c *comparison) expressions(subject, attribute, planned, got string) {
	if !sameExpression(planned, got) {
		c.add(subject, attribute, planned, got)
	}
}

// columns compares columns by name and position: SELECT * and INSERT without names depend on the order.
func (c *comparison) columns(plan, got *schema.Table) {
	for i := range plan.Columns {
		name := plan.Columns[i].Name
		switch at := got.Column(name); {
		case at < 0:
			c.add("column "+name, "definition", plan.Columns[i].Type.Text, "")
		case at != i:
			c.add("column "+name, "position", fmt.Sprint(i+1), fmt.Sprint(at+1))
		default:
			c.column(&plan.Columns[i], &got.Columns[at])
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
	c.texts(subject, "character set", plan.Type.Charset, got.Type.Charset)
	c.texts(subject, "collation", plan.Type.Collation, got.Type.Collation)
	c.texts(subject, "SRID", sridText(plan.Type.SRID), sridText(got.Type.SRID))
	c.bools(subject, "nullable", plan.Nullable, got.Nullable)
	if past := c.unasked && unasked(plan) && got.Default != nil && got.Default.Null; !past &&
		!sameDefault(plan.Type, plan.Default, got.Default) {
		c.add(subject, "default", defaultText(plan), defaultText(got))
	}
	c.texts(subject, "on update", plan.OnUpdate, got.OnUpdate)
	c.bools(subject, "auto_increment", plan.AutoIncrement, got.AutoIncrement)
	c.texts(subject, "generation", generationText(plan.Generated), generationText(got.Generated))
	c.expressions(subject, "expression", plan.Expr, got.Expr)
	c.bools(subject, "invisible", plan.Invisible, got.Invisible)
	c.expressions(subject, "check", plan.Check, got.Check)
	c.texts(subject, "comment", plan.Comment, got.Comment)
	c.texts(subject, "attributes", optionText(plan.Extra), optionText(got.Extra))
}

func sridText(srid *uint32) string {
	if srid == nil {
		return ""
	}
	return fmt.Sprint(*srid)
}

func defaultText(c *schema.Column) string {
	switch {
	case c.Default == nil:
		return ""
	case c.Default.Null:
		return "NULL"
	case c.Default.Literal:
		return Literal(c.Default.Text)
	default:
		return c.Default.Text
	}
}

func generationText(g schema.Generation) string {
	return [...]string{schema.NotGenerated: "", schema.Virtual: "virtual", schema.Stored: "stored"}[g]
}

// checks compares checks by name, since DROP CHECK needs it.
func (c *comparison) checks(plan, got []schema.Check) {
	byName := map[string]schema.Check{}
	for _, check := range got {
		byName[strings.ToLower(check.Name)] = check
	}
	for _, check := range plan {
		other, ok := byName[strings.ToLower(check.Name)]
		if !ok {
			c.add("check "+check.Name, "expression", check.Expr, "")
			continue
		}
		delete(byName, strings.ToLower(check.Name))
		c.expressions("check "+check.Name, "expression", check.Expr, other.Expr)
		c.bools("check "+check.Name, "not enforced", check.NotEnforced, other.NotEnforced)
	}
	for _, check := range got {
		if _, left := byName[strings.ToLower(check.Name)]; left {
			c.add("check "+check.Name, "expression", "", check.Expr)
		}
	}
}

// indexes compares the primary key, what the server demands at creation and, when all is set, every other index.
func (c *comparison) indexes(plan, got *schema.Table, all bool) {
	c.texts("primary key", "definition", indexText(plan.Primary), indexText(got.Primary))
	byName := map[string]*schema.Index{}
	for i := range got.Indexes {
		byName[strings.ToLower(got.Indexes[i].Name)] = &got.Indexes[i]
	}
	demanded := demandedIndexes(plan)
	for i := range plan.Indexes {
		name := plan.Indexes[i].Name
		other := byName[strings.ToLower(name)]
		delete(byName, strings.ToLower(name))
		if all || demanded[i] {
			c.texts("index "+name, "definition", indexText(&plan.Indexes[i]), indexText(other))
		}
	}
	for i := range got.Indexes {
		if name := got.Indexes[i].Name; all && byName[strings.ToLower(name)] != nil {
			c.add("index "+name, "definition", "", indexText(&got.Indexes[i]))
		}
	}
}

// indexText writes an index for comparing. BTREE is what a server uses when nothing is said.
func indexText(index *schema.Index) string {
	if index == nil {
		return ""
	}
	same := *index
	if same.Using == "BTREE" {
		same.Using = ""
	}
	same.Parts = slices.Clone(same.Parts)
	for i, part := range same.Parts {
		same.Parts[i].Column = strings.ToLower(part.Column)
		if part.Expr != "" {
			same.Parts[i].Expr = strings.Join(expressionWords(part.Expr), " ")
		}
	}
	return dialect{}.index(&same)
}

// foreignKeys compares foreign keys by name, and without case.
func (c *comparison) foreignKeys(plan, got []schema.ForeignKey) {
	texts := func(keys []schema.ForeignKey) map[string]string {
		out := map[string]string{}
		for _, key := range keys {
			key.OnDelete, key.OnUpdate = action(key.OnDelete), action(key.OnUpdate)
			out[strings.ToLower(key.Name)] = foreignKey(key)
		}
		return out
	}
	planned, found := texts(plan), texts(got)
	for _, key := range plan {
		name := strings.ToLower(key.Name)
		c.texts("foreign key "+key.Name, "definition", strings.ToLower(planned[name]), strings.ToLower(found[name]))
	}
	for _, key := range got {
		if _, ok := planned[strings.ToLower(key.Name)]; !ok {
			c.add("foreign key "+key.Name, "definition", "", found[strings.ToLower(key.Name)])
		}
	}
}

// action returns "" for the actions that refuse, which are the default.
func action(action string) string {
	if action == "RESTRICT" || action == "NO ACTION" {
		return ""
	}
	return action
}
