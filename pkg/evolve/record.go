package evolve

import (
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// record works one effect into the records, and notes what is to be done for it on the target.
func (c *change) record(e *schema.Effect) error {
	if recorded, err := c.recorded(e.Name, c.After); err != nil || recorded {
		return err
	}
	r := c.records[e.Name]
	switch e.Kind {
	case schema.Created:
		return c.created(e)
	case schema.Renamed, schema.Database:
		return nil // see renames, and keepDefaults
	default:
	}
	if r == nil {
		return nil // not one of the move's
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

// repeatable refuses what cannot be made the same elsewhere.
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

func (c *change) created(e *schema.Effect) error {
	switch {
	case !c.rules.Follows(e.Name):
		return nil
	case e.Opaque != "" && !c.opts.Skip:
		return unsupported("%s: %s", e.Name, e.Opaque)
	case e.After == nil:
		return unsupported("what %s is cannot be told from the statement", e.Name)
	case e.Logged && !c.More:
		return unsupported("the rows of %s are not in the log", e.Name)
	case !c.rules.Includes(e.Name) && refusal(c.opts.Plan([]*schema.Table{e.After})) != nil:
		// A name that a tool uses, and a table that it will never put in the place of the other, such as gh-ost's
		// sentry.
		c.opts.Log.Warn().Stringer("table", e.Name).Msg("table beside one of the move is not like it, and is not " +
			"followed")
		return nil
	}
	c.goals = append(c.goals, goal{Kind: created, Source: e.Name})
	c.change(e.Name, db.Record{Source: e.Name, Shape: e.After})
	return nil
}

// change notes what a table's record becomes.
func (c *change) change(name schema.Name, r db.Record) {
	r.Source, r.Since = name, c.Since()
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
