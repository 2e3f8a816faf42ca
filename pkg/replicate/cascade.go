package replicate

import (
	"context"
	"fmt"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

const (
	// maxDepth is beyond what any server lets actions nest (InnoDB, FK_MAX_CASCADE_DEL: 15).
	maxDepth = 32
	// lookupValues is how many referenced values are looked for together.
	lookupValues = 500
)

// errAlone ends a session whose applier has several connections when it meets the first action: what an action reads
// must not be what another connection has changed and not committed.
var errAlone = fmt.Errorf("rows that foreign keys change are applied by one connection: %w", db.ErrRetry)

// action is what a foreign key did on the source, unseen in the log, when a row that others reference was removed or
// got new values.
type action struct {
	ref       *route.Reference
	kind      route.Action
	old       db.Row                // the values that were referenced
	values    db.Row                // with Follow: the new ones, a nil element for one that stays
	null      []bool                // with Follow: new values that are NULL
	contained map[*route.Route]bool // db.Part.Contained, see fired
}

// fired returns the actions of a change, in the order in which the source carried them out. contained are tables that
// were loaded from a snapshot with this transaction in it (db.Part.Contained): what foreign keys did there is in their
// rows already, so actions on them are left out.
func fired(c *route.Cascades, change *db.Change, contained map[*route.Route]bool) (acts []action, err error) {
	for _, ref := range c.Of(change.Route) {
		kind := ref.Acts(change.Before, change.After)
		if kind == route.NoAction || contained[ref.Child] {
			continue
		}
		if ref.Obstacle != "" {
			return nil, fmt.Errorf("%w: foreign key %s of %s changed rows that the log does not show: %s",
				db.ErrUnsupported, ref.Name, ref.Child.Source.Name(), ref.Obstacle)
		}
		act := action{ref: ref, kind: kind, old: change.Before.Pick(ref.To), contained: contained}
		if kind == route.Follow {
			act.follow(change.After.Pick(ref.To))
		}
		acts = append(acts, act)
	}
	return acts, nil
}

// follow sets the new values. InnoDB changes only the columns of which the referenced ones changed.
func (a *action) follow(to db.Row) {
	a.values, a.null = make(db.Row, len(to)), make([]bool, len(to))
	for i, v := range to {
		switch {
		case v == nil:
			a.null[i] = true
		case !slices.Equal(v, a.old[i]):
			a.values[i] = v
		}
	}
}

// changed returns what the action makes of a row.
func (a *action) changed(row db.Row) db.Row {
	if a.kind == route.Remove {
		return nil
	}
	after := slices.Clone(row)
	for i, p := range a.ref.From {
		switch {
		case a.kind == route.Empty || a.null[i]:
			after[p] = nil
		case a.values[i] != nil:
			after[p] = a.values[i]
		}
	}
	return after
}

// lookup finds rows that the action has not changed yet.
func (a *action) lookup(values []db.Row) *db.Lookup {
	l := &db.Lookup{Route: a.ref.Child, Columns: a.ref.From, Values: values}
	if a.kind == route.Follow && !slices.Contains(a.null, true) {
		l.Except = a.values
	}
	return l
}

// carry carries actions out on the target, each with all that follows from it before the next.
func (r *Replicator) carry(ctx context.Context, applier db.Applier, acts []action) error {
	c := &carrier{r: r, applier: applier, net: newCoalescer()}
	return c.all(ctx, acts, 0)
}

type carrier struct {
	r       *Replicator
	applier db.Applier
	net     *coalescer
}

func (c *carrier) all(ctx context.Context, acts []action, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("carry out %s of %s: foreign keys act more than %d levels deep: %w", acts[0].ref.Name,
			acts[0].ref.Child.Source.Name(),
			maxDepth, db.ErrUnsupported)
	}
	for _, group := range together(acts) {
		values := make([]db.Row, len(group))
		for i := range group {
			values[i] = group[i].old
		}
		for len(values) > 0 {
			n := min(len(values), lookupValues)
			if err := c.one(ctx, &group[0], values[:n], depth); err != nil {
				return fmt.Errorf("carry out foreign key %s of %s: %w", group[0].ref.Name,
					group[0].ref.Child.Source.Name(), err)
			}
			values = values[n:]
		}
	}
	return nil
}

// together groups actions that can be carried out at once: removals, and those that set NULL, of one foreign key. For
// ON UPDATE CASCADE the order matters. Example: 1 becomes 2, then 2 becomes 3. Done at once, the children of 1 could
// not be told from those of 2.
func together(acts []action) (groups [][]action) {
	at := map[*route.Reference]map[route.Action]int{}
	for _, act := range acts {
		if act.kind == route.Follow {
			groups = append(groups, []action{act})
			clear(at)
			continue
		}
		kinds := at[act.ref]
		if kinds == nil {
			kinds = map[route.Action]int{}
			at[act.ref] = kinds
		}
		if i, known := kinds[act.kind]; known {
			groups[i] = append(groups[i], act)
			continue
		}
		kinds[act.kind] = len(groups)
		groups = append(groups, []action{act})
	}
	return groups
}

// one changes the rows that reference the values, some at a time: those that are done no longer reference them.
func (c *carrier) one(ctx context.Context, act *action, values []db.Row, depth int) error {
	for {
		rows, err := c.applier.Referencing(ctx, act.lookup(values))
		if err != nil || len(rows) == 0 {
			return err
		}
		var next []action
		for _, row := range rows {
			change := db.Change{Route: act.ref.Child, Before: row, After: act.changed(row)}
			more, err := fired(c.r.cascades, &change, act.contained)
			if err != nil {
				return err
			}
			next = append(next, more...)
			c.net.add(change)
		}
		applied, err := c.applier.Apply(ctx, c.net.batch())
		c.net.reset()
		if err != nil {
			return err
		}
		c.r.stats.Rows += applied.Upserted + applied.Deleted
		if err := c.all(ctx, next, depth+1); err != nil {
			return err
		}
	}
}

