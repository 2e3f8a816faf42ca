package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	protocol "github.com/go-mysql-org/go-mysql/mysql"
	driver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
)

// TestTimeoutIsConnection tells a network that does not answer, which is tried again, from a context that ended.
func TestTimeoutIsConnection(t *testing.T) {
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err := (&net.Dialer{}).DialContext(late, "tcp", "127.0.0.1:1")
	require.ErrorIs(t, err, context.DeadlineExceeded, "what makes them look alike")
	require.ErrorIs(t, Classify(err), db.ErrConnection)
	assert.NotErrorIs(t, Classify(late.Err()), db.ErrConnection)
}

// TestKinds goes through what both servers, the network, TLS and the driver can answer, and what a phase makes of it.
func TestKinds(t *testing.T) {
	server := func(number uint16, text ...string) error {
		return &driver.MySQLError{Number: number, Message: strings.Join(text, " ")}
	}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, c := range []struct {
		title string
		err   error
		kind  error // nil: none
	}{
		{"too many connections", server(1040), db.ErrConnection},
		{"out of memory", server(1041), db.ErrConnection},
		{"shutdown", server(1053), db.ErrConnection},
		{"no thread", server(1135), db.ErrConnection},
		{"max_user_connections", server(1203), db.ErrConnection},
		{"a limit per hour", server(1226), db.ErrConnection},
		{"killed query", server(1317), db.ErrConnection},
		{"killed on MariaDB", server(1927), db.ErrConnection},
		{"offline mode", server(3032), db.ErrConnection},
		{"inactive", server(4031), db.ErrConnection},
		{"lock wait", server(1205), db.ErrRetry},
		{"lock table full", server(1206), db.ErrRetry},
		{"deadlock", server(1213), db.ErrRetry},
		{"definition changed", server(1412), db.ErrRetry},
		{"undo slots", server(1637), db.ErrRetry},
		{"rolled back by a plugin", server(3101), db.ErrRetry},
		{"database denied", server(1044), db.ErrAccess},
		{"login denied", server(1045), db.ErrAccess},
		{"host blocked", server(1129), db.ErrAccess},
		{"host not allowed", server(1130), db.ErrAccess},
		{"table denied", server(1142), db.ErrAccess},
		{"column denied", server(1143), db.ErrAccess},
		{"privilege missing", server(1227), db.ErrAccess},
		{"routine denied", server(1370), db.ErrAccess},
		{"SUPER for a trigger", server(1419), db.ErrAccess},
		{"login without a password", server(1698), db.ErrAccess},
		{"password expired", server(1820), db.ErrAccess},
		{"password expired at the login", server(1862), db.ErrAccess},
		{"account locked", server(3118), db.ErrAccess},
		{"account locked on MariaDB", server(4151), db.ErrAccess},
		{"unknown database", server(1049), db.ErrSetup},
		{"old client", server(1251), db.ErrSetup},
		{"read_only", server(1290), db.ErrSetup},
		{"plugin not loaded", server(1524), db.ErrSetup},
		{"read-only mode", server(1836), db.ErrSetup},
		{"TLS required", server(3159), db.ErrSetup},
		{"binlog cache too small", server(1197), db.ErrSetup},
		{"disk full", server(1021), db.ErrSpace},
		{"table full", server(1114), db.ErrSpace},
		{"write error", server(3, `Error writing file '/tmp/x' (OS errno 28 - No space left on device)`), db.ErrSpace},
		{
			"storage engine without room",
			server(1030, `Got error 28 "No space left on device" from storage engine InnoDB`), db.ErrSpace,
		},
		{"file without room", server(1026, "Error writing file './a/b.MYD' (Errcode: 28)"), db.ErrSpace},
		{"quota", server(1030, `Got error 122 "Disk quota exceeded" from storage engine InnoDB`), db.ErrSpace},
		{
			"storage engine, another reason",
			server(1030, `Got error 168 "Unknown (generic) error from engine" from storage engine`), nil,
		},
		{"duplicate key", server(1062), nil},
		{"no such table", server(1146), nil},
		{"syntax", server(1064), nil},
		{"packet too large", server(1153), db.ErrUnsupported},
		{"log gone", server(1236), db.ErrPositionGone},
		{"the log's own connection", &protocol.MyError{Code: 1045}, db.ErrAccess},
		{"refused connection", dial(syscall.ECONNREFUSED), db.ErrConnection},
		{"no such host", dial(&net.DNSError{Err: "no such host", IsNotFound: true}), db.ErrConnection},
		{"resolver away", dial(&net.DNSError{Err: "server misbehaving", IsTemporary: true}), db.ErrConnection},
		{"reset connection", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, db.ErrConnection},
		{"end of the connection", io.ErrUnexpectedEOF, db.ErrConnection},
		{"driver's bad connection", driver.ErrInvalidConn, db.ErrConnection},
		{"no TLS on the server", driver.ErrNoTLS, db.ErrSetup},
		{
			"no TLS on the server, for the log",
			errors.New("the MySQL Server does not support TLS required by the client"), db.ErrSetup,
		},
		{"not TLS", tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, db.ErrSetup},
		{"unknown authority", x509.UnknownAuthorityError{}, db.ErrSetup},
		{
			"another name in the certificate",
			&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}}}, db.ErrSetup,
		},
		{"our certificate is refused", &net.OpError{Op: "remote error", Err: tls.AlertError(42)}, db.ErrSetup},
		{
			"an alert when a connection breaks", &net.OpError{Op: "remote error", Err: tls.AlertError(80)},
			db.ErrConnection,
		},
		{"plain password wanted", driver.ErrCleartextPassword, db.ErrSetup},
		{"unknown plugin", driver.ErrUnknownPlugin, db.ErrSetup},
		{"an ended context", context.Canceled, nil},
	} {
		t.Run(c.title, func(t *testing.T) {
			wrapped := Classify(fmt.Errorf("read x: %w", c.err))
			for _, kind := range []error{
				db.ErrConnection, db.ErrRetry, db.ErrAccess, db.ErrSetup, db.ErrSpace, db.ErrUnsupported,
				db.ErrPositionGone,
			} {
				same := kind == c.kind //nolint:errorlint // identity is meant
				assert.Equal(t, same, errors.Is(wrapped, kind), "%v: %v", kind, wrapped)
			}
			assert.Equal(t, wrapped.Error(), Classify(wrapped).Error(), "classified once")
			require.ErrorIs(t, wrapped, c.err)
		})
	}
	for number, kind := range kinds {
		assert.ErrorIs(t, Classify(server(number)), kind, number)
	}
}

// TestLost: a connection that was there is called lost.
func TestLost(t *testing.T) {
	assert.ErrorContains(t, Classify(io.ErrUnexpectedEOF), "connection lost")
}
