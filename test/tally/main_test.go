package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTally runs tests that pass, fail, panic and do not compile.
func TestTally(t *testing.T) {
	for name, c := range map[string]struct {
		body        string
		says, hides []string
		times       []string
	}{
		"passes": {
			"func TestA(t *testing.T) { t.Log(`quiet`) }\nfunc TestB(t *testing.T) {}",
			[]string{"ok  \tsample"},
			[]string{"quiet", "RUN", "PASS"},
			[]string{"TestA", "TestB"},
		},
		"fails": {
			"func TestA(t *testing.T) { t.Log(`quiet`) }\nfunc TestB(t *testing.T) { t.Run(`in`, func(t *testing.T) " +
				"{ t.Error(`loud`) }) }",
			[]string{"--- FAIL: TestB/in", "loud", "FAIL\tsample"},
			[]string{"quiet", "RUN"},
			[]string{"TestA", "TestB"},
		},
		"panics": {
			"func TestA(t *testing.T) { t.Log(`quiet`) }\nfunc TestB(t *testing.T) { panic(`loud`) }",
			[]string{"panic: loud", "FAIL\tsample"},
			[]string{"quiet"},
			[]string{"TestA"},
		},
		"no build": {"func TestA(t *testing.T) { undefined() }", []string{
			"undefined: undefined",
			"FAIL\tsample [build failed]",
		}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module sample\n"), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "a_test.go"),
				[]byte("package sample\n\nimport \"testing\"\n\n"+c.body+"\n"), 0o600))
			cmd := exec.Command("go", "test", "-json", ".")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=")
			events, _ := cmd.CombinedOutput() // it may fail
			file := filepath.Join(dir, "times")
			var out strings.Builder
			require.NoError(t, run([]string{file}, strings.NewReader(string(events)), &out))
			for _, s := range c.says {
				assert.Contains(t, out.String(), s)
			}
			for _, s := range c.hides {
				assert.NotContains(t, out.String(), s)
			}
			times, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, s := range c.times {
				assert.Regexp(t, `(?m)^\d+\.\d\d sample `+s+`$`, string(times))
			}
		})
	}
}
