package state

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The test binary runs itself again as another wherry: WHERRY_STATE_CHILD says what that one does.
const childVar = "WHERRY_STATE_CHILD"

func TestMain(m *testing.M) {
	role := os.Getenv(childVar)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := child(role, os.Getenv("STATE_PATH"), os.Getenv("STATE_ARG")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(role, path, arg string) error {
	opts := OpenOptions{Move: "shop"}
	if role == "die" {
		opts.FS = &faultFS{FS: disk{}, op: arg, act: func() error {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}}
	}
	f, err := Open(path, opts)
	if err != nil {
		return err
	}
	switch role {
	case "lock": // holds the lock for a phase until killed
		if _, err := f.Lock(arg); err != nil {
			return err
		}
		fmt.Println("held")
		time.Sleep(time.Hour)
	case "count": // many updates
		n, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		for range n {
			if err := f.Update(func(s *State) error { s.Positions.RowsApplied++; return nil }); err != nil {
				return err
			}
		}
	case "die": // kill -9 at one step of an update
		return f.Update(func(s *State) error { s.Positions.RowsApplied++; return nil })
	}
	return nil
}

func childCommand(t *testing.T, role, path, arg string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childVar+"="+role, "STATE_PATH="+path, "STATE_ARG="+arg)
	cmd.Stderr = os.Stderr
	return cmd
}

// faultFS does act instead of, or for "after ..." following, one named operation.
type faultFS struct {
	FS
	op  string
	act func() error
	ops []string // what was done, in order
}

func (f *faultFS) do(op string, real func() error) error {
	f.ops = append(f.ops, op)
	if f.op == op {
		return f.act()
	}
	if err := real(); err != nil {
		return err
	}
	if f.op == "after "+op {
		return f.act()
	}
	return nil
}

func (f *faultFS) Create(name string) (h Handle, err error) {
	err = f.do("create", func() error { h, err = f.FS.Create(name); return err })
	return &faultHandle{Handle: h, fs: f}, err
}

func (f *faultFS) Rename(from, to string) error {
	return f.do("rename", func() error { return f.FS.Rename(from, to) })
}

func (f *faultFS) SyncDir(dir string) error {
	return f.do("sync dir", func() error { return f.FS.SyncDir(dir) })
}

type faultHandle struct {
	Handle
	fs *faultFS
}

// Write hands over half of the data before a fault, as a full disk does.
func (h *faultHandle) Write(p []byte) (n int, err error) {
	if h.fs.op == "write" {
		n, _ = h.Handle.Write(p[:len(p)/2])
	}
	err = h.fs.do("write", func() error { n, err = h.Handle.Write(p); return err })
	return n, err
}

func (h *faultHandle) Sync() error { return h.fs.do("sync", h.Handle.Sync) }

func (h *faultHandle) Close() error { return h.fs.do("close", h.Handle.Close) }
