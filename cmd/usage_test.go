package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/monitor"
	"wherry/pkg/state"
)

// TestNoConfigurationAtAll: who has none is told so, and not of every key that is missing in it.
func TestNoConfigurationAtAll(t *testing.T) {
	for _, command := range []string{"check", "init-schema", "status", "run", "cleanup"} {
		code, stdout, stderr := run(t, command)
		assert.Equal(t, monitor.CodeConfig, code, command)
		assert.Empty(t, stdout, command)
		assert.Contains(t, stderr, "there is no wherry.yaml in ", command)
		assert.Contains(t, stderr, "--config", command)
		assert.Contains(t, stderr, "config.example.yaml", command)
		assert.NotContains(t, stderr, "required", command)
		assert.NotContains(t, stderr, "problems", command)
	}
	t.Chdir(t.TempDir())
	var out, errs bytes.Buffer
	code := Execute(t.Context(), []string{"check"}, strings.NewReader(""), &out, &errs,
		[]string{"WHERRY_SOURCE_HOST=127.0.0.1"})
	assert.Equal(t, monitor.CodeConfig, code)
	assert.Contains(t, errs.String(), "move: required", "settings may come from the environment alone")
}

func TestSuggestions(t *testing.T) {
	for typed, meant := range map[string]string{
		"chekc": "check", "verfy": "verify", "initcopy": "init-copy", "start-replicate": "start-replica",
		"stat": "status", "cut-over": "cutover",
	} {
		code, _, stderr := run(t, typed)
		assert.Equal(t, monitor.CodeUsage, code, typed)
		assert.Contains(t, stderr, "did you mean", typed)
		assert.Contains(t, stderr, meant, typed)
	}
	_, _, stderr := run(t, "frobnicate")
	assert.NotContains(t, stderr, "did you mean")
}

func TestVersionFlag(t *testing.T) {
	_, command, _ := run(t, "version")
	code, flag, stderr := run(t, "--version")
	assert.Zero(t, code)
	assert.Empty(t, stderr)
	assert.Equal(t, command, flag)
	_, flag, _ = run(t, "--version", "--json")
	assert.Contains(t, flag, `"version"`)
}

// TestCompletion: a shell completes what wherry knows.
func TestCompletion(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.WriteFile("wherry.yaml", []byte("move: shop\nstate: s.yaml\nsource: {host: a, user: "+
		"u}\ntarget: {host: b, user: u}\ntables: {include: [\"shop.*\"]}\n"), 0o600))
	file, err := state.Open(filepath.Join(dir, "s.yaml"), state.OpenOptions{Move: "shop"})
	require.NoError(t, err)
	require.NoError(t, file.Update(func(s *state.State) error {
		s.Tables = []state.Table{{Source: "shop.orders"}, {Source: "shop.items"}, {Source: "blog.posts"}}
		return nil
	}))
	for typed, want := range map[string][]string{
		"check --log-level ":               {"trace", "debug", "info", "warn", "error"},
		"check --log-format ":              {"auto", "json", "text"},
		"verify --table ":                  {"shop.orders", "shop.items", "blog.posts"},
		"verify --table shop.":             {"shop.orders", "shop.items"},
		"init-copy --table blog":           {"blog.posts"},
		"cutover --confirm ":               {"shop"},
		"run --confirm ":                   {"shop"},
		"cleanup --confirm ":               {"shop"},
		"check --config ":                  {"yaml", "yml"},
		"start-replica --until ":           nil,
		"verify --config no.yaml --table ": nil,
	} {
		words := append([]string{"__complete"}, strings.Split(typed, " ")...)
		code, stdout, _ := runHere(t.Context(), words...)
		assert.Zero(t, code, typed)
		var got []string
		for line := range strings.Lines(stdout) {
			if !strings.HasPrefix(line, ":") {
				got = append(got, strings.TrimSpace(line))
			}
		}
		assert.Equal(t, want, got, typed)
	}
}

// TestDumbTerminal: what cannot move its cursor is written to as a file is.
func TestDumbTerminal(t *testing.T) {
	for _, environ := range [][]string{{"TERM=dumb"}, {}} {
		a := &app{environ: environ}
		assert.False(t, a.draws(&bytes.Buffer{}), "no terminal at all")
	}
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	defer tty.Close()
	assert.False(t, (&app{environ: []string{"TERM=dumb"}}).draws(tty))
	assert.True(t, (&app{environ: []string{"TERM=xterm"}}).draws(tty))
}

func TestLastLines(t *testing.T) {
	assert.Equal(t, "b\nc\n", lastLines("a\nb\nc\n", 2))
	assert.Equal(t, "a\nb\n", lastLines("a\nb\n", 2))
	assert.Equal(t, "a\nb\n", lastLines("a\nb\n", 0), "no terminal")
}
