package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"wherry/test/internal/lab"
)

// replica is a start-replica in the background, started again whenever it ends, as a service manager does it.
type replica struct {
	child atomic.Pointer[lab.Child]
	stop  context.CancelFunc
	ended chan struct{}
}

func (e *episode) startReplica(ctx context.Context, args ...string) {
	ctx, stop := context.WithCancel(ctx)
	r := &replica{stop: stop, ended: make(chan struct{})}
	e.replica = r
	go func() {
		defer close(r.ended)
		_, err := e.untilDone(ctx, &r.child, "start-replica", args...)
		if err != nil && !errors.Is(err, context.Canceled) && ctx.Err() == nil {
			e.fail(fmt.Errorf("start-replica in the background: %w", err))
		}
	}()
}

// end stops it.
func (r *replica) end() {
	r.stop()
	<-r.ended
}

// over waits for it to notice that the move is over.
func (r *replica) over(ctx context.Context) error {
	select {
	case <-r.ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(lab.Patience):
		if child := r.child.Load(); child != nil {
			_ = child.Signal(syscall.SIGQUIT)
		}
		return errors.New("start-replica goes on long after the cutover")
	}
}
