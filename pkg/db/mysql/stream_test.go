package mysql

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// changesText writes what parts do in short, one word per change: +1 insert, -1 delete, 1=2 update of the first column.
func changesText(parts []*db.Part) string {
	var words []string
	for _, p := range parts {
		for _, c := range p.Changes {
			switch {
			case c.Before == nil:
				words = append(words, "+"+string(c.After[0]))
			case c.After == nil:
				words = append(words, "-"+string(c.Before[0]))
			default:
				words = append(words, string(c.Before[0])+"="+string(c.After[0]))
			}
		}
		switch {
		case p.DDL != nil:
			words = append(words, "ddl")
		case p.Rollback:
			words = append(words, "rollback")
		}
		if p.End {
			words = append(words, ";")
		}
	}
	return strings.Join(words, " ")
}

func simpleTable(c *streamConn, database string) *route.Route {
	c.database(database)
	c.exec("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(100)) ENGINE=InnoDB", "CREATE TABLE other (id INT PRIMARY KEY) ENGINE=InnoDB",
		"CREATE TABLE my (id INT PRIMARY KEY) ENGINE=MyISAM")
	return c.routeOf(database, "t")
}

// eventually waits until the stream has passed a position and returns no part.
func eventually(t *testing.T, s *stream, goal position, within time.Duration) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		part, err := s.Next(t.Context(), 50*time.Millisecond)
		require.NoError(t, err)
		require.Nil(t, part)
		at, err := parsePosition(string(s.Position()))
		require.NoError(t, err)
		done, err := reached(at, goal)
		require.NoError(t, err)
		if done {
			return
		}
		require.True(t, time.Now().Before(deadline), "at %s, want %s", at, goal)
	}
}

func TestStreamShapes(t *testing.T) {
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		c := s.connect(t)
		r := simpleTable(c, "binlog_t_shapes")
		from := s.head(c)
		mixed := "INSERT INTO other VALUES (7)"
		if s.mariadb { // with GTIDs, MySQL refuses tables without transactions here (error 1785)
			mixed = "INSERT INTO my VALUES (2)"
		}
		began := time.Now().Add(-2 * time.Second)
		c.exec("INSERT INTO t VALUES (1, 'a'), (2, 'b')",
			"BEGIN", "UPDATE t SET id = 3 WHERE id = 1", "SAVEPOINT a", "DELETE FROM t WHERE id = 2", "ROLLBACK TO a", "INSERT INTO other VALUES (1)", "COMMIT",
			"BEGIN", "INSERT INTO t VALUES (9, 'x')", "ROLLBACK",
			"INSERT INTO other VALUES (2)", "BEGIN", "INSERT INTO other VALUES (3)", "SAVEPOINT b", "COMMIT",
			"CREATE TEMPORARY TABLE tmp (id INT)", "INSERT INTO tmp VALUES (1)", "DROP TEMPORARY TABLE tmp",
			"CREATE TABLE unrouted (id INT)", "DROP TABLE unrouted", "INSERT INTO my VALUES (1)",
			"BEGIN", "INSERT INTO t VALUES (4, 'y')", mixed, "COMMIT",
			"ALTER TABLE t ADD COLUMN x INT", "ALTER TABLE t DROP COLUMN x",
			"DELETE FROM t", "TRUNCATE TABLE t")
		want := "+1 +2 ; 1=3 ; +4 ; ddl ; ddl ; -2 -3 -4 ; ddl ;"
		stream := s.open(t, from, nil, r)
		parts := take(t, stream, 7)
		assert.Equal(t, want, changesText(parts))
		for _, p := range parts {
			assert.WithinRange(t, p.Time, began, time.Now().Add(2*time.Second))
		}
		assert.Equal(t, "binlog_t_shapes", parts[len(parts)-1].DDL.Context.Database)
		eventually(t, stream, s.head(c), 3*time.Second)

		t.Run("restart anywhere", func(t *testing.T) { restartAnywhere(t, s, from, r, want) })
		t.Run("by file", func(t *testing.T) {
			byFile := from
			byFile.gtid = nil
			restartAnywhere(t, s, byFile, r, want)
		})
	})
}

// restartAnywhere reads one transaction per stream, each from where the one before stopped.
func restartAnywhere(t *testing.T, s *streamServer, from position, r *route.Route, want string) {
	var parts []*db.Part
	for range strings.Count(want, ";") {
		stream := s.open(t, from, nil, r)
		parts = append(parts, take(t, stream, 1)...)
		at, err := parsePosition(string(stream.Position()))
		require.NoError(t, err)
		require.NoError(t, stream.Close())
		from = at
	}
	assert.Equal(t, want, changesText(parts))
}

