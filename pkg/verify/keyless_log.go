package verify

import (
	"context"
	"errors"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// stretch is what the log has of one table's changes after one position and up to another. The zero value is empty.
type stretch struct {
	v        *Verify
	rt       *route.Route
	from, to db.Position
	undone   map[int]bool // transactions that were rolled back, known once it has been read
	width    int          // values of a row that count, from the first; 0: all
}

// errLacks is a stretch whose rows lack values that are to be compared.
var errLacks = errors.New("the log lacks values of generated columns")

// sums returns the checksums of the rows that the log adds and removes. It is the first to be called.
func (s *stretch) sums(ctx context.Context) (added, removed db.Sum, err error) {
	s.undone = map[int]bool{}
	// Read twice: the parts of a large transaction come before it is known whether it was rolled back.
	if err := s.read(ctx, func(n int, part *db.Part) error {
		if part.Rollback {
			s.undone[n] = true
		}
		return nil
	}); err != nil {
		return added, removed, err
	}
	var plus, minus db.Summer
	err = s.rows(ctx, func(row db.Row) error {
		plus.Add(row)
		return nil
	}, func(row db.Row) error { minus.Add(row); return nil })
	return plus.Sum(), minus.Sum(), err
}

// rows visits the rows that the log adds and those that it removes, as far as the route's filter selects them. It is
// called after sums, which finds the transactions to leave out.
func (s *stretch) rows(ctx context.Context, added, removed func(db.Row) error) error {
	return s.read(ctx, func(n int, part *db.Part) error {
		if s.undone[n] {
			return nil
		}
		for i := range part.Changes {
			c := &part.Changes[i]
			if c.Route != s.rt {
				continue
			}
			for _, image := range []struct {
				row   db.Row
				visit func(db.Row) error
			}{{c.Before, removed}, {c.After, added}} {
				if image.row == nil || s.rt.Filter != nil && !s.rt.Filter.Match(image.row) {
					continue
				}
				row := image.row
				if s.width > 0 {
					row = row[:s.width]
				}
				if err := image.visit(row); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// read visits the parts of the transactions after from and up to to, which are numbered from 0. Both are bounds of
// transactions, so each is within or without as a whole.
func (s *stretch) read(ctx context.Context, visit func(n int, part *db.Part) error) (err error) {
	if s.from == s.to {
		return nil
	}
	witnesses := s.v.witnesses(s.rt)
	stream, err := s.v.source.Stream(ctx, s.from, witnesses, db.Since{s.rt: s.from})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	at, moved := s.from, s.v.opts.Now()
	for n, within := 0, false; ; {
		if now := stream.Position(); now != at {
			at, moved = now, s.v.opts.Now()
		}
		if !within {
			if done, err := s.reached(at, s.to); err != nil || done {
				return err
			}
		}
		if s.v.opts.Now().Sub(moved) > s.v.opts.WaitTimeout {
			return fmt.Errorf("read the source's log up to %s: it stays at %s", s.to, at)
		}
		part, err := stream.Next(ctx, logWait)
		if err != nil {
			return err
		}
		if part == nil {
			continue
		}
		moved = s.v.opts.Now()
		if !within {
			if beyond, err := s.beyond(stream.Position(), part); err != nil || beyond {
				return err
			}
		}
		if part.DDL != nil {
			if err := s.v.follows(part.DDL, stream.Position(), witnesses); err != nil {
				return err
			}
		}
		for i := range part.Changes {
			if s.v.unseen(&part.Changes[i])[s.rt] {
				return errUnseen
			}
			if c := &part.Changes[i]; c.Lacks && c.Route == s.rt && s.width == 0 {
				return errLacks
			}
		}
		if err := visit(n, part); err != nil {
			return err
		}
		if within = !part.End; part.End {
			n++
		}
	}
}

// beyond tells whether the transaction that begins with a part comes after the stretch. at is where the stream is. If
// the part is a whole transaction, the stream is at its end: the transaction is within the stretch if that end is not
// past s.to. If more parts follow, the stream is still before the transaction: it is beyond if s.to is reached there.
func (s *stretch) beyond(at db.Position, part *db.Part) (bool, error) {
	if !part.End {
		return s.reached(at, s.to)
	}
	within, err := s.reached(s.to, at)
	return !within, err
}

func (s *stretch) reached(at, goal db.Position) (bool, error) {
	reached, err := s.v.source.Reached(at, goal)
	if err != nil {
		return false, fmt.Errorf("compare positions: %w", err)
	}
	return reached, nil
}
