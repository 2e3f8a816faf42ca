package cutover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wherry/pkg/db"
)

// takeover is a cutover past the point of no return.
type takeover struct {
	c      *Cutover
	source *closed // nil when an earlier run has recorded the takeover
	record Record
	final  db.Position
	stray  int64
	behind error // of the last attempt to write the journal, see save
}

func (c *Cutover) takeover(ctx context.Context, record Record, source *closed) (*takeover, error) {
	f := &takeover{c: c, source: source, record: record}
	if source != nil && !source.final.IsZero() {
		f.final = source.final
	} else if err := retry(ctx, func() error {
		final, err := c.target.Ledger().Get(ctx, db.FactFinal)
		f.final = db.Position(final)
		return err
	}); err != nil {
		return f, fmt.Errorf("read the final position: %w", err)
	}
	if f.record.FenceKind == "" { // the journal is lost; the target's word counts
		f.record.FenceKind = c.opts.Fence
	}
	if f.record.Head.IsZero() {
		f.record.Head = f.final
	}
	if !f.record.Sealed {
		f.record.Sealed, f.record.Step = true, StepSwitch
		f.save(ctx)
	}
	return f, nil
}

// switchOver has applications pointed at the target, while writes to the source are still blocked.
func (f *takeover) switchOver(ctx context.Context) error {
	if f.record.Step != StepSwitch {
		return nil
	}
	f.c.observe(StepSwitch, f.final.String())
	if f.c.opts.Open != nil {
		if err := retry(ctx, func() error { return f.c.opts.Open(ctx) }); err != nil {
			return fmt.Errorf("open the target for writes: %w", err)
		}
	}
	if err := f.c.hook(ctx, HookSwitch, f.record, map[string]string{"final": f.final.String()}); err != nil {
		return err
	}
	if !f.record.FencedAt.IsZero() {
		f.record.Blocked = f.c.opts.Now().Sub(f.record.FencedAt)
	}
	f.record.Step = StepSwitched
	f.save(ctx)
	return nil
}

// strays finds out whether the source was written to after the takeover: a fence that ended with its process, or that
// the user was to keep up, may have let writes through that the target will never get. They cannot be undone here, only
// reported. If the log cannot be read, that is logged and no failure: the takeover stands either way.
func (f *takeover) strays(ctx context.Context) error {
	now, err := f.c.source.SafePosition(ctx)
	if err == nil {
		f.stray, err = f.c.written(ctx, f.record.Head, now)
	}
	if err != nil {
		f.c.opts.Log.Warn().Err(err).Msg("cannot tell whether the source was written to after the takeover")
		return context.Cause(ctx)
	}
	if f.stray > 0 {
		f.c.opts.Log.Error().Int64("rows", f.stray).Stringer("after", f.record.Head).
			Msg("the source was written to after the takeover; the target does not have that")
	}
	return nil
}

// after runs the last hook.
func (f *takeover) after(ctx context.Context) error {
	if f.record.Step == StepFinish {
		return nil
	}
	err := f.c.hook(ctx, HookAfter, f.record, map[string]string{
		"final":   f.final.String(),
		"blocked": f.record.Blocked.Round(time.Millisecond).String(),
	})
	if err != nil {
		return err
	}
	f.record.Step = StepFinish
	f.save(ctx)
	return nil
}

// release ends the journal and closes the fence's connections. Its durable part stays, such as read_only: nobody must
// write to the source any more.
func (f *takeover) release(ctx context.Context) error {
	f.c.observe(StepFinish, f.final.String())
	f.record.Done = true
	f.save(ctx)
	err := f.behind
	if f.source != nil && f.source.fence != nil {
		err = errors.Join(err, f.source.fence.Release())
	}
	return err
}

// save writes the journal. A failure does not stop the cutover: without the journal a rerun calls hooks again, which
// does less harm than an application that is not switched. Only if the last write fails too does the cutover end with
// that error, so that somebody runs it again.
func (f *takeover) save(ctx context.Context) {
	if f.behind = f.c.save(ctx, f.record); f.behind != nil {
		f.c.opts.Log.Warn().Err(f.behind).Str("step", string(f.record.Step)).Msg("cannot write the journal")
	}
}

// unfinished says what a failure means after the point of no return.
func (f *takeover) unfinished(err error) error {
	note := "writes to the source stay blocked"
	switch f.record.FenceKind {
	case db.FenceLockTables:
		note = "the locks on the source end with this process, so keep applications from writing to it"
	case db.FenceHook, db.FenceNone:
		note = "keep applications from writing to the source"
	default:
	}
	return fmt.Errorf("%w: %w (nothing is undone: %s)", ErrUnfinished, err, note)
}