func TestStreamIdleAndRotated(t *testing.T) {
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		c := s.connect(t)
		r := simpleTable(c, "binlog_t_idle")
		stream := s.open(t, s.head(c), nil, r)
		eventually(t, stream, s.head(c), 3*time.Second)
		c.exec("INSERT INTO other VALUES (1)")
		eventually(t, stream, s.head(c), 3*time.Second)
		c.exec("FLUSH BINARY LOGS")
		eventually(t, stream, s.head(c), 3*time.Second)
		c.exec("INSERT INTO t VALUES (1, 'a')", "FLUSH BINARY LOGS", "INSERT INTO t VALUES (2, 'b')", "FLUSH BINARY LOGS", "FLUSH BINARY LOGS")
		assert.Equal(t, "+1 ; +2 ;", changesText(take(t, stream, 2)))
		eventually(t, stream, s.head(c), 3*time.Second)

		at, err := parsePosition(string(stream.Position()))
		require.NoError(t, err)
		again := s.open(t, at, nil, r)
		eventually(t, again, at, 3*time.Second)
	})
}

func TestStreamLargeTransaction(t *testing.T) {
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		c := s.connect(t)
		r := simpleTable(c, "binlog_t_large")
		from := s.head(c)
		const rows = 200000
		fill := "INSERT INTO t SELECT a.n * 1000 + b.n, REPEAT('x', 90) FROM seq a, seq b"
		c.exec("CREATE TABLE seq (n INT PRIMARY KEY)", "INSERT INTO seq VALUES (0)")
		for n := 1; n < 1000; n *= 2 {
			c.exec(fmt.Sprintf("INSERT INTO seq SELECT n + %d FROM seq WHERE n + %d < 1000", n, n))
		}
		c.exec(fill+" WHERE a.n < 200", "BEGIN", "DELETE FROM t", "ROLLBACK")
		stream := s.open(t, from, func(cfg *streamConfig) { cfg.maxPart = 1 << 20 }, r)
		time.Sleep(300 * time.Millisecond) // the stream must stop by itself when nobody reads
		stream.queue.mu.Lock()
		assert.LessOrEqual(t, stream.queue.bytes, streamParts<<20)
		stream.queue.mu.Unlock()
		seen, parts := 0, 0
		for seen < rows {
			before := stream.Position()
			part, err := stream.Next(t.Context(), 5*time.Second)
			require.NoError(t, err)
			require.NotNil(t, part)
			require.Less(t, part.Bytes, 1<<20+4096)
			if !part.End {
				assert.Equal(t, before, stream.Position(), "within a transaction")
			}
			seen += len(part.Changes)
			parts++
		}
		assert.Greater(t, parts, 20)
		eventuallyEnd(t, stream)
		eventually(t, stream, s.head(c), 5*time.Second)
	})
}

// eventuallyEnd takes the rest of a transaction when its last rows filled a part.
func eventuallyEnd(t *testing.T, s *stream) {
	t.Helper()
	part, err := s.Next(t.Context(), 300*time.Millisecond)
	require.NoError(t, err)
	if part != nil {
		require.True(t, part.End)
		require.Empty(t, part.Changes)
	}
}

