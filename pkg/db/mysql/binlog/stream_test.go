package binlog

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
	"wherry/pkg/db/mysql/wire/wiretest"
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

func simpleTable(c *wiretest.Conn, database string) *route.Route {
	c.Database(database)
	c.Exec("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(100)) ENGINE=InnoDB",
		"CREATE TABLE other (id INT PRIMARY KEY) ENGINE=InnoDB",
		"CREATE TABLE my (id INT PRIMARY KEY) ENGINE=MyISAM")
	return routeOf(c, database, "t")
}

// eventually waits until the stream has passed a position and returns no part.
func eventually(t *testing.T, s *stream, goal Position) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		part, err := s.Next(t.Context(), 50*time.Millisecond)
		require.NoError(t, err)
		require.Nil(t, part)
		at, err := ParsePosition(s.Position())
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
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		r := simpleTable(c, "binlog_t_shapes")
		from := headOf(s, c)
		mixed := "INSERT INTO other VALUES (7)"
		if s.MariaDB { // with GTIDs, MySQL refuses tables without transactions here (error 1785)
			mixed = "INSERT INTO my VALUES (2)"
		}
		began := time.Now().Add(-2 * time.Second)
		c.Exec("INSERT INTO t VALUES (1, 'a'), (2, 'b')",
			"BEGIN", "UPDATE t SET id = 3 WHERE id = 1", "SAVEPOINT a", "DELETE FROM t WHERE id = 2", "ROLLBACK TO a",
			"INSERT INTO other VALUES (1)", "COMMIT",
			"BEGIN", "INSERT INTO t VALUES (9, 'x')", "ROLLBACK",
			"INSERT INTO other VALUES (2)", "BEGIN", "INSERT INTO other VALUES (3)", "SAVEPOINT b", "COMMIT",
			"CREATE TEMPORARY TABLE tmp (id INT)", "INSERT INTO tmp VALUES (1)", "DROP TEMPORARY TABLE tmp",
			"CREATE TABLE unrouted (id INT)", "DROP TABLE unrouted", "INSERT INTO my VALUES (1)",
			"BEGIN", "INSERT INTO t VALUES (4, 'y')", mixed, "COMMIT",
			"ALTER TABLE t ADD COLUMN x INT", "ALTER TABLE t DROP COLUMN x",
			"DELETE FROM t", "TRUNCATE TABLE t")
		want := "+1 +2 ; 1=3 ; +4 ; ddl ; ddl ; -2 -3 -4 ; ddl ;"
		stream := openLog(t, s, from, nil, r)
		parts := take(t, stream, 7)
		assert.Equal(t, want, changesText(parts))
		for _, p := range parts {
			assert.WithinRange(t, p.Time, began, time.Now().Add(2*time.Second))
		}
		assert.Equal(t, "binlog_t_shapes", parts[len(parts)-1].DDL.Context.Database)
		eventually(t, stream, headOf(s, c))

		t.Run("restart anywhere", func(t *testing.T) { restartAnywhere(t, s, from, r, want) })
		t.Run("by file", func(t *testing.T) {
			byFile := from
			byFile.GTIDs = nil
			restartAnywhere(t, s, byFile, r, want)
		})
	})
}

// restartAnywhere reads one transaction per stream, each from where the one before stopped.
func restartAnywhere(t *testing.T, s *wiretest.Server, from Position, r *route.Route, want string) {
	var parts []*db.Part
	for range strings.Count(want, ";") {
		stream := openLog(t, s, from, nil, r)
		parts = append(parts, take(t, stream, 1)...)
		at, err := ParsePosition(stream.Position())
		require.NoError(t, err)
		require.NoError(t, stream.Close())
		from = at
	}
	assert.Equal(t, want, changesText(parts))
}

func TestStreamIdleAndRotated(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		r := simpleTable(c, "binlog_t_idle")
		stream := openLog(t, s, headOf(s, c), nil, r)
		eventually(t, stream, headOf(s, c))
		c.Exec("INSERT INTO other VALUES (1)")
		eventually(t, stream, headOf(s, c))
		c.Exec("FLUSH BINARY LOGS")
		eventually(t, stream, headOf(s, c))
		c.Exec("INSERT INTO t VALUES (1, 'a')", "FLUSH BINARY LOGS", "INSERT INTO t VALUES (2, 'b')",
			"FLUSH BINARY LOGS",
			"FLUSH BINARY LOGS")
		assert.Equal(t, "+1 ; +2 ;", changesText(take(t, stream, 2)))
		eventually(t, stream, headOf(s, c))

		at, err := ParsePosition(stream.Position())
		require.NoError(t, err)
		again := openLog(t, s, at, nil, r)
		eventually(t, again, at)
	})
}

