package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// load is the application: it writes to the source until the fence and the switch hook say that the source is over.
type load struct {
	db       *sql.DB
	catalog  *catalog
	pace     int
	perRow   time.Duration // a writer waits for each row that it has written
	large    bool          // whole tables are written at times
	hostile  bool          // some sessions have strange settings
	xa       atomic.Bool   // some transactions are prepared first
	xids     atomic.Int64  // how many were
	switched string        // the file that the switch hook makes
	stop     context.CancelCauseFunc
	writers  sync.WaitGroup
	paused   sync.RWMutex // a transaction holds it for reading

	changes atomic.Int64 // rows of committed transactions
	commits atomic.Int64
	refused atomic.Int64 // by the fence
	mu      sync.Mutex
	errors  map[uint16]int // by number
}

var errStopped = errors.New("stopped")

// startLoad starts the writers of a plan, who write to a server until there is the file switched. A writer that goes
// wrong ends the episode by fail.
func (e *episode) startLoad(ctx context.Context, to *server, tables *catalog, streams uint64, switched string) error {
	db, err := to.Open(appUser, appPassword, "")
	if err != nil {
		return err
	}
	db.SetMaxIdleConns(e.plan.writers)
	perRow := time.Millisecond
	if there, _ := tables.now(); e.plan.ddl || slices.ContainsFunc(there, func(t *table) bool {
		return len(t.key) == 0
	}) {
		perRow *= 3
	}
	ctx, cancel := context.WithCancelCause(ctx)
	e.load = &load{
		db: db, catalog: tables, pace: e.plan.pace, perRow: perRow, large: e.features["large"],
		hostile: e.features["hostile"], switched: switched, stop: cancel, errors: map[uint16]int{},
	}
	for i := range e.plan.writers {
		e.load.writers.Go(func() {
			if err := e.load.work(ctx, stream(e.plan.seed, streams+uint64(i))); err != nil {
				e.fail(fmt.Errorf("writer %d: %w", i, err))
			}
		})
	}
	return nil
}

// end stops the writers.
func (l *load) end() {
	l.stop(errStopped)
	l.writers.Wait()
	_ = l.db.Close()
}

func (l *load) over() bool {
	_, err := os.Stat(l.switched)
	return err == nil
}

