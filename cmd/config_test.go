package cmd

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/monitor"
)

// TestConfigValidate says that a configuration is valid, or all that is wrong with it, and prints its keys for
// programs without secrets.
func TestConfigValidate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wherry.yaml")
	run := func(content string, args ...string) (code int, out, errs string) {
		t.Helper()
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		var stdout, stderr bytes.Buffer
		code = Execute(t.Context(), append(args, "--config", path), strings.NewReader(""), &stdout, &stderr, nil)
		return code, stdout.String(), stderr.String()
	}
	const good = "move: m\nsource: {host: a, user: u, password_command: 'get --token hunter2'}\ntarget: {host: b, " +
		"user: u}\ntables: {include: [\"shop.*\"]}\n"
	code, out, _ := run(good, "config", "validate")
	assert.Zero(t, code)
	assert.Contains(t, out, "valid")
	code, out, _ = run(good, "config", "validate", "--json")
	assert.Zero(t, code)
	assert.JSONEq(t, `[]`, field(t, out, "warnings"))
	code, out, errs := run("move: M\nsource: {host: a}\ntarget: {host: b, user: u}\n", "config", "validate")
	assert.Equal(t, monitor.CodeConfig, code, out)
	for _, wrong := range []string{`move: "M"`, "source.user: required", "tables"} {
		assert.Contains(t, errs, wrong)
	}
	code, out, _ = run(good, "status", "--print-config", "--json")
	assert.Zero(t, code)
	keys := field(t, out, "keys")
	assert.Contains(t, keys, `{"key":"copy.workers","value":`)
	assert.Contains(t, keys, `"origin":"`+path+`:1"`)
	assert.NotContains(t, out, "hunter2")
}

// field is a field of the only line of an output.
func field(t *testing.T, line, name string) string {
	t.Helper()
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(line), &fields), line)
	return string(fields[name])
}
