// Package silence tells a server that works on a statement from one that is frozen or cut off.
//
// A statement may take hours, and a server that works on it sends nothing meanwhile. A server that is frozen, or behind
// a network that swallows packets, sends nothing either, for ever. A read deadline cannot tell them apart. So after a
// long silence the server is probed on a new connection. If it does not answer there either, the wait ends with
// db.ErrConnection. TCP keepalive is no substitute: the kernel of a machine answers for a frozen process.
//
// The package knows bytes and deadlines, and no protocol: how a server is probed is up to its engine.
package silence

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"wherry/pkg/db"
)

// Prober probes a server, once for all connections that wait for it.
type Prober struct {
	patience time.Duration // of silence before a probe, and for its answer
	ask      func(ctx context.Context) error

	turn    chan struct{} // holds a token while somebody asks
	at      time.Time     // of the last probe; guarded by turn
	outcome error         // of the last probe; guarded by turn
}

// NewProber returns a prober of a server that ask connects to. patience is how long a server may be silent before it is
// probed, and how long the answer may take.
func NewProber(patience time.Duration, ask func(ctx context.Context) error) *Prober {
	return &Prober{patience: patience, ask: ask, turn: make(chan struct{}, 1)}
}

// probe returns nil when the server lives. A probe of less than patience ago counts: a hundred workers that wait for
// one frozen server make one login, not a hundred.
func (p *Prober) probe() error {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	if time.Since(p.at) < p.patience {
		return p.outcome
	}
	// Of no caller's context: the answer is for all that wait, and patience bounds it.
	ctx, cancel := context.WithTimeout(context.Background(), p.patience)
	defer cancel()
	if p.outcome = p.ask(ctx); p.outcome != nil {
		p.outcome = fmt.Errorf("%w: the server has said nothing for %s and answers no new connection: %w",
			db.ErrConnection, p.patience, p.outcome)
	}
	p.at = time.Now()
	return p.outcome
}

// watchedConn is a connection on which nobody waits for a dead server. It reads and writes in attempts that end after
// the prober's patience; after each the server is probed, and if it lives the next attempt begins.
type watchedConn struct {
	net.Conn
	prober      *Prober
	interrupted chan struct{} // holds a token since a deadline was set or the connection closed: probe ends at once

	mu          sync.Mutex
	read, write time.Time // the deadlines that the user of the connection has set
}

// Watch returns the connection with its silences probed; without a prober it is returned as it is.
func Watch(nc net.Conn, p *Prober) net.Conn {
	if p == nil {
		return nc
	}
	return &watchedConn{Conn: nc, prober: p, interrupted: make(chan struct{}, 1)}
}

// Read reads, and goes on waiting while the server lives.
func (c *watchedConn) Read(b []byte) (int, error) {
	for {
		if err := c.arm(&c.read, c.Conn.SetReadDeadline); err != nil {
			return 0, err
		}
		// Bytes that arrive together with the deadline count: they must not be lost.
		n, err := c.Conn.Read(b)
		if n > 0 || !c.silent(err, &c.read) {
			return n, err
		}
		if err := c.probe(); err != nil {
			return 0, err
		}
	}
}

// Write writes all of b, and goes on waiting for room while the server lives.
func (c *watchedConn) Write(b []byte) (written int, err error) {
	for {
		if err := c.arm(&c.write, c.Conn.SetWriteDeadline); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(b[written:])
		if written += n; err == nil || !c.silent(err, &c.write) {
			return written, err
		}
		if n > 0 {
			continue // it takes something
		}
		if err := c.probe(); err != nil {
			return written, err
		}
	}
}

// arm sets the deadline of one attempt: the end of patience, or the user's if that is earlier.
func (c *watchedConn) arm(user *time.Time, set func(time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.interrupted: // what is older is in the deadlines
	default:
	}
	at := time.Now().Add(c.prober.patience)
	if !user.IsZero() && user.Before(at) {
		at = *user
	}
	return set(at)
}

// silent tells whether it was patience that ended, and not the user's deadline.
func (c *watchedConn) silent(err error, user *time.Time) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return user.IsZero() || time.Now().Before(*user)
}

// probe returns nil when the server lives, or when a deadline or Close came meanwhile: then the caller tries once
// more and finds that instead. Without this, a cancelled context would wait for the probe's own timeout.
func (c *watchedConn) probe() error {
	answer := make(chan error, 1)
	go func() { answer <- c.prober.probe() }()
	select {
	case err := <-answer:
		return err
	case <-c.interrupted:
		return nil
	}
}

// SetDeadline implements net.Conn.
func (c *watchedConn) SetDeadline(t time.Time) error {
	return c.set(t, c.Conn.SetDeadline, &c.read, &c.write)
}

// SetReadDeadline implements net.Conn.
func (c *watchedConn) SetReadDeadline(t time.Time) error {
	return c.set(t, c.Conn.SetReadDeadline, &c.read)
}

// SetWriteDeadline implements net.Conn.
func (c *watchedConn) SetWriteDeadline(t time.Time) error {
	return c.set(t, c.Conn.SetWriteDeadline, &c.write)
}

func (c *watchedConn) set(t time.Time, apply func(time.Time) error, deadlines ...*time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range deadlines {
		*d = t
	}
	c.interrupt()
	return apply(t)
}

// Close implements net.Conn.
func (c *watchedConn) Close() error {
	c.interrupt()
	return c.Conn.Close()
}

func (c *watchedConn) interrupt() {
	select {
	case c.interrupted <- struct{}{}:
	default:
	}
}

// SyscallConn lets the driver look whether the server has closed an idle connection. A deadline that has passed since
// it was used would say so too.
func (c *watchedConn) SyscallConn() (syscall.RawConn, error) {
	raw, ok := c.Conn.(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.Conn.SetReadDeadline(c.read); err != nil {
		return nil, err
	}
	return raw.SyscallConn()
}
