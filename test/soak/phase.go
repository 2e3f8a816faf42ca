package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"wherry/test/internal/lab"
)

// The exit codes of wherry, as its README has them; a child that was killed has killed.
const (
	done        = 0
	failed      = 1
	differences = 3
	locked      = 11
	refused     = 12
	unknown     = 14
	unfinished  = 15
	interrupted = 130
	killed      = -1
)

const (
	phaseTakes = 30 * time.Minute // with all its runs: these end by themselves if they stand still
	inVain     = 5                // runs in a row that fail although nothing has happened
)

// phase runs a phase, a command and perhaps a flag, until it is done, while its events happen.
func (e *episode) phase(ctx context.Context, phase string, args ...string) error {
	words := strings.Fields(phase)
	name, args := words[0], append(words[1:], args...)
	ctx, cancel := context.WithTimeoutCause(ctx, phaseTakes, fmt.Errorf("%s is not done after %s", name, phaseTakes))
	defer cancel()
	var child atomic.Pointer[lab.Child]
	disturbing, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- e.disturb(disturbing, e.plan.events[phase], e.hit(&child)) }()
	_, err := e.untilDone(ctx, &child, name, args...)
	stop()
	return errors.Join(err, <-ended)
}

// hit returns which wherry events befall: the phase's own, or now and then the start-replica beside it.
func (e *episode) hit(child *atomic.Pointer[lab.Child]) func() *lab.Child {
	calls := 0
	return func() *lab.Child {
		if calls++; calls%3 == 0 && e.replica != nil {
			return e.replica.child.Load()
		}
		return child.Load()
	}
}

// untilDone runs a command again for as long as its exit code says that this helps. It returns the last run.
func (e *episode) untilDone(ctx context.Context, current *atomic.Pointer[lab.Child], name string,
	args ...string,
) (*lab.Child, error) {
	for fruitless, gates := 0, 0; ; {
		before := e.disturbed.Load()
		child, err := e.once(ctx, current, name, args...)
		if err != nil {
			return child, err
		}
		quiet := e.disturbed.Load() == before && e.happening.Load() == 0
		if child.Code == unfinished && !quiet {
			continue // for example a SIGTERM just after the takeover: the same command does what is left
		}
		switch child.Code {
		case done:
			return child, nil
		case failed, interrupted, killed:
			if fruitless++; !quiet {
				fruitless = 0
			}
			if fruitless >= inVain {
				return child, fmt.Errorf("%s failed %d times in a row although nothing happened: %s", name, fruitless,
					child.Log())
			}
		case locked:
			err = wait(ctx, 200*time.Millisecond)
		case refused, unknown:
			if gates++; name == "verify" && gates < 9 && (e.plan.ddl || e.plan.failover) {
				err = e.catchUp(ctx, current) // the schema has changed since, or the source is another one
				break
			}
			if name != "cutover" || gates > 8 || child.Code == unknown && len(e.plan.events[name]) == 0 {
				return child, fmt.Errorf("%s: exit code %d: %.3000s\n%s", name, child.Code, child.Output(), child.Log())
			}
			// a gate: the last one is too old, or the target was behind
			_, err = e.untilDone(ctx, current, "verify", slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
				return arg != "--reverse"
			})...)
		default:
			return child, fmt.Errorf("%s: exit code %d: %.3000s\n%s", name, child.Code, child.Output(), child.Log())
		}
		if err == nil {
			err = wait(ctx, 100*time.Millisecond)
		}
		if err != nil {
			return child, err
		}
	}
}

// catchUp brings the target to where the source is, or gives who follows a moment to do so.
func (e *episode) catchUp(ctx context.Context, current *atomic.Pointer[lab.Child]) error {
	if e.replica != nil {
		return wait(ctx, time.Second)
	}
	_, err := e.untilDone(ctx, current, "start-replica", "--until-caught-up")
	return err
}

// once runs a command once, and keeps what it says.
func (e *episode) once(ctx context.Context, current *atomic.Pointer[lab.Child], name string,
	args ...string,
) (*lab.Child, error) {
	run := filepath.Join(e.dir, "runs", fmt.Sprintf("%03d-%s", e.runs.Add(1), name))
	stdout, err := os.Create(run + ".out")
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	stderr, err := os.Create(run + ".log")
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	line := append([]string{name, "--config", e.wherry.Config, "--json"}, args...)
	child, err := lab.Start(ctx, stdout, stderr, e.wherry.Binary, line...)
	if err != nil {
		return nil, err
	}
	e.note("run %s", filepath.Base(run))
	current.Store(child)
	e.latest.Store(child)
	defer current.Store(nil)
	return child, e.await(ctx, child, filepath.Base(run))
}

// await waits for the end of a run, and has it print what it does if it does not end.
func (e *episode) await(ctx context.Context, child *lab.Child, run string) error {
	if strings.HasSuffix(run, "start-replica") && e.replica != nil { // it may have nothing to do for long
		<-child.Done()
	} else if !child.Ended() {
		return fmt.Errorf("%s stands still: its log tells what it did", run)
	}
	e.note("end %s: exit code %d", run, child.Code)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if log := child.Log(); child.Code == 2 || strings.Contains(log, "panic: ") || strings.Contains(log, "DATA RACE") {
		return fmt.Errorf("%s crashed: %s", run, log)
	}
	return nil
}
