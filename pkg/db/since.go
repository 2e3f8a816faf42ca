package db

import (
	"context"
	"fmt"
	"sync"

	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// FromSnapshots returns the source with streams that pass over, for tables without a key, what their snapshots held already:
// a Stream that is opened with a nil since takes it from the chunks in the ledger. Once the stream is beyond a snapshot's
// position that has no effect, so it holds for every stream of a move, whatever it is read for.
func FromSnapshots(s Source, l Ledger) Source {
	return &fromSnapshots{Source: s, ledger: l, known: map[schema.Name]Position{}}
}

type fromSnapshots struct {
	Source
	ledger Ledger

	mu    sync.Mutex
	known map[schema.Name]Position // of chunks that are done: they never change again
}

// Stream opens the log after pos.
func (s *fromSnapshots) Stream(ctx context.Context, pos Position, routes []*route.Route, since Since) (Stream, error) {
	if since == nil {
		since = Since{}
		for _, r := range routes {
			if len(r.Source.Key) > 0 {
				continue
			}
			at, err := s.since(ctx, r.Source.Name())
			if err != nil {
				return nil, fmt.Errorf("read the snapshot's position of %s: %w", r.Source.Name(), err)
			}
			if !at.IsZero() {
				since[r] = at
			}
		}
	}
	return s.Source.Stream(ctx, pos, routes, since)
}

func (s *fromSnapshots) since(ctx context.Context, table schema.Name) (Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.known[table]; !at.IsZero() {
		return at, nil
	}
	chunks, err := s.ledger.Chunks(ctx, table)
	if err != nil || len(chunks) == 0 || !chunks[0].Done {
		return "", err
	}
	s.known[table] = chunks[0].Position
	return chunks[0].Position, nil
}
