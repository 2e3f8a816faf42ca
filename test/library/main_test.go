package main

import (
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

const (
	name = "shelf" // of the move and of its database
	rows = 2000    // before the move
)

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
	source, target := harness.MySQL.Open(t)
	m := harness.New(t, source, target, harness.Options{
		Name: name, Lines: []string{"cutover: {max_lag: 30s, timeout: 20s}"},
	})
	source.Exec(t, "CREATE TABLE "+name+".orders (id INT PRIMARY KEY, note VARCHAR(20), KEY (note))")
	for i := 1; i <= rows; i += 100 {
		insert := "INSERT INTO " + name + ".orders VALUES "
		for id := i; id < i+100; id++ {
			insert += fmt.Sprintf("(%d, 'old'),", id)
		}
		source.Exec(t, insert[:len(insert)-1])
	}
	program := filepath.Join(t.TempDir(), "library")
	build, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program,
		".").CombinedOutput()
	require.NoError(t, err, "%s", build)

	app := source.App(t, name)
	committed := make(chan int, 1)
	go application(app, committed)
	out, err := exec.CommandContext(t.Context(), program, m.Config).CombinedOutput() //nolint:gosec // built above
	require.NoError(t, err, "%s", out)
	for _, line := range []string{
		"check: ", "init-schema: 1 table on the target", "init-copy: ", "start-replica: ", "verify: ", "0 differ",
		"cutover: the target has taken over; writes were blocked for ", "progress: replicate, ", "progress: verify, ",
	} {
		assert.Contains(t, string(out), line)
	}
	moved := target.Number(t, "SELECT COUNT(*) FROM "+name+".orders")
	assert.Equal(t, rows+<-committed, moved, "every row that was committed")
}
