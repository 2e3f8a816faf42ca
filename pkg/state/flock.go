package state

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Lock files are never removed: removing one while another process opens it would give two holders.

const (
	mutexWait  = 30 * time.Second       // an Update takes milliseconds; longer means a stopped process
	holderWait = 500 * time.Millisecond // for a new holder to write its name
	pollEvery  = 5 * time.Millisecond
)

var errHeld = errors.New("held by another process")

// openLock opens a lock file without taking the lock.
func openLock(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}

// tryFlock takes the lock, which the kernel frees when the file is closed or the process dies.
func tryFlock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK):
			return errHeld
		case err != nil:
			return fmt.Errorf("flock %s: %w", f.Name(), err)
		}
		return nil
	}
}

// acquireMutex waits for the lock for a bounded time and returns how to free it.
func acquireMutex(path string) (release func(), err error) {
	f, err := openLock(path)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(mutexWait); ; time.Sleep(pollEvery) {
		err := tryFlock(f)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, errHeld) || time.Now().After(deadline) {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
	}
}
