// Package between stands between wherry and a server: it makes the network and what dies at a chosen moment a matter
// of the tests.
//
// It speaks no more of the protocol than it takes to tell commands apart, and changes nothing of what it lets through.
package between

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Proxy leads to a server: it cuts connections, freezes them, delays them, and loses commits or the answers to them.
// Connections through it must not be encrypted.
type Proxy struct {
	listener net.Listener
	backend  string

	mu     sync.Mutex
	thawed *sync.Cond
	links  map[*link]bool
	isDown bool
	frozen bool
	delay  time.Duration // of every command
	trap   *trap
	steps  *Steps // counts commands, and strikes at one of them
}

// trap is a statement to be lost, a commit as a rule.
type trap struct {
	match  func(text string, before []string) bool // before is what the connection has sent last
	answer bool                                    // the statement reaches the server, and only its answer is lost
	down   bool                                    // and the network with it, until Up
	left   int                                     // how many are to be lost
	sprung int
}

// NewProxy listens for connections to a server, which is host:port.
func NewProxy(backend string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: listener, backend: backend, links: map[*link]bool{}}
	p.thawed = sync.NewCond(&p.mu)
	go p.serve()
	return p, nil
}

// Close ends it and all connections.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.Down()
	return err
}

// Address is where it listens, as host:port.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Count has steps count the commands from now on.
func (p *Proxy) Count(steps *Steps) { p.set(func() { p.steps = steps }) }

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.connect(client)
	}
}

func (p *Proxy) connect(client net.Conn) {
	server, err := net.Dial("tcp", p.backend)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{p: p, client: client, server: server}
	p.mu.Lock()
	down := p.isDown
	if !down {
		p.links[l] = true
	}
	p.mu.Unlock()
	if down {
		l.close()
		return
	}
	go l.answers()
	l.commands()
}

// Down cuts every connection and lets no new one through until Up.
func (p *Proxy) Down() {
	p.mu.Lock()
	p.isDown, p.frozen = true, false
	p.thawed.Broadcast()
	links := p.links
	p.links = map[*link]bool{}
	p.mu.Unlock()
	for l := range links {
		l.close()
	}
}

// Up lets connections through again.
func (p *Proxy) Up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isDown = false
}

// Cut is a network that breaks for a moment.
func (p *Proxy) Cut() {
	p.Down()
	p.Up()
}

// Freeze stops everything on its way until Thaw: nobody is told.
func (p *Proxy) Freeze() { p.set(func() { p.frozen = true }) }

// Thaw lets it go on.
func (p *Proxy) Thaw() { p.set(func() { p.frozen = false }) }

// Slow delays every command, so that there is time to do something in the middle of a phase.
func (p *Proxy) Slow(d time.Duration) { p.set(func() { p.delay = d }) }

func (p *Proxy) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.thawed.Broadcast()
}

// LoseAnswers has the server execute the next commits of connections that match, and nobody hears of it.
func (p *Proxy) LoseAnswers(n int, match func(statements []string) bool) {
	p.set(func() { p.trap = &trap{match: commit(match), answer: true, left: n} })
}

// LoseAnswerAndNetwork loses the answer to the next commit of a connection that matches, and lets nothing through
// from then on, until Up.
func (p *Proxy) LoseAnswerAndNetwork(match func(statements []string) bool) {
	p.set(func() { p.trap = &trap{match: commit(match), answer: true, down: true, left: 1} })
}

// LoseStatements loses the answers to statements that match.
func (p *Proxy) LoseStatements(n int, match func(text string) bool) {
	p.set(func() {
		p.trap = &trap{match: func(text string, _ []string) bool { return match(text) }, answer: true, left: n}
	})
}

func commit(match func(statements []string) bool) func(string, []string) bool {
	return func(text string, before []string) bool {
		return strings.EqualFold(strings.TrimSpace(text), "COMMIT") && match(before)
	}
}

// LoseCommits has the next commits of connections that match never reach the server.
func (p *Proxy) LoseCommits(n int, match func(statements []string) bool) {
	p.set(func() { p.trap = &trap{match: commit(match), left: n} })
}

// Sprung is how many statements or answers were lost.
func (p *Proxy) Sprung() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trap == nil {
		return 0
	}
	return p.trap.sprung
}

// Containing matches a connection that has sent a statement with all these texts.
func Containing(texts ...string) func([]string) bool {
	return func(statements []string) bool {
	next:
		for _, s := range statements {
			for _, text := range texts {
				if !strings.Contains(s, text) {
					continue next
				}
			}
			return true
		}
		return false
	}
}

// link is one connection through the proxy.
type link struct {
	p              *Proxy
	client, server net.Conn
	once           sync.Once
	seen           []string // statements, the last ones; used by commands only
	losing         bool     // the next answer; guarded by p.mu
	struck         func()   // called when the next answer has come, which is then dropped; guarded by p.mu
}

func (l *link) close() {
	l.once.Do(func() {
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

func (l *link) end() {
	l.close()
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	delete(l.p.links, l)
}

const (
	comQuery   = 0x03
	keptOfOne  = 300 // bytes of a statement
	statements = 20  // of a connection
)

// commands carries what wherry sends, packet by packet (MySQL protocol: three bytes length, one byte number).
func (l *link) commands() {
	defer l.end()
	for {
		var header [4]byte
		if _, err := io.ReadFull(l.client, header[:]); err != nil {
			return
		}
		size := int(binary.LittleEndian.Uint32(header[:]) & 0xffffff)
		first := make([]byte, min(size, keptOfOne))
		if _, err := io.ReadFull(l.client, first); err != nil {
			return
		}
		command := header[3] == 0 && len(first) > 0
		l.wait(command)
		if command && first[0] == comQuery {
			if lost := l.statement(string(first[1:])); lost {
				return
			}
		}
		before, after := l.step(command, first)
		if before != nil {
			before()
			return
		}
		if _, err := l.server.Write(append(header[:], first...)); err != nil {
			return
		}
		if _, err := io.CopyN(l.server, l.client, int64(size-len(first))); err != nil {
			return
		}
		if after != nil {
			after()
			return
		}
	}
}

// wait waits while everything is frozen, and the delay before a command.
func (l *link) wait(command bool) {
	l.p.mu.Lock()
	for l.p.frozen {
		l.p.thawed.Wait()
	}
	delay := l.p.delay
	l.p.mu.Unlock()
	if command && delay > 0 {
		time.Sleep(delay)
	}
}

// statement notes a statement, and looks whether it is to be lost. It returns true when it must not reach the server.
func (l *link) statement(text string) bool {
	before := l.seen
	l.seen = append(l.seen, text)
	l.seen = l.seen[max(0, len(l.seen)-statements):]
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	trap := l.p.trap
	if trap == nil || trap.left == 0 || !trap.match(text, before) {
		return false
	}
	trap.left--
	trap.sprung++
	l.losing = trap.answer
	return !trap.answer
}

// answers carries what the server sends.
func (l *link) answers() {
	defer l.end()
	buf := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buf)
		if n > 0 {
			l.wait(false)
			l.p.mu.Lock()
			losing, struck := l.losing, l.struck
			down := losing && l.p.trap != nil && l.p.trap.down
			l.p.mu.Unlock()
			if down {
				l.p.Down() // before wherry sees that the answer is lost
				return
			}
			if struck != nil {
				struck()
				return
			}
			if losing {
				return
			}
			if _, err := l.client.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