func (l *load) work(ctx context.Context, r *rand.Rand) error {
	for ctx.Err() == nil && !l.over() {
		wait := time.Duration(r.IntN(l.pace)+1) * time.Millisecond
		tables, version := l.catalog.now()
		transaction := l.transaction
		if l.xa.Load() && r.IntN(12) == 0 {
			transaction = l.twoPhase
		}
		err := transaction(ctx, r, tables)
		switch {
		case err == nil || ctx.Err() != nil:
		case mistaken(err) && l.catalog.steady(version):
			return err
		case fenced(err):
			l.refused.Add(1)
			wait = 20 * time.Millisecond
		case away(err):
			wait = 50 * time.Millisecond
		}
		if n := number(err); n != 0 {
			l.mu.Lock()
			l.errors[n]++
			l.mu.Unlock()
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

// transaction makes one, of several statements, some of them taken back.
func (l *load) transaction(ctx context.Context, r *rand.Rand, tables []*table) error {
	l.paused.RLock()
	defer l.paused.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	w := &writer{Rand: r, tables: tables, large: l.large && r.IntN(400) == 0, hostile: l.hostile && r.IntN(4) == 0}
	if w.hostile {
		defer drop(conn) // nobody else gets its settings
	}
	defer func() {
		// What one client writes at random, one applier must be able to follow, on a machine that does much else.
		select {
		case <-ctx.Done():
		case <-time.After(min(time.Duration(w.rows)*l.perRow, 3*time.Second)):
		}
	}()
	w.do = func(statement string) error {
		result, err := conn.ExecContext(ctx, statement)
		if err != nil {
			return fmt.Errorf("%.2000s: %w", statement, err)
		}
		n, err := result.RowsAffected()
		w.rows += n
		return err
	}
	err = w.session()
	if err == nil {
		err = w.parts()
	}
	if err == nil && !l.over() && r.IntN(10) > 0 {
		// After LOCK TABLES fell, and ended, the switch hook has run: what was blocked until then is not committed.
		if err = w.do("COMMIT"); err == nil {
			l.commits.Add(1)
			l.changes.Add(w.rows)
		}
		return err
	}
	if undo := w.do("ROLLBACK"); undo != nil {
		return errors.Join(err, undo)
	}
	return err
}

// writer makes the statements of one transaction.
type writer struct {
	*rand.Rand
	tables []*table
	do     func(statement string) error
	rows   int64
	large  bool

	hostile bool // the session has settings that no other has
}

const strictMode = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO"

// session begins a transaction in a session like any application's.
func (w *writer) session() error {
	if err := w.settings(); err != nil {
		return err
	}
	return w.do("START TRANSACTION")
}

// hostile are settings of sessions that change what values are made of, none of which a row that was written depends
// on any more.
var hostile = []string{
	"div_precision_increment = 0", "div_precision_increment = 20", "default_week_format = 3",
	"group_concat_max_len = 4", "lc_time_names = 'de_DE'",
	"collation_connection = latin1_swedish_ci", "auto_increment_increment = 3, auto_increment_offset = 2",
	"timestamp = 86400", "timestamp = 2147483000", "sql_auto_is_null = 1", "max_error_count = 0",
	"updatable_views_with_limit = 0", "big_tables = 1", "insert_id = 77",
}

// settings makes the session one like any application's, or a strange one.
func (w *writer) settings() error {
	mode := strictMode
	if w.IntN(10) == 0 {
		mode = "NO_AUTO_VALUE_ON_ZERO" // bends values until they fit
	}
	level := pick(w.Rand, "READ COMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
	for _, s := range []string{
		fmt.Sprintf("SET SESSION sql_mode = '%s', time_zone = '%s', innodb_lock_wait_timeout = 2, "+
			"lock_wait_timeout = 90", mode, pick(w.Rand, "+00:00", "+00:00", "+05:30", "-08:00")),
		"SET SESSION TRANSACTION ISOLATION LEVEL " + level,
	} {
		if err := w.do(s); err != nil {
			return err
		}
	}
	if !w.hostile {
		return nil
	}
	// not every account may set all
	if err := w.do("SET SESSION " + hostile[w.IntN(len(hostile))]); err != nil && number(err) != 1227 {
		return err
	}
	return nil
}

// parts makes one statement or a few. What a server refuses for the sake of the data, a duplicate say, is passed
// over, as an application may.
func (w *writer) parts() error {
	savepoint := ""
	for i := range 1 + w.IntN(2)*w.IntN(7) {
		switch {
		case savepoint == "" && w.IntN(6) == 0:
			savepoint = fmt.Sprint("s", i)
			if err := w.do("SAVEPOINT " + savepoint); err != nil {
				return err
			}
		case savepoint != "" && w.IntN(3) == 0:
			if err := w.do(pick(w.Rand, "ROLLBACK TO SAVEPOINT ", "ROLLBACK TO SAVEPOINT ", "RELEASE SAVEPOINT ") +
				savepoint); err != nil {
				return err
			}
			savepoint = ""
		}
		if err := w.part(); err != nil && (!harmless(err) || w.IntN(2) == 0) {
			return err
		}
	}
	return nil
}

// harmless tells an error that has undone its statement and nothing else.
func harmless(err error) bool {
	switch number(err) {
	case 1062, 1366, 1292, 1264, 1406, 1690, 1048, 1467, 167, 1365, 1265, 1416, 3140, 4025, 1411, 1300, 3643, 1210,
		1267, 1451, 1452:
		return true
	}
	return false
}

// summary tells how often a server refused what.
func (l *load) summary() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var parts []string
	for n, count := range l.errors {
		parts = append(parts, fmt.Sprintf("%d: %d", n, count))
	}
	return fmt.Sprintf("%d transactions, %d rows, %d refused by the fence; server errors %s", l.commits.Load(),
		l.changes.Load(), l.refused.Load(), strings.Join(parts, ", "))
}
