package objects

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	command "os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// grantsOf runs check for people and returns its code and the statements that it prints for each end.
func (m *move) grantsOf(t *testing.T, args ...string) (code int, scripts map[string][]string, out string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lab.Patience)
	defer cancel()
	cmd := command.CommandContext(ctx, m.Binary, append([]string{"check", "--config", m.Config}, args...)...)
	text, err := cmd.Output()
	if err != nil {
		_, exited := err.(*command.ExitError) //nolint:errorlint // as it comes from Output
		require.True(t, exited, err)
	}
	scripts, end := map[string][]string{}, ""
	for lines := bufio.NewScanner(strings.NewReader(string(text))); lines.Scan(); {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "-- on the "); ok {
			end, _, _ = strings.Cut(rest, ",")
		} else if strings.HasSuffix(line, ";") && strings.HasPrefix(line, "GRANT ") {
			scripts[end] = append(scripts[end], strings.TrimSuffix(line, ";"))
		}
	}
	return cmd.ProcessState.ExitCode(), scripts, string(text)
}

// TestGrantsRun: what check prints for an account without rights runs as it is on each end, and then check passes
// with that account. So does what --grants prints beforehand for an account that is named.
func TestGrantsRun(t *testing.T) {
	onPairs(t, everyPair, func(t *testing.T, source, target lab.Server) {
		const account, other = "'wo_poor'@'%'", "'wo_planned'@'%'"
		m := newMove(t, "wo_poor", source, target, "cutover: {objects: [views, triggers, routines, events], max_lag: "+
			"1h, definer: current}",
			"schema: {allow_losses: [collation]}", `routes: [{from: "wo_poor.*", to: "wo_poor_2.*"}]`)
		exec2 := func(db *sql.DB, statements ...string) {
			t.Helper()
			for _, s := range statements {
				_, err := db.ExecContext(t.Context(), s)
				require.NoError(t, err, s)
			}
		}
		exec(t, m.source, inDatabase(m.name, small)...)
		exec(t, m.source, "CREATE TABLE keyless (a INT)")
		ends := map[string]*sql.DB{"source": m.source, "target": m.to}
		for _, db := range ends {
			for _, a := range []string{account, other} {
				exec(t, db, "DROP USER IF EXISTS "+a, "CREATE USER "+a+" IDENTIFIED BY '"+lab.Password+"'")
			}
		}
		exec(t, m.to, "SET GLOBAL log_bin_trust_function_creators = 1")
		t.Cleanup(func() { exec(t, m.to, "SET GLOBAL log_bin_trust_function_creators = 0") })
		for end, db := range ends { // while it runs as one who may all
			code, scripts, out := m.grantsOf(t, "--grants", end, "--account", "wo_planned@%")
			require.Zero(t, code, out)
			require.Len(t, scripts[""], strings.Count(out, "\n"), "nothing else is printed: %s", out)
			exec2(db, scripts[""]...)
		}
		m.as(t, "wo_poor")
		code := 12
		for round := 0; round < 5 && code == 12; round++ { // what cannot be seen is known after the next
			var scripts map[string][]string
			var out string
			code, scripts, out = m.grantsOf(t)
			require.Contains(t, []int{0, 12}, code, out)
			for end, statements := range scripts {
				exec2(ends[end], statements...)
			}
			if round == 0 {
				exec2(m.source, "GRANT SELECT ON wo_poor.* TO "+account) // to see them
			}
		}
		code, told := m.check(t)
		assert.NotContains(t, told, `"privileges"`)
		assert.NotContains(t, told, `"trial"`)
		assert.Equal(t, 0, code, told)

		m.becomes(t, "wo_poor", "wo_planned")
		code, told = m.check(t)
		assert.Equal(t, 0, code, told)
		assert.NotContains(t, told, `"trial"`)
		for _, line := range strings.Split(strings.TrimSpace(told), "\n") {
			if line != "" {
				assert.True(t, json.Valid([]byte(line)), line)
			}
		}
	})
}
