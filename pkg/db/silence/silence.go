// Package silence tells a server that works on a statement from one that is frozen or cut off.
//
// A statement may take hours, and a server that works on it says nothing meanwhile. A server that is frozen, or behind
// a network that swallows packets, says nothing either, for ever. So whoever has waited for long asks on a new
// connection whether the server lives: if it does not answer there either, the waiting is over with db.ErrConnection.
// It knows bytes and deadlines, and no protocol.
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

// Pulse asks a server whether it lives, for all connections to it.
type Pulse struct {
	patience time.Duration // of silence before it is asked, and for its answer
	ask      func(ctx context.Context) error

	turn chan struct{} // holds a token while somebody asks
	at   time.Time     // when it was asked last; guarded by turn
	said error         // what came of it; guarded by turn
}

// NewPulse returns a pulse of a server that ask connects to. patience is how long a server may be silent before it is
// asked, and how long the answer may take.
func NewPulse(patience time.Duration, ask func(ctx context.Context) error) *Pulse {
	return &Pulse{patience: patience, ask: ask, turn: make(chan struct{}, 1)}
}

// beats returns nil when the server lives.
func (p *Pulse) beats() error {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	if time.Since(p.at) < p.patience {
		return p.said
	}
	// Of no caller's context: the answer is for all that wait, and patience bounds it.
	ctx, cancel := context.WithTimeout(context.Background(), p.patience)
	defer cancel()
	if p.said = p.ask(ctx); p.said != nil {
		p.said = fmt.Errorf("%w: the server has said nothing for %s and answers no new connection: %w",
			db.ErrConnection, p.patience, p.said)
	}
	p.at = time.Now()
	return p.said
}

// attended is a connection on which nobody waits for a dead server.
type attended struct {
	net.Conn
	pulse *Pulse
	woken chan struct{} // holds a token when a deadline was set or the connection closed

	mu          sync.Mutex
	read, write time.Time // the deadlines that the user of the connection has set
}

// Attend watches over a connection; without a pulse it is left as it is.
func Attend(nc net.Conn, p *Pulse) net.Conn {
	if p == nil {
		return nc
	}
	return &attended{Conn: nc, pulse: p, woken: make(chan struct{}, 1)}
}

// Read reads, and goes on waiting while the server lives.
func (c *attended) Read(b []byte) (int, error) {
	for {
		if err := c.arm(&c.read, c.Conn.SetReadDeadline); err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(b)
		if n > 0 || !c.silent(err, &c.read) {
			return n, err
		}
		if err := c.look(); err != nil {
			return 0, err
		}
	}
}

// Write writes all of b, and goes on waiting for room while the server lives.
func (c *attended) Write(b []byte) (written int, err error) {
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
		if err := c.look(); err != nil {
			return written, err
		}
	}
}

// arm sets the deadline of one attempt: the end of patience, or the user's if that is earlier.
func (c *attended) arm(user *time.Time, set func(time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.woken: // what is older is in the deadlines
	default:
	}
	at := time.Now().Add(c.pulse.patience)
	if !user.IsZero() && user.Before(at) {
		at = *user
	}
	return set(at)
}

// silent tells whether it was patience that ended, and not the user's deadline.
func (c *attended) silent(err error, user *time.Time) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return user.IsZero() || time.Now().Before(*user)
}

// look asks for the pulse, unless the user of the connection wants something else meanwhile.
func (c *attended) look() error {
	answer := make(chan error, 1)
	go func() { answer <- c.pulse.beats() }()
	select {
	case err := <-answer:
		return err
	case <-c.woken:
		return nil
	}
}

// SetDeadline implements net.Conn.
func (c *attended) SetDeadline(t time.Time) error {
	return c.set(t, c.Conn.SetDeadline, &c.read, &c.write)
}

// SetReadDeadline implements net.Conn.
func (c *attended) SetReadDeadline(t time.Time) error {
	return c.set(t, c.Conn.SetReadDeadline, &c.read)
}

// SetWriteDeadline implements net.Conn.
func (c *attended) SetWriteDeadline(t time.Time) error {
	return c.set(t, c.Conn.SetWriteDeadline, &c.write)
}

func (c *attended) set(t time.Time, apply func(time.Time) error, deadlines ...*time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range deadlines {
		*d = t
	}
	c.wake()
	return apply(t)
}

// Close implements net.Conn.
func (c *attended) Close() error {
	c.wake()
	return c.Conn.Close()
}

func (c *attended) wake() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

// SyscallConn lets the driver look whether the server has closed an idle connection. A deadline that has passed since
// it was used would say so too.
func (c *attended) SyscallConn() (syscall.RawConn, error) {
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
