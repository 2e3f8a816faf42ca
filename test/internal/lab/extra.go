package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Extra starts a server of its own, named FLAVOR-1, with settings that others do not have ("name=value", or "name"), by the
// script that WHERRY_SERVERS_SCRIPT names. It returns the entries of WHERRY_TEST_SERVERS for it, and what takes it away.
func Extra(script, flavor string, settings ...string) (list string, stop func() error, err error) {
	dir, err := os.MkdirTemp("", "wherry-extra")
	if err != nil {
		return "", nil, err
	}
	control := func(args ...string) (string, error) {
		cmd := exec.Command(script, args...)
		cmd.Env = append(os.Environ(), "WHERRY_SERVERS_DIR="+dir, "WHERRY_SERVERS_FAST=1")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("%s %s: %w: %s", script, strings.Join(args, " "), err, &stderr)
		}
		return string(out), nil
	}
	stop = func() error {
		_, err := control("down", "--purge")
		return errors.Join(err, os.RemoveAll(dir))
	}
	args := []string{"up", flavor + ":1"}
	for _, s := range settings {
		args = append(args, "--opt", flavor+"-1:"+s)
	}
	if err = os.Chmod(dir, 0o755); err == nil { //nolint:gosec // servers run as users of their own
		_, err = control(args...)
	}
	var env string
	if err == nil {
		env, err = control("env")
	}
	_, list, found := strings.Cut(env, "WHERRY_TEST_SERVERS='")
	if err == nil && !found {
		err = fmt.Errorf("%s env: no WHERRY_TEST_SERVERS in %q", script, env)
	}
	if err != nil {
		return "", nil, errors.Join(err, stop())
	}
	list, _, _ = strings.Cut(list, "'")
	return list, stop, nil
}
