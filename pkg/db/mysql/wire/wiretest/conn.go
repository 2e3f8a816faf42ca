package wiretest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
)

// Conn is a session of a test.
type Conn struct {
	T    *testing.T
	Wire *wire.Conn
}

// Connect opens a session that reads and writes bytes.
func (s *Server) Connect(t *testing.T) *Conn {
	t.Helper()
	w, err := s.Dialer.Dial(t.Context(), wire.Asking)
	require.NoError(t, err)
	c := &Conn{t, w}
	t.Cleanup(func() { _ = w.Close() })
	c.Exec("SET NAMES binary", "SET time_zone = '+00:00'",
		"SET sql_mode = 'NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO'")
	return c
}

// Exec runs statements that return no rows.
func (c *Conn) Exec(statements ...string) {
	c.T.Helper()
	for _, statement := range statements {
		_, err := c.Wire.Exec(context.Background(), statement)
		require.NoError(c.T, err, "%.300s", statement)
	}
}

// Try runs a statement that may fail.
func (c *Conn) Try(statement string) error {
	_, err := c.Wire.Exec(context.Background(), statement)
	return err
}

// Rows returns copies of all rows of a query.
func (c *Conn) Rows(statement string) []db.Row {
	c.T.Helper()
	rows, err := c.Wire.Query(context.Background(), statement)
	require.NoError(c.T, err, "%.300s", statement)
	all, err := db.ReadAll(rows)
	require.NoError(c.T, err, "%.300s", statement)
	return all
}

// Database makes an empty database.
func (c *Conn) Database(name string) {
	c.T.Helper()
	c.Exec("DROP DATABASE IF EXISTS "+name, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4", "USE "+name)
}
