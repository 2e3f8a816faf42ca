package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"wherry/pkg/config"
	"wherry/pkg/monitor"
	"wherry/pkg/state"
)

// mirrorEvery is how often a running phase's progress goes to the state file.
const mirrorEvery = 2 * time.Second

// outcome is what a phase tells in the end.
type outcome struct {
	Detail string         // one line, kept in the state file
	Lines  []string       // for people
	Facts  map[string]any // for programs, in the summary
}

// phaseSpec is how a phase is run.
type phaseSpec struct {
	name    string
	reverse bool                                        // of the way back
	beside  bool                                        // may run beside start-replica
	once    bool                                        // says so and does nothing when it is done already
	dry     bool                                        // a dry run: no record is kept
	trial   bool                                        // not the phase itself: what admits to it holds, but no record is kept
	admit   func(ctx context.Context, s *session) error // may refuse, changing nothing; then no record is kept
	run     func(ctx context.Context, s *session) (outcome, error)
}

// record is the phase's name in the state file.
func (p phaseSpec) record() string {
	if p.reverse {
		return state.ReversePrefix + p.name
	}
	return p.name
}

// runPhase is the frame of every phase: configuration, state, lock, both ends, record, result.
func (a *app) runPhase(ctx context.Context, spec phaseSpec) error {
	s, printed, err := a.configure()
	if err != nil || printed {
		return err
	}
	if err := s.openState(); err != nil {
		return err
	}
	if err := s.takeLock(spec.record(), spec.beside); err != nil {
		return err
	}
	defer func() {
		if err := s.close(); err != nil {
			s.log.Debug().Err(err).Msg("close")
		}
	}()
	return s.phase(ctx, spec)
}

func (s *session) takeLock(phase string, beside bool) (err error) {
	if beside {
		s.lock, err = s.file.LockBeside(phase)
	} else {
		s.lock, err = s.file.Lock(phase)
	}
	return err
}

// phase runs one phase of an open session that holds the lock.
func (s *session) phase(ctx context.Context, spec phaseSpec) error {
	st, err := s.file.Read()
	if err != nil {
		return err
	}
	if spec.reverse {
		over, err := s.backIsOver(st, spec)
		if err != nil || over {
			return err
		}
	}
	if st.Over() && spec.name != state.PhaseCheck && !spec.reverse {
		detail := "the move is over: the target has taken over"
		if spec.name == state.PhaseVerify {
			if !st.Verify.Clean {
				return fmt.Errorf("verify: %w: the target has taken over and may have changed since, so nothing was compared", state.ErrOver)
			}
			detail += " and may have changed since; nothing was compared (both sides were equal at " + st.Verify.Finished.Format(time.RFC3339) + ")"
		}
		return s.result(spec.name, outcome{Detail: detail, Facts: map[string]any{"over": true}}, false)
	}
	if !spec.reverse {
		if err := st.Require(spec.name); err != nil {
			return err
		}
	}
	if spec.once && st.Done(spec.name) && !spec.dry {
		return s.result(spec.name, outcome{Detail: "done already, nothing to do", Facts: map[string]any{"already_done": true}}, true)
	}
	if s.source == nil {
		if err := s.connect(ctx); err != nil {
			return err
		}
	}
	if err := s.planMove(ctx, spec.name == state.PhaseCheck); err != nil {
		return err
	}
	if spec.reverse {
		if err := s.turn(ctx); err != nil {
			return err
		}
	}
	if spec.name != state.PhaseCheck {
		if err := s.prepare(ctx, spec); err != nil {
			return s.cutOff(err)
		}
	}
	record := s.file.Phase(spec.record())
	if spec.dry || spec.trial || spec.name == state.PhaseCheck && !s.file.Exists() {
		out, err := s.through(ctx, spec)
		return s.finish(spec.name, out, err)
	}
	if err := record.Begin(); err != nil {
		return err
	}
	out, err := s.through(ctx, spec)
	err = s.cutOff(err)
	switch {
	case err == nil || errors.Is(err, errDifferences):
		err = errors.Join(err, record.Finish(out.Detail))
	case ctx.Err() != nil:
		err = errors.Join(err, record.Interrupt(out.Detail))
	default:
		err = errors.Join(err, record.Fail(err))
	}
	return s.finish(spec.name, out, err)
}

// prepare refuses what does not belong to the move before anything is done.
func (s *session) prepare(ctx context.Context, spec phaseSpec) error {
	if err := s.admissible(); err != nil {
		return err
	}
	if spec.dry {
		return nil
	}
	if err := s.sameMove(ctx); err != nil {
		return err
	}
	if err := s.notOver(ctx, spec.name); err != nil {
		return err
	}
	if spec.reverse {
		if err := s.sameServers(ctx); err != nil {
			return err
		}
		if err := s.beginBack(ctx, spec.name); err != nil { // without it there is nothing to admit to
			return err
		}
	}
	if spec.admit != nil {
		if err := spec.admit(ctx, s); err != nil {
			return err
		}
	}
	return s.sameServers(ctx)
}