func TestStreamRefuses(t *testing.T) {
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		cases := map[string]struct {
			statements []string
			want       string
		}{
			"statement format": {[]string{"SET SESSION binlog_format = STATEMENT", "UPDATE t SET v = 'z' WHERE id = 1", "SET SESSION binlog_format = ROW"}, "statement format"},
			"minimal image":    {[]string{"SET SESSION binlog_row_image = MINIMAL", "UPDATE t SET v = 'y' WHERE id = 1", "SET SESSION binlog_row_image = FULL"}, "binlog_row_image"},
			"xa":               {[]string{"XA START 'a'", "INSERT INTO t VALUES (50, 'a')", "XA END 'a'", "XA PREPARE 'a'", "XA ROLLBACK 'a'"}, "XA PREPARE"},
			"create select":    {[]string{"DROP TABLE other", "CREATE TABLE other SELECT * FROM t"}, ""},
			"changed schema":   {[]string{"INSERT INTO t VALUES (60, 'a')"}, "schema at this position differs"},
		}
		for name, test := range cases {
			t.Run(name, func(t *testing.T) {
				c := s.connect(t)
				r := simpleTable(c, "binlog_t_refuse")
				c.exec("INSERT INTO t VALUES (1, 'a')")
				if name == "changed schema" {
					r.Source.Table.Columns[0].Type.Size = 8
				}
				from := s.head(c)
				for _, statement := range test.statements {
					if strings.HasPrefix(statement, "XA ROLLBACK") { // from another session, as after a crash of the application
						_ = c.w.close()
						c = s.connect(t)
						time.Sleep(100 * time.Millisecond)
					}
					if err := c.try(statement); err != nil {
						t.Skipf("SKIPPED: %s: %v", statement, err)
					}
				}
				stream := s.open(t, from, nil, r)
				if test.want == "" {
					eventually(t, stream, s.head(c), 5*time.Second)
					return
				}
				var err error
				for deadline := time.Now().Add(5 * time.Second); err == nil && time.Now().Before(deadline); {
					_, err = stream.Next(t.Context(), time.Second)
				}
				require.ErrorIs(t, err, db.ErrUnsupported)
				require.ErrorContains(t, err, test.want)
				at, perr := parsePosition(string(stream.Position()))
				require.NoError(t, perr)
				done, perr := reached(at, s.head(c))
				require.NoError(t, perr)
				assert.False(t, done)
			})
		}
	})
}

func TestStreamUnroutedXA(t *testing.T) {
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		c := s.connect(t)
		r := simpleTable(c, "binlog_t_xa")
		from := s.head(c)
		c.exec("XA START 'b'", "INSERT INTO other VALUES (1)", "XA END 'b'", "XA PREPARE 'b'", "XA COMMIT 'b'",
			"XA START 'c'", "INSERT INTO t VALUES (1, 'one phase')", "XA END 'c'", "XA COMMIT 'c' ONE PHASE", "INSERT INTO t VALUES (2, 'b')")
		stream := s.open(t, from, nil, r)
		assert.Equal(t, "+1 ; +2 ;", changesText(take(t, stream, 2)))
		eventually(t, stream, s.head(c), 3*time.Second)
	})
}

func TestStreamCompressed(t *testing.T) {
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		c := s.connect(t)
		r := simpleTable(c, "binlog_t_zip")
		from := s.head(c)
		if s.mariadb {
			c.exec("SET GLOBAL log_bin_compress = ON")
			defer c.exec("SET GLOBAL log_bin_compress = OFF")
			again := s.connect(t)
			again.exec("USE binlog_t_zip")
			defer again.w.close()
		} else {
			c.exec("SET SESSION binlog_transaction_compression = ON")
		}
		long := "CONCAT(REPEAT('abc ', 20), id)"
		c.exec("BEGIN", "INSERT INTO t VALUES (1, REPEAT('x', 100)), (2, REPEAT('y', 100)), (3, REPEAT('y', 100))", "UPDATE t SET v = "+long,
			"DELETE FROM t WHERE id = 2 /* "+strings.Repeat("long ", 100)+" */", "COMMIT", "INSERT INTO other VALUES (1)", "ALTER TABLE t COMMENT 'a' /* "+strings.Repeat("long ", 100)+" */")
		stream := s.open(t, from, nil, r)
		parts := take(t, stream, 2)
		assert.Equal(t, "+1 +2 +3 1=1 2=2 3=3 -2 ; ddl ;", changesText(parts))
		assert.Equal(t, strings.Repeat("abc ", 20)+"3", string(parts[0].Changes[5].After[1]))
		eventually(t, stream, s.head(c), 3*time.Second)
	})
}

