package lab

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"
)

var readers atomic.Int64 // go-sql-driver knows readers by names, which are global

// Load runs one LOAD DATA LOCAL with rows in TSV form. Bytes go into columns as they are. A column written as
// "name = expression" is read into @name first, and the expression says what becomes of it. A warning is an error.
func Load(ctx context.Context, conn *sql.Conn, table string, columns []string, rows io.Reader) (int64, error) {
	name := fmt.Sprint("lab-", readers.Add(1))
	mysql.RegisterReaderHandler(name, func() io.Reader { return rows })
	defer mysql.DeregisterReaderHandler(name)

	list := make([]string, len(columns))
	var set []string
	for i, column := range columns {
		list[i] = column
		if column, _, ok := strings.Cut(column, " = "); ok {
			list[i] = "@" + column
			set = append(set, columns[i])
		}
	}
	statement := fmt.Sprintf("LOAD DATA LOCAL INFILE 'Reader::%s' INTO TABLE %s CHARACTER SET binary (%s)", name, table,
		strings.Join(list, ", "))
	if len(set) > 0 {
		statement += " SET " + strings.Join(set, ", ")
	}
	result, err := conn.ExecContext(ctx, statement)
	if err != nil {
		return 0, fmt.Errorf("load %s: %w", table, err)
	}
	loaded, err := result.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("load %s: %w", table, err)
	}
	return loaded, noWarnings(ctx, conn, table)
}

func noWarnings(ctx context.Context, conn *sql.Conn, table string) error {
	var level, text string
	var code int
	switch err := conn.QueryRowContext(ctx, "SHOW WARNINGS LIMIT 1").Scan(&level, &code, &text); err {
	case sql.ErrNoRows:
		return nil
	case nil:
		return fmt.Errorf("load %s: %s %d: %s", table, level, code, text)
	default:
		return fmt.Errorf("load %s: read warnings: %w", table, err)
	}
}

// LoadRows loads rows number first to last-1 in statements of at most perStatement rows; write appends one row.
func LoadRows(ctx context.Context, conn *sql.Conn, table string, columns []string, first, last, perStatement int,
	write func(*TSV, int),
) error {
	for ; first < last; first += perStatement {
		end := min(first+perStatement, last)
		rows := &generator{next: first, last: end, write: write}
		loaded, err := Load(ctx, conn, table, columns, rows)
		if err != nil {
			return err
		}
		if loaded != int64(end-first) {
			return fmt.Errorf("load %s: %d rows arrived of %d", table, loaded, end-first)
		}
	}
	return nil
}

// generator is a reader of rows that are made as they are read.
type generator struct {
	tsv   TSV
	rest  []byte
	next  int
	last  int
	write func(*TSV, int)
}

func (g *generator) Read(p []byte) (int, error) {
	if len(g.rest) == 0 {
		if g.next >= g.last {
			return 0, io.EOF
		}
		g.tsv.Reset()
		for len(g.tsv.buf) < 64<<10 && g.next < g.last {
			g.write(&g.tsv, g.next)
			g.tsv.End()
			g.next++
		}
		g.rest = g.tsv.buf
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}
