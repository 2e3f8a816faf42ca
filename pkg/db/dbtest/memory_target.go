package dbtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// target is a server that a move writes to.
type target struct {
	reader
	move string
}

// Check returns the findings that Server.Find has added for the target.
// Misfits returns nil: the engine in memory holds every value.
func (t *target) Misfits(*route.Route) (db.Misfits, error) { return nil, nil }

func (t *target) Check(ctx context.Context, _ db.Plan) ([]db.Finding, error) {
	return t.s.check(ctx, "target")
}

// Dialect writes tables in the server's own language.
func (r reader) Dialect() schema.Dialect { return dialect{r.s.family} }

// Ledger is the move's bookkeeping.
func (t *target) Ledger() db.Ledger { return &ledger{s: t.s, move: t.move} }

// Execute runs one statement of the dialect's.
func (t *target) Execute(ctx context.Context, statement string) error {
	if err := t.s.enter(ctx, "execute"); err != nil {
		return fmt.Errorf("execute %.200s: %w", statement, err)
	}
	if err := t.guarded(statement, func() error {
		return t.s.DDL(db.DDL{Statement: statement}, statement)
	}); err != nil {
		return fmt.Errorf("execute %.200s: %w", statement, err)
	}
	return t.s.step("execute.after")
}

// Announce does nothing: here each statement and its entry in the list of owned tables are one instant.
func (t *target) Announce(context.Context, []schema.Name) (func(context.Context) error, error) {
	return func(context.Context) error { return nil }, nil
}

// Obstacles looks for rows; there are no triggers here.
func (t *target) Obstacles(ctx context.Context, tables []schema.Name) (map[schema.Name][]string, error) {
	if err := t.s.enter(ctx, "obstacles"); err != nil {
		return nil, fmt.Errorf("look for rows: %w", err)
	}
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	found := map[schema.Name][]string{}
	for _, name := range tables {
		if table := t.s.tables[name]; table != nil && len(table.rows) > 0 {
			found[name] = []string{"is not empty"}
		}
	}
	return found, nil
}

// Load copies a chunk and marks it done in one transaction. Rows wait in memory for the commit. The chunk is checked
// before anything is read and at the commit, so of two loaders the second is refused even if both have read it.
func (t *target) Load(ctx context.Context, from db.RowReader, r *route.Route, c db.Chunk) (loaded db.Loaded,
	err error,
) {
	if err := t.s.enter(ctx, "load"); err != nil {
		return db.Loaded{}, fmt.Errorf("load chunk: %w", err)
	}
	if err := t.claim(r.Source.Name(), c, nil); err != nil {
		return db.Loaded{}, err
	}
	rows, err := from.Rows(ctx, &r.Source, c.Range)
	if err != nil {
		return db.Loaded{}, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	v := newView(t.s)
	for {
		if err := t.s.enter(ctx, "load.rows"); err != nil {
			return db.Loaded{}, fmt.Errorf("load chunk: %w", err)
		}
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return db.Loaded{}, err
		}
		displaced, err := t.insert(v, &r.Target, row)
		if err != nil {
			// The row may be in the way because another loader has just finished this chunk. That is the error to
			// return: the copy goes on then, while a duplicate would stop it.
			return db.Loaded{}, cmp.Or(t.claim(r.Source.Name(), c, nil), err)
		}
		loaded.Rows++
		loaded.Bytes += int64(row.Size())
		loaded.Displaced += displaced
	}
	if s, ok := from.(db.Successor); ok {
		if c.Seen, err = s.Seen(ctx); err != nil {
			return db.Loaded{}, fmt.Errorf("load chunk: %w", err)
		}
	} else {
		c.Seen = c.Position
	}
	if err := t.s.enter(ctx, "load.commit"); err != nil {
		return db.Loaded{}, fmt.Errorf("load chunk: %w", err)
	}
	err = v.commit(ctx, false, func() error { return t.claimLocked(r.Source.Name(), c, &loaded) })
	if err == nil {
		err = t.s.step("load.commit.after")
	}
	return loaded, err
}

