package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"wherry/pkg/db"
)

// Conn is one session. It is used by one goroutine.
type Conn struct {
	PID uint32 // of the server's process
	// Broken tells that it must not be used again: a statement was given up, or the connection is lost.
	Broken bool

	pg       *pgconn.PgConn
	prepared map[string]string // statements by their text
	used     time.Time         // when it was given back to the pool
}

// Param is a value of a statement: in the binary form of its type, or nil for NULL.
type Param struct {
	OID   uint32
	Value []byte
}

// Text is a parameter of characters.
func Text(s string) Param { return Param{25, []byte(s)} }

// Bytes is a parameter of bytes; nil is NULL.
func Bytes(b []byte) Param { return Param{17, b} }

// Number is a parameter that is an integer of 8 bytes.
func Number(n int64) Param {
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(n >> (56 - 8*i))
	}
	return Param{20, b}
}

// failed gives an error its kind. A connection that has failed is not used again; after an error of the server it is.
func (c *Conn) failed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if c.pg.IsClosed() {
		c.Broken = true
	}
	if ctx.Err() != nil {
		c.Broken = true
		return context.Cause(ctx)
	}
	if c.Broken && Code(err) == "" {
		return fmt.Errorf("%w: %w", db.ErrConnection, err)
	}
	return Classify(err)
}

// Exec runs statements without parameters, separated by semicolons, and drops what they return. Without BEGIN they are
// one transaction.
func (c *Conn) Exec(ctx context.Context, statements string) error {
	_, err := c.pg.Exec(ctx, statements).ReadAll()
	return c.failed(ctx, err)
}

// Commit ends the transaction, and sees to it that it was not rolled back: PostgreSQL answers COMMIT without an error
// when a statement had failed before.
func (c *Conn) Commit(ctx context.Context) error {
	results, err := c.pg.Exec(ctx, "COMMIT").ReadAll()
	if err == nil && (len(results) != 1 || results[0].CommandTag.String() != "COMMIT") {
		err = fmt.Errorf("commit: %w: a statement had failed before", db.ErrRetry)
	}
	return c.failed(ctx, err)
}

// Rollback ends the transaction, if one is open.
func (c *Conn) Rollback(ctx context.Context) error {
	if c.Broken || c.pg.IsClosed() || c.pg.TxStatus() == 'I' {
		return nil
	}
	return c.Exec(ctx, "ROLLBACK")
}

// Run runs one statement with parameters and returns how many rows it touched. It is prepared, for the next time.
func (c *Conn) Run(ctx context.Context, statement string, params ...Param) (int64, error) {
	name, err := c.statement(ctx, statement, params)
	if err != nil {
		return 0, err
	}
	values, formats := split(params)
	tag, err := c.pg.ExecPrepared(ctx, name, values, formats, binary).Close()
	return tag.RowsAffected(), c.failed(ctx, err)
}

var binary = []int16{pgBinary}

const (
	pgBinary    = 1
	maxPrepared = 500 // statements of one session: several for each of the tables of a batch
)

// statement returns the name of a prepared statement.
func (c *Conn) statement(ctx context.Context, text string, params []Param) (string, error) {
	if name, ok := c.prepared[text]; ok {
		return name, nil
	}
	if len(c.prepared) >= maxPrepared {
		if err := c.Forget(ctx); err != nil {
			return "", err
		}
	}
	oids := make([]uint32, len(params))
	for i, p := range params {
		oids[i] = p.OID
	}
	name := "w" + strconv.Itoa(len(c.prepared))
	if _, err := c.pg.Prepare(ctx, name, text, oids); err != nil {
		return "", c.failed(ctx, err)
	}
	c.prepared[text] = name
	return name, nil
}

// Forget drops what was prepared: after a table was altered.
func (c *Conn) Forget(ctx context.Context) error {
	if len(c.prepared) == 0 {
		return nil
	}
	clear(c.prepared)
	return c.Exec(ctx, "DEALLOCATE ALL")
}

func split(params []Param) (values [][]byte, formats []int16) {
	values, formats = make([][]byte, len(params)), binary
	for i, p := range params {
		values[i] = p.Value
	}
	if len(params) == 0 {
		formats = nil
	}
	return values, formats
}

// Query runs one statement whose rows come in the binary form. Until they are closed the connection does nothing else.
func (c *Conn) Query(ctx context.Context, statement string, params ...Param) *Rows {
	values, formats := split(params)
	oids := make([]uint32, len(params))
	for i, p := range params {
		oids[i] = p.OID
	}
	return &Rows{c: c, ctx: ctx, row: db.Row{}, result: c.pg.ExecParams(ctx, statement, values, oids, formats, binary)}
}

// All returns all rows of a query that has few.
func (c *Conn) All(ctx context.Context, statement string, params ...Param) (rows []db.Row, err error) {
	return db.ReadAll(c.Query(ctx, statement, params...))
}

// One returns the first row, or nil.
func (c *Conn) One(ctx context.Context, statement string, params ...Param) (db.Row, error) {
	rows, err := c.All(ctx, statement, params...)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// Rows are fields as the server sent them.
type Rows struct {
	c      *Conn
	ctx    context.Context //nolint:containedctx // of the query, which its rows belong to
	result *pgconn.ResultReader
	row    db.Row
	ended  bool
}

// Next returns the next row, or io.EOF.
func (r *Rows) Next() (db.Row, error) {
	if r.ended {
		return nil, io.EOF
	}
	if r.result.NextRow() {
		r.row = append(r.row[:0], r.result.Values()...)
		return r.row, nil
	}
	r.ended = true
	if _, err := r.result.Close(); err != nil {
		return nil, r.c.failed(r.ctx, err)
	}
	return nil, io.EOF
}

// Close ends the query. One that was not read to its end takes the connection with it: what is still to come may be
// much.
func (r *Rows) Close() error {
	if !r.ended {
		r.ended = true
		r.c.Broken = true
		return r.c.Close()
	}
	return nil
}

// Copy sends a stream in COPY's form and returns how many rows the server took.
func (c *Conn) Copy(ctx context.Context, statement string, from io.Reader) (int64, error) {
	guarded := &stoppable{from: from}
	tag, err := c.pg.CopyFrom(ctx, guarded, statement)
	guarded.stop() // after an error of the connection the reading may still go on
	return tag.RowsAffected(), c.failed(ctx, err)
}

// stoppable is a reader that ends when it is told to.
type stoppable struct {
	mu   sync.Mutex
	from io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.from == nil {
		return 0, errors.New("stopped")
	}
	return s.from.Read(p)
}

func (s *stoppable) stop() {
	s.mu.Lock()
	s.from = nil
	s.mu.Unlock()
}

// closePatience bounds the farewell.
const closePatience = 5 * time.Second

// Close ends the session. It may be called twice.
func (c *Conn) Close() error {
	if c.pg.IsClosed() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	_ = c.pg.Close(ctx) // the server may be gone, which is what we wanted of it
	return nil
}
