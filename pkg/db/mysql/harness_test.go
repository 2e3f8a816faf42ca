package mysql

import (
	"os"
	"time"

	"wherry/pkg/db/mysql/wire/wiretest"
)

// configOf is how an engine reaches a server.
func configOf(s *wiretest.Server) Config {
	return Config{
		Host: s.Host, Port: s.Port, User: s.User, Password: s.Password, ConnectTimeout: 5 * time.Second,
		ServerID: testServerID(),
	}
}

// testServerID is as whom tests read a log.
func testServerID() uint32 { return uint32(900000 + os.Getpid()%50000) } //nolint:gosec // small
