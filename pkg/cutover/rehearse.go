package cutover

import (
	"context"
	"time"
)

// turnBack ends a rehearsal: writes are open again, and nothing of it is left but views and the like, see makeObjects.
// Blocked is how long this run blocked writes. If an interrupted run had blocked them before, that time does not count:
// a rehearsal is asked how long a cutover takes.
func (s *closed) turnBack(ctx context.Context) (*Result, error) {
	head := s.record.Head
	if err := s.lift(ctx); err != nil {
		return nil, err
	}
	return &Result{Blocked: s.c.opts.Now().Sub(s.began), Head: head, Verified: s.rows, Spent: s.spent}, nil
}

// timed adds to sum how long it takes until the function that it returns is called.
func (c *Cutover) timed(sum *time.Duration) func() {
	began := c.opts.Now()
	return func() { *sum += c.opts.Now().Sub(began) }
}
