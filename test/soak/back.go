package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// rehearse does all of the cutover but the switch.
func (e *episode) rehearse(ctx context.Context) error {
	if !e.plan.rehearses {
		return nil
	}
	e.quietly(ctx)
	e.fencing.Store(true)
	defer e.fencing.Store(false)
	if err := e.phase(ctx, "cutover --rehearse", "--confirm="+e.plan.move()); err != nil {
		return err
	}
	e.count.rehearsals.Add(1)
	return nil
}

// back has the application write to the target, which has taken over, and goes back to the source.
func (e *episode) back(ctx context.Context) error {
	if !e.plan.back {
		return nil
	}
	var there []*table
	tables, _ := e.catalog.now()
	for _, t := range tables {
		moved := *t
		moved.database = e.plan.target(t.database)
		there = append(there, &moved)
	}
	if err := e.startLoad(ctx, e.target, &catalog{tables: there}, streamReturning, e.switched+".reverse"); err != nil {
		return err
	}
	if err := e.goBack(ctx); err != nil {
		return err
	}
	e.count.back.Add(1)
	return e.compare(ctx)
}

// goBack is the runbook of the way back.
func (e *episode) goBack(ctx context.Context) error {
	e.replica = nil
	if err := e.phase(ctx, "start-replica --reverse", "--until-caught-up"); err != nil {
		return err
	}
	if e.plan.follows {
		e.startReplica(ctx, "--reverse")
	}
	if err := wait(ctx, time.Second); err != nil {
		return err
	}
	if err := e.phase(ctx, "verify --reverse"); err != nil {
		return err
	}
	return e.switches(ctx, "cutover --reverse")
}

// cleanUp has wherry remove what it keeps.
func (e *episode) cleanUp(ctx context.Context) error {
	if !e.plan.cleans {
		return nil
	}
	if err := e.phase(ctx, "cleanup"); err != nil {
		return err
	}
	for _, s := range []*server{e.source, e.target} {
		left, err := s.list(ctx, "SELECT schema_name FROM information_schema.schemata WHERE schema_name = ?",
			"wherry_"+e.plan.move())
		if err != nil || len(left) > 0 {
			return errors.Join(err, fmt.Errorf("%s: left after the cleanup: %s", s.Name, left))
		}
	}
	if _, err := os.Stat(e.state); err == nil {
		return fmt.Errorf("the cleanup has left %s", e.state)
	}
	return nil
}
