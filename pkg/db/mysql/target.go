package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// Target writes to a MySQL or MariaDB server.
type Target struct {
	*server
	maxPacket   int // bytes of one statement
	localInfile atomic.Bool
	lastApplier atomic.Uint32 // connection id of the applier before, which must be gone before its outcome is read
	alone       atomic.Bool   // connections of one applier waited for each other once: from then on one of them applies all
	displacing  sync.Map      // *route.Route to bool: whether a load lets rows give way
}

// strictMode makes every conversion that loses something an error, and still accepts what the source may hold: zero and
// invalid dates, and 0 in an AUTO_INCREMENT column.
const strictMode = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"

// lenientMode converts as a session that is not strict does. It still accepts what the source may hold.
const lenientMode = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"

// OpenTarget connects to a server as the target of a move.
func OpenTarget(ctx context.Context, cfg Config) (*Target, error) {
	s, err := openServer(ctx, cfg, targetSession)
	if err != nil {
		return nil, err
	}
	t := &Target{server: s}
	for _, v := range []string{"max_allowed_packet", "local_infile"} {
		value, err := s.variable(ctx, v)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		switch v {
		case "max_allowed_packet":
			if t.maxPacket, err = strconv.Atoi(value); err != nil {
				return nil, errors.Join(fmt.Errorf("read @@%s: %w", v, err), s.Close())
			}
		case "local_infile":
			t.localInfile.Store(value == "ON")
		}
	}
	return t, nil
}

// Identity returns who the server is, and what it takes.
func (t *Target) Identity(ctx context.Context) (db.Identity, error) {
	id, err := t.server.Identity(ctx)
	id.Streams = t.useLoadData()
	return id, err
}

func targetSession(flavor schema.Flavor) []string {
	set := "SET SESSION sql_mode = '" + strictMode + "', time_zone = '+00:00', foreign_key_checks = 0, unique_checks = 1" +
		", net_read_timeout = 600, net_write_timeout = 600, wait_timeout = 28800, eq_range_index_dive_limit = 1, " + wholeSession()
	if !flavor.MariaDB {
		set += ", range_optimizer_max_mem_size = 0"
	}
	return []string{"SET NAMES binary", set, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"}
}

// Dialect writes tables for this server.
func (t *Target) Dialect() schema.Dialect { return schema.NewMySQL(t.flavor, t.collations) }

// MariaDB's ALTER TABLE holds the table while it waits for those whose foreign keys reference it (lock_table_children), and who writes to
// one of these may be waiting for the table: a circle that no server finds out. So it waits shortly, and again.
const (
	childrenWait     = 2 * time.Second
	childrenPatience = 50 * time.Second
)

// Execute runs one schema statement, with foreign keys unchecked: parents may follow their children.
func (t *Target) Execute(ctx context.Context, statement string) (err error) {
	conn, err := t.admin.Conn(ctx)
	if err != nil {
		return classify(err)
	}
	defer func() { err = errors.Join(err, closeConn(conn)) }()
	settings, _, err := t.moment(ctx, db.Moment{Strict: true})
	if err != nil {
		return err
	}
	if t.flavor.MariaDB {
		settings = append(settings, fmt.Sprintf("SET SESSION innodb_lock_wait_timeout = %d", int(childrenWait.Seconds())))
	}
	for _, s := range settings {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("execute %.200s: %w", s, t.blocked(ctx, classify(err)))
		}
	}
	for began := time.Now(); ; {
		_, err := conn.ExecContext(ctx, statement)
		if err == nil {
			return nil
		}
		if err = classify(err); t.flavor.MariaDB && errors.Is(err, db.ErrRetry) && time.Since(began) < childrenPatience && ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		return fmt.Errorf("execute %.200s: %w", statement, t.blocked(ctx, err))
	}
}

// generatesKeys tells whether the server adds a primary key to tables that have none: they would not be the source's.
func (s *server) generatesKeys(ctx context.Context) (bool, error) {
	if !s.flavor.HasInvisiblePrimaryKeys() {
		return false, nil
	}
	value, err := s.variable(ctx, "sql_generate_invisible_primary_key")
	return value == "ON", err
}

// Ledger is the move's bookkeeping.
func (t *Target) Ledger() db.Ledger { return &ledger{t: t, database: Bookkeeping(t.cfg.Move)} }

// Bookkeeping returns the name of the database that keeps a move's facts.
func Bookkeeping(move string) string { return "wherry_" + move }
