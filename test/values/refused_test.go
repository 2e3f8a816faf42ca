package values

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/test/internal/harness"
)

// TestRefused has things that this version does not move: they are named, all of them at once, and nothing is changed.
func TestRefused(t *testing.T) {
	const name = "values_refused"
	source, target := harness.MariaDB.Open(t)
	m := harness.New(t, source, target, harness.Options{Name: name})
	source.Exec(t, "USE "+name,
		"CREATE TABLE versioned (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING",
		`CREATE TABLE periods (id INT PRIMARY KEY, a INT, s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START,
			e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END,
			PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING`,
		"CREATE TABLE labels (id INT PRIMARY KEY, e ENUM('a', '😀') CHARACTER SET utf8mb4)",
		"CREATE TABLE good (id INT PRIMARY KEY)")
	c := m.Ends(t, harness.Refused, "init-schema")
	for _, told := range []string{
		"nothing was changed", "values_refused.versioned", "values_refused.periods", "keeps its history",
		"values_refused.labels.e",
	} {
		assert.Contains(t, c.Said(), told)
	}
	assert.Empty(t, target.Strings(t, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '%"+
		name+"'"))
}