func TestStreamPartialJSON(t *testing.T) {
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		if s.mariadb {
			t.Skip("MariaDB has no partial JSON updates")
		}
		c := s.connect(t)
		c.database("binlog_t_json")
		c.exec("CREATE TABLE t (id INT PRIMARY KEY, a JSON, g JSON AS (a) STORED, b JSON)",
			"SET NAMES utf8mb4",
			`INSERT INTO t (id, a, b) VALUES (1, JSON_OBJECT('k', REPEAT('x', 900), 'list', JSON_ARRAY(1, 2, 3), 'o', JSON_OBJECT('a b', 1)), '[1, 2, {"x": 1.50}]'), (2, NULL, '{}')`,
			"SET SESSION binlog_row_value_options = PARTIAL_JSON")
		r := c.routeOf("binlog_t_json", "t")
		from := s.head(c)
		c.exec("SET NAMES utf8mb4")
		updates := []string{
			`a = JSON_SET(a, '$.list[1]', 'two')`, `a = JSON_SET(a, '$.o."a b"', JSON_OBJECT('z', NULL))`, `a = JSON_REMOVE(a, '$.list[0]')`,
			`a = JSON_SET(a, '$.new', CAST(1.25 AS DECIMAL(10,4)), '$.list[9]', 9)`, `a = JSON_REPLACE(a, '$.k', 'short'), b = JSON_SET(b, '$[2].x', 2)`,
			`a = JSON_ARRAY_INSERT(a, '$.list[0]', 0)`, `b = NULL`, `a = JSON_SET(a, '$."q\\"uote"', 'ü')`, `id = id + 10`,
		}
		var want []string
		for _, update := range updates {
			c.exec("UPDATE t SET " + update)
			c.exec("SET NAMES binary")
			for _, row := range c.rows("SELECT a, b FROM t ORDER BY id LIMIT 1") {
				want = append(want, string(row[0])+"|"+string(row[1]))
			}
			c.exec("SET NAMES utf8mb4")
		}
		stream := s.open(t, from, nil, r)
		var got []string
		for _, part := range take(t, stream, len(updates)) {
			after := part.Changes[0].After
			got = append(got, string(after[1])+"|"+string(after[2]))
		}
		assert.Equal(t, want, got)
	})
}

func TestStreamPositionGone(t *testing.T) {
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		c := s.connect(t)
		gone := position{file: "binlog.000000", offset: 4, server: s.tag}
		stream := s.open(t, gone, nil)
		_, err := stream.Next(t.Context(), 5*time.Second)
		require.ErrorIs(t, err, db.ErrPositionGone)
		beyond := s.head(c)
		beyond.gtid, beyond.offset = nil, beyond.offset+1<<28
		_, err = s.open(t, beyond, nil).Next(t.Context(), 5*time.Second)
		require.ErrorIs(t, err, db.ErrPositionGone)
		missing := position{gtid: gtidList{0: {server: 1, first: 1 << 40, last: 1 << 40}}}
		if !s.mariadb { // more than the server ever wrote
			missing.gtid, err = parseGTIDs(string(c.rows("SELECT @@server_uuid")[0][0]) + ":1-99999999999")
			require.NoError(t, err)
		}
		_, err = s.open(t, missing, nil).Next(t.Context(), 5*time.Second)
		require.ErrorIs(t, err, db.ErrPositionGone)

		if s.mariadb || len(c.rows("SELECT @@gtid_purged")[0][0]) == 0 {
			return
		}
		missing.gtid, err = parseGTIDs(uuidB + ":1") // without what is purged
		require.NoError(t, err)
		_, err = s.open(t, missing, nil).Next(t.Context(), 5*time.Second)
		require.ErrorIs(t, err, db.ErrPositionGone)
	})
}

func TestStreamClose(t *testing.T) {
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		c := s.connect(t)
		r := simpleTable(c, "binlog_t_close")
		from := s.head(c)
		c.exec("INSERT INTO t VALUES (1, REPEAT('x', 90))")
		for range 6 {
			c.exec("INSERT INTO t SELECT id + (SELECT MAX(id) FROM t x), v FROM t")
		}
		before := runtime.NumGoroutine()
		for range 5 {
			blocked := s.open(t, from, func(cfg *streamConfig) { cfg.maxPart = 500 }, r)
			idle := s.open(t, s.head(c), nil, r)
			time.Sleep(20 * time.Millisecond)
			require.NoError(t, blocked.Close())
			require.NoError(t, blocked.Close())
			require.NoError(t, idle.Close())
			_, err := idle.Next(t.Context(), 0)
			require.ErrorIs(t, err, errStreamClosed)
		}
		ctx, cancel := context.WithCancel(t.Context())
		opened, err := openStream(ctx, streamConfig{server: s.config, mariadb: s.mariadb, from: from, serverTag: s.tag})
		require.NoError(t, err)
		cancel()
		_, err = opened.Next(t.Context(), 5*time.Second)
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, opened.Close())
		deadline := time.Now().Add(3 * time.Second)
		for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		if runtime.NumGoroutine() > before {
			stacks := make([]byte, 1<<16)
			t.Errorf("goroutines are left:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	})
}
