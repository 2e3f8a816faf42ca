package db

import (
	"context"
	"fmt"

	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// FromSnapshots returns the source with streams that take their since from the ledger, when they are opened with nil.
// They pass over row changes that are in the target's rows already, or that have another shape than the tables'
// records; and for tables without a key, those at or before the snapshot that was copied. Beyond these positions
// nothing is passed over, so it is right for every stream of a move, whatever it is read for.
func FromSnapshots(s Source, l Ledger) Source {
	return &fromSnapshots{Source: s, ledger: l}
}

type fromSnapshots struct {
	Source
	ledger Ledger
}

// Stream opens the log after pos.
func (s *fromSnapshots) Stream(ctx context.Context, pos Position, routes []*route.Route, since Since) (Stream, error) {
	if since == nil {
		since = Since{}
		records, err := s.ledger.Records(ctx)
		if err != nil {
			return nil, err
		}
		shaped := make(map[schema.Name]Position, len(records))
		for _, r := range records {
			shaped[r.Source] = r.Since
		}
		for _, r := range routes {
			if at := shaped[r.Source.Name()]; !at.IsZero() {
				since[r] = at
			}
			if len(r.Source.Key) > 0 {
				continue
			}
			at, err := s.since(ctx, r.Source.Name())
			if err != nil {
				return nil, fmt.Errorf("read the snapshot's position of %s: %w", r.Source.Name(), err)
			}
			later, err := s.later(since[r], at)
			if err != nil {
				return nil, err
			}
			if !later.IsZero() {
				since[r] = later
			}
		}
	}
	return s.Source.Stream(ctx, pos, routes, since)
}

// since returns the position of the snapshot that a table's rows were loaded from.
func (s *fromSnapshots) since(ctx context.Context, table schema.Name) (Position, error) {
	chunks, err := s.ledger.Chunks(ctx, table)
	if err != nil || len(chunks) == 0 || !chunks[0].Done {
		return "", err
	}
	return chunks[0].Position, nil
}

// later returns the later of two positions of one table, either of which may be zero.
func (s *fromSnapshots) later(a, b Position) (Position, error) {
	if a.IsZero() || b.IsZero() {
		return a + b, nil
	}
	if reached, err := s.Reached(a, b); err != nil || reached {
		return a, err
	}
	return b, nil
}
