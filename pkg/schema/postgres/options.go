package postgres

import (
	"fmt"
	"maps"
	"slices"

	"wherry/pkg/schema"
)

// Options are what a user decides about the target's tables. The zero value is the defaults.
type Options struct {
	Identifiers Identifiers // of columns, indexes and constraints; tables and schemas are named by the routes
	// Types are the types that columns get instead of the defaults, by the source's type, such as "tinyint(1)" or
	// "enum", or by db.table.column, in which * and ? stand for anything. See typeRules.
	Types map[string]string
	// ZeroDates is that zero and partial dates, such as 2024-00-00, become NULL: columns of dates outside of keys then
	// take NULL. Otherwise the first such date stops the move.
	ZeroDates bool
	PostGIS   bool // geometries become PostGIS's, else bytes
	Fulltext  bool // FULLTEXT indexes become GIN indexes, else they are dropped
	// Materialize are views, as db.view in which * and ? stand for anything, whose rows are stored.
	Materialize []string
}

// Dialect is the dialect of PostgreSQL. It implements schema.Dialect, and is a value that is safe for concurrent use.
type Dialect struct {
	opts  Options
	rules []typeRule
	known *survey // nil: of a move whose tables are not all known, see Survey
}

var (
	_ schema.Dialect  = Dialect{}
	_ schema.Surveyor = Dialect{}
)

// New returns the dialect, or an error that names what is wrong with the options.
func New(opts Options) (Dialect, error) {
	identifiers, err := ParseIdentifiers(string(opts.Identifiers))
	if err != nil {
		return Dialect{}, err
	}
	opts.Identifiers = identifiers
	d := Dialect{opts: opts}
	for _, key := range slices.Sorted(maps.Keys(opts.Types)) {
		rule, err := newTypeRule(key, opts.Types[key])
		if err != nil {
			return Dialect{}, fmt.Errorf("types: %w", err)
		}
		d.rules = append(d.rules, rule)
	}
	return d, nil
}
