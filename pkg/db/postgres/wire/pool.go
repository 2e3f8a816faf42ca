package wire

import (
	"context"
	"errors"
	"sync"
	"time"
)

// maxIdle bounds the connections kept for the next statement: one per worker of the largest configuration.
const maxIdle = 64

// trusted is how long a connection that nobody used is taken to be still there, unasked.
const trusted = time.Second

// Pool keeps connections that nobody uses at the moment. It is safe for concurrent use.
type Pool struct {
	dialer *Dialer
	mu     sync.Mutex
	idle   []*Conn
	closed bool
}

// NewPool returns a pool without connections.
func NewPool(d *Dialer) *Pool { return &Pool{dialer: d} }

// Get returns a connection.
func (p *Pool) Get(ctx context.Context) (*Conn, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if time.Since(c.used) < trusted || c.pg.Ping(ctx) == nil {
			return c, nil
		}
		if ctx.Err() != nil {
			return nil, errors.Join(context.Cause(ctx), c.Close())
		}
		if err := c.Close(); err != nil {
			return nil, err
		}
		return p.Get(ctx)
	}
	p.mu.Unlock()
	return p.dialer.Dial(ctx)
}

// Put gives a connection back. One that is broken, or has a transaction open, is closed.
func (p *Pool) Put(c *Conn) {
	c.used = time.Now()
	p.mu.Lock()
	keep := !c.Broken && !p.closed && len(p.idle) < maxIdle && !c.pg.IsClosed() && c.pg.TxStatus() == 'I'
	if keep {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		_ = c.Close()
	}
}

// Do calls f with a connection of the pool.
func (p *Pool) Do(ctx context.Context, f func(c *Conn) error) error {
	c, err := p.Get(ctx)
	if err != nil {
		return err
	}
	defer p.Put(c)
	return f(c)
}

// InTx calls f in a transaction.
func (p *Pool) InTx(ctx context.Context, f func(c *Conn) error) error {
	return p.Do(ctx, func(c *Conn) error { return c.InTx(ctx, f) })
}

// Close closes the idle connections, and those that come back later. It may be called twice.
func (p *Pool) Close() error {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	var errs []error
	for _, c := range idle {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// InTx calls f in a transaction, and rolls back when it returns an error.
func (c *Conn) InTx(ctx context.Context, f func(c *Conn) error) error {
	if err := c.Exec(ctx, "BEGIN"); err != nil {
		return err
	}
	if err := f(c); err != nil {
		return errors.Join(err, c.Rollback(context.WithoutCancel(ctx)))
	}
	return c.Commit(ctx)
}
