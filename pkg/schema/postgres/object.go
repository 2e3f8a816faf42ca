package postgres

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// byHand is what to do about an object that is not moved.
const byHand = "write it anew on PostgreSQL, and take it out of the move with tables.exclude or cutover.objects"

// MapObject implements schema.ObjectDialect. A view moves when its text translates; which tables it reads has to be
// known for more than their plain columns (see Survey). Triggers, routines and events are programs in another language.
func (d Dialect) MapObject(source *schema.Object, places schema.Places) (*schema.Object, []schema.Remark) {
	if source.Flavor.Family == schema.PostgreSQL {
		return moved(source, places), nil
	}
	target := &schema.Object{
		Kind: source.Kind, Name: places.Tables[source.Name], Enabled: source.Enabled,
		Flavor: schema.Flavor{Family: schema.PostgreSQL},
	}
	refuse := func(format string, args ...any) (*schema.Object, []schema.Remark) {
		return target, []schema.Remark{{Fatal: true, What: fmt.Sprintf(format, args...), Fix: byHand}}
	}
	switch {
	case source.Kind != schema.ViewObject:
		return refuse("a %s of MySQL or MariaDB is in a language that PostgreSQL does not speak", source.Kind)
	case source.Hidden != "":
		return refuse("its definition cannot be read: %s", source.Hidden)
	case len(source.Columns) == 0:
		return refuse("is broken on the source: it reads something that is not there")
	}
	target.Name = d.opts.Identifiers.Name(target.Name)
	body, err := d.view(source, places)
	if err != nil {
		return refuse("its text has no translation: %v", err)
	}
	target.Body, target.Session = body, schema.Session{Database: target.Name.Database}
	for _, column := range source.Columns {
		target.Columns = append(target.Columns, d.opts.Identifiers.Apply(column))
	}
	if slices.ContainsFunc(d.opts.Materialize, func(pattern string) bool {
		return matchesGlob(strings.ToLower(pattern), strings.ToLower(source.Name.String()))
	}) {
		target.Lead = materialized
	}
	var remarks []schema.Remark
	if strings.Contains(strings.ToUpper(source.Lead), "SQL SECURITY INVOKER") {
		remarks = append(remarks, schema.Remark{
			What: "reads with the rights of its owner, and no longer with those of whoever asks",
			Fix:  "ALTER VIEW .. SET (security_invoker = true) on PostgreSQL 15 and later",
		})
	}
	return target, remarks
}

// materialized is the Lead of a view whose rows are stored.
const materialized = "MATERIALIZED"

// CreateObject implements schema.ObjectDialect.
func (d Dialect) CreateObject(o *schema.Object) string {
	return "CREATE " + viewKind(o) + " " + Quoted(o.Name) + " " + o.Body
}

// DropObject implements schema.ObjectDialect.
func (d Dialect) DropObject(o *schema.Object) string {
	return "DROP " + viewKind(o) + " IF EXISTS " + Quoted(o.Name)
}

func viewKind(o *schema.Object) string {
	if o.Lead == materialized {
		return materialized + " VIEW"
	}
	return "VIEW"
}

// moved returns a view of PostgreSQL as it is over tables of other names: it is tried in scratch schemas.
func moved(o *schema.Object, places schema.Places) *schema.Object {
	target := *o
	if to, ok := places.Tables[o.Name]; ok {
		target.Name = to
	}
	tokens, err := sqltext.Lex(o.Body, postgresText)
	if err != nil {
		return &target
	}
	var b strings.Builder
	done := 0
	for i := 0; i+2 < len(tokens); i++ {
		home, dot, name := tokens[i], tokens[i+1], tokens[i+2]
		to, ok := places.Tables[schema.Name{Database: home.Text, Table: name.Text}]
		if ok && home.Kind == sqltext.Name && name.Kind == sqltext.Name && dot.IsMark(".") {
			b.WriteString(o.Body[done:home.From] + Quoted(to))
			done = name.To
		}
	}
	target.Body = b.String() + o.Body[done:]
	return &target
}

// DisableEvent implements schema.ObjectDialect. There are no events.
func (d Dialect) DisableEvent(*schema.Object) string { return "" }

// EnableEvent implements schema.ObjectDialect. There are no events.
func (d Dialect) EnableEvent(*schema.Object) string { return "" }

// SetSequence implements schema.ObjectDialect. No sequence is moved.
func (d Dialect) SetSequence(*schema.Object, string) string { return "" }
