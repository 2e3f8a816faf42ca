package wire_test

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
)

func dialer(t *testing.T) *wire.Dialer {
	t.Helper()
	for _, entry := range strings.Fields(os.Getenv("WHERRY_TEST_SERVERS")) {
		name, address, _ := strings.Cut(entry, "=")
		if name != "postgres-1" {
			continue
		}
		u, err := url.Parse(address)
		require.NoError(t, err)
		port, err := strconv.Atoi(u.Port())
		require.NoError(t, err)
		return wire.NewDialer(wire.Dialer{
			Host: u.Hostname(), Port: port, User: u.User.Username(), Database: "postgres", Timeout: 5 * time.Second,
		})
	}
	if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
		t.Fatal("no postgres-1 in WHERRY_TEST_SERVERS, and WHERRY_REQUIRE_SERVERS=1")
	}
	t.Skip("SKIPPED WITHOUT SERVERS: set WHERRY_TEST_SERVERS, see scripts/servers.sh")
	return nil
}

func dial(t *testing.T, d *wire.Dialer) *wire.Conn {
	t.Helper()
	c, err := d.Dial(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// TestSession has the settings whatever the account has, and libpq's environment says.
func TestSession(t *testing.T) {
	t.Setenv("PGHOST", "nowhere.invalid")
	t.Setenv("PGTZ", "America/New_York")
	t.Setenv("PGDATABASE", "other")
	d := dialer(t)
	admin := dial(t, d)
	require.NoError(t, admin.Exec(t.Context(), "DROP ROLE IF EXISTS wire_test; CREATE ROLE wire_test LOGIN"))
	for _, set := range []string{
		"TimeZone = 'Asia/Tokyo'", "search_path = public", "statement_timeout = 1", "DateStyle = 'German'",
		"synchronous_commit = off", "extra_float_digits = 0",
	} {
		require.NoError(t, admin.Exec(t.Context(), "ALTER ROLE wire_test SET "+set))
	}
	plain := *d
	plain.User = "wire_test"
	c := dial(t, wire.NewDialer(plain))
	for name, want := range map[string]string{
		"TimeZone": "UTC", "search_path": "", "statement_timeout": "0", "DateStyle": "ISO, YMD",
		"synchronous_commit": "on", "extra_float_digits": "1", "row_security": "off",
	} {
		row, err := c.One(t.Context(), "SELECT pg_catalog.current_setting($1)", wire.Text(name))
		require.NoError(t, err)
		assert.Equal(t, want, string(row[0]), name)
	}
	tag, err := c.Tag(t.Context())
	require.NoError(t, err, "an account without any privilege may ask who the server is")
	other := plain
	elsewhere := wire.NewDialer(other)
	elsewhere.Expect(tag + "1")
	_, err = elsewhere.Dial(t.Context())
	require.ErrorIs(t, err, db.ErrOtherServer)
}

// TestStatements runs, fails, and goes on.
func TestStatements(t *testing.T) {
	ctx, c := t.Context(), dial(t, dialer(t))
	require.NoError(t, c.Exec(ctx, "CREATE TEMP TABLE x (n bigint PRIMARY KEY, b bytea)"))
	for i := range 3 {
		n, err := c.Run(ctx, "INSERT INTO x VALUES ($1, $2)", wire.Number(int64(i)), wire.Bytes(nil))
		require.NoError(t, err)
		assert.Equal(t, int64(1), n)
	}
	_, err := c.Run(ctx, "INSERT INTO x VALUES ($1, $2)", wire.Number(0), wire.Bytes(nil))
	assert.Equal(t, wire.DuplicateKey, wire.Code(err))
	assert.False(t, c.Broken)
	rows, err := c.All(ctx, "SELECT n::text, b FROM x ORDER BY n")
	require.NoError(t, err)
	assert.Equal(t, []db.Row{{[]byte("0"), nil}, {[]byte("1"), nil}, {[]byte("2"), nil}}, rows)

	failed := errors.New("the rows end here")
	_, err = c.Copy(ctx, "COPY x (n) FROM STDIN", io.MultiReader(strings.NewReader("7\n8\n"), broken{failed}))
	require.Error(t, err)
	n, err := c.Copy(ctx, "COPY x (n) FROM STDIN", strings.NewReader("7\n8\n"))
	require.NoError(t, err)
	assert.Equal(t, int64(2), n)

	require.NoError(t, c.Exec(ctx, "BEGIN"))
	require.Error(t, c.Exec(ctx, "SELECT 1/0"))
	require.ErrorIs(t, c.Commit(ctx), db.ErrRetry, "COMMIT of a transaction that has failed")
	require.NoError(t, c.Forget(ctx))

	ended, cancel := context.WithTimeoutCause(ctx, 50*time.Millisecond, errors.New("interrupted"))
	defer cancel()
	require.EqualError(t, c.Exec(ended, "SELECT pg_catalog.pg_sleep(60)"), "interrupted")
	assert.True(t, c.Broken)
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// TestTerminated is a connection that an administrator ends.
func TestTerminated(t *testing.T) {
	d := dialer(t)
	c, admin := dial(t, d), dial(t, d)
	_, err := admin.One(t.Context(), "SELECT pg_catalog.pg_terminate_backend($1::int)", wire.Param{
		OID: 23, Value: []byte{byte(c.PID >> 24), byte(c.PID >> 16), byte(c.PID >> 8), byte(c.PID)},
	})
	require.NoError(t, err)
	require.ErrorIs(t, c.Exec(t.Context(), "SELECT 1"), db.ErrConnection)
	require.ErrorIs(t, c.Exec(t.Context(), "SELECT 1"), db.ErrConnection)
	plain := *d
	plain.Port, plain.Timeout = 1, time.Second
	_, err = wire.NewDialer(plain).Dial(t.Context())
	require.ErrorIs(t, err, db.ErrConnection)
	plain = *d
	plain.Database = "no_such_database"
	_, err = wire.NewDialer(plain).Dial(t.Context())
	require.ErrorIs(t, err, db.ErrSetup)
}
