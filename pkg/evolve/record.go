package evolve

import (
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// record works one effect into the records, and notes the goals on the target. Renames are not among the effects that
// matter here: renames has worked them in as a whole.
func (c *change) record(e *schema.Effect) error {
	// A table that was copied anew after this change has it in its rows.
	if recorded, err := c.recorded(e.Name, c.After); err != nil || recorded {
		return err
	}
	r := c.records[e.Name]
	switch e.Kind {
	case schema.Created:
		return c.created(e)
	case schema.Renamed, schema.Database:
		return nil // renames and keepDefaults have done these
	default:
	}
	if r == nil {
		return nil // not the move's
	}
	if err := c.repeatable(e); err != nil {
		return err
	}
	switch e.Kind {
	case schema.Dropped:
		c.goals = append(c.goals, goal{Kind: dropped, Table: r.Target})
		c.drop(e.Name)
	case schema.Truncated:
		c.goals = append(c.goals, goal{Kind: truncated, Table: r.Target})
		c.change(e.Name, *r)
	default:
		c.alter(e.Name, e, r)
		next := *r
		next.Shape = e.After
		c.change(e.Name, next)
	}
	return nil
}

// repeatable refuses effects that another server cannot repeat. With --skip-ddl the user has seen to the rows, so only
// the shape must be known. For example `ALTER TABLE t ADD u CHAR(36) DEFAULT (UUID())` gives each row a value that no
// other server will find.
func (c *change) repeatable(e *schema.Effect) error {
	switch {
	case e.Opaque != "" && !c.opts.Skip:
		return unsupported("%s: %s", e.Name, e.Opaque)
	case e.Kind == schema.Altered && e.After == nil:
		return unsupported("what becomes of %s cannot be told from the statement", e.Name)
	default:
		return nil
	}
}

// created works a new table into the records, if its name belongs to the move.
func (c *change) created(e *schema.Effect) error {
	switch {
	case !c.rules.Follows(e.Name):
		return nil
	case e.Opaque != "" && !c.opts.Skip:
		return unsupported("%s: %s", e.Name, e.Opaque)
	case e.After == nil:
		return unsupported("what %s is cannot be told from the statement", e.Name)
	case e.Logged && !c.More: // CREATE TABLE .. SELECT whose rows should follow in this transaction
		return unsupported("the rows of %s are not in the log", e.Name)
	case !c.rules.Includes(e.Name) && refusal(c.opts.Plan([]*schema.Table{e.After})) != nil:
		// The name is one that schema-change tools use for the shadow of a table, but the table can never replace that
		// one: gh-ost, for instance, makes a small sentry table under the name of the old copy.
		c.opts.Log.Warn().Stringer("table", e.Name).Msg("table beside one of the move is not like it, and is not " +
			"followed")
		return nil
	}
	c.goals = append(c.goals, goal{Kind: created, Source: e.Name})
	c.change(e.Name, db.Record{Source: e.Name, Shape: e.After})
	return nil
}

// change notes what a table's record becomes. Its position is that of the change: up to there the shape is up to date.
func (c *change) change(name schema.Name, r db.Record) {
	r.Source, r.Since = name, c.Since()
	c.records[name] = &r
	c.gone = slices.DeleteFunc(c.gone, name.Equal)
	if !slices.Contains(c.put, name) {
		c.put = append(c.put, name)
	}
}

// drop notes that a table's record goes.
func (c *change) drop(name schema.Name) {
	delete(c.records, name)
	c.put = slices.DeleteFunc(c.put, name.Equal)
	if !slices.Contains(c.gone, name) {
		c.gone = append(c.gone, name)
	}
}

// planned works out the target's tables after the change, and refuses what the target cannot hold. The whole move is
// planned, not only the tables of the change: two tables may now go to one name, or a foreign key may have lost its
// parent.
func (c *change) planned() error {
	var shapes []*schema.Table
	for _, r := range c.records {
		shapes = append(shapes, r.Shape)
	}
	// A shape that was read from the source may have words that are not understood, such as an option of a newer
	// server. A shape without a definition was worked out from words that are.
	for _, name := range c.put {
		if shape := c.records[name].Shape; shape.Definition != "" {
			if differences := c.target.Dialect().Regenerates(shape); len(differences) > 0 {
				return unsupported("what %s becomes is not understood as the source means it: %s", name, differences[0])
			}
		}
	}
	p := c.opts.Plan(shapes)
	if err := refusal(p); err != nil {
		return unsupported("%v", err)
	}
	c.next = p
	for _, r := range p.Routes {
		if record := c.records[r.Source.Name()]; slices.Contains(c.put, r.Source.Name()) {
			record.Target = r.Target.Name()
		}
	}
	for i := range c.goals {
		if err := c.exact(&c.goals[i], p); err != nil {
			return err
		}
	}
	return nil
}
