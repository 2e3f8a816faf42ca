package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
)

// Fleet is servers of their own, named FLAVOR-1, FLAVOR-2 and so on.
type Fleet struct {
	List string // their entries of WHERRY_TEST_SERVERS

	script, dir string
	port        int
}

// fleets counts those of this process. Each looks for free ports from another one on: a server that is dead for a
// moment must find its port free when it comes back.
var fleets atomic.Int32

func firstPort() int { return 24000 + os.Getpid()%100*80 + int(fleets.Add(1))%10*8 }

// NewFleet starts servers with settings that others do not have ("name=value", or "name"), by the script that
// WHERRY_SERVERS_SCRIPT names. Their folder tells the script whose they are: when this process is killed, the next
// "down" takes them away.
func NewFleet(script, flavor string, n int, settings ...string) (*Fleet, error) {
	dir, err := os.MkdirTemp(os.Getenv("WHERRY_SERVERS_DIR"), fmt.Sprintf("extra-%d-", os.Getpid()))
	if err != nil {
		return nil, err
	}
	f := &Fleet{script: script, dir: dir, port: firstPort()}
	args := []string{"up", flavor + ":" + strconv.Itoa(n)}
	for _, s := range settings {
		for i := range n {
			args = append(args, "--opt", flavor+"-"+strconv.Itoa(i+1)+":"+s)
		}
	}
	if err = os.Chmod(dir, 0o755); err == nil { //nolint:gosec // servers run as users of their own
		_, err = f.Control(args...)
	}
	var env string
	if err == nil {
		env, err = f.Control("env")
	}
	_, list, found := strings.Cut(env, "WHERRY_TEST_SERVERS='")
	if err == nil && !found {
		err = fmt.Errorf("%s env: no WHERRY_TEST_SERVERS in %q", script, env)
	}
	if err != nil {
		return nil, errors.Join(err, f.Stop())
	}
	f.List, _, _ = strings.Cut(list, "'")
	return f, nil
}

// Control has the script do something with the servers, such as kill mysql-1, and returns what it prints.
func (f *Fleet) Control(args ...string) (string, error) {
	cmd := exec.Command(f.script, args...) //nolint:gosec // the script of the environment
	cmd.Env = append(os.Environ(), "WHERRY_SERVERS_DIR="+f.dir, "WHERRY_SERVERS_FAST=1",
		"WHERRY_SERVERS_PORT="+strconv.Itoa(f.port))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", f.script, strings.Join(args, " "), err, &stderr)
	}
	return string(out), nil
}

// Stop takes the servers away.
func (f *Fleet) Stop() error {
	_, err := f.Control("down", "--purge")
	return errors.Join(err, os.RemoveAll(f.dir))
}

// Extra starts one server, and returns its entry of WHERRY_TEST_SERVERS and what takes it away.
func Extra(script, flavor string, settings ...string) (list string, stop func() error, err error) {
	f, err := NewFleet(script, flavor, 1, settings...)
	if err != nil {
		return "", nil, err
	}
	return f.List, f.Stop, nil
}
