package move

import (
	"errors"
	"fmt"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/state"
	"wherry/pkg/verify"
)

// Result is what a phase tells at its end.
type Result struct {
	Detail   string         // one line, kept in the state file
	Facts    map[string]any // for programs; docs/json.md lists them
	Last     bool           // no phase comes next
	Findings []db.Finding   // of Check
	Report   *verify.Report // of Verify; nil when nothing was compared
	Verified state.Verify   // Report, as the state file has it
}

// ErrRefused is a precondition of the move that is not met.
var ErrRefused = errors.New("refused, nothing was changed")

// ErrDifferences is a result, not a failure: rows differ.
var ErrDifferences = errors.New("differences remain")

// ErrPending is a result too: a dry run has found something to do.
var ErrPending = errors.New("nothing was changed")

// IsResult tells a result from a failure.
func IsResult(err error) bool { return errors.Is(err, ErrDifferences) || errors.Is(err, ErrPending) }

// ErrInterrupted is the cause to cancel a context with when somebody asked for the end: progress is saved.
var ErrInterrupted = errors.New("interrupted")

// OptionError is an option of a phase that does not fit the move.
type OptionError struct {
	Phase string
	Err   error
}

// Error implements error.
func (e OptionError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e OptionError) Unwrap() error { return e.Err }

// pending ends a dry run that has found so many statements to run, or steps to make.
func pending(n int, noun string) (Result, error) {
	out := Result{
		Detail: fmt.Sprintf("dry run, %s pending, nothing was changed", count.Of(n, noun)),
		Facts:  map[string]any{"statements": n},
	}
	if n > 0 {
		return out, fmt.Errorf("%w, a dry run: %s pending", ErrPending, count.Of(n, noun))
	}
	return out, nil
}

// differingTables is ErrDifferences with the tables in which rows differ.
type differingTables struct {
	error
	tables   []string
	computed bool // in generated columns only
}

func (e differingTables) Unwrap() error { return e.error }
