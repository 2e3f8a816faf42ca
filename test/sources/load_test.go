package sources

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// load writes to a database. It can be led to another server while it is held still.
type load struct {
	*harness.Load
	name string
	node *node
}

// startLoad starts writers of which each has rows of its own, so that none waits for another: a fence that waits for
// writers would never be granted while those wait for one another. What fails is not tried again.
func startLoad(t *testing.T, name string, n *node) *load {
	t.Helper()
	l := &load{name: name, node: n}
	o := harness.Loaded{Seed: lab.Seed(t), Workers: 3, Pause: time.Millisecond, Loses: true}
	l.Load = harness.StartLoad(t, o, l.transaction)
	return l
}

// transaction changes some rows of a worker.
func (l *load) transaction(ctx context.Context, worker int, r *rand.Rand) (err error) {
	tx, err := l.node.app.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	statements := []string{
		fmt.Sprintf("UPDATE %s.accounts SET n = n + 1 WHERE worker = %d AND id %% 97 = %d LIMIT 5", l.name, worker,
			r.IntN(97)),
		fmt.Sprintf("INSERT INTO %s.accounts (worker, n, note) VALUES (%d, %d, 'new')", l.name, worker,
			r.IntN(1000)),
		fmt.Sprintf("INSERT INTO %s.events VALUES (%d, 'e%d')", l.name, worker, r.IntN(50)),
		fmt.Sprintf("DELETE FROM %s.events WHERE worker = %d AND what = 'e%d' LIMIT 1", l.name, worker, r.IntN(50)),
	}
	if r.IntN(4) == 0 {
		statements = append(statements, fmt.Sprintf("DELETE FROM %s.accounts WHERE worker = %d AND id %% 1009 = %d "+
			"LIMIT 2", l.name, worker, r.IntN(1009)))
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}
