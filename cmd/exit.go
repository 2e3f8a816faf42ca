package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/monitor"
	"wherry/pkg/move"
)

// usageError is a wrong command line.
type usageError struct {
	err     error
	command string
}

func (e usageError) Error() string { return e.err.Error() }

func (e usageError) Unwrap() error { return e.err }

// exitCode maps an error to the code that scripts see; see exitStatus.
func exitCode(err error) int {
	var usage usageError
	if errors.As(err, &usage) || err != nil && strings.HasPrefix(err.Error(), "unknown command") {
		return monitor.CodeUsage
	}
	return move.Code(err)
}

// advice is the next thing to do after an error. It is what status says too, once the error is recorded.
func (a *app) advice(code int, err error) monitor.Next {
	return monitor.After(a.move.Outcome(code, err), a.commands)
}

// advised is an error that knows what to do next.
type advised struct {
	error
	next string
}

func (e advised) Next() string { return e.next }

func (e advised) Unwrap() error { return e.error }

// say writes a line of an error, as wide as a terminal is.
func (a *app) say(text string) {
	_, _ = fmt.Fprint(a.stderr, monitor.Wrap("wherry: "+text+"\n", columns(a.stderr)))
}

// report prints the end of a command and returns its exit code.
func (a *app) report(ctx context.Context, err error) int {
	code := exitCode(err)
	interrupted := err != nil && errors.Is(context.Cause(ctx), move.ErrInterrupted)
	if interrupted && code != monitor.CodeUnknown && !errors.Is(err, move.ErrInterrupted) {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
		code = exitCode(err)
	}
	if err == nil {
		return code
	}
	next := ""
	if advice := a.advice(code, err); advice.Text != "" {
		next = advice.Line()
	}
	if a.json != nil {
		_ = a.json.Error(code, advised{err, next})
	}
	a.say(err.Error())
	var usage usageError
	var option move.OptionError
	switch {
	case errors.As(err, &usage):
		a.say("see " + usage.command + " --help")
	case errors.As(err, &option):
		a.say("see wherry " + option.Phase + " --help")
	case next != "":
		a.say(next)
	}
	return code
}
