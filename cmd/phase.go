package cmd

import (
	"context"
	"errors"
	"fmt"

	"wherry/pkg/monitor"
	"wherry/pkg/move"
	"wherry/pkg/state"
)

// runPhase opens the move, runs one phase of it and prints the outcome. All single commands come through here.
func (a *app) runPhase(ctx context.Context, p move.Phase) error {
	if printed, err := a.open(); err != nil || printed {
		return err
	}
	defer a.move.Close()
	result, err := a.move.Run(ctx, p)
	return a.finish(move.Name(p), result, err, false)
}

// finish prints what a phase has found, and its result unless it failed. Findings are printed in any case: they are the
// reason of the failure. more: further phases follow in this process, so no next command is printed.
func (a *app) finish(phase string, r move.Result, err error, more bool) error {
	if failed := a.printFound(r, err); failed != nil {
		return errors.Join(err, failed)
	}
	if err != nil && !move.IsResult(err) {
		return err
	}
	return errors.Join(err, a.result(phase, r, more))
}

// printFound prints what check and verify have found. If check failed, its tally is printed here: its result is not
// printed after an error.
func (a *app) printFound(r move.Result, err error) error {
	switch {
	case r.Findings != nil:
		if err := a.printFindings(r.Findings); err != nil {
			return err
		}
		if err != nil && a.json == nil {
			fmt.Fprintln(a.stdout, r.Detail)
		}
	case r.Report != nil:
		return a.printReport(r)
	}
	return nil
}

// result prints a phase's result and the command that comes next. In JSON the last line is the summary; phases before
// it are lines of type "phase".
func (a *app) result(phase string, r move.Result, more bool) error {
	next := ""
	if !r.Last {
		next = a.nextCommand(phase)
	}
	if a.json != nil {
		facts := map[string]any{"phase": phase, "detail": r.Detail, "next": next}
		for k, v := range r.Facts {
			facts[k] = v
		}
		if more {
			return a.json.Emit("phase", facts)
		}
		return a.json.Summary(facts)
	}
	fmt.Fprintf(a.stdout, "%s: %s\n", phase, r.Detail)
	if next != "" && !more {
		fmt.Fprintf(a.stdout, "next: %s\n", next)
	}
	return nil
}

// nextCommand is what status will advise once this command has ended, by the state file alone: the servers are not
// asked again. "" if the file cannot be read: the phase has succeeded all the same.
func (a *app) nextCommand(phase string) string {
	st, err := a.move.State()
	if err != nil {
		return ""
	}
	live, err := a.live()
	if err != nil {
		return ""
	}
	// check alone makes no state file. Without this hint the advice after it would be to run check.
	live.Checked = phase == state.PhaseCheck
	return monitor.NextStep(*st, live).Command
}

// live is what the state file does not hold, without asking the servers, and how wide the terminal is.
func (a *app) live() (monitor.Live, error) {
	live, err := a.move.Live()
	live.Args, live.Width = a.commands.Args, columns(a.stdout)
	return live, err
}

// printStatement prints what a dry run would run: as SQL with a comment, so that the output of a whole dry run can be
// read, saved and compared as a script.
func (a *app) printStatement(subject, statement string) {
	if a.json != nil {
		_ = a.json.Emit("statement", map[string]any{"subject": subject, "sql": statement})
		return
	}
	fmt.Fprintf(a.stdout, "-- %s\n%s;\n", subject, statement)
}
