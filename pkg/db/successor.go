package db

import "context"

// Successor is what a source can prove when another server takes its place: a replica that was promoted, or the server
// to which the same address leads from now on.
type Successor interface {
	// Seen returns a position at or after everything that a read which has ended could see, such that another server
	// can tell whether it has all of that. It is zero where no other server could.
	Seen(ctx context.Context) (Position, error)
	// Continues proves that this server goes on with the history of another one, from whose log the positions are: it
	// has executed every transaction at or before each of them, and its log still holds all after from. ErrLost: it
	// lacks some; ErrRetry: it lacks some and is a replica that may yet have them; ErrPositionGone; ErrUnsupported:
	// there is no telling.
	Continues(ctx context.Context, from Position, seen []Position) error
	// AwaitPending waits until the server has applied whatever it has received from a primary of its own, and until no
	// transaction is prepared whose commit a fence would not stop.
	AwaitPending(ctx context.Context) error
}