func TestStreamLargeTransaction(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		r := simpleTable(c, "binlog_t_large")
		from := headOf(s, c)
		const rows = 200000
		fill := "INSERT INTO t SELECT a.n * 1000 + b.n, REPEAT('x', 90) FROM seq a, seq b"
		c.Exec("CREATE TABLE seq (n INT PRIMARY KEY)", "INSERT INTO seq VALUES (0)")
		for n := 1; n < 1000; n *= 2 {
			c.Exec(fmt.Sprintf("INSERT INTO seq SELECT n + %d FROM seq WHERE n + %d < 1000", n, n))
		}
		c.Exec(fill+" WHERE a.n < 200", "BEGIN", "DELETE FROM t", "ROLLBACK")
		stream := openLog(t, s, from, func(cfg *Config) { cfg.maxPart = 1 << 20 }, r)
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
		eventually(t, stream, headOf(s, c))
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
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		cases := map[string]struct {
			statements []string
			want       string
		}{
			"statement format": {[]string{
				"SET SESSION binlog_format = STATEMENT", "UPDATE t SET v = 'z' WHERE id = 1",
				"SET SESSION binlog_format = ROW",
			}, "statement format"},
			"minimal image": {[]string{
				"SET SESSION binlog_row_image = MINIMAL", "UPDATE t SET v = 'y' WHERE id = 1",
				"SET SESSION binlog_row_image = FULL",
			}, "binlog_row_image"},
			"create select":  {[]string{"DROP TABLE other", "CREATE TABLE other SELECT * FROM t"}, ""},
			"changed schema": {[]string{"INSERT INTO t VALUES (60, 'a')"}, "schema at this position differs"},
		}
		for name, test := range cases {
			t.Run(name, func(t *testing.T) {
				c := s.Connect(t)
				r := simpleTable(c, "binlog_t_refuse")
				c.Exec("INSERT INTO t VALUES (1, 'a')")
				if name == "changed schema" {
					r.Source.Table.Columns[0].Type.Size = 8
				}
				from := headOf(s, c)
				for _, statement := range test.statements {
					if err := c.Try(statement); err != nil {
						t.Skipf("SKIPPED: %s: %v", statement, err)
					}
				}
				stream := openLog(t, s, from, nil, r)
				if test.want == "" {
					eventually(t, stream, headOf(s, c))
					return
				}
				var err error
				for deadline := time.Now().Add(time.Minute); err == nil && time.Now().Before(deadline); {
					_, err = stream.Next(t.Context(), time.Second)
				}
				require.ErrorIs(t, err, db.ErrUnsupported)
				require.ErrorContains(t, err, test.want)
				at, perr := ParsePosition(stream.Position())
				require.NoError(t, perr)
				done, perr := reached(at, headOf(s, c))
				require.NoError(t, perr)
				assert.False(t, done)
			})
		}
	})
}

func TestStreamUnroutedXA(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		r := simpleTable(c, "binlog_t_xa")
		from := headOf(s, c)
		c.Exec("XA START 'b'", "INSERT INTO other VALUES (1)", "XA END 'b'", "XA PREPARE 'b'", "XA COMMIT 'b'",
			"XA START 'c'", "INSERT INTO t VALUES (1, 'one phase')", "XA END 'c'", "XA COMMIT 'c' ONE PHASE",
			"INSERT INTO t VALUES (2, 'b')")
		stream := openLog(t, s, from, nil, r)
		assert.Equal(t, "+1 ; +2 ;", changesText(take(t, stream, 2)))
		eventually(t, stream, headOf(s, c))
	})
}

