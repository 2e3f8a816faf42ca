package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// startChanges has somebody change the schema for as long as the writers write, or until endChanges.
func (e *episode) startChanges(ctx context.Context) {
	if !e.plan.ddl {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := e.changes(ctx); err != nil && ctx.Err() == nil {
			e.fail(fmt.Errorf("change of the schema: %w", err))
		}
	}()
	e.endChanges = func() {
		cancel()
		<-ended
	}
}

// changeKills is how many kills follow changes of the schema in an episode. Without a bound a phase that takes longer
// than a few changes, as on a machine that is busy, is killed each time before its end, for ever.
const changeKills = 12

// slower is after how long the pauses between changes are twice as long, three times after twice that, and so on. At
// an even pace wherry never catches up on a machine that is busy, and verify, which compares tables again whose
// schema has changed meanwhile, never ends.
const slower = 20 * time.Second

func (e *episode) changes(ctx context.Context) error {
	c := &changer{Rand: stream(e.plan.seed, streamSchema), draw: &draw{
		from: e.plan.from, to: e.plan.to,
		features: e.features, seed: e.plan.seed,
	}}
	hidden := stream(e.plan.seed, streamHidden)
	kills, began := 0, time.Now()
	for ctx.Err() == nil && !e.load.over() {
		pause := time.Duration(50+c.IntN(30)*c.IntN(30)) * time.Millisecond
		if err := wait(ctx, pause+pause*time.Duration(time.Since(began)/slower)); err != nil {
			return err
		}
		if e.features["hidden"] && hidden.IntN(3) == 0 {
			if err := e.temporary(ctx, hidden); err != nil {
				return err
			}
		}
		tables, _ := e.catalog.now()
		kill := c.IntN(8) == 0 && kills < changeKills
		if kill {
			kills++
		}
		for _, s := range c.change(tables) {
			done, err := e.step(ctx, s, kill)
			if err != nil {
				return err
			}
			if !done {
				break
			}
		}
	}
	return nil
}

// step makes one, or tells that the server has refused it. Begun, it is brought to its end, so that the catalog tells
// the truth.
func (e *episode) step(ctx context.Context, s step, kill bool) (bool, error) {
	e.load.paused.RLock()
	defer e.load.paused.RUnlock()
	if ctx.Err() != nil || e.load.over() {
		return false, ctx.Err()
	}
	ctx = context.WithoutCancel(ctx)
	before, _ := e.catalog.now()
	after := s.tables
	if after == nil {
		after = before
	}
	e.catalog.begin()
	err := e.make(ctx, s.statement)
	if away(err) {
		after, err = e.settle(ctx, before, after)
	} else if err != nil {
		after = before
	}
	e.catalog.end(after)
	e.note("schema: %.300s: %v", s.statement, err)
	if number(err) == 1064 {
		return false, fmt.Errorf("%s: %w", s.statement, err)
	}
	if err == nil && s.tables != nil {
		e.count.ddl.Add(1)
	}
	if kill && e.features["kill"] {
		time.Sleep(30 * time.Millisecond)
		e.disturbed.Add(1)
		return err == nil, errors.Join(onlyLost(err), e.signal(e.latest.Load(), os.Kill))
	}
	return err == nil, onlyLost(err)
}

// onlyLost passes on what makes the catalog wrong: what a server refuses does not.
func onlyLost(err error) error {
	if errors.Is(err, errNeither) {
		return err
	}
	return nil
}

func (e *episode) make(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := e.load.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, s := range []string{"SET SESSION sql_mode = '" + strictMode + "', lock_wait_timeout = 5, " +
		"innodb_lock_wait_timeout = 2", statement} {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

var errNeither = errors.New("the tables are neither as before nor as after it")

// settle finds out what became of a change whose answer was lost.
func (e *episode) settle(ctx context.Context, before, after []*table) ([]*table, error) {
	var there []string
	var err error
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(200 * time.Millisecond) {
		if there, err = e.source.columns(ctx, e.plan.databases); err == nil {
			break
		}
	}
	switch {
	case err != nil:
		return before, err
	case slices.Equal(there, outline(after)):
		return after, nil
	case slices.Equal(there, outline(before)):
		return before, sql.ErrConnDone
	}
	return before, fmt.Errorf("%w: %q, before %q, after %q", errNeither, there, outline(before), outline(after))
}

// outline is what columns returns of tables.
func outline(tables []*table) (all []string) {
	for _, t := range tables {
		for i, c := range t.columns {
			all = append(all, fmt.Sprintf("%s.%s.%s %d", t.database, t.name, c.name, i+1))
		}
	}
	slices.Sort(all)
	return all
}

// columns are all columns of some databases, and their places in their tables, but for tables that have left the move.
func (s *server) columns(ctx context.Context, databases []string) ([]string, error) {
	all, err := s.list(ctx, "SELECT CONCAT(table_schema, '.', table_name, '.', column_name, ' ', ordinal_position) "+
		"FROM information_schema.columns WHERE table_schema IN ('"+
		strings.Join(databases, "', '")+"') AND table_name NOT LIKE 'gone%' AND table_name NOT LIKE '"+others+"%'")
	slices.Sort(all)
	return all, err
}
