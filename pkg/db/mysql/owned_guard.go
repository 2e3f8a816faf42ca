package mysql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/binlog"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
)

// touch is what a schema statement of the dialect's does to tables. It is read from the text, and not passed beside it:
// so no caller can say one thing and do another.
type touch struct {
	verb   string // CREATE, ALTER, TRUNCATE, DROP, RENAME
	tables []schema.Name
	pairs  [][2]schema.Name // of RENAME, in order
}

// readTouch reads a statement that the dialect wrote; nil: it is about no table, such as CREATE DATABASE. What cannot
// be read is an error: it might change somebody else's table.
func readTouch(statement string) (*touch, error) {
	tokens := binlog.Tokens(statement, 0, len(statement))
	if len(tokens) < 3 || !tokens[1].Is("TABLE") {
		return nil, nil
	}
	t := &touch{verb: strings.ToUpper(tokens[0].Text)}
	tokens = tokens[2:]
	for tokens[0].Is("IF") || tokens[0].Is("NOT") || tokens[0].Is("EXISTS") {
		tokens = tokens[1:]
	}
	unread := fmt.Errorf("read which table a statement is about: %.200s", statement)
	for {
		from, rest, ok := binlog.TableName(tokens)
		if !ok {
			return nil, unread
		}
		t.tables = append(t.tables, from)
		if t.verb == "ALTER" {
			rest = binlog.RenameClause(rest)
		}
		if t.verb == "RENAME" || len(rest) > 0 && t.verb == "ALTER" {
			if len(rest) == 0 || !rest[0].Is("TO") {
				return nil, unread
			}
			var to schema.Name
			if to, rest, ok = binlog.TableName(rest[1:]); !ok {
				return nil, unread
			}
			t.pairs = append(t.pairs, [2]schema.Name{from, to})
		}
		switch more := len(rest) > 0 && rest[0].IsMark(","); {
		case more && t.verb == "RENAME":
			tokens = rest[1:]
		case more && t.verb == "DROP":
			return nil, unread
		default:
			return t, nil
		}
	}
}

// guarded runs a schema statement if it is about tables of the move alone, and keeps the list of these, see db.Target.
// The order is: resolve what earlier statements left open, note what is about to happen, run, record the result. A kill
// after any step leaves a note from which the next run can tell what happened.
func (t *Target) guarded(ctx context.Context, statement string, run func() error) error {
	c, err := readTouch(statement)
	if err != nil {
		return err
	}
	l := &ledger{t: t, database: Bookkeeping(t.cfg.Move)}
	if c != nil && c.verb == "CREATE" && t.announced.has(c.tables[0]) {
		return t.createAnnounced(ctx, l, c.tables[0], run)
	}
	if c == nil || !slices.ContainsFunc(c.tables, func(n schema.Name) bool { return n.Database != l.database }) {
		return run()
	}
	owned, err := l.resolveFor(ctx, c)
	if err != nil {
		return err
	}
	for _, n := range c.tables {
		if _, ours := owned[n]; !ours && c.verb != "CREATE" &&
			!slices.ContainsFunc(c.pairs, func(p [2]schema.Name) bool { return p[1] == n }) {
			switch there, _, err := t.created(ctx, n); {
			case err != nil || !there && c.verb == "DROP":
				return err // gone already
			case !there:
				return fmt.Errorf("%s table %s: no such table on the target", strings.ToLower(c.verb), n)
			default:
				return notOurs(c.verb, n)
			}
		}
	}
	noted, after, gone, err := l.notes(ctx, c, owned)
	if err != nil {
		return err
	}
	if len(noted) > 0 {
		if err := l.writeOwned(ctx, l.putOwned(noted)); err != nil {
			return err
		}
	}
	if err := run(); err != nil {
		if wire.Number(err) == wire.TableExists && len(noted) > 0 { // somebody made it since we checked
			err = notOurs(c.verb, noted[len(noted)-1].name)
		}
		// it was answered: nothing was done
		if len(noted) > 0 && !errors.Is(err, db.ErrConnection) && ctx.Err() == nil {
			return errors.Join(err, l.unnote(ctx, noted, owned))
		}
		return err
	}
	if len(after)+len(gone) == 0 {
		return nil
	}
	return l.writeOwned(ctx, append(l.forgetOwned(gone), l.putOwned(after)...))
}

// notOurs is the error about a table of somebody else. Nothing was changed, and it says what can be done.
func notOurs(verb string, n schema.Name) error {
	return fmt.Errorf("%s table %s: it is on the target, and %w: give it another name there, or exclude the source's "+
		"table (tables.exclude)", strings.ToLower(verb), n, db.ErrNotOwned)
}

