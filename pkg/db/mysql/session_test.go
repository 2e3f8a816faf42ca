package mysql

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/db/mysql/wire/wiretest"
)

// TestSessionVariablesRefused opens servers by an account without privileges, where sessions inherit what it may not
// set: check tells of it.
func TestSessionVariablesRefused(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		root, err := s.Dialer.Dial(t.Context(), wire.Asking)
		require.NoError(t, err)
		defer root.Close()
		name, value, back := "global_connection_memory_tracking", "ON", "OFF"
		if s.MariaDB {
			name, value, back = "enforce_storage_engine", "'InnoDB'", "NULL"
		}
		for _, statement := range []string{
			"DROP USER IF EXISTS wherry_plain",
			"CREATE USER wherry_plain IDENTIFIED BY 'secret'", "SET GLOBAL " + name + " = " + value,
		} {
			_, err := root.Exec(t.Context(), statement)
			require.NoError(t, err, statement)
		}
		defer func() {
			for _, statement := range []string{"SET GLOBAL " + name + " = " + back, "DROP USER wherry_plain"} {
				_, err := root.Exec(t.Context(), statement)
				assert.NoError(t, err, statement)
			}
		}()
		cfg := configOf(s)
		cfg.User, cfg.Password, cfg.Move = "wherry_plain", "secret", "sessions"
		opened, err := OpenTarget(t.Context(), cfg)
		require.NoError(t, err)
		defer opened.Close()
		l := &checklist{s: opened.server, end: "target"}
		require.NoError(t, l.sessionVariables(t.Context(), db.Plan{}))
		require.Len(t, l.findings, 1)
		assert.Equal(t, "@@"+name, l.findings[0].Subject)
		assert.Contains(t, l.findings[0].Fix, "SET GLOBAL "+name+" = "+back+" on the target, or GRANT ")
	})
}
