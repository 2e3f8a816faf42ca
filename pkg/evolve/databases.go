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

// `CREATE TABLE t (v VARCHAR(9))` takes the character set from its database's default at that moment. The source only
// says what the default is now, perhaps days later and after an ALTER DATABASE. So the ledger holds the default of each
// database as of the target's position, and statements on databases in the log change it. Without that, t would get the
// wrong character set, and the wrong bytes.

// collations are the default collations of the source's databases, by their names in lower case. A database without an
// entry is unknown.
type collations map[string]string

// databases returns the defaults as of the target's position. If the ledger has none, because it is new or an older
// version began it, today's defaults are recorded and returned.
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

// after returns the defaults after a change. It never modifies c: several readings of one change start from it.
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

// in returns a copy of the schema change that is read with these defaults.
func (c collations) in(d *db.DDL) *db.DDL {
	other := *d
	other.Context.Databases = c
	return &other
}

// of returns the table with its database's default as of this position. A table that was just read from the source has
// today's default in it.
func (c collations) of(t *schema.Table) *schema.Table {
	standard := c[strings.ToLower(t.Name.Database)]
	if standard == "" || standard == t.DatabaseCollation {
		return t
	}
	own := *t
	own.DatabaseCollation = standard
	return &own
}

// keepDefaults records a database's new default. That happens in every mode, also when schema changes are ignored,
// since nothing is done on the target for it. The position moves later: a kill in between records the same value twice,
// which does no harm.
func (c *change) keepDefaults(ctx context.Context) error {
	effects, err := c.source.Effects(ctx, c.collations.in(c.DDL), nil)
	if err != nil {
		return fmt.Errorf("read what %.200q does to a database: %w", c.Statement, err)
	}
	c.opts.Log.Debug().Str("statement", c.Statement).Msg("defaults of a database recorded")
	return c.keepDatabases(ctx, c.collations.after(effects))
}
