package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"wherry/test/internal/lab"
)

// pool is a server as the shop's software sees it. The software speaks the SQL that all servers have in common; what
// PostgreSQL writes otherwise is here and in sight.go.
type pool struct {
	*sql.DB
	postgres bool
}

func newPool(s lab.Server, db *sql.DB) *pool {
	return &pool{DB: db, postgres: s.Flavor == lab.Postgres}
}

// text is a statement in the server's own words: PostgreSQL numbers its parameters, ? is $1.
func (p *pool) text(statement string) string {
	if !p.postgres {
		return statement
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(statement, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

func (p *pool) begin(ctx context.Context) (*shopTx, error) {
	tx, err := p.BeginTx(ctx, nil)
	return &shopTx{tx, p}, err
}

// shopTx is a transaction of the shop's software.
type shopTx struct {
	*sql.Tx
	on *pool
}

func (tx *shopTx) exec(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	return tx.ExecContext(ctx, tx.on.text(statement), args...)
}

// insert adds one row to a table that numbers its rows, and returns the number.
func (tx *shopTx) insert(ctx context.Context, statement string, args ...any) (id int64, err error) {
	if tx.on.postgres {
		err = tx.QueryRowContext(ctx, tx.on.text(statement+" RETURNING id"), args...).Scan(&id)
		return id, err
	}
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// refusal is what a server's own error means to the shop's software. An error that is no server's, such as a lost
// connection, has none.
type refusal int

const (
	notRefused refusal = iota
	readOnly           // the server takes no writes
	duplicate          // a unique value is there already
	ownFault           // a wrong statement, no such table or column, no privilege, a foreign key without its row
	otherwise          // a deadlock, a shutdown
)

func refusalOf(err error) refusal {
	var my *mysql.MySQLError
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &my):
		switch my.Number {
		case 1290, 1836: // ER_OPTION_PREVENTS_STATEMENT, ER_READ_ONLY_MODE
			return readOnly
		case 1062:
			return duplicate
		case 1044, 1045, 1054, 1064, 1142, 1146, 1406, 1451, 1452, 3819:
			return ownFault
		}
		return otherwise
	case errors.As(err, &pg):
		switch {
		case pg.Code == "25006": // read_only_sql_transaction
			return readOnly
		case pg.Code == "23505": // unique_violation
			return duplicate
		case strings.HasPrefix(pg.Code, "42"), strings.HasPrefix(pg.Code, "22"), strings.HasPrefix(pg.Code, "23"),
			strings.HasPrefix(pg.Code, "28"):
			return ownFault
		}
		return otherwise
	}
	return notRefused
}

// prepare creates the application's account on a server, and nothing else.
func (p *pool) prepare(ctx context.Context) error {
	if p.postgres {
		return lab.Exec(ctx, p.DB, "CREATE ROLE "+application+" LOGIN PASSWORD '"+appPassword+"'")
	}
	return lab.Exec(ctx, p.DB,
		"CREATE USER IF NOT EXISTS '"+application+"'@'%' IDENTIFIED BY '"+appPassword+"'",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON "+database+".* TO '"+application+"'@'%'")
}

// admit lets the application use the tables, where that cannot be said before there are any.
func (p *pool) admit(ctx context.Context) error {
	if !p.postgres {
		return nil
	}
	return lab.Exec(ctx, p.DB, "GRANT USAGE ON SCHEMA "+database+" TO "+application,
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "+database+" TO "+application)
}

// freeze begins a read-only transaction that sees this moment, whatever is written afterwards.
func (p *pool) freeze(ctx context.Context, conn *sql.Conn) error {
	if !p.postgres {
		return lab.ExecAll(ctx, conn, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
	}
	// The first statement takes the snapshot.
	return lab.ExecAll(ctx, conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SELECT 1")
}

func describe(flavor, version string) string {
	name := map[string]string{lab.MariaDB: "MariaDB", lab.MySQL: "MySQL", lab.Postgres: "PostgreSQL"}[flavor]
	version, _, _ = strings.Cut(version, "-")
	version, _, _ = strings.Cut(version, " ")
	return fmt.Sprintf("%s %s", name, version)
}
