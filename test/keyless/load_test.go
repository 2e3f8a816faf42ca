package keyless

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// load is an application that adds, changes and removes rows of tables without a key.
type load struct {
	tables    []table
	committed atomic.Int64
	kept      atomic.Int64 // statements that were given up: a duplicate, a deadlock, a fence
	stopped   context.CancelFunc
	workers   sync.WaitGroup
	mu        sync.Mutex
	wrong     error
}

// The application's account: one that a read-only server refuses.
const appUser, appPassword = "keyless_app", "keyless-app-secret"

func startLoad(t *testing.T, s lab.Server, database string, tables []table, seed uint64, workers int) *load {
	t.Helper()
	run(t, pool(t, s, ""), "DROP USER IF EXISTS '"+appUser+"'@'%'", "CREATE USER '"+appUser+"'@'%' IDENTIFIED BY '"+
		appPassword+"'",
		"GRANT ALL ON "+database+".* TO '"+appUser+"'@'%'")
	db, err := s.Open(appUser, appPassword, database)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{tables: tables, stopped: cancel}
	for i := range workers {
		l.workers.Go(func() { l.work(ctx, db, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	t.Cleanup(func() {
		cancel()
		l.workers.Wait()
		_ = db.Close()
	})
	return l
}

func (l *load) stop(t *testing.T) {
	t.Helper()
	l.stopped()
	l.workers.Wait()
	require.NoError(t, l.wrong)
	require.Positive(t, l.committed.Load(), "transactions of the load")
	t.Logf("load: %d transactions, %d given up", l.committed.Load(), l.kept.Load())
}

func (l *load) work(ctx context.Context, db *sql.DB, r *rand.Rand) {
	for ctx.Err() == nil {
		err := l.transaction(context.WithoutCancel(ctx), db, r)
		var refusal *mysql.MySQLError
		switch {
		case err == nil:
			l.committed.Add(1)
		case errors.As(err, &refusal) && (refusal.Number == 1062 || refusal.Number == 1205 || refusal.Number == 1213 ||
			refusal.Number == 1290 || refusal.Number == 1836):
			l.kept.Add(1)
		default:
			l.mu.Lock()
			l.wrong = fmt.Errorf("load: %w", err)
			l.mu.Unlock()
			return
		}
		time.Sleep(time.Duration(5+r.IntN(20)) * time.Millisecond)
	}
}

func (l *load) transaction(ctx context.Context, db *sql.DB, r *rand.Rand) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing when it is committed
	for range 1 + r.IntN(4) {
		if _, err := tx.ExecContext(ctx, statement(l.tables[r.IntN(len(l.tables))], r)); err != nil {
			return err
		}
	}
	if r.IntN(10) == 0 {
		return tx.Rollback()
	}
	return tx.Commit()
}

// statement is one write to a table.
func statement(x table, r *rand.Rand) string {
	c := x.columns[r.IntN(len(x.columns))]
	if c.values[0] == "DEFAULT" {
		c = x.columns[0]
	}
	where := " WHERE n <=> " + x.columns[0].value(r)
	switch r.IntN(8) {
	case 0, 1:
		return "INSERT INTO " + x.name + " VALUES " + x.row(r)
	case 2:
		row := x.row(r)
		if x.name == "uniq" { // its rows cannot be equal but for NULL
			return "INSERT INTO uniq VALUES " + row + ", " + x.row(r)
		}
		return "INSERT INTO " + x.name + " VALUES " + strings.Join([]string{row, row, x.row(r), row}, ", ")
	case 3, 4:
		// one of several equal rows
		return "UPDATE " + x.name + " SET " + c.name + " = " + c.value(r) + where + " LIMIT 1"
	case 5:
		if x.name == "uniq" {
			return "UPDATE uniq SET u = NULL" + where
		}
		return "UPDATE " + x.name + " SET " + c.name + " = " + c.value(r) + where + " LIMIT 3"
	case 6:
		return "DELETE FROM " + x.name + where + " LIMIT 5"
	default:
		return "DELETE FROM " + x.name + where + " LIMIT 1"
	}
}

// fill inserts rows, the same ones again and again.
func fill(t *testing.T, db *sql.DB, x table, r *rand.Rand, rows int) {
	t.Helper()
	for rows > 0 {
		values := make([]string, min(rows, 200))
		for i := range values {
			values[i] = x.row(r)
			if i%3 == 2 && x.name != "uniq" {
				values[i] = values[i-1]
			}
		}
		rows -= len(values)
		verb := "INSERT INTO "
		if x.name == "uniq" {
			verb = "INSERT IGNORE INTO "
		}
		run(t, db, verb+x.name+" VALUES "+strings.Join(values, ", "))
	}
}
