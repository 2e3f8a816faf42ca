package postgres

import (
	"cmp"
	"crypto/tls"
	"time"

	"wherry/pkg/db/postgres/wire"
	dialect "wherry/pkg/schema/postgres"
)

// Config says how to reach a database and how to write to it.
type Config struct {
	Host           string
	Port           int
	Socket         string // the folder of the socket, used instead of the host when given
	User           string
	Password       string
	Database       string
	TLS            *tls.Config // nil: no TLS
	TLSFallback    bool        // go on without TLS when the server has none
	ConnectTimeout time.Duration

	Move  string // name of the move, for bookkeeping and lock
	Types dialect.Options
}

func (c *Config) dialer() *wire.Dialer {
	return wire.NewDialer(wire.Dialer{
		Host: cmp.Or(c.Socket, c.Host), Port: cmp.Or(c.Port, 5432), User: c.User, Password: c.Password,
		Database: c.Database, TLS: c.TLS, TLSFallback: c.TLSFallback, Timeout: cmp.Or(c.ConnectTimeout, 10*time.Second),
	})
}
