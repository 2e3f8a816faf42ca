package cmd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/db/mysql"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// The way back is the same move with its ends exchanged: the target, which has taken over, is its source, and the old source
// its target, with bookkeeping of its own. It begins where the target's log ended when it took over (db.FactReturn).

// errBackGone is a way back that is cut off.
var errBackGone = errors.New("the way back is cut off, the target's log no longer reaches back to where it goes on")

// ends is the way forward of a session that is on the way back.
type ends struct {
	source db.Source
	target db.Target
	start  db.Position   // in the target's log
	record takeover      //
	now    *mysql.Source // the target, as it is read from
	old    *mysql.Target // the source, as it is written to
	schema backSchema
}

// takeover is what the target has recorded of the cutover, as far as it matters for the way back.
type takeover struct {
	Fence db.FenceKind `json:"fence"`
	Saved string       `json:"saved"`
}

// backIsOver refuses what cannot be yet, and tells whether there is nothing left to do.
func (s *session) backIsOver(st *state.State, spec phaseSpec) (bool, error) {
	if !st.Back() {
		return false, st.RequireReverse(spec.name)
	}
	detail := "the way back is over: the source has taken over again; to move once more, run wherry cleanup and begin anew with an empty target"
	return true, s.result(spec.name, outcome{Detail: detail, Facts: map[string]any{"over": true}}, false)
}

// turn exchanges the ends.
func (s *session) turn(ctx context.Context) error {
	if err := s.admissible(); err != nil {
		return err
	}
	if err := s.sameMove(ctx); err != nil {
		return err
	}
	back := &ends{source: s.source, target: s.target}
	if err := s.readTakeover(ctx, back); err != nil {
		return err
	}
	if err := s.readReturn(ctx, &back.schema); err != nil {
		return err
	}
	if err := s.openBack(ctx, back); err != nil {
		return err
	}
	s.opened = append(s.opened, s.source, s.target)
	s.source, s.target, s.back = db.FromSnapshots(back.now, back.old.Ledger()), back.old, back
	return s.planBack(ctx)
}

// readTakeover reads from the target's bookkeeping how it took over.
func (s *session) readTakeover(ctx context.Context, back *ends) error {
	ledger := s.target.Ledger()
	sealed, err := ledger.Get(ctx, db.FactCutover)
	if err != nil {
		return err
	}
	if sealed == "" {
		return fmt.Errorf("go back: %w: the target has not taken over, as its bookkeeping says: run `wherry cutover` first", state.ErrOutOfOrder)
	}
	if err := json.Unmarshal([]byte(sealed), &back.record); err != nil {
		return fmt.Errorf("read fact %s: %w", db.FactCutover, err)
	}
	start, err := ledger.Get(ctx, db.FactReturn)
	if err != nil {
		return err
	}
	if start == "" {
		return fmt.Errorf("%w: there is no way back: when the target took over it kept no binary log that this account may look at, so nobody knows "+
			"what was written since", errRefused)
	}
	back.start = db.Position(start)
	return nil
}

// openBack opens the target to read from, and the source to write to.
func (s *session) openBack(ctx context.Context, back *ends) error {
	cfg, err := s.endpoint(ctx, &s.cfg.Target)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	if back.schema.rules != nil {
		cfg.Follows = s.followsBack(&back.schema)
	}
	if back.now, err = mysql.OpenSource(ctx, cfg); err != nil {
		return connectError{fmt.Errorf("target: %w", err)}
	}
	s.opened = append(s.opened, back.now)
	if back.old, err = s.openWritable(ctx, "source", &s.cfg.Source.Endpoint); err != nil {
		return err
	}
	s.opened = append(s.opened, back.old)
	return nil
}

