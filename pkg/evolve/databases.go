package evolve

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// A table that is created without a character set gets its database's default of that moment. The source tells what
// the default is now, perhaps long after: after ALTER DATABASE it is another one. So the bookkeeping has the default
// of each database as of the target's position, and the log's statements on databases change it.

// collations are the default collations of the source's databases, by their names in lower case.
type collations map[string]string

// databases returns the defaults as of the target's position. Bookkeeping that an older version began, or that has just
// been begun, has none: then those of now are recorded.
func (e *Evolver) databases(ctx context.Context) (collations, error) {
	text, err := e.target.Ledger().Get(ctx, db.FactDatabases)
	if err != nil {
		return nil, err
	}
	if text == "" {
		found, err := e.source.Databases(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the defaults of the source's databases: %w", err)
		}
		return found, e.keepDatabases(ctx, found)
	}
	found := collations{}
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		return nil, fmt.Errorf("read fact %s: %w", db.FactDatabases, err)
	}
	return found, nil
}

func (e *Evolver) keepDatabases(ctx context.Context, all collations) error {
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return e.target.Ledger().Put(ctx, db.FactDatabases, string(text))
}

// after returns the defaults after a change.
func (c collations) after(effects []schema.Effect) collations {
	if !slices.ContainsFunc(effects, func(e schema.Effect) bool { return e.Kind == schema.Database }) {
		return c
	}
	out := maps.Clone(c)
	for i := range effects {
		e := &effects[i]
		switch name := strings.ToLower(e.Name.Database); {
		case e.Kind != schema.Database:
		case e.Collation == "":
			delete(out, name)
		default:
			out[name] = e.Collation
		}
	}
	return out
}

// in is a schema change as it reads where databases have these defaults.
func (c collations) in(d *db.DDL) *db.DDL {
	other := *d
	other.Context.Databases = c
	return &other
}

// of is a table in a database of these defaults: the source may tell its database's default of now.
func (c collations) of(t *schema.Table) *schema.Table {
	standard := c[strings.ToLower(t.Name.Database)]
	if standard == "" || standard == t.DatabaseCollation {
		return t
	}
	own := *t
	own.DatabaseCollation = standard
	return &own
}

// keepDefaults records what the change makes of a database, in every mode: nothing is done on the target for it. The
// position moves later, so that a kill between does it twice, which does no harm.
func (c *change) keepDefaults(ctx context.Context) error {
	effects, err := c.source.Effects(ctx, c.collations.in(c.DDL), nil)
	if err != nil {
		return fmt.Errorf("read what %.200q does to a database: %w", c.Statement, err)
	}
	c.opts.Log.Debug().Str("statement", c.Statement).Msg("defaults of a database recorded")
	return c.keepDatabases(ctx, c.collations.after(effects))
}
