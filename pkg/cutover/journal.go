package cutover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/db"
)

// Step is a place in the cutover, in the order in which it goes through them.
type Step string

// The steps. The journal is written where the comment says so, before what the step does.
const (
	StepCheck    Step = "check"
	StepFence    Step = "fence" // journalled: writes may be blocked from now on
	StepDrain    Step = "drain"
	StepObjects  Step = "objects" // before the fence, and again between seal and switch
	StepVerify   Step = "verify"
	StepSeal     Step = "seal"     // journalled: the takeover may be recorded on the target from now on
	StepSwitch   Step = "switch"   // journalled once the takeover is recorded
	StepSwitched Step = "switched" // journalled once applications were pointed at the target
	StepFinish   Step = "finish"   // journalled once the last hook has run
	StepLift     Step = "lift"
)

// Record is what a run leaves for the next one. The zero value means that no cutover is under way.
type Record struct {
	Step      Step
	FenceKind db.FenceKind
	Saved     string        // the settings that the fence will put back, in the engine's own form
	FencedAt  time.Time     // just before writes were blocked
	Head      db.Position   // of the source's log while writes are blocked
	Blocked   time.Duration // how long writes were blocked, known after the switch
	Sealed    bool          // the takeover is recorded on the target
	Done      bool          // nothing is left to do
}

// Journal keeps the record durably.
type Journal interface {
	// Load returns the record, zero when there is none.
	Load(ctx context.Context) (Record, error)
	// Save replaces it; when it returns, the record outlives a crash.
	Save(ctx context.Context, r Record) error
}

// load reads the journal, and from the target whether it has taken over. If they differ, the target is right: the
// takeover is recorded there first.
func (c *Cutover) load(ctx context.Context) (Record, bool, error) {
	record, err := c.opts.Journal.Load(ctx)
	if err != nil {
		return record, false, fmt.Errorf("read the journal of the cutover: %w", err)
	}
	fact, err := c.target.Ledger().Get(ctx, db.FactCutover)
	if err != nil {
		return record, false, fmt.Errorf("ask the target whether it has taken over: %w", err)
	}
	if fact == "" && record.Step == StepSeal {
		// A process that died may have left the takeover's commit under way. An empty repair changes nothing, but it
		// needs the same lock as that commit, so it waits for it and then sees its result.
		if err := c.target.Repair(ctx, &db.Batch{}); errors.Is(err, db.ErrSealed) {
			return record, true, nil
		} else if err != nil {
			return record, false, fmt.Errorf("ask the target whether it has taken over: %w", err)
		}
	}
	return record, fact != "", record.Against(fact, c.opts.Move)
}

// Against compares the record with the fact db.FactCutover of the target that the move goes to, which is empty while
// that has not taken over. The target's word counts: a record of a takeover that the target does not have is
// ErrOutcomeUnknown.
func (r Record) Against(fact, move string) error {
	if fact != "" || !r.Sealed && !r.Done {
		return nil
	}
	return fmt.Errorf("read the journal of the cutover: it says that the target has taken over, but the target's "+
		"bookkeeping of move %s does not: "+
		"look at the fact %q there; is this the right target? %w", move, db.FactCutover, ErrOutcomeUnknown)
}

func (c *Cutover) save(ctx context.Context, r Record) error {
	if err := c.opts.Journal.Save(ctx, r); err != nil {
		return fmt.Errorf("write the journal of the cutover: %w", err)
	}
	return nil
}

// hook runs one of the user's commands.
func (c *Cutover) hook(ctx context.Context, name string, r Record, more map[string]string) error {
	if c.opts.Hook == nil {
		return nil
	}
	facts := map[string]string{"move": c.opts.Move, "step": name, "fence": string(r.FenceKind), "head": r.Head.String()}
	if c.opts.Rehearse {
		facts["rehearsal"] = "1"
	}
	for k, v := range more {
		facts[k] = v
	}
	if err := c.opts.Hook(ctx, name, facts); err != nil {
		return fmt.Errorf("run hook %s: %w", name, err)
	}
	return nil
}

func (c *Cutover) observe(step Step, detail string) {
	c.opts.Log.Info().Str("step", string(step)).Str("detail", detail).Msg("cutover")
	c.opts.Observe(step, detail)
}
