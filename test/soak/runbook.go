package main

import (
	"context"
	"fmt"
	"time"
)

// run is the episode as an operator's runbook has it.
func (e *episode) run(ctx context.Context) error {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"prepare", e.prepare},
		{"fill", e.fill},
		{"make tables of others", e.makeOthers},
		{"set globals", e.setGlobals},
		{"refuse", e.refuses},
		{"start writers", func(ctx context.Context) error {
			return e.startLoad(ctx, e.source, e.catalog, streamWriters, e.switched+".forward")
		}},
		{"check", func(ctx context.Context) error { return e.phase(ctx, "check") }},
		{"init-schema", func(ctx context.Context) error { return e.phase(ctx, "init-schema") }},
		{"start changes", func(ctx context.Context) error {
			e.load.xa.Store(e.plan.xa)
			e.startChanges(ctx)
			return nil
		}},
		{"init-copy", func(ctx context.Context) error { return e.phase(ctx, "init-copy") }},
		{"follow", e.follow},
		{"damage", e.damage},
		{"verify", e.verifies},
		{"end two-phase", func(context.Context) error { e.endTwoPhase(); return nil }},
		{"rehearse", e.rehearse},
		{"cutover", func(ctx context.Context) error { return e.switches(ctx, "cutover") }},
		{"compare", e.compare},
		{"go back", e.back},
		{"cleanup", e.cleanUp},
		{"compare tables of others", e.othersUntouched},
		{"clean up", e.tidy},
	} {
		e.note("step %s", step.name)
		if step.name == e.plan.ddlUntil {
			e.endChanges()
		}
		if err := step.do(ctx); err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func (e *episode) prepare(ctx context.Context) error {
	for _, s := range []*server{e.source, e.target} {
		if err := s.control(ctx, "start"); err != nil { // an episode that failed may have left it down
			return err
		}
		if err := s.prepare(ctx); err != nil {
			return err
		}
	}
	return nil
}

// fill makes the tables and their first rows. IGNORE passes over duplicates and bends values until they fit, so that a
// seed always makes the same rows.
func (e *episode) fill(ctx context.Context) error {
	for _, database := range e.plan.databases {
		if err := e.source.try(ctx, "CREATE DATABASE "+quote(database)); err != nil {
			return err
		}
	}
	if err := e.source.try(ctx, "CREATE DATABASE "+quote(e.plan.elsewhere())); err != nil {
		return err
	}
	conn, err := e.source.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SET SESSION sql_mode = '"+strictMode+"'"); err != nil {
		return err
	}
	r := stream(e.plan.seed, streamRows)
	for _, t := range e.plan.tables {
		if _, err := conn.ExecContext(ctx, t.create()); err != nil {
			return fmt.Errorf("%s: %w", t.create(), err)
		}
		for done := 0; done < t.rows; done += 200 {
			statement := t.insert(r, "INSERT IGNORE", min(200, t.rows-done), "")
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%.3000s: %w", statement, err)
			}
		}
	}
	return nil
}

// follow has start-replica run in the background for the rest of the move, or just until it has caught up.
func (e *episode) follow(ctx context.Context) error {
	if !e.plan.follows {
		return e.phase(ctx, "start-replica", "--until-caught-up")
	}
	e.startReplica(ctx)
	events := e.plan.events["start-replica"]
	if err := e.disturb(ctx, events, e.replica.child.Load); err != nil {
		return err
	}
	return wait(ctx, 500*time.Millisecond)
}

func (e *episode) verifies(ctx context.Context) error {
	for range e.plan.verifies {
		if err := e.phase(ctx, "verify"); err != nil {
			return err
		}
	}
	return nil
}

// switches does a cutover, under load unless nothing is there to stop it.
func (e *episode) switches(ctx context.Context, phase string) error {
	if e.plan.fence == "none" {
		e.endChanges()
		e.load.end()
	}
	e.quietly(ctx)
	e.fencing.Store(true)
	if err := e.phase(ctx, phase, "--confirm="+e.plan.move()); err != nil {
		return err
	}
	e.endChanges()
	e.load.end()
	e.note("writers: %s", e.load.summary())
	e.count.changes.Add(e.load.changes.Load())
	if e.replica != nil {
		return e.replica.over(ctx)
	}
	return nil
}

// quietly gives a start-replica in the background that was just killed a moment to come back.
func (e *episode) quietly(ctx context.Context) {
	if e.replica != nil {
		_ = wait(ctx, 300*time.Millisecond)
	}
}

func (e *episode) tidy(ctx context.Context) error {
	for _, s := range []*server{e.source, e.target} {
		if err := s.try(ctx, "SET GLOBAL read_only = 0"); err != nil {
			return err
		}
		if err := s.sweep(ctx); err != nil {
			return err
		}
	}
	return nil
}

func wait(ctx context.Context, long time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(long):
		return nil
	}
}
