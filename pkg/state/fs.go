package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// FS is what writing the file asks of the disk, one method per step that can fail or be the last before death.
type FS interface {
	ReadFile(name string) ([]byte, error)
	// Create makes a new file that only the owner can read; it is an error if it exists.
	Create(name string) (Handle, error)
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes a rename in the directory durable.
	SyncDir(dir string) error
}

// Handle is a file being written.
type Handle interface {
	io.WriteCloser
	Sync() error
}

// disk is the real FS.
type disk struct{}

func (disk) ReadFile(name string) ([]byte, error) { return os.ReadFile(name) }
func (disk) Rename(from, to string) error         { return os.Rename(from, to) }
func (disk) Remove(name string) error             { return os.Remove(name) }

func (disk) Create(name string) (Handle, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

func (disk) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// replace puts data in the place of path so that at any instant, and after any crash, the old content or the new
// is there, whole. Only one caller at a time: the name of the temporary file is fixed, so that a crash leaves at
// most one behind.
func replace(fsys FS, path string, data []byte) error {
	temp := path + ".tmp"
	if err := fsys.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", temp, err)
	}
	if err := writeNew(fsys, temp, data); err != nil {
		_ = fsys.Remove(temp) // the first error is the one to tell
		return fmt.Errorf("write %s: %w", temp, err)
	}
	if err := fsys.Rename(temp, path); err != nil {
		_ = fsys.Remove(temp)
		return fmt.Errorf("replace %s: %w", path, err)
	}
	if err := fsys.SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("sync directory of %s: %w", path, err)
	}
	return nil
}

func writeNew(fsys FS, name string, data []byte) error {
	f, err := fsys.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
