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
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
)

// Target writes to a MySQL or MariaDB server.
type Target struct {
	*server
	maxPacket   int // bytes of one statement
	localInfile atomic.Bool
	lastApplier atomic.Uint32 // connection id of the applier before, which must be gone before its outcome is read
	// alone is set once connections of one applier have waited for each other: from then on one of them applies
	// everything.
	alone      atomic.Bool
	displacing sync.Map // *route.Route to bool: whether a load lets rows give way

	building sync.Mutex
	builders []builder // connections that are ready for schema statements

	announced announced
}

// lenientMode converts as a session that is not strict does. It still accepts what the source may hold.
const lenientMode = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"

// OpenTarget connects to a server as the target of a move.
func OpenTarget(ctx context.Context, cfg Config) (*Target, error) {
	s, err := openServer(ctx, cfg, wire.Writing)
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

// MariaDB's ALTER TABLE locks the table and then waits for those tables whose foreign keys reference it
// (lock_table_children). Whoever writes to one of these may be waiting for the table: a deadlock that no server
// detects. So each try waits shortly, and is repeated.
const (
	childrenWait     = 2 * time.Second
	childrenPatience = 50 * time.Second
)

// Execute runs one schema statement, with foreign keys unchecked: parents may follow their children.
func (t *Target) Execute(ctx context.Context, statement string) error {
	return t.guarded(ctx, statement, func() error { return t.execute(ctx, statement) })
}

func (t *Target) execute(ctx context.Context, statement string) (err error) {
	conn, err := t.builder(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.release(conn, err)) }()
	for began := time.Now(); ; {
		_, err := conn.ExecContext(ctx, statement)
		if err == nil {
			return nil
		}
		if err = wire.Classify(err); t.flavor.Family == schema.MariaDB && errors.Is(err, db.ErrRetry) &&
			time.Since(began) < childrenPatience && ctx.Err() == nil {
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
