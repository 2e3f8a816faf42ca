package cutover

import (
	"context"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// open is what may be asked of the source while it is written to. The head of its log is left out on purpose: read
// before writes stop, it may be passed by the next write. See closed.
type open interface {
	tables
	NewFence(ctx context.Context, kind db.FenceKind, tables []schema.Name, saved string) (db.Fence, error)
	SafePosition(ctx context.Context) (db.Position, error)
	Reached(at, goal db.Position) (bool, error)
	AwaitPending(ctx context.Context) error
	Stream(ctx context.Context, pos db.Position, routes []*route.Route, since db.Since) (db.Stream, error)
}

type tables interface {
	Sizes(ctx context.Context, tables []schema.Name) (map[schema.Name]db.Size, error)
	TryView(ctx context.Context, view schema.Name, read bool) error
}

// Source is what is needed of the end that hands over.
type Source interface {
	open
	Head(ctx context.Context) (db.Position, error)
}

// Target is what is needed of the end that takes over.
type Target interface {
	tables
	Ledger() db.Ledger
	Dialect() schema.Dialect
	Execute(ctx context.Context, statement string) error
	db.ObjectWriter
	Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error)
	Objects(ctx context.Context, match func(schema.Name) bool) ([]*schema.Object, error)
	Repair(ctx context.Context, b *db.Batch) error
}
