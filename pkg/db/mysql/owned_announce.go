package mysql

import (
	"context"
	"errors"
	"sync"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
)

// announced are tables whose creation is noted in the bookkeeping, before their CREATE TABLE comes.
type announced struct {
	mu     sync.Mutex
	tables map[schema.Name]*announcement
}

// announcement is what became of a table since it was announced.
type announcement struct {
	until time.Time // by then its CREATE TABLE must have been sent
	made  bool
}

// announcedFor is how long an announcement counts. Added to the time that a statement waits for locks it is less than
// createPatience: a CREATE TABLE that is sent in time makes a table that judge takes for ours.
const announcedFor = createPatience / 2 * time.Second

// has tells whether a table was announced, its CREATE TABLE has not been run, and there is still time to send it.
func (a *announced) has(n schema.Name) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	x := a.tables[n]
	return x != nil && !x.made && time.Now().Before(x.until)
}

// withdraw ends the announcements of tables, and returns which of them were made.
func (a *announced) withdraw(names []schema.Name) (made []schema.Name) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range names {
		if x := a.tables[n]; x != nil && x.made {
			made = append(made, n)
		}
		delete(a.tables, n)
	}
	return made
}

// Announce notes tables that are about to be created, all of them in one transaction. See db.Target.
func (t *Target) Announce(ctx context.Context, names []schema.Name) (func(context.Context) error, error) {
	l := &ledger{t: t, database: Bookkeeping(t.cfg.Move)}
	owned, err := l.resolve(ctx, "note IN ('"+noteRename+"', '"+noteRenamed+"')", true, names...)
	if err != nil {
		return nil, err
	}
	var rows []ownedRow
	for _, n := range names {
		if _, ours := owned[n]; !ours {
			rows = append(rows, ownedRow{name: n, origin: db.Made, note: noteCreate})
		}
	}
	if len(rows) == 0 {
		return func(context.Context) error { return nil }, nil
	}
	until := time.Now().Add(announcedFor)
	if err := l.writeOwned(ctx, l.putOwned(rows)); err != nil {
		return nil, err
	}
	t.announced.mu.Lock()
	defer t.announced.mu.Unlock()
	if t.announced.tables == nil {
		t.announced.tables = map[schema.Name]*announcement{}
	}
	for _, r := range rows {
		t.announced.tables[r.name] = &announcement{until: until}
	}
	return func(ctx context.Context) error {
		var after []ownedRow
		for _, n := range t.announced.withdraw(names) {
			after = append(after, ownedRow{name: n, origin: db.Made})
		}
		if len(after) == 0 {
			return nil
		}
		return l.writeOwned(ctx, l.putOwned(after))
	}, nil
}

// createAnnounced runs the CREATE TABLE of a table that was announced. One that is there already is somebody else's.
func (t *Target) createAnnounced(ctx context.Context, l *ledger, n schema.Name, run func() error) error {
	err := run()
	switch {
	case err == nil:
		t.announced.mu.Lock()
		defer t.announced.mu.Unlock()
		t.announced.tables[n].made = true
		return nil
	case errors.Is(err, db.ErrConnection), ctx.Err() != nil: // it may be there: the note tells
		return err
	}
	if wire.Number(err) == wire.TableExists {
		err = notOurs("CREATE", n)
	}
	t.announced.withdraw([]schema.Name{n})
	return errors.Join(err, l.writeOwned(ctx, l.forgetOwned([]schema.Name{n})))
}
