package state

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// RunPrefix stands before the phase in the lock of `wherry run`, whose stages change: run:start-replica.
const RunPrefix = "run:"

// Lock is a phase's right to work on the move. The kernel takes it back when the process dies.
type Lock struct {
	main *os.File // nil when the main lock is another's
	side *os.File // nil for Lock
}

// Lock takes the move's lock for a phase, or returns a *HeldError that says who has it.
func (f *File) Lock(phase string) (*Lock, error) {
	main, _, err := hold(f.path+".lock", phase)
	if err != nil {
		return nil, err
	}
	return &Lock{main: main}, nil
}

// LockBeside is for verify and cutover, of which one may run beside a start-replica, and for check, which may run
// beside both. It takes the move's lock if that is free; if start-replica holds it, it goes on without, and Beside says
// so.
func (f *File) LockBeside(phase string) (*Lock, error) {
	path := f.path + ".side.lock"
	if phase == PhaseCheck {
		path = f.path + ".check.lock"
	}
	side, _, err := hold(path, phase)
	if err != nil {
		return nil, err
	}
	main, other, err := hold(f.path+".lock", phase)
	if err != nil && !other.letsOthersBeside() {
		_ = side.Close()
		return nil, err
	}
	return &Lock{main: main, side: side}, nil
}

// Beside is true if another process applies changes; the caller must not.
func (l *Lock) Beside() bool { return l.main == nil }

// SetPhase changes what others see as the holder; `run` does it from stage to stage.
func (l *Lock) SetPhase(phase string) error {
	if err := checkPhaseName(phase); err != nil {
		return err
	}
	for _, f := range []*os.File{l.main, l.side} {
		if f == nil {
			continue
		}
		if err := writeHolder(f, self(phase)); err != nil {
			return fmt.Errorf("write lock: %w", lasting(err))
		}
	}
	return nil
}

// Release gives the lock back. It may be called again, and then does nothing.
func (l *Lock) Release() error {
	var errs []error
	for _, f := range []*os.File{l.main, l.side} {
		if f == nil {
			continue
		}
		err := f.Truncate(0) // so that nobody takes this process for the next holder
		if closed := f.Close(); !errors.Is(closed, os.ErrClosed) {
			errs = append(errs, err, closed)
		}
	}
	return errors.Join(errs...)
}

// Holder returns the phase and pid of who holds the move's lock now, "" and 0 if nobody does. It is for showing:
// the answer may be old when it arrives.
func (f *File) Holder() (phase string, pid int, err error) { return holding(f.path + ".lock") }

// SideHolder is Holder for who works beside a start-replica. Without one it names who holds the move's lock too.
func (f *File) SideHolder() (phase string, pid int, err error) { return holding(f.path + ".side.lock") }

func holding(path string) (phase string, pid int, err error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("read lock: %w", lasting(err))
	}
	defer func() { _ = file.Close() }()
	for deadline := time.Now().Add(holderWait); ; time.Sleep(pollEvery) {
		h, ok := readHolder(file)
		if ok && h.dead() {
			return "", 0, nil
		}
		err := tryFlock(file) // freed by the deferred Close
		switch {
		case err == nil:
			return "", 0, nil
		case !errors.Is(err, errHeld):
			return "", 0, fmt.Errorf("read lock: %w", lasting(err))
		case ok || time.Now().After(deadline):
			return h.phase, h.pid, nil
		}
	}
}

// hold takes a lock file or says who has it. Between taking a lock and writing its name a holder is unknown, or
// seems to be the one that died before; such a moment is waited out.
func hold(path, phase string) (*os.File, holder, error) {
	if err := checkPhaseName(phase); err != nil {
		return nil, holder{}, err
	}
	f, err := openLock(path)
	if err != nil {
		return nil, holder{}, fmt.Errorf("open lock: %w", lasting(err))
	}
	for deadline := time.Now().Add(holderWait); ; time.Sleep(pollEvery) {
		err := tryFlock(f)
		if err == nil {
			err = writeHolder(f, self(phase))
			if err == nil {
				return f, holder{}, nil
			}
		}
		if !errors.Is(err, errHeld) {
			_ = f.Close()
			return nil, holder{}, fmt.Errorf("take lock: %w", lasting(err))
		}
		h, ok := readHolder(f)
		if (ok && !h.dead()) || time.Now().After(deadline) {
			_ = f.Close()
			return nil, h, &HeldError{Phase: h.phase, PID: h.pid, Host: h.host, Path: path}
		}
	}
}

func checkPhaseName(phase string) error {
	if phase == "" || strings.ContainsAny(phase, " \t\r\n") {
		return fmt.Errorf("invalid phase name %q", phase)
	}
	return nil
}
