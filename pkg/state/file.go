package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// File is a state file that belongs to the caller's move. Its methods may be called from several goroutines.
type File struct {
	path string
	opts OpenOptions
	codec

	updating sync.Mutex // one Update at a time in this process; the flock orders processes
	mu       sync.Mutex // guards last
	last     []byte     // content last read or written; nil until the file exists
}

// OpenOptions are optional: without Move or Fingerprint whatever the file says is accepted.
type OpenOptions struct {
	Move        string
	Fingerprint string
	Wherry      string           // version of this program, recorded by each Update
	Clock       func() time.Time // default time.Now
	FS          FS               // default the real one
}

// Open reads the file at path, whose ending chooses YAML or JSON. A file that does not exist is an empty state,
// created by the first Update. Errors match ErrOtherMove, ErrNewer or ErrDamaged; the file is left as it is.
func Open(path string, opts OpenOptions) (*File, error) {
	c, err := codecFor(path)
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // replacing a link would leave what it points to behind
	}
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.FS == nil {
		opts.FS = disk{}
	}
	f := &File{path: path, opts: opts, codec: c}
	if _, err := f.Read(); err != nil {
		return nil, err
	}
	return f, nil
}

// Path is where the file is, links resolved.
func (f *File) Path() string { return f.path }

// Exists is true once the file has been read or written.
func (f *File) Exists() bool { return f.remembered() != nil }

// Read returns what the file holds now, which another process may have changed since. The result is the
// caller's own.
func (f *File) Read() (*State, error) {
	s, _, err := f.read()
	return s, err
}

func (f *File) read() (*State, []byte, error) {
	data, err := f.opts.FS.ReadFile(f.path)
	if errors.Is(err, os.ErrNotExist) {
		if f.remembered() != nil {
			return nil, nil, damaged(f.path, errors.New("it has disappeared"))
		}
		return f.empty(), nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read state file: %w", lasting(err))
	}
	s, err := f.decode(f.path, data)
	if err != nil {
		return nil, nil, err
	}
	if err := otherMove(f.path, s, f.opts.Move, f.opts.Fingerprint); err != nil {
		return nil, nil, err
	}
	f.remember(data)
	return s, data, nil
}

// Snapshot is Read for those who only show the state: if the file cannot be read now, it returns what was last
// read or written.
func (f *File) Snapshot() State {
	if s, err := f.Read(); err == nil {
		return *s
	}
	if data := f.remembered(); data != nil {
		if s, err := f.decode(f.path, data); err == nil {
			return *s
		}
	}
	return *f.empty()
}

// Update changes the file: it reads it again, lets change edit the content, and replaces it durably. While it
// does, no other Update runs, in this or another process, so change must be quick and must not call Update. If
// change returns an error, nothing is written and that error is returned. After any other error the file holds
// the old content, or, when only the directory could not be synced, perhaps the new.
func (f *File) Update(change func(*State) error) error {
	f.updating.Lock()
	defer f.updating.Unlock()
	release, err := acquireMutex(f.path + ".mutex")
	if err != nil {
		return fmt.Errorf("update state file: %w", lasting(err))
	}
	defer release()
	s, before, err := f.read()
	if err != nil {
		return err
	}
	if err := change(s); err != nil {
		return err
	}
	s.Version, s.Wherry = CurrentVersion, f.opts.Wherry
	data, err := f.marshal(s)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	if bytes.Equal(data, before) {
		return nil
	}
	if err := replace(f.opts.FS, f.path, data); err != nil {
		return fmt.Errorf("update state file: %w", lasting(err))
	}
	f.remember(data)
	return nil
}

func (f *File) empty() *State {
	return &State{Version: CurrentVersion, Move: f.opts.Move, Fingerprint: f.opts.Fingerprint}
}

func (f *File) remember(data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = data
}

func (f *File) remembered() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// now is in UTC and whole milliseconds, as the file holds it.
func (f *File) now() time.Time { return f.opts.Clock().UTC().Truncate(time.Millisecond) }