// TestStreamPreparedXA reads transactions of two phases: their rows come with the commit, wherever the stream begins,
// and never when they are rolled back. One is larger than a part, one has the name of one before, and one was
// prepared in an older file of the log.
func TestStreamPreparedXA(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		r := simpleTable(c, "binlog_t_xa2")
		from := headOf(s, c)
		prepare := func(name string, statements ...string) { // in a session of its own, as MySQL wants it
			w := s.Connect(t)
			w.Exec("USE binlog_t_xa2", "XA START "+name)
			w.Exec(statements...)
			w.Exec("XA END "+name, "XA PREPARE "+name)
			require.NoError(t, w.Wire.Close())
			time.Sleep(100 * time.Millisecond) // until the server has let go of it
		}
		prepare("'a'", "INSERT INTO t VALUES (1, 'a'), (2, 'b')", "SAVEPOINT x", "UPDATE t SET id = 3 WHERE id = 2")
		c.Exec("INSERT INTO t VALUES (4, 'c')")
		early := headOf(s, c)
		prepare("'b','branch',7", "INSERT INTO t VALUES (5, 'd')")
		c.Exec("XA ROLLBACK 'b','branch',7", "INSERT INTO t VALUES (6, 'e')", "FLUSH BINARY LOGS")
		prepare("'b','branch',7", "DELETE FROM t WHERE id = 4")
		prepare("X'00ff'", "INSERT INTO t VALUES (7, REPEAT('x', 200)), (8, REPEAT('y', 200)), (9, 'z')")
		c.Exec("FLUSH BINARY LOGS", "INSERT INTO t VALUES (10, 'f')")
		late := headOf(s, c)
		c.Exec("XA COMMIT 'b','branch',7", "XA COMMIT 'a'", "XA COMMIT X'00ff'", "INSERT INTO t VALUES (11, 'g')")
		outcomes := "-4 ; +1 +2 2=3 ; +7 +8 +9 ; +11 ;"
		for place, want := range map[string]struct {
			from Position
			text string
		}{
			// What is larger than a part is taken back.
			"from the start":         {from, "+4 ; +6 ; +7 +8 +9 rollback ; +10 ; " + outcomes},
			"after one is prepared":  {early, "+6 ; +7 +8 +9 rollback ; +10 ; " + outcomes},
			"after all are prepared": {late, outcomes},
		} {
			t.Run(place, func(t *testing.T) {
				stream := openLog(t, s, want.from, func(cfg *Config) { cfg.maxPart = 500 }, r)
				assert.Equal(t, want.text, changesText(take(t, stream, strings.Count(want.text, ";"))))
				eventually(t, stream, headOf(s, c))
			})
		}
		restartAnywhere(t, s, from, r, "+4 ; +6 ; +10 ; "+outcomes)
	})
}

// TestStreamPreparedPurged commits a transaction whose rows the log holds no longer: that is an error, whatever it
// changed.
func TestStreamPreparedPurged(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		r := simpleTable(c, "binlog_t_xa3")
		w := s.Connect(t)
		w.Exec("USE binlog_t_xa3", "XA START 'purged'", "INSERT INTO t VALUES (1, 'a')", "XA END 'purged'",
			"XA PREPARE 'purged'")
		require.NoError(t, w.Wire.Close())
		time.Sleep(100 * time.Millisecond)
		c.Exec("FLUSH BINARY LOGS")
		from := headOf(s, c)
		oldest := func() string { return string(c.Rows("SHOW BINARY LOGS")[0][0]) }
		for deadline := time.Now().Add(time.Minute); oldest() != from.File; time.Sleep(50 * time.Millisecond) {
			// MariaDB keeps a file until what it needs for a crash is in the next one.
			require.True(t, time.Now().Before(deadline), "the log is not purged")
			c.Exec("PURGE BINARY LOGS TO '" + from.File + "'")
		}
		c.Exec("XA COMMIT 'purged'")
		stream := openLog(t, s, from, nil, r)
		var err error
		for deadline := time.Now().Add(time.Minute); err == nil && time.Now().Before(deadline); {
			_, err = stream.Next(t.Context(), time.Second)
		}
		require.ErrorIs(t, err, db.ErrPositionGone)
		require.ErrorContains(t, err, "prepared before the oldest log")
	})
}

func TestStreamCompressed(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		r := simpleTable(c, "binlog_t_zip")
		from := headOf(s, c)
		if s.MariaDB {
			c.Exec("SET GLOBAL log_bin_compress = ON")
			defer c.Exec("SET GLOBAL log_bin_compress = OFF")
			again := s.Connect(t)
			again.Exec("USE binlog_t_zip")
			defer again.Wire.Close()
		} else {
			c.Exec("SET SESSION binlog_transaction_compression = ON")
		}
		long := "CONCAT(REPEAT('abc ', 20), id)"
		c.Exec("BEGIN", "INSERT INTO t VALUES (1, REPEAT('x', 100)), (2, REPEAT('y', 100)), (3, REPEAT('y', 100))",
			"UPDATE t SET v = "+long,
			"DELETE FROM t WHERE id = 2 /* "+strings.Repeat("long ", 100)+" */", "COMMIT",
			"INSERT INTO other VALUES (1)",
			"ALTER TABLE t COMMENT 'a' /* "+strings.Repeat("long ", 100)+" */")
		stream := openLog(t, s, from, nil, r)
		parts := take(t, stream, 2)
		assert.Equal(t, "+1 +2 +3 1=1 2=2 3=3 -2 ; ddl ;", changesText(parts))
		assert.Equal(t, strings.Repeat("abc ", 20)+"3", string(parts[0].Changes[5].After[1]))
		eventually(t, stream, headOf(s, c))
	})
}

