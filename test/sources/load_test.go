package sources

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load writes to a database until stopped. Writers can be held still for a while, and led to another server.
type load struct {
	name    string
	gate    sync.RWMutex // writers hold it for reading while a transaction runs
	node    *node
	stop    func()
	cancel  func()
	commits atomic.Int64
}

// startLoad starts writers of which each has rows of its own, so that none waits for another: a fence that waits for
// writers would never be granted while those wait for one another.
func startLoad(t *testing.T, name string, n *node) *load {
	t.Helper()
	l := &load{name: name, node: n}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var group sync.WaitGroup
	for worker := range 3 {
		group.Go(func() {
			for ctx.Err() == nil {
				l.gate.RLock()
				if ctx.Err() == nil && l.transaction(ctx, worker) == nil {
					l.commits.Add(1)
				}
				l.gate.RUnlock()
				time.Sleep(time.Millisecond)
			}
		})
	}
	l.cancel = cancel
	l.stop = sync.OnceFunc(func() {
		cancel()
		group.Wait()
		t.Logf("load: %d transactions", l.commits.Load())
	})
	t.Cleanup(l.stop)
	return l
}

// transaction changes some rows of a worker. What fails is not tried again.
func (l *load) transaction(ctx context.Context, worker int) (err error) {
	tx, err := l.node.app.BeginTx(context.WithoutCancel(ctx), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
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
			rand.IntN(97)),
		fmt.Sprintf("INSERT INTO %s.accounts (worker, n, note) VALUES (%d, %d, 'new')", l.name, worker,
			rand.IntN(1000)),
		fmt.Sprintf("INSERT INTO %s.events VALUES (%d, 'e%d')", l.name, worker, rand.IntN(50)),
		fmt.Sprintf("DELETE FROM %s.events WHERE worker = %d AND what = 'e%d' LIMIT 1", l.name, worker, rand.IntN(50)),
	}
	if rand.IntN(4) == 0 {
		statements = append(statements, fmt.Sprintf("DELETE FROM %s.accounts WHERE worker = %d AND id %% 1009 = %d "+
			"LIMIT 2", l.name, worker, rand.IntN(1009)))
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(context.WithoutCancel(ctx), statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// hold waits for open transactions and lets no other begin until release.
func (l *load) hold()    { l.gate.Lock() }
func (l *load) release() { l.gate.Unlock() }

// end stops writers that are held still.
func (l *load) end() {
	l.cancel()
	l.release()
	l.stop()
}
