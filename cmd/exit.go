package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/cleanup"
	"wherry/pkg/config"
	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/schema"
	"wherry/pkg/state"
	"wherry/pkg/verify"
)

// The exit codes are part of the interface; see exitStatus.
const (
	codeDone        = 0
	codeFailed      = 1
	codeDifferences = 3
	codeState       = 10
	codeLocked      = 11
	codeRefused     = 12
	codeGone        = 13
	codeUnknown     = 14
	codeUsage       = 64
	codeConfig      = 78
	codeInterrupted = 130
)

// errRefused is a precondition that cmd itself finds unmet.
var errRefused = errors.New("refused, nothing was changed")

// errDifferences is a result, not a failure: rows differ, or a dry run has changes pending.
var errDifferences = errors.New("differences remain")

// usageError is a wrong command line.
type usageError struct {
	err     error
	command string
}

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// exitCode maps an error to the code that scripts see.
func exitCode(err error) int {
	var usage usageError
	for _, c := range []struct {
		code  int
		match bool
	}{
		{codeDone, err == nil},
		{codeUsage, errors.As(err, &usage) || err != nil && strings.HasPrefix(err.Error(), "unknown command")},
		{codeConfig, errors.Is(err, config.ErrInvalid)},
		{codeUnknown, errors.Is(err, cutover.ErrOutcomeUnknown)},
		{codeInterrupted, errors.Is(err, errInterrupted)},
		{codeState, errors.Is(err, state.ErrOtherMove) || errors.Is(err, state.ErrNewer) || errors.Is(err, state.ErrDamaged)},
		{codeLocked, errors.Is(err, state.ErrLocked) || errors.Is(err, db.ErrLocked)},
		{codeGone, errors.Is(err, db.ErrPositionGone)},
		{codeDifferences, errors.Is(err, errDifferences) || errors.Is(err, cutover.ErrDifferent)},
		{codeRefused, errors.Is(err, errRefused) || errors.Is(err, schema.ErrRefused) || errors.Is(err, cutover.ErrRefused) ||
			errors.Is(err, cleanup.ErrUnderWay) || errors.Is(err, state.ErrOutOfOrder) || errors.Is(err, state.ErrOver) ||
			errors.Is(err, verify.ErrSchemaChange) || errors.Is(err, db.ErrUnsupported) || errors.Is(err, db.ErrSealed) || errors.Is(err, db.ErrLost)},
	} {
		if c.match {
			return c.code
		}
	}
	return codeFailed
}

// connectError is a server that could not be reached before anything was begun.
type connectError struct{ error }

func (e connectError) Unwrap() error { return e.error }

// advice is the next thing to do after an error.
func advice(code int, err error) string {
	var unreachable connectError
	if code == codeFailed && errors.As(err, &unreachable) {
		return "nothing was changed: look at the host, port, user and password of that end, and run the same command again"
	}
	if errors.Is(err, errBackGone) {
		return "leave the target as it is: it has the data; wherry cleanup --abandon ends the way back, and to go back all the same, move the data " +
			"from the target to the source as a new move, with tables dropped on the source first"
	}
	switch code {
	case codeFailed, codeInterrupted:
		return "progress is saved: run the same command again to continue"
	case codeGone:
		return "the copy has to begin again: drop the target's tables and its wherry_* database, remove the state file, and run init-schema; " +
			"keep the source's log longer this time"
	case codeLocked:
		return "wait for the other wherry, or stop it"
	case codeRefused:
		return "mend what is named above and run the same command again"
	default:
		return ""
	}
}

// advised is an error that knows what to do next.
type advised struct {
	error
	next string
}

func (e advised) Next() string  { return e.next }
func (e advised) Unwrap() error { return e.error }

// report prints the end of a command and returns its exit code.
func (a *app) report(ctx context.Context, err error) int {
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errInterrupted) && !errors.Is(err, cutover.ErrOutcomeUnknown) &&
		!errors.Is(err, errInterrupted) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	code := exitCode(err)
	if err == nil {
		return code
	}
	next := advice(code, err)
	if a.json != nil {
		_ = a.json.Error(code, advised{err, next})
	}
	fmt.Fprintf(a.stderr, "wherry: %v\n", err)
	var usage usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(a.stderr, "wherry: see %s --help\n", usage.command)
	} else if next != "" {
		fmt.Fprintf(a.stderr, "wherry: %s\n", next)
	}
	return code
}