func TestStreamPartialJSON(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		if s.MariaDB {
			t.Skip("MariaDB has no partial JSON updates")
		}
		c := s.Connect(t)
		c.Database("binlog_t_json")
		c.Exec("CREATE TABLE t (id INT PRIMARY KEY, a JSON, g JSON AS (a) STORED, b JSON)",
			"SET NAMES utf8mb4",
			`INSERT INTO t (id, a, b) VALUES (1, JSON_OBJECT('k', REPEAT('x', 900), 'list', JSON_ARRAY(1, 2, 3),
				'o', JSON_OBJECT('a b', 1)), '[1, 2, {"x": 1.50}]'), (2, NULL, '{}')`,
			"SET SESSION binlog_row_value_options = PARTIAL_JSON")
		r := routeOf(c, "binlog_t_json", "t")
		from := headOf(s, c)
		c.Exec("SET NAMES utf8mb4")
		updates := []string{
			`a = JSON_SET(a, '$.list[1]', 'two')`, `a = JSON_SET(a, '$.o."a b"', JSON_OBJECT('z', NULL))`,
			`a = JSON_REMOVE(a, '$.list[0]')`,
			`a = JSON_SET(a, '$.new', CAST(1.25 AS DECIMAL(10,4)), '$.list[9]', 9)`,
			`a = JSON_REPLACE(a, '$.k', 'short'), b = JSON_SET(b, '$[2].x', 2)`,
			`a = JSON_ARRAY_INSERT(a, '$.list[0]', 0)`, `b = NULL`, `a = JSON_SET(a, '$."q\\"uote"', 'ü')`,
			`id = id + 10`,
		}
		var want []string
		for _, update := range updates {
			c.Exec("UPDATE t SET " + update)
			c.Exec("SET NAMES binary")
			for _, row := range c.Rows("SELECT a, b FROM t ORDER BY id LIMIT 1") {
				want = append(want, string(row[0])+"|"+string(row[1]))
			}
			c.Exec("SET NAMES utf8mb4")
		}
		stream := openLog(t, s, from, nil, r)
		var got []string
		for _, part := range take(t, stream, len(updates)) {
			after := part.Changes[0].After
			got = append(got, string(after[1])+"|"+string(after[2]))
		}
		assert.Equal(t, want, got)
	})
}

func TestStreamPositionGone(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		gone := Position{File: "binlog.000000", Offset: 4, Server: s.Tag}
		stream := openLog(t, s, gone, nil)
		_, err := stream.Next(t.Context(), 5*time.Second)
		require.ErrorIs(t, err, db.ErrPositionGone)
		beyond := headOf(s, c)
		beyond.GTIDs, beyond.Offset = nil, beyond.Offset+1<<28
		_, err = openLog(t, s, beyond, nil).Next(t.Context(), 5*time.Second)
		require.ErrorIs(t, err, db.ErrPositionGone)
		missing := Position{GTIDs: GTIDList{0: {Server: 1, First: 1 << 40, Last: 1 << 40}}}
		if !s.MariaDB { // more than the server ever wrote
			missing.GTIDs, err = ParseGTIDs(string(c.Rows("SELECT @@server_uuid")[0][0]) + ":1-99999999999")
			require.NoError(t, err)
		}
		_, err = openLog(t, s, missing, nil).Next(t.Context(), 5*time.Second)
		require.ErrorIs(t, err, db.ErrPositionGone)

		if s.MariaDB || len(c.Rows("SELECT @@gtid_purged")[0][0]) == 0 {
			return
		}
		missing.GTIDs, err = ParseGTIDs(uuidB + ":1") // without what is purged
		require.NoError(t, err)
		_, err = openLog(t, s, missing, nil).Next(t.Context(), 5*time.Second)
		require.ErrorIs(t, err, db.ErrPositionGone)
	})
}

func TestStreamClose(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		r := simpleTable(c, "binlog_t_close")
		from := headOf(s, c)
		c.Exec("INSERT INTO t VALUES (1, REPEAT('x', 90))")
		for range 6 {
			c.Exec("INSERT INTO t SELECT id + (SELECT MAX(id) FROM t x), v FROM t")
		}
		before := runtime.NumGoroutine()
		for range 5 {
			blocked := openLog(t, s, from, func(cfg *Config) { cfg.maxPart = 500 }, r)
			idle := openLog(t, s, headOf(s, c), nil, r)
			time.Sleep(20 * time.Millisecond)
			require.NoError(t, blocked.Close())
			require.NoError(t, blocked.Close())
			require.NoError(t, idle.Close())
			_, err := idle.Next(t.Context(), 0)
			require.ErrorIs(t, err, errStreamClosed)
		}
		ctx, cancel := context.WithCancel(t.Context())
		opened, err := openStream(ctx, Config{
			Dialer: s.Dialer, Flavor: flavorOf(s), Tag: s.Tag,
			From: from,
		})
		require.NoError(t, err)
		cancel()
		_, err = opened.Next(t.Context(), 5*time.Second)
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, opened.Close())
		deadline := time.Now().Add(time.Minute)
		for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		if runtime.NumGoroutine() > before {
			stacks := make([]byte, 1<<16)
			t.Errorf("goroutines are left:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	})
}
