package binlog

import (
	"os"
	"path/filepath"
)

// removeSpool removes the files and leaves the directory, which the caller is about to fill.
func removeSpool(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// TrimSpool removes the files of a spool that lie wholly before a position of the server, and the directory once
// nothing is left. writing tells whether the spool is being written: then its last file stays. It is asked as late as
// possible, because init-copy may begin to write at any time.
func TrimSpool(dir string, p Position, server string, writing func() bool) error {
	files, err := spoolFiles(dir)
	if err != nil || len(files) == 0 {
		return err
	}
	if files[0].head.Server != server { // of a server that was the source before
		if writing() {
			return nil
		}
		return os.RemoveAll(dir)
	}
	if p.File == "" || p.Server != server {
		return nil
	}
	for i, f := range files {
		whole := Position{File: f.head.File, Offset: 1 << 62, Server: server} // any later file is beyond it
		if i == len(files)-1 {
			if writing() {
				return nil
			}
			if whole.Offset, _, err = f.end(); err != nil {
				return err
			}
		}
		if done, err := reached(p, whole); err != nil || !done {
			return err
		}
		if err := os.Remove(f.path); err != nil {
			return err
		}
	}
	return os.RemoveAll(dir)
}
