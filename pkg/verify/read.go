package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

const (
	firstPause = 20 * time.Millisecond // before the target's position is read again, and after a lost connection
	lastPause  = 500 * time.Millisecond
)

// entry is a row as it is remembered: its key and a digest of all of it, so that memory does not depend on its size.
type entry struct {
	key    db.Row
	digest [sha256.Size]byte
	plain  [sha256.Size]byte // of the values that can be written
}

// image is a few hundred rows by the bytes of their keys. Rows whose keys are equal only by a collation, such as 'a'
// and 'A', are different rows here.
type image map[string]entry

// add takes in a row of which some values at the end are computed.
func (all image) add(key, row db.Row, computed int) {
	e := entry{key: key.Clone(), digest: sha256.Sum256(appendValues(nil, row))}
	if e.plain = e.digest; computed > 0 {
		e.plain = sha256.Sum256(appendValues(nil, row[:len(row)-computed]))
	}
	all[keyText(key)] = e
}

// keys returns the keys of all, in any order.
func (all image) keys() []db.Row {
	keys := make([]db.Row, 0, len(all))
	for _, e := range all {
		keys = append(keys, e.key)
	}
	return keys
}

// keyText returns what identifies a row in memory.
func keyText(key db.Row) string { return string(appendValues(nil, key)) }

// fetch reads the rows that have one of the keys, and perhaps others whose keys are equal by a collation: the server
// compares, and 'a' finds 'A'. Callers look rows up by the bytes, so the others do no harm.
func (v *Verify) fetch(ctx context.Context, end db.Reader, rel *route.Relation, keys []db.Row) (image, error) {
	return v.image(ctx, rel, func() (db.Rows, error) { return end.Fetch(ctx, rel, keys) })
}

// rows reads the rows of a range that is known to be small.
func (v *Verify) rows(ctx context.Context, end db.Reader, rel *route.Relation, rng db.Range) (image, error) {
	return v.image(ctx, rel, func() (db.Rows, error) { return end.Rows(ctx, rel, rng) })
}

func (v *Verify) image(ctx context.Context, rel *route.Relation, open func() (db.Rows, error)) (all image, err error) {
	err = v.retry(ctx, func() error {
		all = image{}
		return each(open, func(row db.Row) error {
			all.add(row.Pick(rel.Key), row, rel.Computed)
			return nil
		})
	})
	return all, err
}

// each opens rows, visits them and closes them. A row is valid during its visit.
func each(open func() (db.Rows, error), visit func(db.Row) error) (err error) {
	rows, err := open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := visit(row); err != nil {
			return err
		}
	}
}

func (v *Verify) sum(ctx context.Context, end db.Reader, rel *route.Relation, rng db.Range) (sum db.Sum, err error) {
	err = v.retry(ctx, func() (err error) {
		sum, err = end.Sum(ctx, rel, rng)
		return err
	})
	return sum, err
}

func (v *Verify) bound(ctx context.Context, end db.Reader, rel *route.Relation, after db.Row, n int) (key db.Row,
	err error,
) {
	err = v.retry(ctx, func() (err error) {
		key, err = end.Bound(ctx, rel, after, n)
		return err
	})
	return key, err
}

// safe returns a visible-safe position of the source.
func (v *Verify) safe(ctx context.Context) (pos db.Position, err error) {
	err = v.retry(ctx, func() (err error) {
		pos, err = v.source.SafePosition(ctx)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the source's position: %w", err)
	}
	return pos, nil
}

// head returns a position at or after everything that the source has shown to anybody.
func (v *Verify) head(ctx context.Context) (pos db.Position, err error) {
	err = v.retry(ctx, func() (err error) {
		pos, err = v.source.Head(ctx)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the source's head: %w", err)
	}
	return pos, nil
}

// applied returns the target's position; a zero one if nothing is replicated.
func (v *Verify) applied(ctx context.Context) (pos db.Position, err error) {
	if v.opts.Applied == nil {
		return "", nil
	}
	err = v.retry(ctx, func() (err error) {
		pos, err = v.opts.Applied(ctx)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the target's position: %w", err)
	}
	return pos, nil
}

// await returns once the target has applied everything up to goal; at once if nothing is replicated. ErrBehind: not
// within Options.WaitTimeout.
func (v *Verify) await(ctx context.Context, goal db.Position) error {
	if v.opts.Applied == nil {
		return nil
	}
	return v.until(ctx, goal, "the target", v.applied)
}

// visible returns once every transaction up to goal is visible to every later read of the source.
func (v *Verify) visible(ctx context.Context, goal db.Position) error {
	return v.until(ctx, goal, "the source's visible state", v.safe)
}

func (v *Verify) until(ctx context.Context, goal db.Position, who string,
	position func(context.Context) (db.Position, error),
) error {
	pause, deadline := firstPause, v.opts.Now().Add(v.opts.WaitTimeout)
	for {
		at, err := position(ctx)
		if err != nil {
			return err
		}
		reached, err := v.source.Reached(at, goal)
		if err != nil {
			return fmt.Errorf("compare positions: %w", err)
		}
		if reached {
			return nil
		}
		if v.opts.Now().After(deadline) {
			return fmt.Errorf("wait %s for %s to reach %s: it is at %s: %w", v.opts.WaitTimeout, who, goal, at,
				ErrBehind)
		}
		if err := db.Pause(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, lastPause)
	}
}

// retry repeats what only reads while connections are lost. A read that lasted longer than half of RetryFor counts as
// work: if one of some hours breaks off, RetryFor begins anew.
func (v *Verify) retry(ctx context.Context, read func() error) error {
	return db.Retry{
		For: v.opts.RetryFor, First: firstPause, Max: 10 * time.Second, Work: v.opts.RetryFor / 2,
		GivingUp: "tried for",
		Notify: func(err error, pause time.Duration) {
			v.opts.Log.Warn().Err(err).Stringer("again_in", pause).Msg("reading interrupted")
		},
	}.Do(ctx, read)
}
