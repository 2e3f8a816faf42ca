package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// ScratchName is the name of a move's first scratch schema; further ones have a number behind it. Names of moves have
// no hyphen, so it is never the bookkeeping of another move.
func ScratchName(move string) string { return Bookkeeping(move) + "-try" }

// scratchName is the name of one of several.
func scratchName(move string, i int) string {
	if i == 0 {
		return ScratchName(move)
	}
	return fmt.Sprintf("%s-%d", ScratchName(move), i+1)
}

const (
	// scratchMark is the comment by which a scratch schema is known: it commits with it.
	scratchMark = "wherry makes and removes this schema to try statements in"
	// scratchPatience bounds the removal, which also happens when the user has given up.
	scratchPatience = 5 * time.Minute
)

type scratch struct {
	t       *Target
	names   map[string]string // target's schema -> scratch schema
	made    []string
	lock    *wire.Conn // holds the lock that keeps another check away
	closing sync.Once
	closed  error
}

// Scratch makes the schemas.
func (t *Target) Scratch(ctx context.Context, plan db.ScratchPlan) (_ db.Scratch, err error) {
	s := &scratch{t: t, names: map[string]string{}}
	for i, d := range plan.Databases {
		s.names[d.Name] = scratchName(t.cfg.Move, i)
	}
	defer func() {
		if err != nil {
			err = errors.Join(t.noScratch(err), s.Close())
		}
	}()
	if s.lock, err = t.dialer.Dial(ctx); err != nil {
		return nil, err
	}
	row, err := s.lock.One(ctx, "SELECT pg_catalog.pg_try_advisory_lock("+lockKey(t.cfg.Move+"/try")+")::text")
	if err != nil {
		return nil, err
	}
	if string(row[0]) != "true" {
		return nil, &db.NoScratchError{
			What: "another check of this move tries its statements at the moment", Fix: "wait until it has ended",
		}
	}
	if err := s.sweep(ctx); err != nil {
		return nil, err
	}
	for _, d := range plan.Databases {
		name := s.names[d.Name]
		if err := t.pool.Do(ctx, func(c *wire.Conn) error {
			return c.Exec(ctx, "CREATE SCHEMA "+dialect.Quote(name)+"; COMMENT ON SCHEMA "+dialect.Quote(name)+" IS "+
				wire.Quote(scratchMark))
		}); err != nil {
			return nil, fmt.Errorf("create schema %s: %w", name, err)
		}
		s.made = append(s.made, name)
	}
	return s, nil
}

// noScratch makes of a refusal by the server one by us: whatever it was, nothing can be tried.
func (t *Target) noScratch(err error) error {
	var known *db.NoScratchError
	switch {
	case errors.As(err, &known), errors.Is(err, db.ErrConnection), errors.Is(err, db.ErrRetry),
		errors.Is(err, db.ErrSpace), wire.Code(err) == "":
		return err
	case errors.Is(err, db.ErrAccess):
		return &db.NoScratchError{
			What: "the account may not make the schema in which the statements of the move are tried: " + err.Error(),
			Fix:  "GRANT CREATE ON DATABASE " + dialect.Quote(t.cfg.Database) + " TO " + dialect.Quote(t.cfg.User),
		}
	}
	return &db.NoScratchError{
		What: "no scratch schema can be made on the target: " + err.Error(),
		Fix:  "let the target take it, or leave it out with --no-trial",
	}
}

// sweep removes what an interrupted check has left.
func (s *scratch) sweep(ctx context.Context) error {
	left, strangers, err := s.t.scratchSchemas(ctx)
	if err != nil {
		return err
	}
	for _, name := range s.names {
		if slices.Contains(strangers, name) {
			return &db.NoScratchError{
				What: "the target has a schema " + dialect.Quote(name) + " that this move did not make, where its " +
					"statements would be tried",
				Fix: "drop or rename it",
			}
		}
	}
	return s.drop(ctx, left)
}

func (s *scratch) drop(ctx context.Context, names []string) error {
	for _, name := range names {
		if err := s.t.pool.Do(ctx, func(c *wire.Conn) error {
			return c.Exec(ctx, s.t.dialect.DropDatabase(name))
		}); err != nil {
			return fmt.Errorf("remove the scratch schema %s: %w", name, err)
		}
	}
	return nil
}

// Database implements db.Scratch.
func (s *scratch) Database(of string) string { return s.names[of] }

// Execute implements db.Scratch.
func (s *scratch) Execute(ctx context.Context, statement string) error {
	return s.t.pool.Do(ctx, func(c *wire.Conn) error { return c.Exec(ctx, statement) })
}

// ExecuteIn implements db.Scratch.
func (s *scratch) ExecuteIn(ctx context.Context, _ schema.Session, statement string) error {
	return s.Execute(ctx, statement)
}

// Close implements db.Scratch.
func (s *scratch) Close() error {
	s.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), scratchPatience)
		defer cancel()
		s.closed = s.drop(ctx, s.made)
		if s.lock != nil {
			s.closed = errors.Join(s.closed, s.lock.Close())
		}
	})
	return s.closed
}

// Leftovers returns the scratch schemas that an interrupted check has left.
func (t *Target) Leftovers(ctx context.Context) ([]string, error) {
	ours, _, err := t.scratchSchemas(ctx)
	return ours, err
}

// scratchSchemas returns the schemas that have names of this move's scratch schemas: those that it made, and others.
func (t *Target) scratchSchemas(ctx context.Context) (ours, others []string, err error) {
	first := ScratchName(t.cfg.Move)
	err = t.pool.Do(ctx, func(c *wire.Conn) error {
		found, err := c.All(ctx, "SELECT nspname::text, pg_catalog.obj_description(oid, 'pg_namespace') "+
			"FROM pg_catalog.pg_namespace ORDER BY nspname COLLATE \"C\"")
		for _, row := range found {
			switch name := string(row[0]); {
			case name != first && !strings.HasPrefix(name, first+"-"):
			case string(row[1]) == scratchMark:
				ours = append(ours, name)
			default:
				others = append(others, name)
			}
		}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("look for scratch schemas: %w", err)
	}
	return ours, others, nil
}
