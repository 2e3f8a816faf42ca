package evolve

import (
	"errors"
	"maps"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// The text of a statement does not say everything: the same words mean different things on different servers, and the
// log does not hold all of the session's variables. So the shape that the text leads to is compared with the source's
// tables, and with later changes in the source's log. This file decides. It asks no server: it is given evidence, and
// returns a verdict, or what else it must see.
//
// For example `ALTER TABLE t ADD d TIMESTAMP` gives d a default or none, by explicit_defaults_for_timestamp of the
// session. If the source's t has the default now, the source was right, unless the log shows that a later statement
// added it.
//
//	source's tables now   later changes in the log           decision
//	as the text says      not read                           the text is right
//	different             none                               the source is right: it read the text differently
//	different             none; a column may be renamed      refused
//	gone                  none                               wait until the log has the DROP; then refused
//	different, or gone    lead from the text's shape to it   the text is right
//	gone                  drop it too                        the text is right, and nothing is left to compare
//	different             lead elsewhere, or are unreadable  wait for the log to catch up; then refused
//	different             some; the text leaves it open      refused
//
// A refusal is not final: the change is resolved once more under each of the assumptions about what the log leaves out
// (see assumptions). The first assumption that is not refused is believed. If all are refused, the error is that of
// the reading without assumptions, since that one names what the user can see.

// shapes are tables by their names. A name that maps to nil has been looked up and does not exist; a name that is
// absent has not been looked up.
type shapes = map[schema.Name]*schema.Table

// question is a schema change, with what the move's bookkeeping has about its tables.
type question struct {
	change *db.DDL
	before shapes // before the change
	// collations are the default collations of databases before the change, if they are known.
	collations collations
	// follows returns whether a new table of that name belongs to the move.
	follows func(schema.Name) bool
	// recorded returns whether the table's record is of a later position, so that its shape includes this change.
	recorded func(schema.Name) (bool, error)
	// read works out what a change does to known tables. Its error is schema.ErrUnknownStatement, db.ErrUnsupported, or
	// a failure to ask the source.
	read func(d *db.DDL, known []*schema.Table) ([]schema.Effect, error)
	// differ returns the differences between two tables in words, none when they are equal.
	differ func(want, got *schema.Table) []string

	readings []*reading // one per assumption, in the order of assumptions; only as many as were tried
}

// evidence is what was seen of the source. The order matters: the log is read after the tables, so that it has the
// change that made a table different; the tables are read once more after the log, so that they have every change that
// it lists.
type evidence struct {
	tables   shapes               // by the names that they have once the change is made
	searched map[schema.Name]bool // tables whose changes were looked for in the log
	log      []*db.DDL            // the changes after this one: all of those tables, perhaps others too
	final    shapes               // the tables, read after the log
}

// verdict is what a change did: its effects, or why that is unknown. If tables, log or final has names, there is no
// verdict yet: the evidence of that kind is missing for these tables.
type verdict struct {
	effects   []schema.Effect
	why       error         // db.ErrUnsupported: the effects are unknown
	wait      doubt         // with why: whether the source may show more in a moment
	unmatched []schema.Name // tables that differ from what the text says; with why, all of them must be copied again

	tables, log, final []schema.Name
}

// doubt is whether it is worth asking the source once more. The larger value waits longer.
type doubt int

const (
	certain  doubt = iota // no: nothing that the source shows later would change the verdict
	unlogged              // yes: a table may have a change that is not in the log yet
	vanished              // yes: a table is gone, and the log does not have its DROP or RENAME yet
)

// assumption is a guess about what the log leaves out of a statement's session, and of its server.
type assumption struct {
	explicit bool         // explicit_defaults_for_timestamp was on: no TIMESTAMP gets a default by itself
	spare    schema.Spare // what became of indexes that a new one makes needless
}

// assumptions returns the guesses to try in turn; the first guesses nothing. A MariaDB replica does not always log that
// explicit_defaults_for_timestamp was on. No log says which indexes a server made by itself for a foreign key: of those
// `ALTER TABLE child ADD INDEX (parent_id, day)` drops the one over (parent_id), of others it does not.
func assumptions(of schema.StatementContext) []assumption {
	all := []assumption{{}}
	if of.Open != "" { // the text cannot be read with certainty, so no assumption helps
		return all
	}
	all = append(all, assumption{false, schema.SpareStays}, assumption{false, schema.SpareGoes})
	if of.Flavor.Family == schema.MariaDB {
		for _, spare := range []schema.Spare{schema.SpareUnknown, schema.SpareStays, schema.SpareGoes} {
			all = append(all, assumption{true, spare})
		}
	}
	return all
}

// of returns a copy of the schema change as it reads under the assumption.
func (a assumption) of(d *db.DDL) *db.DDL {
	other := *d
	other.Context.ImplicitTimestamps = other.Context.ImplicitTimestamps && !a.explicit
	other.Context.Spare = a.spare
	return &other
}

// resolve returns what the change did, judged by the evidence so far. Its error is a failure to read, which says
// nothing about the change.
//
// A verdict that asks for more evidence ends the loop too: what the first reading needs to see is asked for before the
// next assumption is tried, so that a wrong guess never wins over a right reading that was only not finished.
func (q *question) resolve(s *evidence) (verdict, error) {
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
		if i == 0 { // its error is the one to show
			all = v
		}
		// Any of the readings may come true in a moment, and any of their tables may be the wrong one.
		all.wait, all.unmatched = max(all.wait, v.wait), append(all.unmatched, v.unmatched...)
	}
	return all, nil
}

