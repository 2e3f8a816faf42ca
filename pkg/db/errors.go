package db

import "errors"

// The kinds of errors that tell a phase what it can do. Engines wrap them around the server's own text. An error of no
// kind ends a phase; progress is saved, and it may be run again.
var (
	// ErrConnection is a lost or refused connection, or a server that is shutting down: try again.
	ErrConnection = errors.New("connection lost")
	// ErrAccess is a login or statement that the server refuses this account: a human must grant or change something.
	ErrAccess = errors.New("access refused")
	// ErrSetup is what the server's settings, or how we connect to it, do not allow: a human must change one of them.
	ErrSetup = errors.New("not possible as the server is set up")
	// ErrSpace is a disk without room, of a server or of this machine: a human must make some.
	ErrSpace = errors.New("no room left")
	// ErrRetry is a deadlock, a lock wait or another transient refusal: the transaction is rolled back, try again.
	ErrRetry = errors.New("transaction must be tried again")
	// ErrPositionGone is a log that no longer reaches back to the position: copy again.
	ErrPositionGone = errors.New("position is no longer in the source's log")
	// ErrLocked is a move's lock on the target that another wherry holds.
	ErrLocked = errors.New("another wherry holds the move's lock on the target")
	// ErrSealed is a move whose target has taken over: nothing more may be applied.
	ErrSealed = errors.New("the move is over: the target has taken over")
	// ErrOtherServer is a connection that led to another server than the first one did, for example after a failover.
	// Only after Successor.Continues has proved that the histories agree may the move go on there.
	ErrOtherServer = errors.New("another server answers")
	// ErrLost is a server that lacks transactions whose effects the target has: a replica that was promoted too early.
	ErrLost = errors.New("transactions that the target has are not on this server")
	// ErrNotOwned is a table of the target that is not owned by this move, see Owned: no statement was run on it.
	ErrNotOwned = errors.New("this move did not make it")
	// ErrChunkDone is a chunk that is already copied.
	ErrChunkDone = errors.New("chunk is already copied")
	// ErrUnsupported is something in the data or log that cannot be carried exactly: stop, a human must decide.
	ErrUnsupported = errors.New("cannot be carried exactly")
)
