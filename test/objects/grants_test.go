package objects

import (
	"bufio"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// grantsOf runs check for people and returns its code and the statements that it prints for each end.
func (m *move) grantsOf(t *testing.T, args ...string) (code int, scripts map[string][]string, out string) {
	t.Helper()
	people := *m.Move
	people.Text = true
	c := people.Run(t, append([]string{"check"}, args...)...)
	scripts, end := map[string][]string{}, ""
	for lines := bufio.NewScanner(strings.NewReader(c.Output())); lines.Scan(); {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "-- on the "); ok {
			end, _, _ = strings.Cut(rest, ",")
		} else if strings.HasSuffix(line, ";") && strings.HasPrefix(line, "GRANT ") {
			scripts[end] = append(scripts[end], strings.TrimSuffix(line, ";"))
		}
	}
	return c.Code, scripts, c.Output()
}

// TestGrantsRun: what check prints for an account without rights runs as it is on each end, and then check passes
// with that account. So does what --grants prints beforehand for an account that is named.
func TestGrantsRun(t *testing.T) {
	harness.Each(t, harness.Every, func(t *testing.T, source, target *harness.Server) {
		const account, other = "'wo_poor'@'%'", "'wo_planned'@'%'"
		m := newMove(t, "wo_poor", source, target, "cutover: {objects: [views, triggers, routines, events], max_lag: "+
			"1h, definer: current}",
			"schema: {allow_losses: [collation]}", `routes: [{from: "wo_poor.*", to: "wo_poor_2.*"}]`)
		m.source.Exec(t, inDatabase(m.Name, small)...)
		m.source.Exec(t, "CREATE TABLE keyless (a INT)")
		ends := map[string]*harness.Server{"source": m.source, "target": m.to}
		for _, db := range ends {
			for _, a := range []string{account, other} {
				db.Exec(t, "DROP USER IF EXISTS "+a, "CREATE USER "+a+" IDENTIFIED BY '"+lab.Password+"'")
			}
		}
		m.to.Exec(t, "SET GLOBAL log_bin_trust_function_creators = 1")
		t.Cleanup(func() { m.to.Exec(t, "SET GLOBAL log_bin_trust_function_creators = 0") })
		for end, db := range ends { // while it runs as one who may all
			code, scripts, out := m.grantsOf(t, "--grants", end, "--account", "wo_planned@%")
			require.Zero(t, code, out)
			require.Len(t, scripts[""], strings.Count(out, "\n"), "nothing else is printed: %s", out)
			db.Exec(t, scripts[""]...)
		}
		m.as(t, "wo_poor")
		code := 12
		for round := 0; round < 5 && code == 12; round++ { // what cannot be seen is known after the next
			var scripts map[string][]string
			var out string
			code, scripts, out = m.grantsOf(t)
			require.Contains(t, []int{0, 12}, code, out)
			for end, statements := range scripts {
				ends[end].Exec(t, statements...)
			}
			if round == 0 {
				m.source.Exec(t, "GRANT SELECT ON wo_poor.* TO "+account) // to see them
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
