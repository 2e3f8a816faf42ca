package wire

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestSessionVariables holds the list of session variables against itself: nothing is listed twice, and what a role
// says otherwise is of a variable in the list.
func TestSessionVariables(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range sessionVariables {
		assert.False(t, seen[v.name], "%s is listed twice", v.name)
		assert.NotEmpty(t, v.why, v.name)
		seen[v.name] = true
	}
	for role := range roleValues {
		for name := range roleValues[role] {
			assert.True(t, seen[name], "%s is not listed", name)
		}
	}
	for _, g := range guardedVariables {
		v, known := sessionOf(g.name)
		assert.True(t, known && v.name == g.name && v.value != "", g.name)
	}
	has := map[string]string{"sql_mode": "", "unheard_of": "", "tx_isolation": "", "optimizer_switch": ""}
	statement := sessionStatement(Writing, has)
	assert.Equal(t, "SET SESSION tx_isolation = 'READ-COMMITTED', sql_mode = '"+StrictMode+"'", statement)
	assert.True(t, sameSetting("ON", "1") && sameSetting("innodb", "'InnoDB'") && sameSetting("", "NULL"))
	assert.False(t, sameSetting("OFF", "1"))
}
