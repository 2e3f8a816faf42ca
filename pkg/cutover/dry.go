package cutover

import (
	"context"
	"fmt"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// DryRun checks the preconditions and returns what Run would do, step by step, in words. It changes nothing and runs no
// hook. After the takeover there are no steps.
func (c *Cutover) DryRun(ctx context.Context) ([]string, error) {
	_, sealed, err := c.load(ctx)
	if err != nil || sealed {
		return nil, err
	}
	if err := c.gates(ctx); err != nil {
		return nil, err
	}
	fence := fmt.Sprintf("stop writes on the source: %s", c.opts.Fence)
	switch c.opts.Fence {
	case db.FenceHook:
		fence = "stop writes on the source: run hooks.fence"
	case db.FenceNone:
		fence = "stop no writes: cutover.fence is none, the application must have stopped by itself"
	default:
	}
	steps := []string{"run hooks.before_cutover, which may veto"}
	var late, early int
	for _, p := range c.plans {
		if p.Target.Kind == schema.TriggerObject {
			late++
		} else {
			early++
		}
	}
	if len(c.plans) > 0 {
		steps = append(steps, fmt.Sprintf("make %s on the target (views, routines, sequences, disabled events), "+
			"and try out %s", count.Of(early, "object"), count.Of(late, "trigger")))
	}
	if c.opts.Verify == VerifyChanged {
		steps = append(steps, fmt.Sprintf("compare what changed since %s, while writes go on", c.opts.VerifiedUpTo))
	}
	steps = append(steps, fence, fmt.Sprintf("wait until the target has applied the source's last change, for "+
		"%s at most", c.opts.Timeout))
	switch c.opts.Verify {
	case VerifyChanged:
		steps = append(steps, "compare what changed since")
	case VerifyFull:
		steps = append(steps, "compare every row of every table")
	}
	steps = append(steps, "set the target's automatic counters",
		"record on the target that it has taken over: the point of no return")
	if late := c.late().Late; len(late) > 0 {
		steps = append(steps, fmt.Sprintf("make triggers and enable events on the target: %d of them", len(late)))
	}
	return append(steps, "run hooks.switch", "run hooks.after_cutover"), nil
}
