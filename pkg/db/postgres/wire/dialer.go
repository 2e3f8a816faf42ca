package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"wherry/pkg/db"
	"wherry/pkg/db/silence"
)

// Dialer makes the connections to one database.
type Dialer struct {
	Host        string // or the folder of the socket
	Port        int
	User        string
	Password    string
	Database    string
	TLS         *tls.Config   // nil: no TLS
	TLSFallback bool          // go on without TLS when the server has none
	Timeout     time.Duration // of connecting, and of silence before the server is asked whether it lives

	prober   *silence.Prober
	expected string // who answers; empty until Expect
}

// NewDialer returns a dialer whose connections notice a dead server. It takes any server, until Expect.
func NewDialer(d Dialer) *Dialer {
	plain := d
	d.prober = silence.NewProber(d.Timeout, plain.alive)
	return &d
}

// Expect makes Dial refuse servers other than the one that has the tag, see Tag.
func (d *Dialer) Expect(tag string) { d.expected = tag }

// Address returns host:port, or the socket's path.
func (d *Dialer) Address() string {
	if strings.HasPrefix(d.Host, "/") {
		return d.Host + "/.s.PGSQL." + strconv.Itoa(d.Port)
	}
	return net.JoinHostPort(d.Host, strconv.Itoa(d.Port))
}

// config leaves nothing to the environment, where libpq's own variables may say something else.
func (d *Dialer) config() (*pgconn.Config, error) {
	c, err := pgconn.ParseConfig("host=localhost port=5432 user=wherry dbname=wherry sslmode=disable")
	if err != nil {
		return nil, err
	}
	c.Host, c.Port = d.Host, uint16(d.Port) //nolint:gosec // a port
	c.User, c.Password, c.Database = d.User, d.Password, d.Database
	c.TLSConfig, c.Fallbacks, c.ConnectTimeout = d.TLS, nil, d.Timeout
	if d.TLS != nil && d.TLSFallback {
		c.Fallbacks = []*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port}}
	}
	c.RuntimeParams = settings
	c.ValidateConnect, c.OnNotice = nil, nil
	dialer := &net.Dialer{KeepAlive: 15 * time.Second}
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return silence.Watch(nc, d.prober), nil
	}
	return c, nil
}

// alive asks with a whole login. A refusal is an answer.
func (d *Dialer) alive(ctx context.Context) error {
	c, err := d.login(ctx)
	if err != nil {
		if Code(err) != "" {
			return nil
		}
		return err
	}
	return c.Close()
}

func (d *Dialer) login(ctx context.Context) (*Conn, error) {
	config, err := d.config()
	if err != nil {
		return nil, err
	}
	pg, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if strings.Contains(err.Error(), "unsupported startup parameter") { // pgbouncer's
			err = pooler(err.Error())
		}
		return nil, fmt.Errorf("connect to %s: %w", d.Address(), Classify(err))
	}
	return &Conn{pg: pg, prepared: map[string]string{}}, nil
}

// Dial connects to the server that is expected and prepares the session.
func (d *Dialer) Dial(ctx context.Context) (*Conn, error) {
	c, err := d.login(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare session on %s: %w", d.Address(), err), c.Close())
	}
	if d.expected != "" {
		switch tag, err := c.Tag(ctx); {
		case err != nil:
			return nil, errors.Join(fmt.Errorf("identify %s: %w", d.Address(), err), c.Close())
		case tag != d.expected:
			return nil, errors.Join(fmt.Errorf("connect to %s: %w: %s, where %s was", d.Address(), db.ErrOtherServer,
				tag, d.expected), c.Close())
		}
	}
	return c, nil
}
