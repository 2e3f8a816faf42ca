package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/monitor"
	"wherry/pkg/move"
)

// usageError is a wrong command line; command is whose help to read.
type usageError struct {
	err     error
	command string
}

func (e usageError) Error() string { return e.err.Error() }

func (e usageError) Unwrap() error { return e.err }

// exitCode maps an error to the code that scripts see; see exitStatus. Only wrong command lines are known here, since
// cobra's errors for unknown commands have no type; all else is decided by move.Code.
func exitCode(err error) int {
	var usage usageError
	if errors.As(err, &usage) || err != nil && strings.HasPrefix(err.Error(), "unknown command") {
		return monitor.CodeUsage
	}
	return move.Code(err)
}

// advice is the next thing to do after an error. status derives the same advice from the recorded error, so the two
// never contradict each other. a.move may be nil: then nothing was begun.
func (a *app) advice(code int, err error) monitor.Next {
	return monitor.After(a.move.Outcome(code, err), a.commands)
}

// advised is an error that knows what to do next. The JSON stream asks for that by the method Next, so it need not know
// this package.
type advised struct {
	error
	next string
}

func (e advised) Next() string { return e.next }

func (e advised) Unwrap() error { return e.error }

// say writes an error, wrapped to the terminal's width. Each begins with "wherry: ", so that it can be told apart from
// what hooks and password commands print.
func (a *app) say(text string) {
	_, _ = fmt.Fprint(a.stderr, monitor.Wrap("wherry: "+text+"\n", columns(a.stderr)))
}

// report prints the end of a command and returns its exit code. Errors go to standard error, also with --json, where
// the last line of standard output has them too.
//
// After an interruption the lost connections that it caused are not the news, so the interruption comes first. An
// unknown outcome stays first: somebody has to look, whatever ended the command.
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
	// If standard output cannot be written any more, the exit status and standard error still tell.
	if a.json != nil {
		_ = a.json.Error(code, advised{err, next})
	}
	a.say(err.Error())
	// One hint: the help for a wrong command line or option, else the advice.
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
