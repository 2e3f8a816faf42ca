package lab

import (
	"io"
	"net"
	"sync"
	"time"
)

// Address is a TCP address that leads to one server now, and to another later.
type Address struct {
	listener net.Listener
	mu       sync.Mutex
	to       string
	open     map[net.Conn]bool
}

// NewAddress listens on a free port and leads to a server.
func NewAddress(to Server) (*Address, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &Address{listener: listener, to: to.Address(), open: map[net.Conn]bool{}}
	go a.serve()
	return a, nil
}

// Close ends it and all connections.
func (a *Address) Close() error {
	err := a.listener.Close()
	a.Lead("")
	return err
}

// Lead makes the address lead elsewhere, as host:port; connections that are open end.
func (a *Address) Lead(to string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.to = to
	for c := range a.open {
		_ = c.Close()
	}
	clear(a.open)
}

// Server is the address as a server for a configuration.
func (a *Address) Server() Server {
	at := a.listener.Addr().(*net.TCPAddr)
	return Server{Host: at.IP.String(), Port: at.Port}
}

func (a *Address) serve() {
	for {
		client, err := a.listener.Accept()
		if err != nil {
			return
		}
		go a.connect(client)
	}
}

func (a *Address) connect(client net.Conn) {
	a.mu.Lock()
	server, err := net.DialTimeout("tcp", a.to, time.Second)
	if err != nil {
		a.mu.Unlock()
		_ = client.Close()
		return
	}
	a.open[client], a.open[server] = true, true
	a.mu.Unlock()
	pipe := func(from, to net.Conn) {
		_, _ = io.Copy(to, from)
		_, _ = from.Close(), to.Close()
	}
	go pipe(server, client)
	pipe(client, server)
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, client)
	delete(a.open, server)
}
