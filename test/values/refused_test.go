package values

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// TestRefused has things that this version does not move: they are named, all of them at once, and nothing is changed.
func TestRefused(t *testing.T) {
	servers, err := lab.ParseServers(os.Getenv("WHERRY_TEST_SERVERS"))
	require.NoError(t, err)
	source, target, err := lab.Pair(servers, lab.MariaDB, lab.MariaDB)
	if err != nil {
		require.NotEqual(t, "1", os.Getenv("WHERRY_REQUIRE_SERVERS"), "%v", err)
		t.Skip("SKIPPED WITHOUT SERVERS: ", err)
	}
	const name = "values_refused"
	m := &move{source: open(t, source), to: open(t, target)}
	drop := []string{"DROP DATABASE IF EXISTS " + name, "DROP DATABASE IF EXISTS wherry_" + name}
	m.exec(t, m.to, drop...)
	m.exec(t, m.source, append(drop, "CREATE DATABASE "+name, "USE "+name,
		"CREATE TABLE versioned (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING",
		`CREATE TABLE periods (id INT PRIMARY KEY, a INT, s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START,
			e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END,
			PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING`,
		"CREATE TABLE labels (id INT PRIMARY KEY, e ENUM('a', '😀') CHARACTER SET utf8mb4)",
		"CREATE TABLE good (id INT PRIMARY KEY)")...)
	t.Cleanup(func() { m.exec(t, m.source, drop...) })
	dir := t.TempDir()
	m.Wherry, err = lab.Move{
		Name: name, State: filepath.Join(dir, "state.yaml"), Source: source, Target: target,
		Include: name + ".*",
	}.
		Write(wherry, filepath.Join(dir, "wherry.yaml"))
	require.NoError(t, err)
	c, _, err := m.Run(t.Context(), "init-schema")
	require.Error(t, err)
	assert.Equal(t, 12, c.Code)
	for _, told := range []string{
		"nothing was changed", "values_refused.versioned", "values_refused.periods", "keeps its history",
		"values_refused.labels.e",
	} {
		assert.Contains(t, c.Output()+err.Error(), told)
	}
	var made int
	require.NoError(t, m.to.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE "+
		"SCHEMA_NAME LIKE '%"+name+"'").Scan(&made))
	assert.Zero(t, made)
}
