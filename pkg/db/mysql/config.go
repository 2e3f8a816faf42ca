package mysql

import (
	"cmp"
	"crypto/tls"
	"net"
	"strconv"
	"time"

	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
)

// Config says how to reach a server and how to write to it.
type Config struct {
	Host           string
	Port           int
	Socket         string // used instead of host and port when given
	User           string
	Password       string
	TLS            *tls.Config // nil: no TLS
	TLSFallback    bool        // go on without TLS when the server has none
	ConnectTimeout time.Duration

	ServerID       uint32 // as which wherry reads the binary log; 0 picks one
	Move           string // name of the move, for bookkeeping and lock
	LoadMethod     string // "auto", "load_data" or "insert"
	BinlogOnTarget bool   // write loaded chunks to the target's own binary log

	// Follows tells which names belong to the move, whether there is such a table or not. A source reports schema
	// changes of them, so that a table that is created later is not missed.
	Follows func(schema.Name) bool

	SpoolDir string // where a source's log is kept, if it is; see Source.Spool
}

// Address returns host:port or the socket's path.
func (c *Config) Address() string {
	if c.Socket != "" {
		return c.Socket
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
}

func (c *Config) network() string {
	if c.Socket != "" {
		return "unix"
	}
	return "tcp"
}

// dialer returns what connects to the server, see wire.NewDialer. 10 seconds are for connecting, and for the silence
// after which a server is probed.
func (c *Config) dialer() *wire.Dialer {
	timeout := cmp.Or(c.ConnectTimeout, 10*time.Second)
	return wire.NewDialer(wire.Dialer{
		Network: c.network(), Address: c.Address(), User: c.User, Password: c.Password,
		TLS: c.TLS, TLSFallback: c.TLSFallback, Timeout: timeout,
	})
}