// step is a run of changes and the actions of foreign keys that they set off. The net effect of the changes is applied
// first, then the actions. So a change that comes after an action in the log may join the same step only if the order
// makes no difference to it (see pending.after).
type step struct {
	net   *coalescer
	batch *db.Batch
	acts  []action
}

// pending is the actions of a step that is still open.
type pending struct {
	acts    []action
	reached map[*route.Route]bool             // tables whose changes must all come after the actions
	values  map[*route.Route][]*pendingValues // tables whose changes must if a row comes to reference one of the values
	known   map[*route.Reference]*pendingValues
}

type pendingValues struct {
	ref    *route.Reference
	values map[string]bool
}

func (p *pending) add(c *route.Cascades, act action) {
	p.acts = append(p.acts, act)
	if p.reached == nil {
		p.reached, p.values, p.known =
			map[*route.Route]bool{}, map[*route.Route][]*pendingValues{}, map[*route.Reference]*pendingValues{}
	}
	child := act.ref.Child
	if len(c.Of(child)) > 0 || act.kind == route.Follow || len(child.Source.Key) == 0 || !byBytes(act.ref) ||
		child.Target.Table.OtherUnique() {
		for r := range c.Reach(act.ref) {
			p.reached[r] = true
		}
		return
	}
	v := p.known[act.ref]
	if v == nil {
		v = &pendingValues{act.ref, map[string]bool{}}
		p.known[act.ref] = v
		p.values[child] = append(p.values[child], v)
	}
	v.values[rowText(act.old)] = true
}

// byBytes tells whether values of a foreign key are equal only if their bytes are.
func byBytes(ref *route.Reference) bool {
	for _, p := range ref.From {
		if ref.Child.Source.Column(p).Type.Kind != schema.Integer {
			return false
		}
	}
	return true
}

// after tells whether a change must come after the actions.
func (p *pending) after(change *db.Change) bool {
	if len(p.acts) == 0 {
		return false
	}
	if p.reached[change.Route] {
		return true
	}
	for _, v := range p.values[change.Route] {
		if change.After != nil && v.values[rowText(change.After.Pick(v.ref.From))] {
			return true
		}
	}
	return false
}

func rowText(row db.Row) string {
	var text []byte
	for _, v := range row {
		if v == nil {
			text = append(text, '~', ',')
			continue
		}
		text = append(append(text, v...), ',') // digits
	}
	return string(text)
}

// add takes a change into the batch, after what must come before it.
func (c *collector) add(ctx context.Context, change *db.Change, contained map[*route.Route]bool) error {
	if c.pending.after(change) {
		c.cut()
	}
	c.net.add(*change)
	if !change.Cascades || c.r.cascades.Empty() {
		return nil
	}
	acts, err := fired(c.r.cascades, change, contained)
	if err != nil || len(acts) == 0 {
		return err
	}
	if c.r.opts.Unseen != nil {
		if acts, err = c.unseen(ctx, acts); err != nil {
			return err
		}
	}
	for _, act := range acts {
		c.pending.add(c.r.cascades, act)
	}
	if len(c.pending.acts) > 0 && c.r.opts.Workers > 1 && !c.r.alone {
		c.r.alone = true
		return errAlone
	}
	return nil
}

// unseen calls Options.Unseen, once per run, and keeps only the actions on tables without a key: those were loaded from
// a snapshot, so they hold exactly the rows that the log means. The tables of the other actions are compared later.
func (c *collector) unseen(ctx context.Context, acts []action) ([]action, error) {
	if !c.r.noted {
		if err := c.r.opts.Unseen(ctx); err != nil {
			return nil, err
		}
		c.r.noted = true
	}
	return slices.DeleteFunc(acts, func(a action) bool { return len(a.ref.Child.Source.Key) > 0 }), nil
}

// cut ends the step: what comes next is applied after its actions.
func (c *collector) cut() {
	c.steps = append(c.steps, step{net: c.net, batch: c.net.batch(), acts: c.pending.acts})
	rows, bytes := c.net.rows, c.net.bytes
	c.pending = pending{}
	c.net = c.fresh()
	c.cutRows, c.net.bytes = c.cutRows+rows, bytes
}

// fresh returns an empty coalescer.
func (c *collector) fresh() *coalescer {
	select {
	case n := <-c.free:
		return n
	default:
		return newCoalescer()
	}
}

// drop discards what was collected since the last batch was handed over.
func (c *collector) drop() {
	c.net.reset()
	c.steps, c.pending, c.cutRows = nil, pending{}, 0
}

// nothing tells that nothing was collected since the last batch was handed over.
func (c *collector) nothing() bool {
	return c.net.empty() && len(c.steps) == 0 && len(c.pending.acts) == 0
}

// collected returns the steps that were collected, and begins new ones.
func (c *collector) collected() []step {
	all := c.steps
	if !c.net.empty() || len(c.pending.acts) > 0 {
		all = append(all, step{net: c.net, batch: c.net.batch(), acts: c.pending.acts})
		c.net = c.fresh()
	}
	c.steps, c.pending, c.cutRows = nil, pending{}, 0
	return all
}

// workers returns how many connections apply.
func (r *Replicator) workers() int {
	if r.alone {
		return 1
	}
	return r.opts.Workers
}
