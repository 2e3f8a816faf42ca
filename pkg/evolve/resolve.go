package evolve

import (
	"errors"
	"maps"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// A statement's text alone may mean different things on different servers, and the log does not tell all of its
// session. So what a change was understood to do is compared with the source's tables and with later changes in its
// log. This file decides. It asks nobody: it is given what can be seen of the source, and tells what it did, or what
// else it must see.
//
//	source's tables now   later changes in the log           decision
//	as the text says      not looked at                      the text is right
//	otherwise             none                               the source is right: it read the text otherwise
//	otherwise             none; a column may be renamed      refused
//	gone                  none                               wait for the log to tell of its end; then refused
//	otherwise, or gone    lead from the text's shape to it   the text is right
//	gone                  drop it too                        the text is right, and nothing is left to compare
//	otherwise             lead elsewhere, or are not read    wait for the log to catch up; then refused
//	otherwise             some; the text leaves it open      refused
//
// Where that refuses, it is tried again with one assumption after another about what the log does not tell (see
// assumptions). The first that is not refused holds. If all are, the refusal is the one without assumptions.

// shapes are tables by their names; nil of those that are not there.
type shapes = map[schema.Name]*schema.Table

// question is a schema change, and what is known of the move's tables.
type question struct {
	change *db.DDL
	before shapes // before the change
	// collations are the default ones of databases before the change, if that is known.
	collations collations
	// follows tells of a name whether a new table of it belongs to the move.
	follows func(schema.Name) bool
	// held tells whether a table is recorded as of a later position, with this change in its shape.
	held func(schema.Name) (bool, error)
	// read works out what a change does to known tables. An error is schema.ErrUnknownStatement, or about the source.
	read func(d *db.DDL, known []*schema.Table) ([]schema.Effect, error)
	// differ tells what is different between two tables.
	differ func(want, got *schema.Table) []string

	readings []*reading // one for each of the assumptions, as far as they were tried
}

// sight is what was seen of the source, in this order. Of a table that is not there a map has nil.
type sight struct {
	tables shapes               // by their names once the change is made
	asked  map[schema.Name]bool // tables whose changes were looked for in the log
	log    []*db.DDL            // the changes after this one, of those tables at least
	ends   shapes               // the tables after the log was read
}

// verdict is what a change did. With tables, log or ends it is not known yet: these must be seen first.
type verdict struct {
	effects []schema.Effect
	why     error         // db.ErrUnsupported: it cannot be told
	wait    doubt         // with why: the source may show more in a moment
	open    []schema.Name // tables that are not as the text says; all have to be copied again if it cannot be told

	tables, log, ends []schema.Name
}

// doubt is whether the source may show more in a moment.
type doubt int

const (
	certain  doubt = iota
	unlogged       // its tables may have changes that its log has not yet
	vanished       // a table is gone, and its log has not yet why
)

// assumption is what is taken for true of a statement's session besides what the log says.
type assumption struct {
	explicit bool // no TIMESTAMP gets a default by itself
	spare    schema.Spare
}

// assumptions are those to try in turn; the first is that nothing is assumed. A MariaDB replica does not always log
// that explicit_defaults_for_timestamp was on. No log has which indexes a server made by itself for a foreign key.
func assumptions(of schema.StatementContext) []assumption {
	all := []assumption{{}}
	if of.Open != "" { // no assumption tells what the text means
		return all
	}
	all = append(all, assumption{false, schema.SpareStays}, assumption{false, schema.SpareGoes})
	if of.Flavor.MariaDB {
		for _, spare := range []schema.Spare{schema.SpareUnknown, schema.SpareStays, schema.SpareGoes} {
			all = append(all, assumption{true, spare})
		}
	}
	return all
}

// of is a schema change as it reads under the assumption.
func (a assumption) of(d *db.DDL) *db.DDL {
	other := *d
	other.Context.ImplicitTimestamps = other.Context.ImplicitTimestamps && !a.explicit
	other.Context.Spare = a.spare
	return &other
}

// resolve tells what a change did by what was seen of the source. An error is one of reading, not about the change.
func (q *question) resolve(s *sight) (verdict, error) {
	var all verdict
	for i, assumed := range assumptions(q.change.Context) {
		if i == len(q.readings) {
			r, err := q.reading(assumed)
			if err != nil {
				return verdict{}, err
			}
			q.readings = append(q.readings, r)
		}
		v, err := q.readings[i].resolve(s)
		if err != nil || v.why == nil {
			return v, err
		}
		if i == 0 {
			all = v
		}
		all.wait, all.open = max(all.wait, v.wait), append(all.open, v.open...)
	}
	return all, nil
}

// reading is what the change did under one assumption.
type reading struct {
	*question
	assumed assumption
	text    []schema.Effect // as the text says
	why     error           // db.ErrUnsupported: the text cannot be read

	effects []schema.Effect  // with shapes that the source bears out
	open    []*schema.Effect // those of them whose shapes its tables do not bear out as they are
}

// reading reads the change under an assumption. A statement that cannot be read is one that alters the tables that it
// names, if all of them are known.
func (q *question) reading(assumed assumption) (*reading, error) {
	d := q.collations.in(assumed.of(q.change))
	text, err := q.read(d, there(q.before))
	q.change.Moment, q.change.Parsed = d.Moment, d.Parsed // what was found out on the way
	r := &reading{question: q, assumed: assumed, text: text}
	switch {
	case err == nil:
	case errors.Is(err, schema.ErrUnknownStatement):
		r.text = nil
		for _, name := range q.change.Tables {
			if q.before[name] == nil {
				r.why = unsupported("%v", err)
			}
			r.text = append(r.text, schema.Effect{Name: name, Kind: schema.Altered})
		}
	case errors.Is(err, db.ErrUnsupported):
		r.why = err
	default:
		return nil, err
	}
	return r, nil
}

// shaped are the effects that leave a table of the move in another shape than it is recorded with.
func (r *reading) shaped() (effects []*schema.Effect, err error) {
	for i := range r.effects {
		e := &r.effects[i]
		switch {
		case e.Kind == schema.Created && r.follows(e.Name), e.Kind == schema.Altered && r.before[e.Name] != nil:
		default:
			continue
		}
		held, err := r.held(e.Name)
		if err != nil {
			return nil, err
		}
		if !held {
			effects = append(effects, e)
		}
	}
	return effects, nil
}

// resolve tells what the change did if the assumption holds.
func (r *reading) resolve(s *sight) (verdict, error) {
	if r.why != nil {
		return verdict{why: r.why}, nil
	}
	r.effects = slices.Clone(r.text)
	shaped, err := r.shaped()
	if err != nil {
		return verdict{}, err
	}
	var names []schema.Name
	for _, e := range shaped {
		names = append(names, r.named(e))
	}
	if unseen := unseen(names, s.tables); len(unseen) > 0 {
		return verdict{tables: unseen}, nil
	}
	v := verdict{effects: r.effects}
	if r.match(shaped, s.tables); len(r.open) == 0 {
		return v, nil
	}
	for _, e := range r.open {
		v.open = append(v.open, e.Name)
	}
	touched := r.touched(s.tables)
	for name := range touched {
		if !s.asked[name] {
			return verdict{log: slices.Collect(maps.Keys(touched))}, nil
		}
	}
	if later := touching(s.log, touched); len(later) > 0 {
		return r.replay(v, later, s.ends)
	}
	return r.believe(v, s.tables), nil
}

// named is the name of an effect's table once the change is made: a statement may rename one that it alters too.
func (r *reading) named(e *schema.Effect) schema.Name { return last(net(r.effects), e.Name) }

// match takes the source's tables for shapes that they are equal to, and leaves the others open.
func (r *reading) match(shaped []*schema.Effect, tables shapes) {
	r.open = nil
	for _, e := range shaped {
		now := tables[r.named(e)]
		if now != nil && e.After != nil && len(r.differ(shapeAs(e.After, now.Name, r.effects), now)) == 0 {
			e.After = r.collations.of(now)
			continue
		}
		r.open = append(r.open, e)
	}
}

// touched are the tables whose later changes matter: those that are open, under both names, and the parents of their
// foreign keys, since a parent's new name is one of its children's shape too.
func (r *reading) touched(tables shapes) map[schema.Name]bool {
	touched := map[schema.Name]bool{}
	for _, e := range r.open {
		now := tables[r.named(e)]
		touched[e.Name], touched[r.named(e)] = true, true
		for _, t := range []*schema.Table{e.After, r.before[e.Name], now} {
			if t == nil {
				continue
			}
			for i := range t.ForeignKeys {
				touched[t.ForeignKeys[i].Parent] = true
			}
		}
	}
	return touched
}

// touching returns those of the changes that touch the tables, and those of databases among them. Tables that one of
// these is exchanged with, or renamed to, count from there on.
func touching(log []*db.DDL, tables map[schema.Name]bool) (found []*db.DDL) {
	tables = maps.Clone(tables)
	touched := false
	for _, d := range log {
		touches := slices.ContainsFunc(d.Tables, func(n schema.Name) bool { return tables[n] })
		if !touches && d.Database == "" {
			continue
		}
		touched = touched || touches
		for _, n := range d.Tables {
			tables[n] = true
		}
		found = append(found, d)
	}
	if !touched {
		return nil
	}
	return found
}

// believe takes the source's tables for what the change left, since nothing came after it.
func (r *reading) believe(v verdict, tables shapes) verdict {
	for _, e := range r.open {
		now := tables[r.named(e)]
		if now == nil {
			v.why, v.wait = unsupported("the source has no table %s, and the log does not tell why", e.Name), vanished
			return v
		}
		if e.Kind == schema.Altered && e.Former == nil {
			if e.Former = sameNames(r.before[e.Name], now); e.Former == nil {
				v.why = unsupported(
					"columns of %s are new and others are gone: whether they were renamed cannot be told", e.Name)
				return v
			}
			e.Converts = slices.Clone(e.Converts)
			for i := range now.Columns { // whose type may be another, so that values were converted
				e.Converts = append(e.Converts, now.Columns[i].Name)
			}
		}
		e.After = r.collations.of(now)
	}
	return v
}
