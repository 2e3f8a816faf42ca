package races

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/copy"
	"wherry/pkg/replicate"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// A server that waits for a replica's acknowledgement holds each commit between its log and its engine (AFTER_SYNC), or
// between its engine and its answer (AFTER_COMMIT). No replica answers here, so that a commit hangs for as long as the
// test wants.
const (
	beforeVisible = "AFTER_SYNC"   // in the log, seen by nobody
	afterVisible  = "AFTER_COMMIT" // in the log, seen by everybody, not answered
)

// hold makes the source's commits hang, until the returned function is called.
func (w *world) hold(source *harness.Server, point string) (release func()) {
	w.t.Helper()
	prefix := "rpl_semi_sync_master_"
	if source.Flavor == lab.MySQL {
		prefix = "rpl_semi_sync_source_"
		if w.app.Number(w.t, "SELECT COUNT(*) FROM information_schema.PLUGINS WHERE PLUGIN_NAME = "+
			"'rpl_semi_sync_source'") == 0 {
			w.app.Exec(w.t, "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")
		}
	}
	w.app.Exec(w.t, "SET GLOBAL "+prefix+"timeout = 60000", "SET GLOBAL "+prefix+"wait_point = '"+point+"'",
		"SET GLOBAL "+prefix+"enabled = ON")
	release = func() {
		_, err := w.app.DB.ExecContext(context.WithoutCancel(w.ctx), "SET GLOBAL "+prefix+"enabled = OFF")
		assert.NoError(w.t, err)
	}
	w.t.Cleanup(release)
	return release
}

// hanging runs a statement whose commit hangs, and returns when it does; wait waits for its end.
func (w *world) hanging(statement string) (wait func()) {
	w.t.Helper()
	conn, err := w.app.DB.Conn(w.ctx)
	require.NoError(w.t, err)
	var id int64
	require.NoError(w.t, conn.QueryRowContext(w.ctx, "SELECT CONNECTION_ID()").Scan(&id))
	done := make(chan error, 1)
	go func() {
		_, err := conn.ExecContext(w.ctx, statement)
		done <- err
	}()
	require.True(w.t, lab.Until(func() bool {
		var state sql.NullString
		err := w.app.DB.QueryRowContext(w.ctx, "SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = ?",
			id).Scan(&state)
		return err == nil && (state.String == "Waiting for semi-sync ACK from replica" ||
			state.String == "Waiting for semi-sync ACK from slave")
	}), "the commit never hung")
	return func() {
		w.t.Helper()
		require.NoError(w.t, <-done)
		require.NoError(w.t, conn.Close())
	}
}

// TestLateCommit begins a copy while a commit is in the log and not visible: what the copy does not read the replay
// must bring. One transaction inserts, one updates and deletes.
func TestLateCommit(t *testing.T) {
	harness.Each(t, harness.Every, func(t *testing.T, source, target *harness.Server) {
		for _, statement := range []string{
			"INSERT t VALUES (9, 'late')",
			"BEGIN; UPDATE t SET v = 'late' WHERE id = 1; DELETE FROM t WHERE id = 2; COMMIT",
		} {
			t.Run(statement, func(t *testing.T) {
				w := newWorld(t, source, target, plainTable, insertRows(1, 4))
				release := w.hold(source, beforeVisible)
				wait := w.hanging(statement)
				before := dump(t, w.app, w.routes[0].Source.Name())
				w.moments.at = map[string]func(){"loaded 0": func() {
					assert.Equal(t, before, dump(t, w.look, w.routes[0].Target.Name()),
						"the copy read what was visible, without the late commit")
					release()
					wait()
				}}
				w.copy(copy.Options{Workers: 1, ChunkRows: 10})
				assert.Empty(t, w.moments.at)
				assert.NotEqual(t, before, dump(t, w.app, w.routes[0].Source.Name()))
				w.same()
			})
		}
	})
}

// TestLateAnswer reads the head of the log while a commit can be seen and is not done: whatever a chunk has read must
// be at or before it, or the target would hold a change that a consistent state lacks.
func TestLateAnswer(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		w := newWorldWith(t, source, target, present, uniqueTable, "INSERT t VALUES (1, 1, 'A'), (2, 2, 'B')")
		var release, wait func()
		w.moments.at = map[string]func(){
			"loaded 0": func() {
				release = w.hold(source, afterVisible)
				wait = w.hanging("BEGIN; UPDATE t SET u = 3 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2; COMMIT")
				assert.Equal(t, 1, w.app.Number(t, "SELECT u FROM t WHERE id = 2"),
					"visible before it is answered")
			},
		}
		w.copy(copy.Options{Workers: 1, ChunkRows: 1})
		w.same() // the copy is consistent, and the commit still hangs
		assert.Equal(t, int64(1), w.moments.gaveWay)
		release()
		wait()
		w.follow(replicate.Options{})
		w.same()
	})
}
