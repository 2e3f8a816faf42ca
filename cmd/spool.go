package cmd

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/monitor"
)

// spool is what keeps the source's log on this machine.
type spool interface {
	Spool(ctx context.Context, from db.Position) error
	Trim(upto db.Position) error
}

const spoolStart = 50 * time.Millisecond // how often it is looked whether the copy has begun

// errSpooled ends the spool when the phase has ended.
var errSpooled = errors.New("the phase has ended")

// spooled runs f while the source's log is kept, if that is wanted. When it cannot be kept, f ends too.
func (s *session) spooled(ctx context.Context, f func(ctx context.Context) error) error {
	if !s.cfg.Copy.Spool {
		return f(ctx)
	}
	group, ctx := errgroup.WithContext(ctx)
	spooling, stop := context.WithCancelCause(ctx)
	group.Go(func() error {
		err := s.keepLog(spooling)
		if errors.Is(context.Cause(spooling), errSpooled) {
			return nil
		}
		return err
	})
	group.Go(func() error {
		defer stop(errSpooled)
		return f(ctx)
	})
	return group.Wait()
}

// keepLog keeps the log from the target's position on, as soon as there is one. A lost server is tried again.
func (s *session) keepLog(ctx context.Context) error {
	var from string
	for from == "" {
		var err error
		if from, err = s.target.Ledger().Get(ctx, db.FactPosition); err != nil && !errors.Is(err, db.ErrConnection) {
			return err
		}
		if err := pause(ctx, spoolStart); err != nil {
			return err
		}
	}
	s.log.Info().Str("position", from).Str("directory", s.cfg.SpoolDir()).Msg("the source's log is kept")
	var failing time.Time
	for {
		began := time.Now()
		err := s.spool.Spool(ctx, db.Position(from))
		if ctx.Err() != nil || !errors.Is(err, db.ErrConnection) {
			return err
		}
		if failing.IsZero() || time.Since(began) > time.Minute {
			failing = time.Now()
		}
		if time.Since(failing) > s.cfg.Replicate.RetryFor {
			return err
		}
		s.log.Warn().Err(err).Msg("connecting anew")
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// trim removes what the target has of the spool. What is left costs room only.
func (s *session) trim(p monitor.Snapshot) {
	if s.spool == nil || p.Replica.Position == "" {
		return
	}
	if err := s.spool.Trim(db.Position(p.Replica.Position)); err != nil {
		s.log.Warn().Err(err).Str("directory", s.cfg.SpoolDir()).Msg("the spool is not cleared")
	}
}
