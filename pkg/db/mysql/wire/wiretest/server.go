// Package wiretest gives tests the servers of WHERRY_TEST_SERVERS (scripts/servers.sh env prints it), and sessions
// there that know nothing of a move. For example, Each(t, func(t, s) { s.Connect(t).Exec("CREATE DATABASE d") }) runs
// once on MySQL and once on MariaDB. Its invariant: a session of a test is closed when the test ends.
package wiretest

import (
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wherry/pkg/db/mysql/wire"
)

// Server is a real server that tests run on.
type Server struct {
	Name     string // such as mysql-1
	MariaDB  bool
	Host     string
	Port     int
	User     string
	Password string
	Tag      string       // by which it is known; empty until Each runs on it
	Dialer   *wire.Dialer // prepares no sessions and takes any server
}

// Servers returns all of them.
func Servers(t *testing.T) (all []*Server) {
	t.Helper()
	for _, entry := range strings.Fields(os.Getenv("WHERRY_TEST_SERVERS")) {
		name, address, _ := strings.Cut(entry, "=")
		u, err := url.Parse(address)
		require.NoError(t, err)
		if u.Scheme != "mysql" && u.Scheme != "mariadb" {
			continue
		}
		host, portText, err := net.SplitHostPort(u.Host)
		require.NoError(t, err)
		port, err := strconv.Atoi(portText)
		require.NoError(t, err)
		password, _ := u.User.Password()
		dialer := wire.NewDialer(wire.Dialer{
			Network: "tcp", Address: u.Host, User: u.User.Username(), Password: password, Timeout: 5 * time.Second,
		})
		all = append(all, &Server{
			Name: name, MariaDB: u.Scheme == "mariadb", Host: host, Port: port, User: u.User.Username(),
			Password: password,
			Dialer:   dialer,
		})
	}
	return all
}

// Each runs a test on one server of each flavor.
func Each(t *testing.T, run func(t *testing.T, s *Server)) {
	t.Helper()
	seen := map[bool]bool{}
	for _, s := range Servers(t) {
		if seen[s.MariaDB] {
			continue
		}
		seen[s.MariaDB] = true
		s.Tag = string(s.Connect(t).Rows(wire.IdentityQuery(s.MariaDB))[0][0])
		t.Run(s.Name, func(t *testing.T) { run(t, s) })
	}
	if len(seen) == 0 {
		if os.Getenv("WHERRY_REQUIRE_SERVERS") == "1" {
			t.Fatal("WHERRY_TEST_SERVERS names no MySQL or MariaDB server")
		}
		t.Skip("SKIPPED: WHERRY_TEST_SERVERS is empty, nothing was tested against a real server")
	}
}
