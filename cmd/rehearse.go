package cmd

import (
	"fmt"
	"time"

	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/monitor"
	"wherry/pkg/state"
)

// rehearsed tells what a rehearsal of the cutover has measured. What comes between the takeover and the end of the switch is
// not in it.
func (s *session) rehearsed(r *cutover.Result) (outcome, error) {
	parts := fmt.Sprintf("fence %s, drain %s, verify %s", monitor.Span(r.Spent.Fence), monitor.Span(r.Spent.Drain), monitor.Span(r.Spent.Verify))
	detail := fmt.Sprintf("rehearsed: writes would be blocked for %s (%s)", monitor.Span(r.Blocked), parts)
	if s.cfg.Hooks.Switch != "" {
		detail += " and for as long as hooks.switch takes"
	}
	if s.cfg.Cutover.Fence == string(db.FenceNone) {
		detail += "; cutover.fence is none: nothing was stopped, and the move runs as before"
	} else {
		detail += "; they are open again, and the move runs as before"
	}
	err := s.file.Update(func(st *state.State) error {
		if s.back == nil {
			st.Rehearsal = state.Rehearsal{
				At: time.Now().UTC().Truncate(time.Millisecond), Blocked: state.Duration(r.Blocked), Fence: state.Duration(r.Spent.Fence),
				Drain: state.Duration(r.Spent.Drain), Verify: state.Duration(r.Spent.Verify),
			}
		}
		return nil
	})
	return outcome{Detail: detail, Facts: map[string]any{
		"rehearsal": true, "blocked_seconds": r.Blocked.Seconds(), "fence_seconds": r.Spent.Fence.Seconds(), "drain_seconds": r.Spent.Drain.Seconds(),
		"verify_seconds": r.Spent.Verify.Seconds(), "head": r.Head, "verified_rows": r.Verified,
	}}, err
}
