package route

import (
	"regexp"
	"slices"

	"wherry/pkg/schema"
)

// Schema-change tools do not ALTER a table. They make a shadow beside it, fill it, and swap the two by RENAME TABLE.
// The shadow becomes the table, so its rows must be followed from its CREATE on, even if no include matches its name.

// shadow matches the names of such tables: gh-ost's _t_gho and _t_del (with a time before it, by
// --timestamp-old-table), pt-online-schema-change's _t_new and _t_old (with more underscores when that exists). The
// table's own name is the second group.
var shadow = regexp.MustCompile(`^(_+)(.+?)((?:_[0-9]{14})?_(?:gho|del|new|old))$`)

// Follows returns whether schema changes of the name matter: it moves, or it is the shadow of a table that does.
func (r *Rules) Follows(name schema.Name) bool {
	_, _, shadows := r.shadows(name)
	return r.Includes(name) || shadows
}

// shadows returns the table that the name is a shadow of, and what stands around that one's name: t, {"_", "_gho"} for
// _t_gho. ok is false if the name is not a shadow, if it moves or is excluded by itself, or if its table does not move.
func (r *Rules) shadows(name schema.Name) (of schema.Name, around [2]string, ok bool) {
	m := shadow.FindStringSubmatch(name.Table)
	if m == nil || r.Includes(name) || slices.ContainsFunc(r.exclude, func(g glob) bool { return g.match(name) }) {
		return of, around, false
	}
	of = schema.Name{Database: name.Database, Table: m[2]}
	return of, [2]string{m[1], m[3]}, r.Includes(of)
}
