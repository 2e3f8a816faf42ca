package keyless

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// source opens a server as the source of a move, and the routes of its tables to themselves.
func source(t *testing.T, s *harness.Server, database string) (*mysql.Source, map[string]*route.Route) {
	t.Helper()
	opened, err := mysql.OpenSource(t.Context(), mysql.Config{
		Host: s.Host, Port: s.Port, User: lab.User,
		Password: lab.Password, Move: "keyless",
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = opened.Close() })
	tables, err := opened.Tables(t.Context(), func(n schema.Name) bool { return n.Database == database })
	require.NoError(t, err)
	routes := map[string]*route.Route{}
	for _, table := range tables {
		r, err := route.New(table, table, "")
		require.NoError(t, err)
		routes[table.Name.Table] = r
	}
	return opened, routes
}

var (
	gtidPart = regexp.MustCompile(`gtid=\S+ ?`)
	filePart = regexp.MustCompile(` ?file=\S+ server=\S+`)
)

// ways are the ways in which a position may be known: both as it is read, by GTID alone as on another server than it
// was read from, by file alone as without GTIDs.
func ways(t *testing.T, pos db.Position) map[string]db.Position {
	t.Helper()
	text := pos.String()
	all := map[string]db.Position{
		"both": pos, "gtid": db.Position(filePart.ReplaceAllString(text, "")),
		"file": db.Position(gtidPart.ReplaceAllString(text, "")),
	}
	for way, p := range all {
		assert.Equal(t, way != "file", strings.Contains(p.String(), "gtid="), "%s of %s", way, pos)
		assert.Equal(t, way != "gtid", strings.Contains(p.String(), "file="), "%s of %s", way, pos)
	}
	return all
}

// TestSinceIsExact takes a snapshot after each of a few transactions. A stream with its position as since must have
// every later change and no other, whichever way the position is known.
func TestSinceIsExact(t *testing.T) {
	harness.EachFlavor(t, func(t *testing.T, s *harness.Server) {
		const name = "keyless_since"
		app := s.Fresh(t, name)
		app.Exec(t, "CREATE TABLE a (n INT)", "CREATE TABLE b (n INT)")
		src, routes := source(t, s, name)
		all := []*route.Route{routes["a"], routes["b"]}
		begin, err := src.SafePosition(t.Context())
		require.NoError(t, err)
		var positions []db.Position
		for n := range 6 {
			app.Exec(t, fmt.Sprintf("INSERT INTO a VALUES (%d)", n))
			if n == 3 {
				app.Exec(t, "FLUSH BINARY LOGS")
			}
			snapshot, err := src.Snapshot(t.Context(), &routes["a"].Source)
			require.NoError(t, err)
			positions = append(positions, snapshot.Position())
			assert.Len(t, read(t, snapshot, routes["a"]), n+1)
			require.NoError(t, snapshot.Close())
			if n%2 == 0 {
				app.Exec(t, fmt.Sprintf("INSERT INTO b VALUES (%d)", n))
			}
		}
		for n, pos := range positions {
			for way, since := range ways(t, pos) {
				got := changes(t, src, begin, all, db.Since{routes["a"]: since})
				var want []int
				for later := n + 1; later < len(positions); later++ {
					want = append(want, later)
				}
				assert.Equal(t, want, got["a"], "since %d by %s: %s", n, way, since)
				assert.Equal(t, []int{0, 2, 4}, got["b"], "of another table nothing is passed over")
			}
		}
		_, err = changesOf(t.Context(), src, begin, all, db.Since{routes["a"]: "file=other.000001:4 server=elsewhere"})
		require.ErrorIs(t, err, db.ErrUnsupported, "a position of no common measure is no guess")
	})
}

func read(t *testing.T, from db.RowReader, r *route.Route) []db.Row {
	t.Helper()
	rows, err := from.Rows(t.Context(), &r.Source, db.Range{})
	require.NoError(t, err)
	all, err := db.ReadAll(rows)
	require.NoError(t, err)
	return all
}

func changes(t *testing.T, src *mysql.Source, from db.Position, routes []*route.Route,
	since db.Since,
) map[string][]int {
	t.Helper()
	found, err := changesOf(t.Context(), src, from, routes, since)
	require.NoError(t, err)
	return found
}

// changesOf returns the first column of what was inserted after a position, up to the log's end, by table.
func changesOf(ctx context.Context, src *mysql.Source, from db.Position, routes []*route.Route,
	since db.Since,
) (map[string][]int, error) {
	goal, err := src.Head(ctx)
	if err != nil {
		return nil, err
	}
	stream, err := src.Stream(ctx, from, routes, since)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	found := map[string][]int{}
	for {
		if done, err := src.Reached(stream.Position(), goal); err != nil || done {
			return found, err
		}
		part, err := stream.Next(ctx, time.Second)
		if err != nil {
			return nil, err
		}
		if part == nil {
			continue
		}
		for _, c := range part.Changes {
			n, err := strconv.Atoi(string(c.After[0]))
			if err != nil {
				return nil, err
			}
			name := c.Route.Source.Name().Table
			found[name] = append(found[name], n)
		}
	}
}

