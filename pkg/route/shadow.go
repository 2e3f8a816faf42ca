package route

import (
	"regexp"
	"slices"

	"wherry/pkg/schema"
)

// shadow is the name of a table that a schema-change tool makes beside the one that it changes, and swaps with it in
// the end: gh-ost's _t_gho and _t_del (with a time before it, by --timestamp-old-table), pt-online-schema-change's
// _t_new and _t_old (with more underscores when that exists).
var shadow = regexp.MustCompile(`^(_+)(.+?)((?:_[0-9]{14})?_(?:gho|del|new|old))$`)

// Follows tells whether schema changes of the name matter: it moves, or it is the shadow of a table that does.
func (r *Rules) Follows(name schema.Name) bool {
	_, _, shadows := r.shadows(name)
	return r.Includes(name) || shadows
}

// shadows returns the table that the name is a shadow of, and what is put around that one's name. A shadow moves only
// because of that table.
func (r *Rules) shadows(name schema.Name) (of schema.Name, around [2]string, ok bool) {
	m := shadow.FindStringSubmatch(name.Table)
	if m == nil || r.Includes(name) || slices.ContainsFunc(r.exclude, func(g glob) bool { return g.match(name) }) {
		return of, around, false
	}
	of = schema.Name{Database: name.Database, Table: m[2]}
	return of, [2]string{m[1], m[3]}, r.Includes(of)
}
