package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/silence"
)

// An address may lead to another server after a failover: a virtual address, a name that is resolved anew, a proxy.
// So every connection is asked which server answers, and one that leads elsewhere is not used: what was read from the
// first server and what is read from this one need not fit together. Who wants to go on with it connects anew and
// asks Continues.

// Dialer makes the connections to one server.
type Dialer struct {
	Network     string // tcp or unix
	Address     string // host:port, or the socket's path
	User        string
	Password    string
	TLS         *tls.Config   // nil: no TLS
	TLSFallback bool          // go on without TLS when the server has none
	Timeout     time.Duration // of connecting, and of silence before the server is asked whether it lives

	prober   *silence.Prober   // shared by all connections; nil: silence is waited out
	sessions [roleCount]string // statements that prepare a session; empty until PrepareSessions
	expected string            // who answers; empty until Expect
	mariadb  bool
}

// NewDialer returns a dialer whose connections notice a dead server. It prepares no sessions and takes any server,
// until PrepareSessions and Expect.
func NewDialer(d Dialer) *Dialer {
	// Probes connect without a prober of their own: a dead server would have the probe probed.
	plain := d
	d.prober = silence.NewProber(d.Timeout, plain.alive)
	return &d
}

// Expect makes Dial refuse servers other than the one that has the tag, see IdentityQuery.
func (d *Dialer) Expect(tag string, mariadb bool) { d.expected, d.mariadb = tag, mariadb }

// alive asks with a whole login: a server counts those that are broken off, and locks their host out in the end
// (max_connect_errors).
func (d *Dialer) alive(ctx context.Context) error {
	w, err := d.login(ctx)
	if err != nil {
		// For example error 1040, too many connections, or 1045, a password that was changed since: the server is
		// alive, and the statement that is waited for may well go on.
		if Number(err) != 0 { // a refusal is an answer
			return nil
		}
		return err
	}
	return w.Close()
}

// open opens a connection on which a dead server is noticed.
func (d *Dialer) open(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{KeepAlive: 15 * time.Second}
	nc, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return silence.Watch(nc, d.prober), nil
}

// Dial connects to the server that is expected and prepares the session, before anything is asked: the server's own
// defaults could end even a question of a millisecond (max_execution_time). It returns ErrOtherServer when another
// server answers.
func (d *Dialer) Dial(ctx context.Context, role Role) (*Conn, error) {
	w, err := d.login(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", d.Address, Classify(err))
	}
	if statement := d.sessions[role]; statement != "" {
		if _, err := w.Exec(ctx, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare session on %s: %w", d.Address, Classify(err)), w.Close())
		}
	}
	if err := d.same(ctx, w); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// same makes sure that the connection is to the server that is expected.
func (d *Dialer) same(ctx context.Context, w *Conn) error {
	if d.expected == "" {
		return nil
	}
	rows, err := w.Query(ctx, IdentityQuery(d.mariadb))
	if err != nil {
		return fmt.Errorf("identify %s: %w", d.Address, Classify(err))
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return fmt.Errorf("identify %s: %w", d.Address, Classify(err))
	}
	return d.matches(found[0][0])
}

// matches tells by the server's tag whether it is the one that is expected.
func (d *Dialer) matches(tag []byte) error {
	if string(tag) != d.expected {
		return fmt.Errorf("connect to %s: %w: %s, where %s was", d.Address, db.ErrOtherServer, tag, d.expected)
	}
	return nil
}

// IdentityQuery asks a server who it is: its answer is the server's tag. MariaDB has no server_uuid; host, port and
// number stand in for it.
func IdentityQuery(mariadb bool) string {
	if mariadb {
		return "SELECT CONCAT(@@hostname, ':', @@port, ':', @@server_id)"
	}
	return "SELECT @@server_uuid"
}
