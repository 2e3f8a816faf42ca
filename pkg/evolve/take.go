package evolve

import (
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// take works one effect into the records, and notes what is to be done for it on the target.
func (c *change) take(e *schema.Effect) error {
	if held, err := c.held(e.Name, c.after); err != nil || held {
		return err
	}
	r := c.records[e.Name]
	switch e.Kind {
	case schema.Created:
		return c.created(e)
	case schema.Renamed:
		return nil // see renames
	default:
	}
	if r == nil {
		return nil // not one of the move's
	}
	if err := c.tellable(e); err != nil {
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
		c.goals = append(c.goals, goal{Kind: altered, Source: e.Name, Former: e.Former, Empties: e.Empties, Copying: r.Copy})
		next := *r
		next.Shape = e.After
		c.change(e.Name, next)
	}
	return nil
}

// tellable refuses what cannot be made the same elsewhere.
func (c *change) tellable(e *schema.Effect) error {
	switch {
	case e.Opaque != "" && !c.opts.Skip:
		return unsupported("%s: %s", e.Name, e.Opaque)
	case e.Kind == schema.Altered && e.After == nil:
		return unsupported("what becomes of %s cannot be told from the statement", e.Name)
	default:
		return nil
	}
}

func (c *change) created(e *schema.Effect) error {
	switch {
	case !c.rules.Follows(e.Name):
		return nil
	case e.Opaque != "" && !c.opts.Skip:
		return unsupported("%s: %s", e.Name, e.Opaque)
	case e.After == nil:
		return unsupported("what %s is cannot be told from the statement", e.Name)
	case e.Logged && !c.more:
		return unsupported("the rows of %s are not in the log", e.Name)
	case !c.rules.Includes(e.Name) && refusal(c.opts.Plan([]*schema.Table{e.After})) != nil:
		// A name that a tool uses, and a table that it will never put in the place of the other, such as gh-ost's sentry.
		c.opts.Log.Warn().Stringer("table", e.Name).Msg("table beside one of the move is not like it, and is not followed")
		return nil
	}
	c.goals = append(c.goals, goal{Kind: created, Source: e.Name})
	c.change(e.Name, db.Record{Source: e.Name, Shape: e.After})
	return nil
}

// change notes what a table's record becomes.
func (c *change) change(name schema.Name, r db.Record) {
	r.Source, r.Since = name, c.after
	if c.more {
		r.Since = c.before
	}
	c.records[name] = &r
	c.gone = slices.DeleteFunc(c.gone, name.Equal)
	if !slices.Contains(c.put, name) {
		c.put = append(c.put, name)
	}
}

func (c *change) drop(name schema.Name) {
	delete(c.records, name)
	c.put = slices.DeleteFunc(c.put, name.Equal)
	if !slices.Contains(c.gone, name) {
		c.gone = append(c.gone, name)
	}
}

// planned works out the tables' targets.
func (c *change) planned() error {
	var shapes []*schema.Table
	for _, r := range c.records {
		shapes = append(shapes, r.Shape)
	}
	for _, name := range c.put { // what is worked out and not read is in words that are understood
		if shape := c.records[name].Shape; shape.Definition != "" {
			if differences := schema.Regenerates(shape); len(differences) > 0 {
				return unsupported("what %s becomes is not understood as the source means it: %s", name, differences[0])
			}
		}
	}
	p := c.opts.Plan(shapes)
	if err := refusal(p); err != nil {
		return unsupported("%v", err)
	}
	for _, r := range p.Routes {
		if record := c.records[r.Source.Name()]; slices.Contains(c.put, r.Source.Name()) {
			record.Target = r.Target.Name()
		}
	}
	for _, g := range c.goals {
		if err := c.filled(&g, wanted(p, g.Source)); err != nil {
			return err
		}
	}
	return nil
}

// filled refuses new columns that rows get another value in on the other family: of JSON documents that must be there MySQL makes null,
// and MariaDB, where they are text, an empty text.
func (c *change) filled(g *goal, want *schema.Table) error {
	if g.Kind != altered || want == nil {
		return nil
	}
	shape := c.records[g.Source].Shape
	for i := range shape.Columns {
		column := &shape.Columns[i]
		_, kept := g.Former[column.Name]
		if !kept && column.Type.Kind == schema.JSON && !column.Nullable && column.Default == nil && column.Generated == schema.NotGenerated && shape.Flavor.MariaDB != want.Flavor.MariaDB {
			return unsupported("new column %s of %s: what rows that are there get in it differs between the families", column.Name, g.Source)
		}
	}
	return nil
}
