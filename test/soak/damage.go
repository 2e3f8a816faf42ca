package main

import (
	"context"
	encoding "encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"

	"wherry/test/internal/lab"
)

// damage changes rows of the target while nothing else does, and has verify find exactly those, repair them, and find
// nothing any more.
func (e *episode) damage(ctx context.Context) error {
	if !e.plan.damages {
		return nil
	}
	e.load.paused.Lock()
	defer e.load.paused.Unlock()
	follows := e.replica != nil
	if follows {
		e.replica.end()
		e.replica = nil
	}
	var current atomic.Pointer[lab.Child]
	if _, err := e.untilDone(ctx, &current, "start-replica", "--until-caught-up"); err != nil {
		return err
	}
	if err := e.spoil(ctx); err != nil {
		return err
	}
	if err := e.found(ctx, &current); err != nil {
		return err
	}
	for _, args := range [][]string{{"--repair"}, nil} {
		if _, err := e.untilDone(ctx, &current, "verify", args...); err != nil {
			return err
		}
	}
	if err := e.compare(ctx); err != nil {
		return fmt.Errorf("after verify --repair: %w", err)
	}
	if follows {
		e.startReplica(ctx)
	}
	return nil
}

// spoil damages some tables.
func (e *episode) spoil(ctx context.Context) error {
	r := stream(e.plan.seed, streamDamage)
	conn, err := e.target.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SET SESSION sql_mode = '"+strictMode+"'"); err != nil {
		return err
	}
	tables, _ := e.catalog.now()
	for _, t := range tables {
		if r.IntN(3) == 0 {
			continue
		}
		there := *t
		there.database = e.plan.target(t.database)
		statement := there.spoil(r)
		if _, err := conn.ExecContext(ctx, statement); err != nil && mistaken(err) {
			return fmt.Errorf("%s: %w", statement, err)
		}
		e.note("damage: %.200s: %v", statement, err)
	}
	return nil
}

// spoil is a statement that changes some rows of a table.
func (t *table) spoil(r *rand.Rand) string {
	w := &writer{Rand: r}
	switch r.IntN(3) {
	case 0:
		return "DELETE FROM " + t.quoted() + w.some(t, 1+r.IntN(4))
	case 1:
		return t.insert(r, "INSERT IGNORE", 1+r.IntN(3), "")
	default:
		return "UPDATE " + t.quoted() + " SET " + w.assign(t.plain()) + w.some(t, 1+r.IntN(4))
	}
}

// found compares what verify finds with what the comparison of our own does, table by table.
func (e *episode) found(ctx context.Context, current *atomic.Pointer[lab.Child]) error {
	want, total := map[string]*difference{}, 0
	tables, _ := e.catalog.now()
	for _, t := range tables {
		d, _, err := e.compareTable(ctx, t)
		if err != nil {
			return err
		}
		want[t.database+"."+t.name] = d
		total += d.count()
	}
	e.count.damaged.Add(int64(total))
	child, err := e.once(ctx, current, "verify")
	if err != nil {
		return err
	}
	switch {
	case total == 0 && child.Code == done || total > 0 && child.Code == differences:
	default:
		return fmt.Errorf("verify: exit code %d with %d damaged rows: %.3000s\n%s", child.Code, total, child.Output(),
			child.Log())
	}
	return agrees(child.Output(), want)
}

// agrees tells whether the lines of a verify list what there is to find.
func agrees(output string, want map[string]*difference) error {
	seen := 0
	for _, line := range strings.Split(strings.TrimSpace(output), "\n") {
		var got struct {
			Type                      string
			Table                     string
			Differing, Missing, Extra int
			Listed                    []struct{ Key, Kind string }
		}
		if err := encoding.Unmarshal([]byte(line), &got); err != nil {
			return fmt.Errorf("verify: read %q: %w", line, err)
		}
		if got.Type != "table" {
			continue
		}
		seen++
		name := got.Table
		d := want[name]
		if d == nil {
			return fmt.Errorf("verify: no table %s in the plan: %s", name, line)
		}
		if got.Missing != len(d.missing) || got.Extra != len(d.extra) || got.Differing != len(d.differing) ||
			len(got.Listed) != d.count() {
			return fmt.Errorf("verify of %s finds %d missing, %d extra, %d differing and lists %d, but there are %d, "+
				"%d, %d:\n  %s\n%s", name,
				got.Missing, got.Extra, got.Differing, len(got.Listed), len(d.missing), len(d.extra), len(d.differing),
				strings.Join(d.listed, "\n  "), line)
		}
	}
	if seen != len(want) {
		return errors.New("verify: not every table is reported: " + output)
	}
	return nil
}