// beginBack makes the old source ready to be written to by us alone. start-replica begins the way back, or continues it; the
// other phases need it begun.
func (s *session) beginBack(ctx context.Context, phase string) error {
	ledger := s.target.Ledger()
	sealed, err := ledger.Get(ctx, db.FactCutover)
	if err != nil {
		return err
	}
	if sealed != "" { // over, as the phase will find
		return s.back.old.Admit(ctx)
	}
	if err := s.stillClosed(ctx); err != nil {
		return err
	}
	if phase != state.PhaseStartReplica {
		if _, err := s.applied(ctx); err != nil {
			return fmt.Errorf("go back: %w: the source has no position yet: run `wherry start-replica --reverse` first", state.ErrOutOfOrder)
		}
		return s.back.old.Admit(ctx)
	}
	if err := s.backCan(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{s.announceBack, s.back.old.Admit, ledger.Create, s.recordIdentity, s.recordBack, s.quiet} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	start, err := ledger.Begin(ctx, s.back.start)
	if err != nil {
		return err
	}
	return s.file.Update(func(st *state.State) error {
		st.Reverse.Positions.Start = start.String()
		return nil
	})
}

// stillClosed refuses a source that takes writes from applications: the cutover had closed it.
func (s *session) stillClosed(ctx context.Context) error {
	if s.back.record.Fence != db.FenceReadOnly {
		return nil
	}
	closed, err := s.back.old.ReadOnly(ctx)
	if err == nil && !closed {
		err = fmt.Errorf("%w: the source at %s takes writes, although the cutover had closed it: it was restarted, or opened by hand; "+
			"SET GLOBAL read_only = ON there, and look what was written to it, since verify --reverse will find differences", errRefused, s.cfg.Source.Address())
	}
	return err
}

// backCan checks what the way back needs of both servers.
func (s *session) backCan(ctx context.Context) error {
	findings, err := checkBack(ctx, s.back.now, s.back.old, s.backIntent(s.plan))
	if err != nil {
		return err
	}
	for _, f := range findings {
		if f.Level == db.Warn {
			s.log.Warn().Str("check", f.Check).Str("subject", f.Subject).Msg(f.What)
		}
	}
	made, err := db.ReadObjects(ctx, s.back.target.Ledger())
	if err != nil {
		return err
	}
	for _, o := range made.Made {
		if o.Kind == schema.SequenceObject {
			s.log.Warn().Stringer("sequence", o.Name).Msg("the source's sequence stays where the cutover found it: set it by hand when you have gone back")
		}
	}
	if failed := findingErrors(plan.Failed(findings)); len(failed) > 0 {
		return fmt.Errorf("%w: %w", errRefused, errors.Join(failed...))
	}
	at, err := s.target.Ledger().Get(ctx, db.FactPosition)
	if err != nil {
		return err
	}
	if err := s.source.Retained(ctx, cmp.Or(db.Position(at), s.back.start)); err != nil {
		return err
	}
	return s.untold(ctx)
}

func (s *session) backIntent(reversed *plan.Plan) db.Plan {
	return db.Plan{Routes: reversed.Routes, Bookkeeping: s.cfg.Move, Fence: db.FenceKind(s.cfg.Cutover.Fence)}
}

func checkBack(ctx context.Context, now *mysql.Source, old *mysql.Target, intent db.Plan) ([]db.Finding, error) {
	findings, err := now.CheckReturn(ctx, intent)
	if err != nil {
		return nil, err
	}
	more, err := old.CheckReturn(ctx, intent)
	return append(findings, more...), err
}

// wayBack tells before the move whether there will be a way back after it. Without one the move can be made all the same.
func (s *session) wayBack(ctx context.Context) (db.Finding, error) {
	back := &ends{}
	if err := s.openBack(ctx, back); err != nil {
		return db.Finding{}, err
	}
	reversed := plan.Turn(s.plan)
	findings, err := checkBack(ctx, back.now, back.old, s.backIntent(reversed))
	if err != nil {
		return db.Finding{}, err
	}
	out := db.Finding{Check: "way_back", End: "move", Level: db.OK, What: "after the cutover start-replica --reverse can keep a way back open"}
	var reasons, fixes []string
	for _, f := range plan.Failed(append(findings, reversed.Findings...)) {
		reasons = append(reasons, strings.Join(strings.Fields(fmt.Sprintf("%s (%s) %s %s", f.Check, f.End, f.Subject, f.What)), " "))
		if f.Fix != "" && !slices.Contains(fixes, f.Fix) {
			fixes = append(fixes, f.Fix)
		}
	}
	if len(reasons) > 0 {
		const most = 5
		more := ""
		if len(reasons) > most {
			more = fmt.Sprintf(", and %d more", len(reasons)-most)
		}
		out.Level, out.What = db.Warn, "after the cutover there would be no way back: "+strings.Join(reasons[:min(len(reasons), most)], "; ")+more
		out.Fix = "go without a way back, or: " + strings.Join(fixes[:min(len(fixes), most)], "; ")
	}
	return out, nil
}

// announceBack records on the target that the source is going to have bookkeeping, before it has.
func (s *session) announceBack(ctx context.Context) error {
	ledger := s.back.target.Ledger()
	if begun, err := ledger.Get(ctx, db.FactReverse); err != nil || begun != "" {
		return err
	}
	return ledger.Put(ctx, db.FactReverse, time.Now().UTC().Format(time.RFC3339Nano))
}

// quiet takes away from the source what would act by itself on rows that come back: triggers of the move's tables, and events.
// They did their work where the rows were written. What is needed to make them again is recorded first; the cutover back does.
func (s *session) quiet(ctx context.Context) error {
	ledger, dialect := s.target.Ledger(), s.target.Dialect()
	fact, err := db.ReadObjects(ctx, ledger)
	if err != nil {
		return err
	}
	loud, err := s.loud(ctx)
	if err != nil || len(loud) == 0 {
		return err
	}
	for _, o := range loud {
		name := db.ObjectName{Kind: o.Kind, Name: o.Name}
		if slices.ContainsFunc(fact.Late, func(l db.LateObject) bool { return l.ObjectName == name }) {
			continue // recorded by a run that was interrupted
		}
		late := db.LateObject{ObjectName: name, Session: o.Session, OneTime: o.OneTime, Statement: []byte(dialect.EnableEvent(o))}
		if o.Kind == schema.TriggerObject {
			late.Statement = []byte(dialect.CreateObject(o))
			if err := s.target.TryTrigger(ctx, o); err != nil { // later there is no way to refuse
				return fmt.Errorf("%w: %s could not be made again when you go back: %w", errRefused, o, err)
			}
		}
		fact.Late = append(fact.Late, late)
	}
	if err := fact.Put(ctx, ledger); err != nil {
		return err
	}
	for _, o := range loud {
		statement := schema.DisableEvent(o.Name)
		if o.Kind == schema.TriggerObject {
			statement = dialect.DropObject(o)
		}
		s.log.Info().Stringer("object", o).Str("statement", statement).Msg("taken away from the source until you have gone back")
		if err := s.target.Execute(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// loud returns the source's triggers of the move's tables, and the events of their databases that fire.
func (s *session) loud(ctx context.Context) (loud []*schema.Object, err error) {
	tables, databases := map[schema.Name]bool{}, map[string]bool{}
	for _, r := range s.plan.Routes {
		tables[r.Target.Name()], databases[r.Target.Name().Database] = true, true
	}
	found, err := s.target.Objects(ctx, func(n schema.Name) bool { return databases[n.Database] })
	if err != nil {
		return nil, fmt.Errorf("look for triggers and events on the source: %w", err)
	}
	for _, o := range found {
		switch {
		case o.Kind == schema.TriggerObject && tables[o.Table], o.Kind == schema.EventObject && o.Enabled:
		default:
			continue
		}
		if o.Hidden != "" {
			return nil, fmt.Errorf("%w: %s on the source cannot be read (%s), so it could not be made again when you go back", errRefused, o, o.Hidden)
		}
		loud = append(loud, o)
	}
	return loud, nil
}

// openOld lets applications write to the source again, once it has taken over: what the cutover's fence had changed is put back.
func (s *session) openOld(ctx context.Context) error {
	record := s.back.record
	if record.Fence == "" { // of a cutover that recorded less
		st, err := s.file.Read()
		if err != nil {
			return err
		}
		record = takeover{Fence: db.FenceKind(st.Cutover.FenceKind), Saved: st.Cutover.SourceReadOnly["saved"]}
	}
	switch record.Fence {
	case db.FenceHook:
		return s.runHook(ctx, cutover.HookUnfence, map[string]string{
			"direction": "forward", "source": s.cfg.Source.Address(), "target": s.cfg.Target.Address(), "fence": string(record.Fence),
		})
	case db.FenceReadOnly:
		fence, err := s.back.source.NewFence(ctx, record.Fence, nil, record.Saved)
		if err != nil {
			return err
		}
		return errors.Join(fence.Lift(ctx), fence.Release())
	default: // locks ended with their process, and what nobody closed is open
		return nil
	}
}

// cutOff tells a log that no longer reaches back apart from that of the way forward, where another advice holds.
func (s *session) cutOff(err error) error {
	if s.back != nil && errors.Is(err, db.ErrPositionGone) {
		return fmt.Errorf("%w: %w", errBackGone, err)
	}
	return err
}

// nextBack is the command to run next on the way back.
func (s *session) nextBack(st *state.State) string {
	switch {
	case st.Back():
		return "wherry cleanup" + s.configFlags()
	case !st.Reverse.Verify.Clean && st.Reverse.Cutover.Step == "":
		return "wherry verify --reverse" + s.configFlags()
	default:
		return "wherry cutover --reverse" + s.configFlags() + " --confirm=" + s.cfg.Move
	}
}
