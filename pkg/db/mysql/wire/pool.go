package wire

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// OpenPool returns a pool of connections for metadata and statements that are not rows. Each of them is prepared as
// Dial prepares one of the role Asking.
func (d *Dialer) OpenPool() (*sql.DB, error) {
	dc := driver.NewConfig()
	dc.Net, dc.Addr, dc.User, dc.Passwd = d.Network, d.Address, d.User, d.Password
	dc.TLS, dc.AllowFallbackToPlaintext = d.TLS, d.TLSFallback
	dc.Timeout = d.Timeout
	dc.DialFunc = d.open
	// A prepared statement would cost two more round trips, and count against max_prepared_stmt_count.
	dc.InterpolateParams = true
	dc.Collation = "utf8mb4_general_ci" // known to both flavors of any version
	dc.Logger = &driver.NopLogger{}
	connector, err := driver.NewConnector(dc)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", d.Address, err)
	}
	pool := sql.OpenDB(&patient{connector, d})
	// Idle connections are few and end after a minute: they count against the server's max_connections, which the
	// application needs too.
	pool.SetMaxIdleConns(4)
	pool.SetConnMaxIdleTime(time.Minute)
	return pool, nil
}

// patient bounds the whole of connecting. The driver's own timeout ends with the dialing: a server that takes
// connections and says nothing, because it is frozen or is no database, would be waited for without end.
type patient struct {
	sqldriver.Connector
	dialer *Dialer
}

func (p *patient) Connect(ctx context.Context) (sqldriver.Conn, error) {
	bounded, cancel := context.WithTimeout(ctx, p.dialer.Timeout)
	defer cancel()
	conn, err := p.Connector.Connect(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("no answer within %s: %w", p.dialer.Timeout, errNotConnected)
	}
	if err != nil {
		return nil, err
	}
	if err := p.dialer.prepare(bounded, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// prepare does what Dial does. The first connection of a pool tells who is expected, and what sessions are to be set
// to.
func (d *Dialer) prepare(ctx context.Context, conn sqldriver.Conn) error {
	statement := d.sessions[Asking]
	if d.expected == "" {
		statement = firstSession
	}
	if _, err := conn.(sqldriver.ExecerContext).ExecContext(ctx, statement, nil); err != nil {
		return fmt.Errorf("prepare session on %s: %w", d.Address, Classify(err))
	}
	if d.expected == "" {
		return nil
	}
	rows, err := conn.(sqldriver.QueryerContext).QueryContext(ctx, IdentityQuery(d.mariadb), nil)
	if err != nil {
		return fmt.Errorf("identify %s: %w", d.Address, Classify(err))
	}
	defer func() { _ = rows.Close() }()
	row := make([]sqldriver.Value, 1)
	if err := rows.Next(row); err != nil && err != io.EOF { //nolint:errorlint // the driver's contract is io.EOF itself
		return fmt.Errorf("identify %s: %w", d.Address, Classify(err))
	}
	tag, _ := row[0].([]byte)
	return d.matches(tag)
}
