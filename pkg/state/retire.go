package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Retire ends the life of the file: it gets another ending, in the place of an older file of that name, and the lock
// files beside it go. It returns the new path, "" when there was no file. The caller has given back its lock.
func (f *File) Retire(ending string) (path string, err error) {
	f.updating.Lock()
	defer f.updating.Unlock()
	retired := f.path + ending
	switch err := f.opts.FS.Rename(f.path, retired); {
	case errors.Is(err, os.ErrNotExist):
		retired = ""
	case err != nil:
		return "", fmt.Errorf("rename state file: %w", err)
	}
	f.remember(nil)
	for _, name := range []string{
		f.path + ".lock", f.path + ".side.lock", f.path + ".check.lock", f.path + ".mutex",
		f.path + ".tmp",
	} {
		if err := f.opts.FS.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return retired, fmt.Errorf("remove %s: %w", name, err)
		}
	}
	return retired, f.opts.FS.SyncDir(filepath.Dir(f.path))
}