// resolveFor returns which of the tables of a statement are the move's. Notes on them are resolved first, and notes on
// all renames: whether a rename has happened shows by which names are free, and the next statement may change that.
func (l *ledger) resolveFor(ctx context.Context, c *touch) (db.Owned, error) {
	names := slices.Clone(c.tables)
	for _, p := range c.pairs {
		names = append(names, p[1])
	}
	return l.resolve(ctx, "note IN ('"+noteRename+"', '"+noteRenamed+"')", c.verb == "DROP", names...)
}

// notes returns what is to be noted before a statement (noted), and how the list changes after it: rows to put (after)
// and names to remove (gone). ALTER and TRUNCATE need no note: the table is the move's before and after.
func (l *ledger) notes(ctx context.Context, c *touch, owned db.Owned) (noted, after []ownedRow, gone []schema.Name,
	err error,
) {
	switch {
	case c.verb == "CREATE":
		n := c.tables[0]
		if there, _, err := l.t.created(ctx, n); err != nil || there {
			if err == nil {
				err = notOurs(c.verb, n)
			}
			return nil, nil, nil, err
		}
		return []ownedRow{{name: n, origin: db.Made, note: noteCreate}}, []ownedRow{{name: n, origin: db.Made}}, nil,
			nil
	case c.verb == "DROP":
		n := c.tables[0]
		created, err := l.afterCreation(ctx, n)
		return []ownedRow{{name: n, origin: owned[n], note: noteDrop, since: created}}, nil, []schema.Name{n}, err
	case len(c.pairs) > 0:
		return l.renameNotes(ctx, c, owned)
	default:
		return nil, nil, nil, nil
	}
}

// afterCreation returns when a table was created, once that second is over: from then on no other table can have the
// same name and the same time.
func (l *ledger) afterCreation(ctx context.Context, n schema.Name) (created int64, err error) {
	if _, created, err = l.t.created(ctx, n); err != nil {
		return 0, err
	}
	for range 60 { // more than a second; a clock that was put back is not waited for
		var now int64
		if err := l.t.admin.QueryRowContext(ctx, "SELECT UNIX_TIMESTAMP()").Scan(&now); err != nil || created < now {
			return created, wire.Classify(err)
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return created, nil
}

// renameNotes are the notes of RENAME TABLE, which may have several pairs that the server carries out in order: a swap
// is a TO tmp, b TO a, tmp TO b. If the set of names is the same after it as before, there is nothing to note: whatever
// happened, the same names are the move's.
func (l *ledger) renameNotes(ctx context.Context, c *touch, owned db.Owned) (noted, after []ownedRow,
	gone []schema.Name, err error,
) {
	have := maps.Clone(owned)
	for _, p := range c.pairs {
		origin, ours := have[p[0]]
		if !ours {
			return nil, nil, nil, notOurs(c.verb, p[0])
		}
		if _, taken := have[p[1]]; !taken {
			if there, _, err := l.t.created(ctx, p[1]); err != nil || there && !gaveUp(c.pairs, p) {
				if err == nil {
					err = notOurs(c.verb, p[1])
				}
				return nil, nil, nil, err
			}
		}
		delete(have, p[0])
		have[p[1]] = origin
	}
	var added []schema.Name
	for n := range have {
		if _, before := owned[n]; !before {
			added = append(added, n)
		}
	}
	for n := range owned {
		if _, still := have[n]; !still {
			gone = append(gone, n)
		}
	}
	for n, origin := range have {
		after = append(after, ownedRow{name: n, origin: origin})
	}
	if len(added) == 0 || len(gone) == 0 {
		return nil, after, nil, nil
	}
	for _, n := range gone {
		created, err := l.afterCreation(ctx, n)
		if err != nil {
			return nil, nil, nil, err
		}
		noted = append(noted, ownedRow{name: n, origin: owned[n], note: noteRename, since: created, other: added[0]})
	}
	for _, n := range added {
		noted = append(noted, ownedRow{
			name: n, origin: have[n], note: noteRenamed, since: noted[0].since,
			other: gone[0],
		})
	}
	return noted, after, gone, nil
}

// gaveUp tells whether an earlier pair of the list frees the name that a later one gives.
func gaveUp(pairs [][2]schema.Name, to [2]schema.Name) bool {
	for _, p := range pairs {
		if p == to {
			return false
		}
		if p[0] == to[1] {
			return true
		}
	}
	return false
}

// unnote removes the notes of a statement that the server refused, so that nobody has to work out what became of it.
func (l *ledger) unnote(ctx context.Context, noted []ownedRow, owned db.Owned) error {
	var gone []schema.Name
	var put []ownedRow
	for _, r := range noted {
		if origin, ours := owned[r.name]; ours {
			put = append(put, ownedRow{name: r.name, origin: origin})
		} else {
			gone = append(gone, r.name)
		}
	}
	return l.writeOwned(ctx, append(l.forgetOwned(gone), l.putOwned(put)...))
}
