package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// workers is the number of connections that the application writes with.
const workers = 4

// retryAfter is how long the application waits when it may not write.
const retryAfter = 2 * time.Millisecond

// writer is the application: it writes at a steady rate to whichever server is the primary, and puts every
// transaction down in the journal.
type writer struct {
	journal *journal
	sizes   sizes
	seed    uint64
	rate    int // row writes per second, of all workers together
	primary atomic.Pointer[pool]

	rows    atomic.Int64 // written by acknowledged transactions
	refused atomic.Int64 // transactions that a read-only server refused
	failed  atomic.Int64 // transactions rolled back for any other reason, deadlocks mostly
	doubts  atomic.Int64 // commits without an answer
}

// run writes until ctx ends; what is under way then is brought to its end.
func (w *writer) run(ctx context.Context) error {
	var group errgroup.Group
	for i := range workers {
		group.Go(func() error { return w.work(ctx, i) })
	}
	return group.Wait()
}

// work is one connection's part.
func (w *writer) work(ctx context.Context, id int) error {
	perRow := time.Second * workers / time.Duration(w.rate)
	clerk := newClerk(w.sizes, w.seed, id)
	due := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(due)):
		}
		rows, err := w.transaction(context.WithoutCancel(ctx), clerk)
		switch {
		case err != nil:
			return err
		case rows == 0:
			due = time.Now().Add(retryAfter)
		default:
			// What could not be written in time is not made up for: the rate is steady.
			due = later(due, time.Now().Add(-100*time.Millisecond)).Add(time.Duration(rows) * perRow)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// transactionTimeout is what makes a server that hangs an error of the demo, not its end.
const transactionTimeout = time.Minute

// transaction makes one transaction and returns the rows that it wrote, 0 if it was refused. An error is one of
// the demo itself: whatever a server does is an outcome.
func (w *writer) transaction(ctx context.Context, c *clerk) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, transactionTimeout)
	defer cancel()
	kind := c.choose()
	tx, err := w.journal.intend(kind)
	if err != nil {
		return 0, err
	}
	rows, committing, err := attempt(ctx, w.primary.Load(), c, kind, tx)
	if err == nil {
		c.done(kind)
		w.rows.Add(int64(rows))
		return rows, w.journal.acknowledge(tx)
	}
	switch refused := refusalOf(err); {
	case refused == readOnly:
		w.refused.Add(1)
	case refused == duplicate, refused == ownFault:
		// Every unique value that the application writes is new, or was freed before.
		return 0, fmt.Errorf("transaction %d (%s): %w", tx, kind, err)
	case committing && refused == notRefused:
		w.doubts.Add(1) // no answer: nobody may say now whether it is in
		return 0, nil
	case lost(err) || refused == otherwise:
		w.failed.Add(1)
	default:
		return 0, fmt.Errorf("transaction %d (%s): %w", tx, kind, err)
	}
	return 0, w.journal.abandon(tx)
}

// attempt makes one transaction. committing says whether its COMMIT was sent.
func attempt(ctx context.Context, primary *pool, c *clerk, kind string, number int64) (rows int, committing bool,
	err error,
) {
	tx, err := primary.begin(ctx)
	if err != nil {
		return 0, false, err
	}
	defer func() {
		if err != nil && !committing {
			_ = tx.Rollback() // the connection goes if this fails, and the transaction with it
		}
	}()
	entry, err := c.write(ctx, tx, kind, number)
	if err != nil {
		return 0, false, err
	}
	_, err = tx.exec(ctx, "INSERT INTO journal (tx, kind, ref, detail, at) VALUES (?, ?, ?, ?, "+
		"CURRENT_TIMESTAMP(6))", number,
		kind, entry.ref, entry.detail)
	if err != nil {
		return 0, false, err
	}
	return entry.rows + 1, true, tx.Commit()
}

// lost is true if the connection went.
func lost(err error) bool {
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || pgconn.SafeToRetry(err) ||
		errors.Is(err, context.DeadlineExceeded)
}

// clerk decides what one connection writes next.
type clerk struct {
	sizes
	*rand.Rand
	id       int
	nextCart int // the next of the first carts to drop: workers share them out
}

func newClerk(s sizes, seed uint64, id int) *clerk {
	return &clerk{sizes: s, Rand: rand.New(rand.NewPCG(seed, uint64(id))), id: id, nextCart: id + 1}
}

// The kinds of transactions.
const (
	kindOrder = "order"
	kindPay   = "pay"
	kindEdit  = "edit"
	kindCart  = "cart"
	kindDrop  = "drop"
	kindSwap  = "swap"
)

// choose picks a kind: of 20, 8 orders, 4 payments, 3 edits, 2 carts, 1 drop, 2 swaps.
func (c *clerk) choose() string {
	kinds := []string{
		kindOrder, kindOrder, kindOrder, kindOrder, kindOrder, kindOrder, kindOrder, kindOrder,
		kindPay, kindPay, kindPay, kindPay, kindEdit, kindEdit, kindEdit, kindCart, kindCart, kindDrop, kindSwap,
		kindSwap,
	}
	kind := kinds[c.IntN(len(kinds))]
	if kind == kindDrop && c.nextCart > c.carts {
		return kindCart
	}
	return kind
}

// done says that the transaction chosen last is in.
func (c *clerk) done(kind string) {
	if kind == kindDrop {
		c.nextCart += workers
	}
}

// entry is what a transaction leaves in the journal table: the row it is about, and a number to check it by.
type entry struct {
	ref    int64
	detail int
	rows   int
}