// TestSinceOfOwnGTID has transactions whose GTIDs say nothing about their order: one that owns its GTID before the
// snapshot and commits after it, on MySQL; one of another replication domain, on MariaDB.
func TestSinceOfOwnGTID(t *testing.T) {
	harness.EachFlavor(t, func(t *testing.T, s *harness.Server) {
		const name = "keyless_own"
		app := s.Fresh(t, name)
		app.Exec(t, "CREATE TABLE a (n INT)")
		src, routes := source(t, s, name)
		begin, err := src.SafePosition(t.Context())
		require.NoError(t, err)
		conn, err := app.DB.Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		do := func(statements ...string) {
			t.Helper()
			require.NoError(t, lab.ExecAll(t.Context(), conn, statements...))
		}
		late, after := "SET gtid_domain_id = 7", "SET gtid_domain_id = 0"
		if s.Flavor == lab.MySQL {
			late = fmt.Sprintf("SET gtid_next = '11111111-2222-3333-4444-555555555555:%d'", time.Now().UnixNano()/1000)
			after = "SET gtid_next = 'AUTOMATIC'"
		}
		app.Exec(t, "INSERT INTO a VALUES (1)")
		do(late)
		if s.Flavor == lab.MariaDB { // the domain is known before the snapshot
			do("INSERT INTO a VALUES (2)")
		}
		snapshot, err := src.Snapshot(t.Context(), &routes["a"].Source)
		require.NoError(t, err)
		held := len(read(t, snapshot, routes["a"]))
		since := snapshot.Position()
		require.NoError(t, snapshot.Close())
		do("INSERT INTO a VALUES (3)", after, "INSERT INTO a VALUES (4)")
		for way, since := range ways(t, since) {
			got := changes(t, src, begin, []*route.Route{routes["a"]}, db.Since{routes["a"]: since})
			assert.Equal(t, []int{3, 4}, got["a"], "%d rows, since by %s: %s", held, way, since)
		}
	})
}

// TestSnapshotWaitsBriefly leaves a transaction open that has changed the table: MySQL's snapshot needs a lock that
// this one is in the way of, and gives up soon, because other writers wait behind it.
func TestSnapshotWaitsBriefly(t *testing.T) {
	harness.EachFlavor(t, func(t *testing.T, s *harness.Server) {
		const name = "keyless_wait"
		app := s.Fresh(t, name)
		app.Exec(t, "CREATE TABLE a (n INT)", "INSERT INTO a VALUES (1)")
		src, routes := source(t, s, name)
		tx, err := app.DB.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(t.Context(), "INSERT INTO a VALUES (2)")
		require.NoError(t, err)
		began := time.Now()
		snapshot, err := src.Snapshot(t.Context(), &routes["a"].Source)
		if s.Flavor == lab.MySQL {
			require.ErrorIs(t, err, db.ErrRetry)
			assert.Less(t, time.Since(began), time.Minute, "it waits for two seconds")
			app.Exec(t, "INSERT INTO a VALUES (3)") // and nobody is kept waiting
			require.NoError(t, tx.Commit())
			snapshot, err = src.Snapshot(t.Context(), &routes["a"].Source)
			require.NoError(t, err)
			assert.Len(t, read(t, snapshot, routes["a"]), 3)
			require.NoError(t, snapshot.Close())
			return
		}
		require.NoError(t, err, "MariaDB's needs no lock")
		require.NoError(t, tx.Commit())
		assert.Len(t, read(t, snapshot, routes["a"]), 1)
		pos := snapshot.Position()
		require.NoError(t, snapshot.Close())
		got := changes(t, src, pos, []*route.Route{routes["a"]}, db.Since{routes["a"]: pos})
		assert.Equal(t, []int{2}, got["a"])
	})
}

// TestSnapshotBesideFlush: FLUSH TABLES, such as backups run, waits for the lock of a snapshot, and whoever opens the
// table waits for it. The snapshot must not wait for itself.
func TestSnapshotBesideFlush(t *testing.T) {
	harness.EachFlavor(t, func(t *testing.T, s *harness.Server) {
		const name = "keyless_flush"
		app := s.Fresh(t, name)
		app.Exec(t, "CREATE TABLE a (n INT)", "INSERT INTO a VALUES (1)")
		src, routes := source(t, s, name)
		stop, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			var err error
			for err == nil {
				select {
				case <-stop:
					ended <- err
					return
				case <-time.After(20 * time.Millisecond):
					_, err = app.DB.ExecContext(context.Background(), "FLUSH TABLES")
				}
			}
			ended <- err
		}()
		good := 0
		for began := time.Now(); good < 3 && time.Since(began) < 8*time.Second; {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			snapshot, err := src.Snapshot(ctx, &routes["a"].Source)
			cancel()
			if err != nil {
				require.ErrorIs(t, err, db.ErrRetry)
				continue
			}
			require.NoError(t, snapshot.Close())
			good++
		}
		close(stop)
		require.NoError(t, <-ended)
	})
}
