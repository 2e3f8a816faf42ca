package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// Target writes to a database of PostgreSQL.
type Target struct {
	cfg     Config
	dialer  *wire.Dialer
	pool    *wire.Pool
	dialect dialect.Dialect
	tag     string // of server and database
	version int    // such as 150004
	shown   string // the version as the server prints it

	lastApplier atomic.Uint32 // process of the applier before, which must be gone before its outcome is read
	// connections of one applier waited for each other once: from then on one of them applies all
	alone    atomic.Bool
	conflict sync.Map // *route.Route to bool: whether the table that is there has unique indexes besides the row key
}

// Versions that are accepted.
const oldest = 130000

// OpenTarget connects to a database as the target of a move.
func OpenTarget(ctx context.Context, cfg Config) (*Target, error) {
	d, err := dialect.New(cfg.Types)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", db.ErrSetup, err)
	}
	t := &Target{cfg: cfg, dialer: cfg.dialer(), dialect: d}
	t.pool = wire.NewPool(t.dialer)
	if err := t.learn(ctx); err != nil {
		return nil, errors.Join(err, t.pool.Close())
	}
	return t, nil
}

// learn asks on the first connection who the server is.
func (t *Target) learn(ctx context.Context) error {
	return t.pool.Do(ctx, func(c *wire.Conn) error {
		row, err := c.One(ctx, "SELECT pg_catalog.current_setting('server_version_num'), "+
			"pg_catalog.current_setting('server_version')")
		if err != nil {
			return fmt.Errorf("ask %s for its version: %w", t.dialer.Address(), err)
		}
		t.shown = string(row[1])
		if t.version, err = strconv.Atoi(string(row[0])); err != nil {
			return fmt.Errorf("read the version of %s: %w", t.dialer.Address(), err)
		}
		if t.version < oldest {
			return fmt.Errorf("%s is PostgreSQL %s, which is too old: version 13 or later is needed; nothing was "+
				"changed: %w", t.dialer.Address(), t.shown, db.ErrUnsupported)
		}
		if t.tag, err = c.Tag(ctx); err != nil {
			return fmt.Errorf("identify %s: %w", t.dialer.Address(), err)
		}
		t.dialer.Expect(t.tag)
		return nil
	})
}

// Classify is for errors that left an engine without a kind: a phase fails with them, and pkg/move asks whether a
// retry could help.
func Classify(err error) error { return wire.Classify(err) }

// Bookkeeping returns the name of the schema that keeps a move's facts.
func Bookkeeping(move string) string { return "wherry_" + move }

// Dialect writes and compares tables in PostgreSQL's language.
func (t *Target) Dialect() schema.Dialect { return t.dialect }

// Ledger is the move's bookkeeping.
func (t *Target) Ledger() db.Ledger { return t.ledger() }

func (t *Target) ledger() *ledger { return &ledger{t: t, schema: Bookkeeping(t.cfg.Move)} }

// Identity returns who the server is. Names of tables that differ in case are two, as on a MySQL with
// lower_case_table_names=0, whose words are taken so that both ends can be compared.
func (t *Target) Identity(ctx context.Context) (db.Identity, error) {
	id := db.Identity{
		UUID: t.tag, Host: t.dialer.Address(), Flavor: "PostgreSQL", Version: t.shown,
		Names: "lower_case_table_names=0", Streams: true,
	}
	var micros int64
	began := time.Now()
	err := t.pool.Do(ctx, func(c *wire.Conn) error {
		row, err := c.One(ctx, "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint::text")
		if err != nil {
			return fmt.Errorf("identify %s: %w", t.dialer.Address(), err)
		}
		micros, err = strconv.ParseInt(string(row[0]), 10, 64)
		return err
	})
	id.Clock = time.UnixMicro(micros).Sub(began.Add(time.Since(began) / 2)).Round(time.Millisecond)
	return id, err
}

// Close releases every connection.
func (t *Target) Close() error { return t.pool.Close() }

// ReadOnly tells whether the server takes no writes from applications.
func (t *Target) ReadOnly(ctx context.Context) (closed bool, err error) {
	err = t.pool.Do(ctx, func(c *wire.Conn) error {
		row, err := c.One(ctx, "SELECT (pg_catalog.pg_is_in_recovery() OR "+
			"pg_catalog.current_setting('transaction_read_only')::boolean)::text")
		closed = err == nil && string(row[0]) == "true"
		return err
	})
	return closed, err
}

// Admit does nothing: no fence ever closes a target of PostgreSQL.
func (t *Target) Admit(context.Context) error { return nil }

// CheckReturn refuses the way back: nothing writes to PostgreSQL on it, and nothing reads its log.
func (t *Target) CheckReturn(context.Context, db.Plan) ([]db.Finding, error) {
	return []db.Finding{{
		Check: "way_back", End: "target", Level: db.Fail, Subject: "PostgreSQL",
		What: "there is no way back from PostgreSQL: its log is not read",
		Fix:  "keep the old source as it is until you are sure of the new one",
	}}, nil
}
