package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"time"

	"wherry/test/internal/lab"
)

// event is something that happens while a phase runs.
type event struct {
	what  string        // one of those below
	after time.Duration // since the phase, or the event before it, began
	lasts time.Duration // of those that end again
	end   string        // source or target, for what befalls a server
	table int           // which of the tables, for locks
}

// The phases, and what may happen in them.
var phases = []string{"init-schema", "init-copy", "start-replica", "verify", "cutover"}

// kinds maps what may happen to the feature that allows it, and to how often it is drawn.
var kinds = []struct {
	what, feature string
	weight        int
}{
	{"SIGKILL", "kill", 8},
	{"SIGTERM", "kill", 3},
	{"restart", "restart", 2},
	{"freeze", "freeze", 2},
	{"rotate", "rotate", 3},
	{"cut", "cut", 4},
	{"lock", "locks", 3},
	{"second", "second", 2},
}

// gentle are those that may happen on the way back: the old source is not to forget that it is read-only.
var gentle = []string{"SIGKILL", "SIGTERM", "rotate", "cut", "freeze"}

// drawEvents draws what happens in each phase.
func drawEvents(r *rand.Rand, features featureSet, p *plan) map[string][]event {
	all := map[string][]event{}
	for _, phase := range phases {
		for range r.IntN(7) {
			e := event{
				after: time.Duration(10+r.IntN(40)*r.IntN(40)) * time.Millisecond,
				lasts: time.Duration(100+r.IntN(1500)) * time.Millisecond,
				end:   pick(r, "source", "target"),
				table: r.IntN(len(p.tables)),
			}
			e.what = drawKind(r, features)
			if e.what != "" && p.allows(phase, e) {
				all[phase] = append(all[phase], e)
			}
		}
	}
	return all
}

// moreEvents draws what happens in the phases that only some episodes have, and when the source dies.
func (p *plan) moreEvents(r *rand.Rand, features featureSet) {
	for _, phase := range []string{
		"cutover --rehearse", "start-replica --reverse", "verify --reverse",
		"cutover --reverse", "cleanup",
	} {
		for range r.IntN(5) {
			e := event{
				after: time.Duration(10+r.IntN(30)*r.IntN(30)) * time.Millisecond,
				lasts: time.Duration(100+r.IntN(900)) * time.Millisecond, end: pick(r, "source", "target"),
			}
			e.what = drawKind(r, features)
			if slices.Contains(gentle, e.what) && p.allows("cutover", e) {
				p.events[phase] = append(p.events[phase], e)
			}
		}
	}
	for range 1 + r.IntN(2) {
		phase, at := pick(r, "init-schema", "init-copy", "init-copy", "start-replica", "verify"), r.IntN(3)
		if p.failover {
			e := event{what: "failover", after: time.Duration(50+r.IntN(800)) * time.Millisecond, end: "source"}
			p.events[phase] = slices.Insert(p.events[phase], min(at, len(p.events[phase])), e)
		}
	}
}

// allows leaves out what breaks a promise that is not wherry's. A source that restarts forgets that it is read-only,
// and LOCK TABLES ends with its connection: after the switch it would take writes again, which nobody carries.
func (p *plan) allows(phase string, e event) bool {
	if phase != "cutover" {
		return true
	}
	if e.what == "restart" && e.end == "source" {
		return false
	}
	return p.fence != "lock_tables" || e.what == "lock" || e.what == "rotate"
}

// drawKind draws one even if it is left out then, so that the others stay what they were.
func drawKind(r *rand.Rand, features featureSet) string {
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	at := r.IntN(total)
	for _, k := range kinds {
		if at -= k.weight; at < 0 {
			if features[k.feature] {
				return k.what
			}
			return ""
		}
	}
	return ""
}

// disturb lets the events of a phase happen, one after another, while current returns the wherry to hit.
func (e *episode) disturb(ctx context.Context, events []event, current func() *lab.Child) error {
	for len(events) > 0 {
		next := events[0]
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(next.after):
		}
		e.note("event %s %s %s", next.what, next.end, next.lasts)
		// Begun events come to their end, so that no server stays frozen or down.
		e.happening.Add(1)
		err := e.happen(context.WithoutCancel(ctx), next, current())
		e.disturbed.Add(1)
		e.happening.Add(-1)
		if err != nil {
			return fmt.Errorf("event %s: %w", next.what, err)
		}
		e.events.Add(1)
		events = events[1:]
	}
	return nil
}

func (e *episode) happen(ctx context.Context, v event, child *lab.Child) error {
	on := e.source
	if v.end == "target" {
		on = e.target
	}
	switch v.what {
	case "SIGKILL":
		return e.signal(child, os.Kill)
	case "SIGTERM":
		return e.signal(child, syscall.SIGTERM)
	case "restart":
		e.count.crashes.Add(1)
		return on.restart(ctx, v.lasts)
	case "freeze":
		return on.freeze(ctx, v.lasts)
	case "rotate":
		return on.try(ctx, "FLUSH BINARY LOGS")
	case "cut":
		e.count.cuts.Add(1)
		return on.cut(ctx)
	case "lock":
		return e.lock(ctx, v)
	case "failover":
		return e.failover(ctx)
	case "second":
		return e.second(ctx, child)
	}
	return fmt.Errorf("unknown event")
}

func (e *episode) signal(child *lab.Child, signal os.Signal) error {
	if child == nil {
		return nil
	}
	select {
	case <-child.Done():
		return nil
	default:
	}
	e.count.kills.Add(1)
	return child.Signal(signal)
}
