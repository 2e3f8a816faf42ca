package dbtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// scratch are databases in which a target tries statements. Here a database exists while a table names it, so making
// one needs no statement.
type scratch struct {
	s     *Server
	names map[string]string
}

// Scratch names the databases and removes what an interrupted trial has left in them.
func (t *target) Scratch(ctx context.Context, plan db.ScratchPlan) (db.Scratch, error) {
	if err := t.s.enter(ctx, "scratch"); err != nil {
		return nil, fmt.Errorf("make scratch databases: %w", err)
	}
	x := &scratch{t.s, map[string]string{}}
	for i, d := range plan.Databases {
		x.names[d.Name] = fmt.Sprintf("wherry_%s-try-%d", t.move, i+1)
	}
	return x, x.Close()
}

// Leftovers returns the scratch databases that have tables.
func (t *target) Leftovers(context.Context) ([]string, error) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	found := map[string]bool{}
	for name := range t.s.tables {
		if strings.HasPrefix(name.Database, "wherry_"+t.move+"-try-") {
			found[name.Database] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// Database returns the scratch database of one of the target's.
func (x *scratch) Database(of string) string { return x.names[of] }

// Execute runs one statement, which is not logged.
func (x *scratch) Execute(ctx context.Context, statement string) error {
	if err := x.s.enter(ctx, "scratch.execute"); err != nil {
		return err
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	_, err := x.s.execute(statement)
	return err
}

// ExecuteIn is Execute; sessions make no difference here.
func (x *scratch) ExecuteIn(ctx context.Context, _ schema.Session, statement string) error {
	return x.Execute(ctx, statement)
}

// Close removes what was made.
func (x *scratch) Close() error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	for _, database := range x.names {
		maps.DeleteFunc(x.s.tables, func(n schema.Name, _ *table) bool { return n.Database == database })
		maps.DeleteFunc(x.s.objects, func(_ string, o *schema.Object) bool { return o.Name.Database == database })
	}
	return nil
}

// BreakView makes a view one that applications cannot read, as one whose table was dropped or whose definer is gone.
func (s *Server) BreakView(view schema.Name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unreadable == nil {
		s.unreadable = map[schema.Name]bool{}
	}
	s.unreadable[view] = true
}

// TryView refuses a view that is not there, or that BreakView has broken.
func (r reader) TryView(ctx context.Context, view schema.Name, _ bool) error {
	if err := r.s.enter(ctx, "try_view"); err != nil {
		return fmt.Errorf("read view %s: %w", view, err)
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.s.objects[objectKey(&schema.Object{Kind: schema.ViewObject, Name: view})] == nil || r.s.unreadable[view] {
		return fmt.Errorf("no view %s that can be read", view)
	}
	return nil
}
