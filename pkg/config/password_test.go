package config

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestResolvePassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pw")
	require.NoError(t, os.WriteFile(file, []byte("from file\n\n"), 0o600))
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	cases := []struct {
		name      string
		e         Endpoint
		want, err string
	}{
		{"none", Endpoint{}, "", ""},
		{"password", Endpoint{Password: "p"}, "p", ""},
		{"file loses one newline", Endpoint{Password: "p", PasswordFile: file}, "from file\n", ""},
		{"command wins over file", Endpoint{PasswordFile: file, PasswordCommand: "printf 'a b\n'"}, "a b", ""},
		{"environment wins", Endpoint{EnvPassword: "e", PasswordCommand: "false", PasswordFile: file}, "e", ""},
		{
			"missing file",
			Endpoint{role: "target", PasswordFile: "/nowhere/pw"},
			"",
			"read target.password_file: open /nowhere/pw: no such file",
		},
		{"empty file", Endpoint{role: "source", PasswordFile: empty}, "", "is empty"},
		{
			"failing command",
			Endpoint{role: "source", PasswordCommand: "echo hunter2; echo hunter2 >&2; exit 3"},
			"",
			"run source.password_command: exit status 3",
		},
		{"silent command", Endpoint{role: "source", PasswordCommand: "true"}, "", "printed nothing"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.e.ResolvePassword(t.Context())
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				assert.NotContains(t, err.Error(), "hunter2")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestPasswordCommandStopsWithContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := (&Endpoint{PasswordCommand: "sleep 60 | cat"}).ResolvePassword(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(began), 20*time.Second)
}