// reading is the change under one assumption.
type reading struct {
	*question
	assumed assumption
	text    []schema.Effect // what the text says
	why     error           // db.ErrUnsupported: the text cannot be read

	effects   []schema.Effect  // what the text says, with the source's own shapes where they match
	unmatched []*schema.Effect // those of effects whose shapes are not what the source's tables are now
}

// reading reads the change under an assumption. A statement that cannot be read, for instance one with a clause of a
// newer server, counts as an ALTER of every table that it names: then the source's tables say what it did. That is
// refused if one of the tables is unknown, since nobody can say what it was before.
func (q *question) reading(assumed assumption) (*reading, error) {
	d := q.collations.in(assumed.of(q.change))
	text, err := q.read(d, there(q.before))
	// Reading has filled in the copy. It is kept, or every assumption would parse and ask the source once more.
	q.change.Moment, q.change.Parsed = d.Moment, d.Parsed
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

// shaped returns the effects that give a table of the move a new shape, which is to be compared with the source's
// table. A table whose record is of a later position is left out: its shape is known, and has this change in it.
func (r *reading) shaped() (effects []*schema.Effect, err error) {
	for i := range r.effects {
		e := &r.effects[i]
		switch {
		case e.Kind == schema.Created && r.follows(e.Name), e.Kind == schema.Altered && r.before[e.Name] != nil:
		default:
			continue
		}
		recorded, err := r.recorded(e.Name)
		if err != nil {
			return nil, err
		}
		if !recorded {
			effects = append(effects, e)
		}
	}
	return effects, nil
}

// resolve returns what the change did if the assumption is right.
func (r *reading) resolve(s *evidence) (verdict, error) {
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
	if missing := unobserved(names, s.tables); len(missing) > 0 {
		return verdict{tables: missing}, nil
	}
	v := verdict{effects: r.effects}
	if r.match(shaped, s.tables); len(r.unmatched) == 0 {
		return v, nil
	}
	for _, e := range r.unmatched {
		v.unmatched = append(v.unmatched, e.Name)
	}
	touched := r.touched(s.tables)
	for name := range touched {
		if !s.searched[name] {
			return verdict{log: slices.Collect(maps.Keys(touched))}, nil
		}
	}
	if later := touching(s.log, touched); len(later) > 0 {
		return r.replay(v, later, s.final)
	}
	return r.trust(v, s.tables), nil
}

// named returns the name of an effect's table once the change is made: `ALTER TABLE t ADD c INT, RENAME TO u` alters t,
// and the source has it as u.
func (r *reading) named(e *schema.Effect) schema.Name { return last(net(r.effects), e.Name) }

// match replaces shapes by the source's tables that are equal to them, and notes the effects that match nothing. The
// source's table is preferred because it carries the server's own CREATE statement, which can be proved by writing it
// once more (schema.Dialect.Regenerates).
func (r *reading) match(shaped []*schema.Effect, tables shapes) {
	r.unmatched = nil
	for _, e := range shaped {
		now := tables[r.named(e)]
		if now != nil && e.After != nil && len(r.differ(shapeAs(e.After, now.Name, r.effects), now)) == 0 {
			e.After = r.collations.of(now)
			continue
		}
		r.unmatched = append(r.unmatched, e)
	}
}

// touched returns the tables whose later changes matter: those that match nothing, under both names, and the parents of
// their foreign keys. `RENAME TABLE parent TO p2` changes the shape of child too, though it names no child.
func (r *reading) touched(tables shapes) map[schema.Name]bool {
	touched := map[schema.Name]bool{}
	for _, e := range r.unmatched {
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

// touching returns the changes of the log that touch the tables, and the changes of databases among them; none if no
// table is touched. A table that is renamed or exchanged with one of these counts from there on: after
// `RENAME TABLE t TO old, _t_gho TO t` later changes of old matter as those of t did.
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

// trust takes the source's tables for what the change left behind. It is sound only because the log has no later change
// of them.
func (r *reading) trust(v verdict, tables shapes) verdict {
	for _, e := range r.unmatched {
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
			// The text was not understood, so any column's type may have changed, and with it the values. All of them
			// count as converted; exact then refuses where that matters.
			e.Converts = slices.Clone(e.Converts)
			for i := range now.Columns {
				e.Converts = append(e.Converts, now.Columns[i].Name)
			}
		}
		e.After = r.collations.of(now)
	}
	return v
}
