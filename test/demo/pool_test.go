package main

import (
	"database/sql/driver"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
)

func TestStatementsOfPostgreSQL(t *testing.T) {
	const statement = "UPDATE stock SET shelf = ? WHERE warehouse = ? AND product_id = ?"
	assert.Equal(t, statement, (&pool{}).text(statement))
	assert.Equal(t, "UPDATE stock SET shelf = $1 WHERE warehouse = $2 AND product_id = $3",
		(&pool{postgres: true}).text(statement))
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		err  error
		want refusal
	}{
		{&mysql.MySQLError{Number: 1290}, readOnly},
		{&pgconn.PgError{Code: "25006"}, readOnly},
		{&mysql.MySQLError{Number: 1062}, duplicate},
		{&pgconn.PgError{Code: "23505"}, duplicate},
		{&mysql.MySQLError{Number: 1146}, ownFault},
		{&pgconn.PgError{Code: "42P01"}, ownFault},
		{&pgconn.PgError{Code: "23503"}, ownFault},
		{&mysql.MySQLError{Number: 1213}, otherwise},
		{&pgconn.PgError{Code: "40P01"}, otherwise},
		{driver.ErrBadConn, notRefused},
	} {
		assert.Equal(t, c.want, refusalOf(c.err), c.err)
	}
}

// TestSameDocument: one document in the texts of two servers is the same; another one, and text that is no document,
// is not.
func TestSameDocument(t *testing.T) {
	assert.True(t, sameDocument([]byte(`{"b": 1, "a": [1, null]}`), []byte(`{"a":[1,null],"b":1}`)))
	assert.False(t, sameDocument([]byte(`{"b": 1}`), []byte(`{"b": 2}`)))
	assert.False(t, sameDocument([]byte(`{"b": 1}`), nil))
	assert.False(t, sameDocument([]byte("1"), []byte("1 ")))
}

func TestShown(t *testing.T) {
	assert.Equal(t, `"token"`, shown(`"token"`, "bytea", 0))
	assert.Equal(t, `to_char("at", 'YYYY-MM-DD HH24:MI:SS')`, shown(`"at"`, "timestamp without time zone", 0))
	assert.Equal(t, `left(to_char("at", 'YYYY-MM-DD HH24:MI:SS.US'), 23)`, shown(`"at"`, "timestamp with time zone", 3))
	assert.Equal(t, `"n"::text`, shown(`"n"`, "bigint", 0))
}
