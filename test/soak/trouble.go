package main

import (
	"context"
	"fmt"
	"time"

	"wherry/test/internal/lab"
)

// lock holds a lock on the target for a moment, as somebody who looks around there may.
func (e *episode) lock(ctx context.Context, v event) error {
	t := e.plan.tables[v.table]
	name := quote(e.plan.target(t.database)) + "." + quote(t.name)
	conn, err := e.target.db.Conn(ctx)
	if err != nil {
		if away(err) {
			return nil
		}
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second) // others may hold it, wherry itself among them
	defer cancel()
	statements := [][]string{
		{"LOCK TABLES " + name + " READ", "UNLOCK TABLES"},
		{"LOCK TABLES " + name + " WRITE", "UNLOCK TABLES"},
		{"START TRANSACTION", "SELECT COUNT(*) FROM " + name + " FOR UPDATE", "ROLLBACK"},
		{"FLUSH TABLES WITH READ LOCK", "UNLOCK TABLES"},
	}[int(v.lasts)%4]
	for i, s := range statements {
		if i == len(statements)-1 {
			time.Sleep(v.lasts)
		}
		if _, err := conn.ExecContext(ctx, s); err != nil {
			e.note("lock: %s: %v", s, err) // the table may not be there yet, or the server is away
			return nil
		}
	}
	return nil
}

// second runs wherry a second time on the same move: it may find the move locked, or take it over if the first has
// died, but may harm nothing.
func (e *episode) second(ctx context.Context, first *lab.Child) error {
	if first == nil {
		return nil
	}
	name := "init-copy"
	if e.replica != nil {
		name = "start-replica"
	}
	args := []string{name, "--config", e.wherry.Config, "--json"}
	if name == "start-replica" {
		args = append(args, "--until-caught-up")
	}
	child, err := lab.Run(ctx, nil, nil, e.wherry.Binary, args...)
	e.note("second %s: %v", name, err)
	if child == nil {
		return err
	}
	switch child.Code {
	case done, failed, locked, refused, unfinished, interrupted:
		return nil
	}
	return fmt.Errorf("second %s: exit code %d: %s", name, child.Code, child.Log())
}
