package harness

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// Transaction makes one transaction of an application. The context outlives the load: what has begun comes to its end.
type Transaction func(ctx context.Context, worker int, r *rand.Rand) error

// Loaded says how an application writes.
type Loaded struct {
	Seed    uint64
	Workers int
	Pause   time.Duration // between two transactions of a worker, on average
	Bears   []uint16      // errors of the server that are no fault of anybody, such as duplicates
	Loses   bool          // connections may be lost
}

// Load is an application that writes without a break until it is stopped.
type Load struct {
	Commits atomic.Int64
	Refused atomic.Int64 // by a read-only server
	Undone  atomic.Int64 // deadlocks, and what else it bears
	Lost    atomic.Int64 // connections

	o       Loaded
	make    Transaction
	cancel  context.CancelFunc
	workers sync.WaitGroup
	gate    sync.RWMutex // workers hold it for reading while a transaction runs
	wrong   atomic.Pointer[error]
}

// errors of a server, by number
var (
	readOnly = []uint16{1290, 1836}
	deadlock = []uint16{1205, 1213}
	goesDown = []uint16{1053, 1105, 1158, 1159, 1317, 1927}
)

// StartLoad starts workers that write until Stop, which the test's end calls too.
func StartLoad(t *testing.T, o Loaded, transaction Transaction) *Load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	l := &Load{o: o, make: transaction, cancel: cancel}
	for worker := range o.Workers {
		l.workers.Go(func() { l.work(ctx, worker, rand.New(rand.NewPCG(o.Seed, uint64(worker)))) })
	}
	t.Cleanup(l.end)
	return l
}

func (l *Load) end() {
	l.cancel()
	l.workers.Wait()
}

// Stop ends it, and fails the test if the application itself was wrong or wrote nothing.
func (l *Load) Stop(t *testing.T) {
	t.Helper()
	l.end()
	l.Healthy(t)
	require.Positive(t, l.Commits.Load(), "transactions of the application")
	t.Logf("application: %d transactions, %d undone, %d refused, %d connections lost", l.Commits.Load(),
		l.Undone.Load(), l.Refused.Load(), l.Lost.Load())
}

// Healthy fails the test if the application itself was wrong.
func (l *Load) Healthy(t *testing.T) {
	t.Helper()
	if err := l.wrong.Load(); err != nil {
		require.NoError(t, *err, "the application")
	}
}

// More waits until so many more transactions are committed.
func (l *Load) More(t *testing.T, n int64) {
	t.Helper()
	before := l.Commits.Load()
	require.True(t, lab.Until(func() bool {
		l.Healthy(t)
		return l.Commits.Load() >= before+n
	}, l.Commits.Load), "the application has come to a halt")
}

// Hold waits for open transactions and lets no other begin until Release.
func (l *Load) Hold() { l.gate.Lock() }

// Release ends Hold.
func (l *Load) Release() { l.gate.Unlock() }

func (l *Load) work(ctx context.Context, worker int, r *rand.Rand) {
	for ctx.Err() == nil {
		l.gate.RLock()
		if ctx.Err() == nil && !l.count(l.once(ctx, worker, r)) {
			l.gate.RUnlock()
			return
		}
		l.gate.RUnlock()
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(r.Int64N(int64(2*l.o.Pause + 1)))):
		}
	}
}

func (l *Load) once(ctx context.Context, worker int, r *rand.Rand) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lab.Patience)
	defer cancel()
	return l.make(ctx, worker, r)
}

// count counts how a transaction ended, and returns false if that must not be.
func (l *Load) count(err error) bool {
	n := refusal(err)
	switch {
	case err == nil:
		l.Commits.Add(1)
	case slices.Contains(readOnly, n):
		l.Refused.Add(1)
		time.Sleep(5 * time.Millisecond)
	case slices.Contains(deadlock, n) || slices.Contains(l.o.Bears, n):
		l.Undone.Add(1)
	case l.o.Loses && isLost(err):
		l.Lost.Add(1)
		time.Sleep(50 * time.Millisecond)
	default:
		err = fmt.Errorf("transaction: %w", err)
		l.wrong.Store(&err)
		return false
	}
	return true
}

// isLost tells a lost connection, and a server that goes down.
func isLost(err error) bool {
	var network net.Error
	return slices.Contains(goesDown, refusal(err)) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, io.EOF) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &network) || errors.Is(err, sql.ErrConnDone)
}

// Within runs statements as one transaction.
func Within(ctx context.Context, db *sql.DB, statements ...string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing when it is committed
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}
