package cutover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"wherry/pkg/db"
)

// seal records the takeover on the target: the point of no return. The journal says "seal" first, so that a run after a
// crash knows that the record may exist, and asks for it. The settings from before the fence are part of the record:
// the way back opens the source with them, even if the journal is lost.
func (s *closed) seal(ctx context.Context) error {
	s.record.Step = StepSeal
	if err := s.c.save(ctx, s.record); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("record the takeover: %w", context.Cause(ctx))
	}
	s.c.observe(StepSeal, s.record.Head.String())
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	text, err := json.Marshal(map[string]string{
		"when": s.c.opts.Now().UTC().Format(time.RFC3339Nano), "head": s.record.Head.String(), "host": host,
		"move":  s.c.opts.Move,
		"fence": string(s.record.FenceKind), "saved": s.record.Saved,
	})
	if err != nil {
		return fmt.Errorf("record the takeover: %w", err)
	}
	ledger := s.c.target.Ledger()
	s.final, err = ledger.Seal(ctx, string(text))
	if err == nil {
		return nil
	}
	return s.c.sealOutcome(ctx, ledger, string(text), err)
}

// sealOutcome finds out what became of a takeover whose answer was not a plain yes.
//
// If the target refused, the record is not there, and reading it proves that. If the answer was lost, the record may be
// there, or not, or its commit may be under way: reading alone cannot tell the last two apart. So the takeover is asked
// for once more, even if Options.Timeout is over: that waits for a commit under way, leaves a record that is there as
// it is, and its answer is certain.
func (c *Cutover) sealOutcome(ctx context.Context, ledger db.Ledger, text string, cause error) error {
	lost := ctx.Err() != nil || errors.Is(cause, db.ErrConnection) || errors.Is(cause, db.ErrRetry) ||
		errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded)
	c.opts.Log.Warn().Err(cause).Bool("lost", lost).Msg("no answer that the takeover is recorded")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.opts.LookFor)
	defer cancel()
	for {
		fact, err := ledger.Get(ctx, db.FactCutover)
		switch {
		case err == nil && fact != "":
			return nil
		case err == nil && !lost:
			return fmt.Errorf("record the takeover: %w", cause)
		case err == nil:
			if _, err = ledger.Seal(ctx, text); err == nil {
				return nil
			}
			lost = errors.Is(err, db.ErrConnection) || errors.Is(err, db.ErrRetry) || ctx.Err() != nil
			cause = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("record the takeover: %w: %w: the target did not say within %s whether it has taken "+
				"over, and the fence stays up; "+
				"as soon as the target answers, run the cutover again, which looks first; or look yourself for the "+
				"fact %q in the bookkeeping of move %s on the target: "+
				"if it is there, the target has taken over, else nothing has happened", ErrOutcomeUnknown,
				errors.Join(cause, err), c.opts.LookFor, db.FactCutover, c.opts.Move)
		case <-time.After(10 * pause):
		}
	}
}