// claim checks that a chunk is to be loaded with these bounds, and marks it done when loaded is given.
func (t *target) claim(table schema.Name, c db.Chunk, loaded *db.Loaded) error {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	return t.claimLocked(table, c, loaded)
}

// claimLocked is claim with s.mu held.
func (t *target) claimLocked(table schema.Name, c db.Chunk, loaded *db.Loaded) error {
	b := t.s.ledgers[t.move]
	if b == nil {
		return fmt.Errorf("claim chunk %s[%d]: no bookkeeping", table, c.Number)
	}
	recorded := b.chunk(table, c.Number)
	switch {
	case recorded == nil:
		return fmt.Errorf("claim chunk %s[%d]: no record of it on the target", table, c.Number)
	case !sameBound(recorded.Range.After, c.Range.After) || !sameBound(recorded.Range.Upto, c.Range.Upto):
		return fmt.Errorf("claim chunk %s[%d]: it is recorded with other bounds: %w", table, c.Number, db.ErrLocked)
	case recorded.Done:
		return fmt.Errorf("claim chunk %s[%d]: %w", table, c.Number, db.ErrChunkDone)
	case loaded != nil:
		recorded.Done, recorded.Rows, recorded.Position, recorded.Seen = true, loaded.Rows, c.Position, c.Seen
	}
	return nil
}

// sameBound compares bounds. An open bound is not the empty key.
func sameBound(a, b db.Row) bool {
	return (a == nil) == (b == nil) && slices.EqualFunc(a, b, bytes.Equal)
}

// insert adds a row. Rows of other chunks that hold one of its unique values give way, apart from one that has its key.
func (t *target) insert(v *view, rel *route.Relation, row db.Row) (displaced int64, err error) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	o, err := v.table(rel.Name())
	if err != nil {
		return 0, err
	}
	whole, _, err := o.widen(rel, row)
	if err != nil {
		return 0, err
	}
	if len(rel.Key) > 0 {
		if displaced, err = v.displace(o, whole); err != nil {
			return 0, err
		}
	}
	return displaced, v.write(o, "", whole)
}

// displace removes what holds a unique value of a row. What this transaction wrote itself stays, and is in the way:
// both are rows of one chunk, read at one instant, so the source cannot have had both.
func (v *view) displace(o *overlay, row db.Row) (displaced int64, err error) {
	conflicting, _ := o.conflicts("", row)
	for _, key := range conflicting {
		if o.get(key) == nil || o.rows[key] != nil || key == encode(row.Pick(o.t.key)) {
			continue
		}
		if err := v.write(o, key, nil); err != nil {
			return 0, err
		}
		displaced++
	}
	return displaced, nil
}

// widen makes a relation's row one of the table as it stands, and returns where the relation's columns are in that.
// Columns that the relation lacks have their default, as an INSERT with a list of columns gives it.
func (o *overlay) widen(rel *route.Relation, row db.Row) (whole db.Row, columns []int, err error) {
	if columns, err = locate(o.t.def, rel); err != nil {
		return nil, nil, err
	}
	if len(row) != len(columns) {
		return nil, nil, fmt.Errorf("write row of %s: %d values for %d columns", rel.Name(), len(row), len(columns))
	}
	whole = make(db.Row, len(o.t.def.Columns))
	for i := range whole {
		whole[i] = initial(&o.t.def.Columns[i])
	}
	for i, v := range row {
		whole[columns[i]] = v
	}
	return whole, columns, nil
}

// initial returns the value of a column that a row does not give: its default, NULL, or as a server that is not
// strict does zero or the empty string.
func initial(c *schema.Column) []byte {
	switch {
	case c.Default != nil && c.Default.Literal:
		return []byte(c.Default.Text)
	case c.Nullable || c.AutoIncrement:
		return nil
	case c.Type.IsNumber():
		return []byte("0")
	default:
		return []byte{}
	}
}
