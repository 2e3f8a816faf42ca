package evolve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
)

// intent is what is being done for a schema change. The ledger keeps it as db.FactChange from before the first
// statement until records and position have moved. A server commits every DDL statement by itself, so this is what
// stands in for a transaction.
type intent struct {
	Statement string        `json:"statement"`
	Moment    db.Moment     `json:"moment"`   // session and time of the source's statement
	Position  db.Position   `json:"position"` // to move to in the end
	Put       []string      `json:"put"`      // new records, encoded
	Gone      []schema.Name `json:"gone"`     // records that go, by the source's names
	Goals     []goal        `json:"goals"`
	Done      int           `json:"done"` // how many of the goals are done; the next one may be
}

// begin records what is to be done. From here on the change is finished, in this run or the next.
func (c *change) begin(ctx context.Context) error {
	i := intent{Statement: c.Statement, Moment: c.Moment, Position: c.Since(), Gone: c.gone, Goals: ordered(c.goals)}
	for _, name := range c.put {
		text, err := db.EncodeRecord(*c.records[name])
		if err != nil {
			return err
		}
		i.Put = append(i.Put, text)
	}
	return c.keep(ctx, &i)
}

// keep writes the intent to the ledger, in a transaction of its own.
func (e *Evolver) keep(ctx context.Context, i *intent) error {
	text, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return e.target.Ledger().Put(ctx, db.FactChange, string(text))
}

// pending returns what was begun and not finished, or nil.
func (e *Evolver) pending(ctx context.Context) (*intent, error) {
	text, err := e.target.Ledger().Get(ctx, db.FactChange)
	if err != nil || text == "" {
		return nil, err
	}
	var i intent
	if err := json.Unmarshal([]byte(text), &i); err != nil {
		return nil, fmt.Errorf("read fact %s: %w", db.FactChange, err)
	}
	return &i, nil
}

// targets returns the tables of the target that the change makes or alters; none of a nil intent.
func (i *intent) targets() (names []schema.Name, err error) {
	if i == nil {
		return nil, nil
	}
	for _, text := range i.Put {
		r, err := db.DecodeRecord(text)
		if err != nil {
			return nil, err
		}
		names = append(names, r.Target)
	}
	return names, nil
}

// finish does what is left of a change that was begun, and moves the position. Without such a change it does nothing. A
// statement that the target refuses is db.ErrUnsupported; the change then stays begun, and the next run tries it again,
// perhaps after the user has removed the cause.
func (e *Evolver) finish(ctx context.Context, applier db.Applier) error {
	i, err := e.pending(ctx)
	if err != nil || i == nil {
		return err
	}
	if err := e.target.Ledger().Own(ctx, nil, nil); err != nil { // an earlier try may have been interrupted
		return err
	}
	p, put, err := e.outcome(ctx, i)
	if err == nil {
		err = e.reachAll(ctx, applier, i, p)
	}
	if errors.Is(err, db.ErrUnsupported) {
		tables := i.tables()
		// The rows of these tables are being copied, so a copy of the source's present state replaces the change.
		if e.opts.Copying && slices.ContainsFunc(i.Goals, func(g goal) bool { return g.Copying }) {
			return &db.CopyAgain{Tables: tables, Why: err.Error()}
		}
		return fmt.Errorf("schema change on %s: %.500s: %w; it was begun on the target and is not finished there, "+
			"and the position is kept before it: %s",
			texts(tables), i.Statement, err, e.advice(err, tables))
	}
	if err != nil {
		return fmt.Errorf("follow %.200q on the target: %w", i.Statement, err)
	}
	if err := applier.Amend(ctx, put, i.Gone); err != nil {
		return err
	}
	err = applier.Commit(ctx, i.Position)
	if err == nil {
		e.opts.Recorded(ctx)
	}
	return err
}

// reachAll does the goals that are left, and records each. The last one is not recorded: the commit that follows ends
// the intent as a whole.
func (e *Evolver) reachAll(ctx context.Context, applier db.Applier, i *intent, p *plan.Plan) error {
	for ; i.Done < len(i.Goals); i.Done++ {
		if err := e.reach(ctx, applier, i, p); err != nil {
			return err
		}
		if i.Done+1 == len(i.Goals) {
			break
		}
		next := *i
		next.Done++
		if err := e.keep(ctx, &next); err != nil {
			return err
		}
	}
	return nil
}

// forget removes the goals of a table. Done counts goals, so it shrinks with those that were done.
func (i *intent) forget(source schema.Name) {
	goals, done := i.Goals, i.Done
	i.Goals = nil
	for n, g := range goals {
		switch {
		case g.Source != source:
			i.Goals = append(i.Goals, g)
		case n < done:
			i.Done--
		}
	}
}

// giveUp is for a change all of whose tables were copied anew since it was begun. Their copies make all goals void.
// What is left to do is to drop the target's tables of records that go, unless another record has that table now: after
// `RENAME TABLE t TO u`, both routed to one name, t's table is u's.
func (i *intent) giveUp(records []db.Record) {
	i.Goals, i.Done = nil, 0
	for _, r := range records {
		taken := slices.ContainsFunc(records, func(x db.Record) bool {
			return x.Target == r.Target && !slices.Contains(i.Gone, x.Source)
		})
		if r.Shape != nil && slices.Contains(i.Gone, r.Source) && !taken {
			i.Goals = append(i.Goals, goal{Kind: dropped, Table: r.Target})
		}
	}
}

// tables returns the tables that the change is about, by their names on the source.
func (i *intent) tables() []schema.Name {
	tables := slices.Clone(i.Gone)
	for _, text := range i.Put {
		if r, err := db.DecodeRecord(text); err == nil {
			tables = append(tables, r.Source)
		}
	}
	return tables
}

// outcome returns the plan of the tables as they will be after the change, and the records to write. A table that was
// copied anew in the meantime is left out of both, and its goals are forgotten: it is of a later position than the
// change.
func (e *Evolver) outcome(ctx context.Context, i *intent) (*plan.Plan, []db.Record, error) {
	records, err := e.target.Ledger().Records(ctx)
	if err != nil {
		return nil, nil, err
	}
	var put []db.Record
	for _, text := range i.Put {
		r, err := db.DecodeRecord(text)
		if err != nil {
			return nil, nil, err
		}
		renewed, err := e.renewed(records, r)
		if err != nil {
			return nil, nil, err
		}
		if renewed {
			i.forget(r.Source)
			continue
		}
		put = append(put, r)
	}
	if len(put) == 0 && len(i.Put) > 0 {
		i.giveUp(records)
	}
	records = slices.DeleteFunc(records, func(r db.Record) bool {
		return slices.Contains(i.Gone, r.Source) ||
			slices.ContainsFunc(put, func(p db.Record) bool { return p.Source == r.Source })
	})
	p := e.opts.Plan(Shapes(append(records, put...)))
	if err := refusal(p); err != nil {
		return nil, nil, fmt.Errorf("%w: a schema change that was begun cannot be finished: %w", db.ErrUnsupported, err)
	}
	return p, put, nil
}

// renewed returns whether a table has been recorded anew since the change was begun, because it is copied once more:
// its record is then of the change's position or later.
func (e *Evolver) renewed(records []db.Record, r db.Record) (bool, error) {
	at := slices.IndexFunc(records, func(x db.Record) bool { return x.Source == r.Source })
	if at < 0 || records[at].Since.IsZero() {
		return false, nil
	}
	return e.source.Reached(records[at].Since, r.Since)
}
