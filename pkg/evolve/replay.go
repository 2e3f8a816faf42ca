package evolve

import (
	"errors"
	"maps"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// replay starts from the shapes that this change leaves according to its text, and works the later changes of the log
// into them. If that leads to the tables that the source has now, the text was read right. For example
// `ALTER TABLE t ADD a INT`, then `ALTER TABLE t ADD b INT`: the source's t has both, which equals neither shape by
// itself.
//
// Every doubt here waits (unlogged): the log may lack the last change that the tables show.
func (r *reading) replay(v verdict, later []*db.DDL, final shapes) (verdict, error) {
	v.wait = unlogged
	w := course{shapes: maps.Clone(r.before), mine: map[schema.Name]bool{}, collations: r.collations}
	for _, e := range r.unmatched {
		if e.After == nil {
			v.why = unsupported(
				"what becomes of %s cannot be told from the statement, and later ones have changed the table again",
				e.Name)
			return v, nil
		}
		w.mine[e.Name] = true
	}
	if v.why = w.pass(r.effects); v.why != nil {
		return v, nil
	}
	for _, d := range later {
		if d.Database == "" && !w.concerns(d) { // a database's defaults decide what later CREATE TABLEs make
			continue
		}
		effects, err := r.read(w.collations.in(r.assumed.of(d)), there(w.shapes))
		if err != nil && !errors.Is(err, schema.ErrUnknownStatement) && !errors.Is(err, db.ErrUnsupported) {
			return v, err
		}
		if err != nil {
			v.why = unsupported(
				"a later change of the table is not understood, so its shape at this position cannot be told: %v", err)
			return v, nil
		}
		if v.why = w.pass(effects); v.why != nil {
			return v, nil
		}
	}
	mine := w.names()
	if missing := unobserved(mine, final); len(missing) > 0 {
		return verdict{final: missing}, nil
	}
	for _, name := range mine {
		if final[name] == nil || w.shapes[name] == nil {
			v.why = unsupported("table %s is gone from the source, and the log does not tell why", name)
			return v, nil
		}
		if differences := r.differ(w.shapes[name], final[name]); len(differences) > 0 {
			v.why = unsupported("this change and the %d after it should have led to another %s than the source has: %s",
				len(later), name, differences[0])
			return v, nil
		}
	}
	v.wait = certain
	return v, nil
}

// course is the tables while later changes are worked into them.
type course struct {
	shapes shapes
	mine   map[schema.Name]bool // the unmatched tables, by the names that they have at this point; false: no longer

	collations collations // of the databases at this point
}

// concerns returns whether a change is about an unmatched table, or a parent of one. The name alone does not decide it:
// after `RENAME TABLE t TO x, u TO t, x TO u` a change of t is one of the former u. The shape of that table is unknown
// here, because its earlier changes were not searched for, so its later ones must be left out.
func (w *course) concerns(d *db.DDL) bool {
	about := map[schema.Name]bool{}
	for _, name := range w.names() {
		about[name] = true
		if t := w.shapes[name]; t != nil {
			for i := range t.ForeignKeys {
				about[t.ForeignKeys[i].Parent] = true
			}
		}
	}
	return slices.ContainsFunc(d.Tables, func(n schema.Name) bool { return about[n] })
}

// names returns the unmatched tables that still exist.
func (w *course) names() (names []schema.Name) {
	for name, is := range w.mine {
		if is {
			names = append(names, name)
		}
	}
	return names
}

// pass works one change into the shapes. Its error is db.ErrUnsupported: the change leaves open what becomes of an
// unmatched table.
func (w *course) pass(effects []schema.Effect) error {
	before := maps.Clone(w.shapes)
	w.collations = w.collations.after(effects)
	for i := range effects {
		e := &effects[i]
		switch e.Kind {
		case schema.Dropped:
			delete(w.shapes, e.Name)
			delete(w.mine, e.Name)
		case schema.Renamed:
			// In `RENAME TABLE a TO b, b TO c` the second pair means the former a; in a swap the first pair has
			// overwritten the name that the second one frees, so the shape before the statement is used.
			shape := w.shapes[e.Name]
			if shape == nil {
				shape = before[e.Name]
			}
			delete(w.shapes, e.Name)
			if shape != nil {
				w.shapes[e.To] = shapeAs(shape, e.To, effects[i:i+1])
			}
			mine := w.mine[e.Name]
			delete(w.mine, e.Name)
			w.mine[e.To] = mine
		case schema.Created, schema.Altered:
			if e.After == nil && w.mine[e.Name] {
				return unsupported("what becomes of %s cannot be told from the statements that follow", e.Name)
			}
			w.shapes[e.Name] = e.After
		case schema.Truncated, schema.Database:
		}
	}
	return nil
}
