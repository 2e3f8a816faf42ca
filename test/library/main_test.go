package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

const (
	name = "shelf" // of the move and of its database
	rows = 2000    // before the move
)

// admin returns a connection to a server that is cleared, and is cleared again when the test ends.
func admin(t *testing.T, s lab.Server) *sql.DB {
	t.Helper()
	db, err := s.Admin("")
	require.NoError(t, err)
	clearAll := func() {
		require.NoError(t, lab.Exec(context.Background(), db, "SET GLOBAL read_only = 0",
			"DROP DATABASE IF EXISTS "+name, "DROP DATABASE IF EXISTS wherry_"+name))
	}
	clearAll()
	t.Cleanup(func() {
		clearAll()
		_ = db.Close()
	})
	return db
}

// application inserts rows until it is not let any more, and tells how many were committed.
func application(db *sql.DB, committed chan<- int) {
	n := 0
	for {
		if _, err := db.Exec("INSERT INTO "+name+".orders (id, note) VALUES (?, 'new')", rows+n+1); err != nil {
			committed <- n
			return
		}
		n++
		time.Sleep(5 * time.Millisecond)
	}
}

// TestLibrary: another Go program copies, follows, verifies and switches a database while an application writes.
func TestLibrary(t *testing.T) {
	servers, err := lab.ParseServers(os.Getenv("WHERRY_TEST_SERVERS"))
	require.NoError(t, err)
	source, target, err := lab.Pair(servers, "mysql", "mysql")
	if err != nil {
		if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh: ", err)
	}
	from, to := admin(t, source), admin(t, target)
	require.NoError(t, lab.Exec(t.Context(), from, "CREATE DATABASE "+name,
		"CREATE TABLE "+name+".orders (id INT PRIMARY KEY, note VARCHAR(20), KEY (note))"))
	for i := 1; i <= rows; i += 100 {
		insert := "INSERT INTO " + name + ".orders VALUES "
		for id := i; id < i+100; id++ {
			insert += fmt.Sprintf("(%d, 'old'),", id)
		}
		require.NoError(t, lab.Exec(t.Context(), from, insert[:len(insert)-1]))
	}
	dir := t.TempDir()
	file, program := filepath.Join(dir, "wherry.yaml"), filepath.Join(dir, "library")
	_, err = lab.Move{
		Name: name, State: filepath.Join(dir, "state.yaml"), Source: source, Target: target, Include: name + ".*",
		Extra: []string{"cutover: {max_lag: 30s, timeout: 20s}"},
	}.Write("", file)
	require.NoError(t, err)
	build, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program,
		".").CombinedOutput()
	require.NoError(t, err, "%s", build)

	app, err := source.Open(appUser(t, from), lab.Password, "")
	require.NoError(t, err)
	defer app.Close()
	committed := make(chan int, 1)
	go application(app, committed)
	out, err := exec.CommandContext(t.Context(), program, file).CombinedOutput() //nolint:gosec // built above
	require.NoError(t, err, "%s", out)
	for _, line := range []string{
		"check: ", "init-schema: 1 table on the target", "init-copy: ", "start-replica: ", "verify: ", "0 differ",
		"cutover: the target has taken over; writes were blocked for ", "progress: replicate, ", "progress: verify, ",
	} {
		assert.Contains(t, string(out), line)
	}
	var moved int
	require.NoError(t, to.QueryRow("SELECT COUNT(*) FROM "+name+".orders").Scan(&moved))
	assert.Equal(t, rows+<-committed, moved, "every row that was committed")
}

// appUser makes an account that read_only holds back.
func appUser(t *testing.T, db *sql.DB) string {
	t.Helper()
	const user = "shelf_app"
	require.NoError(t, lab.Exec(t.Context(), db, "DROP USER IF EXISTS '"+user+"'@'%'",
		"CREATE USER '"+user+"'@'%' IDENTIFIED BY '"+lab.Password+"'", "GRANT ALL ON "+name+".* TO '"+user+"'@'%'"))
	t.Cleanup(func() { _, _ = db.Exec("DROP USER IF EXISTS '" + user + "'@'%'") })
	return user
}