func (s *session) finish(phase string, out outcome, err error) error {
	if errors.Is(err, errDifferences) && out.Facts != nil {
		out.Facts["code"] = codeDifferences
	}
	if err == nil || errors.Is(err, errDifferences) {
		return errors.Join(err, s.result(phase, out, true))
	}
	return err
}

// result prints what a phase brought and which command comes next.
func (s *session) result(phase string, out outcome, advise bool) error {
	next := ""
	if st, err := s.file.Read(); err == nil && advise && s.back != nil {
		next = s.nextBack(st)
	} else if err == nil && advise {
		name := st.Next()
		if name == state.PhaseCheck && phase == state.PhaseCheck { // it keeps no record before the move has begun
			name = state.PhaseInitSchema
		}
		if name != "" {
			next = "wherry " + name + s.configFlags()
			if name == state.PhaseCutover {
				next += " --confirm=" + s.cfg.Move
			}
		}
	}
	if s.app.json != nil {
		facts := map[string]any{"phase": phase, "detail": out.Detail, "next": next}
		for k, v := range out.Facts {
			facts[k] = v
		}
		if s.more {
			return s.app.json.Emit("phase", facts)
		}
		return s.app.json.Summary(facts)
	}
	w := s.app.stdout
	for _, line := range out.Lines {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintf(w, "%s: %s\n", phase, out.Detail)
	if next != "" && !s.more {
		fmt.Fprintf(w, "next: %s\n", next)
	}
	return nil
}

// observed runs f with live progress on the terminal and in the state file.
func (s *session) observed(ctx context.Context, mirror func(*state.State, monitor.Snapshot), f func(ctx context.Context) error) error {
	for _, r := range s.plan.Routes {
		s.progress.Expect(r.Source.Name(), r.Source.Table.Rows)
	}
	observing, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wait sync.WaitGroup
	wait.Go(func() { s.progress.Run(observing) })
	wait.Go(func() {
		for {
			select {
			case <-observing.Done():
				return
			case <-time.After(mirrorEvery):
				s.mirror(mirror)
			}
		}
	})
	err := f(ctx)
	stop()
	wait.Wait()
	s.mirror(mirror)
	return err
}

// mirror copies progress to the state file. It is for people: what counts is on the target, so an error is only logged.
func (s *session) mirror(mirror func(*state.State, monitor.Snapshot)) {
	snapshot := s.progress.Snapshot()
	s.trim(snapshot)
	err := s.file.Update(func(st *state.State) error {
		mirror(st, snapshot)
		return nil
	})
	if err != nil {
		s.log.Warn().Err(err).Msg("state file not updated")
	}
}

func (a *app) newProgress(cfg *config.Config, level zerolog.Level) *monitor.Progress {
	size := func() (int, int) {
		if f, ok := a.stderr.(*os.File); ok {
			if w, h, err := term.GetSize(int(f.Fd())); err == nil { //nolint:gosec // a file descriptor fits
				return w, h
			}
		}
		return 80, 24
	}
	options := monitor.Options{
		Out: a.stderr, Terminal: terminal(a.stderr) && cfg.Log.Format != "json", NoColor: a.env("NO_COLOR") != "",
		ASCII:  !strings.Contains(strings.ToUpper(a.env("LC_ALL")+a.env("LC_CTYPE")+a.env("LANG")), "UTF"),
		Width:  func() int { w, _ := size(); return w },
		Height: func() int { _, h := size(); return h },
	}
	options.Log = a.newLogger(cfg, level, a.stderr)
	return monitor.NewProgress(options)
}

func (a *app) newLogger(cfg *config.Config, level zerolog.Level, w interface{ Write([]byte) (int, error) }) zerolog.Logger {
	if cfg.Log.Format == "text" || cfg.Log.Format == "auto" && terminal(a.stderr) {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: a.env("NO_COLOR") != "" || !terminal(a.stderr)}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Str("move", cfg.Move).Logger()
}

func (a *app) env(name string) string {
	for _, e := range a.environ {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// mirrorReplica is the replica's part of the state.
func (s *session) mirrorReplica(st *state.State, p monitor.Snapshot) {
	mirrorPositions(st.Way(s.back != nil).Positions, p)
}

func mirrorPositions(at *state.Positions, p monitor.Snapshot) {
	if p.Replica.Position == "" {
		return
	}
	at.Applied, at.AppliedAt, at.Lag, at.RowsApplied = p.Replica.Position, p.Replica.At, p.Replica.Lag, p.Replica.Rows
}

// mirrorCopy is the copy's part of the state.
func mirrorCopy(st *state.State, p monitor.Snapshot) {
	for _, t := range p.Tables {
		record := st.Table(t.Table)
		if record == nil {
			continue
		}
		record.RowsEstimate, record.Rows, record.Chunks, record.ChunksDone = t.Estimate, t.Rows, t.Chunks, t.ChunksDone
		switch {
		case t.Step != "":
			record.Status = t.Step
		case t.Chunks > 0:
			record.Status = state.TableCopying
		}
	}
	if p.Start != "" {
		st.Positions.Start = p.Start.String()
	}
	if p.Consistent != "" {
		st.Positions.Consistent = p.Consistent.String()
	}
	mirrorPositions(&st.Positions, p)
}
