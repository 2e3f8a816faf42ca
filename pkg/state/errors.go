package state

import (
	"errors"
	"fmt"
	"syscall"
)

// What can be wrong with a state file or with who wants it; the caller maps each to an exit code.
var (
	// ErrOtherMove: the file records a move with another name, or with other tables.
	ErrOtherMove = errors.New("state file of another move")
	// ErrNewer: a newer wherry wrote the file.
	ErrNewer = errors.New("state file of a newer wherry")
	// ErrDamaged: the file is cut off, gone, or not a state file.
	ErrDamaged = errors.New("state file damaged")
	// ErrMissing: there is no file where one is looked for.
	ErrMissing = errors.New("no state file")
	// ErrUnwritable: the file, or a file beside it, cannot be read or written for a reason that a retry does not mend.
	ErrUnwritable = errors.New("state file cannot be used")
	// ErrLocked: another process holds the phase lock; the error is a *HeldError.
	ErrLocked = errors.New("state file locked")
	// ErrOutOfOrder: an earlier phase is not done.
	ErrOutOfOrder = errors.New("phase out of order")
	// ErrOver: the cutover is done, there is nothing left to move.
	ErrOver = errors.New("move is over")
)

// HeldError says who holds the lock. Phase is "" if the holder did not say in time.
type HeldError struct {
	Phase string
	PID   int
	Host  string
	Path  string // the lock file
}

func (e *HeldError) Error() string {
	if e.Phase == "" {
		return fmt.Sprintf("lock %s: another wherry holds it", e.Path)
	}
	return fmt.Sprintf("lock %s: wherry %s holds it (pid %d on %s)", e.Path, e.Phase, e.PID, e.Host)
}

// Is matches ErrLocked.
func (e *HeldError) Is(target error) bool { return target == ErrLocked }

// lasting marks an error of the disk that stays until somebody does something. Interrupted calls and the like pass.
func lasting(err error) error {
	for _, cause := range []error{
		syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EIO,
		syscall.ENOENT, syscall.ENOTDIR, syscall.EISDIR, syscall.ENOTEMPTY, syscall.ELOOP, syscall.ENAMETOOLONG,
	} {
		if errors.Is(err, cause) {
			return fmt.Errorf("%w: %w", ErrUnwritable, err)
		}
	}
	return err
}

func damaged(path string, cause error) error {
	return fmt.Errorf("%w: %s: %w (it was left as it is: put a good copy in its place, or move it away and begin "+
		"again with wherry init-schema)",
		ErrDamaged, path, cause)
}

// otherMove compares the record with what the config asks for; empty wishes match everything.
func otherMove(path string, s *State, move, fingerprint string) error {
	if move != "" && s.Move != move {
		return fmt.Errorf("%w: %s records move %q, the config says %q: give this move a state file of its own",
			ErrOtherMove, path, s.Move, move)
	}
	if fingerprint != "" && s.Fingerprint != fingerprint {
		return fmt.Errorf("%w: %s records move %q with fingerprint %s, the config has %s: "+
			"routes, filters and alter must stay as they were when the move began; put them back, or begin another "+
			"move with its own name and state file",
			ErrOtherMove, path, s.Move, short(s.Fingerprint), short(fingerprint))
	}
	return nil
}

func short(fingerprint string) string {
	if fingerprint == "" {
		return "none"
	}
	return fingerprint[:min(12, len(fingerprint))]
}
