package db

import (
	"context"
	"errors"

	"wherry/pkg/schema"
)

// ScratchPlan says what a Scratch is for.
type ScratchPlan struct {
	Databases []ScratchDatabase
	Kinds     []schema.ObjectKind // of the objects that are to be made there, besides tables
}

// ScratchDatabase is one database of the target that a scratch database stands for.
type ScratchDatabase struct {
	Name      string // of the target's database
	Collation string // its default; empty: the server's
}

// Scratch are databases on a target in which statements are tried. They are made empty, hold no rows, and nothing
// else on the server is written. Its methods may be called by several goroutines at once, but for Close.
type Scratch interface {
	// Database returns the scratch database that stands for a database of the target.
	Database(of string) string
	// Execute runs one schema statement of the dialect's as Target.Execute does. The error is the server's own,
	// without the statement.
	Execute(ctx context.Context, statement string) error
	// ExecuteIn is Execute in a session of the given settings.
	ExecuteIn(ctx context.Context, in schema.Session, statement string) error
	// Close removes the databases, also after the context that they were made in has ended. It may be called twice.
	Close() error
}

// NoScratchError tells why a target gives no Scratch: nothing was changed, and nothing can be tried.
type NoScratchError struct {
	What string
	Fix  string
}

func (e *NoScratchError) Error() string { return e.What + ": " + e.Fix }

// transient tells an error that another try may mend.
func transient(err error) bool { return errors.Is(err, ErrConnection) || errors.Is(err, ErrRetry) }
