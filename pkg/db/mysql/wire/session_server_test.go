package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/db/mysql/wire/wiretest"
)

// TestSessionVariablesKnown asks real servers for all their session variables: for each it must be decided what
// sessions of ours do about it. Then it looks whether a session of every role has what was decided.
func TestSessionVariablesKnown(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		prepareSessions(t, s)
		for role := range wire.RoleCount {
			w, err := s.Dialer.Dial(t.Context(), role)
			require.NoError(t, err)
			c := &wiretest.Conn{T: t, Wire: w}
			for name, value := range shown(c) {
				if err := c.Try("SET @scope = @@SESSION." + name); err != nil {
					require.EqualValues(t, 1238, wire.Number(err), "%s: %v", name, err) // the server's only
					continue
				}
				want, known := wire.DecidedValue(role, name)
				if !assert.True(t, known, "nothing is decided of session variable %s (%q on %s)", name, value, s.Name) {
					continue
				}
				if want != "" && !strings.ContainsAny(want, "(@") {
					for _, zero := range []string{"NO_CHAIN", "DEFAULT", "0.000000"} { // as some print it
						value = strings.Replace(value, zero, "0", 1)
					}
					assert.True(t, wire.SameSetting(value, want), "role %d: %s is %q, not %s", role, name, value, want)
				}
			}
			require.NoError(t, w.Close())
		}
	})
}

// prepareSessions makes the server's dialer prepare sessions, as an engine does when it opens a server.
func prepareSessions(t *testing.T, s *wiretest.Server) {
	t.Helper()
	pool, err := s.Dialer.OpenPool()
	require.NoError(t, err)
	defer pool.Close()
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	_, err = s.Dialer.PrepareSessions(t.Context(), conn, shown(s.Connect(t)))
	require.NoError(t, err)
	s.Dialer.Expect(s.Tag, s.MariaDB)
}

// shown returns a session's variables.
func shown(c *wiretest.Conn) map[string]string {
	variables := map[string]string{}
	for _, row := range c.Rows("SHOW SESSION VARIABLES") {
		variables[strings.ToLower(string(row[0]))] = string(row[1])
	}
	return variables
}
