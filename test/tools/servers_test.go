// Package tools tests the scripts that start servers for the other tests: what they do when they cannot, and that
// nothing is left.
package tools

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// servers is a folder of instances of their own.
type servers struct{ script, dir string }

func newServers(t *testing.T) *servers {
	t.Helper()
	script := harness.Script(t)
	dir, err := os.MkdirTemp(os.Getenv("WHERRY_SERVERS_DIR"), fmt.Sprintf("extra-%d-", os.Getpid()))
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755)) //nolint:gosec // servers run as users of their own
	s := &servers{script, dir}
	t.Cleanup(func() {
		s.must(t, "down", "--purge")
		assert.Empty(t, s.running(t), "processes that are left")
		require.NoError(t, os.RemoveAll(dir))
	})
	return s
}

func (s *servers) command(environ []string, args ...string) *exec.Cmd {
	cmd := exec.Command(s.script, args...) //nolint:gosec // the script of the environment
	cmd.Env = append(append(os.Environ(), "WHERRY_SERVERS_DIR="+s.dir, "WHERRY_SERVERS_FAST=1"), environ...)
	return cmd
}

func (s *servers) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.command(nil, args...).CombinedOutput()
	require.NoError(t, err, "%v: %s", args, out)
	return string(out)
}

// running are the processes that have the folder among their arguments.
func (s *servers) running(t *testing.T) (all []string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, name := range lines {
		if text, err := os.ReadFile(name); err == nil && strings.Contains(string(text), s.dir+"/") {
			all = append(all, name+": "+strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return all
}

// occupied binds a port without listening: who looks whether somebody answers finds it free.
func occupied(t *testing.T) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	for port := 31000; port < 31100; port++ {
		if syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}) == nil {
			return port
		}
	}
	require.FailNow(t, "no free port")
	return 0
}

// TestPortTaken: a server whose port another program takes while it starts gets another one.
func TestPortTaken(t *testing.T) {
	for _, name := range []string{"mysql-1", "mariadb-1"} {
		t.Run(name, func(t *testing.T) {
			s, port := newServers(t), occupied(t)
			out, err := s.command([]string{"WHERRY_SERVERS_PORT=" + strconv.Itoa(port)}, "up", name).CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Contains(t, string(out), fmt.Sprintf("port %d was taken by another program", port))
			list := s.must(t, "env")
			assert.NotContains(t, list, fmt.Sprint(":", port))
			assert.Contains(t, list, name+"=")
		})
	}
}

// TestOrphans: the servers of a test that was killed are taken away, those of one that runs are not.
func TestOrphans(t *testing.T) {
	s := newServers(t)
	ended := exec.Command("true")
	require.NoError(t, ended.Run())
	for pid, there := range map[int]bool{ended.Process.Pid: false, os.Getpid(): true} {
		inner := &servers{s.script, filepath.Join(s.dir, fmt.Sprintf("extra-%d-1", pid))}
		require.NoError(t, os.Mkdir(inner.dir, 0o755)) //nolint:gosec // servers run as users of their own
		inner.must(t, "up", "mariadb-1")
		s.must(t, "down")
		assert.Equal(t, there, len(inner.running(t)) > 0, "those of %d", pid)
		inner.must(t, "down", "--purge")
	}
}

// TestInterrupted: an interrupt at any moment of a start leaves nothing that down does not find.
func TestInterrupted(t *testing.T) {
	for _, moment := range []string{"mariadb-1/port", "mariadb-1/pid", "mariadb-2/pid"} {
		t.Run(moment, func(t *testing.T) {
			s := newServers(t)
			cmd := s.command(nil, "up", "mariadb:2")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			require.NoError(t, cmd.Start())
			require.True(t, lab.Until(func() bool {
				_, err := os.Stat(filepath.Join(s.dir, moment))
				return err == nil
			}, lab.Works(cmd.Process.Pid)))
			require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)) // as a terminal does
			_ = cmd.Wait()                                                     // it may have been done
			s.must(t, "down", "--purge")
			assert.Empty(t, s.running(t))
		})
	}
}

// TestDiskFull: a disk that is full is told, and half an instance is none.
func TestDiskFull(t *testing.T) {
	s := newServers(t)
	s.must(t, "up", "mariadb-1") // so that all programs are there
	s.must(t, "down", "--purge")
	limited := exec.Command("bash", "-c", `trap "" XFSZ; ulimit -f 256; exec "$0" up mariadb-1`, s.script)
	limited.Env = s.command(nil).Env
	out, err := limited.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "servers.sh: cannot make mariadb-1")
	assert.NotContains(t, s.must(t, "status"), "mariadb-1")
	s.must(t, "up", "mariadb-1")
}

// TestWithoutApt: without apt the message says what else can be done.
func TestWithoutApt(t *testing.T) {
	s := newServers(t)
	programs := filepath.Join(s.dir, "bin")
	require.NoError(t, os.Mkdir(programs, 0o755)) //nolint:gosec // for the script
	for _, dir := range []string{"/usr/bin", "/bin"} {
		names, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, n := range names {
			if !strings.HasPrefix(n.Name(), "apt") {
				// both folders may be one
				_ = os.Symlink(filepath.Join(dir, n.Name()), filepath.Join(programs, n.Name()))
			}
		}
	}
	out, err := s.command([]string{"PATH=" + programs, "WHERRY_SERVERS_DIST=" + filepath.Join(s.dir, "dist")}, "up",
		"mysql-1").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "cannot install mysql: no apt-get here")
	assert.Contains(t, string(out), "set WHERRY_TEST_SERVERS")
}

// TestMirrorAway: a mirror that does not answer is told, and nothing is left that counts as installed.
func TestMirrorAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	s := newServers(t)
	proxy := filepath.Join(s.dir, "apt.conf")
	require.NoError(t,
		os.WriteFile(proxy, []byte(fmt.Sprintf("Acquire::http::Proxy \"http://%s\";\nAcquire::https::Proxy "+
			"\"http://%s\";\nAcquire::Retries \"0\";\n", l.Addr(), l.Addr())),
			0o644)) //nolint:gosec // apt reads it as a user of its own
	out, err := s.command([]string{"APT_CONFIG=" + proxy, "WHERRY_SERVERS_DIST=" + filepath.Join(s.dir, "dist")}, "up",
		"mariadb118-1").CombinedOutput()
	require.Error(t, err, "%s", out)
	assert.Contains(t, string(out), "servers.sh: cannot install mariadb118")
	assert.NoDirExists(t, filepath.Join(s.dir, "dist", "mariadb118"))
}
