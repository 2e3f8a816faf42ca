package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"

	protocol "github.com/go-mysql-org/go-mysql/mysql"
	driver "github.com/go-sql-driver/mysql"

	"wherry/pkg/db"
)

// Server error numbers that wherry acts on by themselves (MySQL server error message reference; MariaDB error codes).
const (
	NoDatabase        = 1049
	TableExists       = 1050
	DuplicateKey      = 1062
	NoSuchThread      = 1094
	NoTable           = 1146
	PacketTooLarge    = 1153
	LockWait          = 1205
	FatalBinlog       = 1236
	TimeZone          = 1298 // unknown
	TruncatedByPacket = 1301 // result of a function was larger than max_allowed_packet
	NoRoutine         = 1305
	BrokenView        = 1356
	NoTrigger         = 1360
	NoEvent           = 1539
	ReadOnlySession   = 1792 // a function that a view calls writes
	StatementTime     = 1969 // MariaDB: max_statement_time exceeded
	ExecutionTime     = 3024 // MySQL: maximum statement execution time exceeded
)

// kinds tells what a phase can do about a server's error, by its number. A number that is not here is of no kind: the
// phase fails with the server's text, and may be run again.
var kinds = map[uint16]error{
	// The transaction is rolled back, or never began: a moment mends it.
	1205: db.ErrRetry, // lock wait
	1206: db.ErrRetry, // no room for more locks
	1213: db.ErrRetry, // deadlock
	1412: db.ErrRetry, // a table that a snapshot is older than
	1637: db.ErrRetry, // too many transactions at once
	3101: db.ErrRetry, // a plugin rolled back, as group replication does
	3572: db.ErrRetry, // NOWAIT

	// The connection has ended.
	1053: db.ErrConnection, // the server shuts down
	1317: db.ErrConnection, // interrupted, as KILL does
	1835: db.ErrConnection, // malformed packet
	1927: db.ErrConnection, // MariaDB: killed
	4031: db.ErrConnection, // MySQL 8: inactive for too long

	// The server takes no connection for now. A limit per hour (1226) passes too.
	1040: errNotConnected, // max_connections
	1041: errNotConnected, // out of memory
	1135: errNotConnected, // no thread can be made
	1203: errNotConnected, // max_user_connections
	1226: errNotConnected, // a limit of the account
	3032: errNotConnected, // MySQL: offline mode

	// Somebody must grant something, or give another account or password.
	1044: db.ErrAccess, // database
	1045: db.ErrAccess, // login, or a statement that needs FILE
	1129: db.ErrAccess, // this host is blocked after too many failed logins: trying again keeps it so
	1130: db.ErrAccess, // no account for this host
	1142: db.ErrAccess, // table
	1143: db.ErrAccess, // column
	1144: db.ErrAccess, // illegal grant
	1147: db.ErrAccess, // no such grant for a table
	1227: db.ErrAccess, // a global privilege
	1370: db.ErrAccess, // routine
	1401: db.ErrAccess, // XA RECOVER
	1419: db.ErrAccess, // SUPER, for a routine or trigger while the log is on
	1698: db.ErrAccess, // login without a password
	1820: db.ErrAccess, // the password has expired
	1862: db.ErrAccess, // MySQL: the same, at the login
	3118: db.ErrAccess, // MySQL: the account is locked
	3955: db.ErrAccess, // MySQL: the account is locked after failed logins
	4151: db.ErrAccess, // MariaDB: the account is locked

	// Somebody must change a setting of the server, or how we connect to it.
	1038: db.ErrSetup, // sort_buffer_size
	1049: db.ErrSetup, // a database of the move was dropped: no connection of ours begins with one
	1197: db.ErrSetup, // max_binlog_cache_size
	1251: db.ErrSetup, // a way to log in that is not spoken here
	1290: db.ErrSetup, // an option stops the statement, as read_only does
	1524: db.ErrSetup, // a plugin of the account is not loaded
	1836: db.ErrSetup, // read-only mode
	3098: db.ErrSetup, // a table that group replication does not take
	3159: db.ErrSetup, // require_secure_transport, and we came without TLS

	// A document that the server does not take: the row cannot be carried.
	3140: db.ErrUnsupported, // no JSON, in a column's value
	3141: db.ErrUnsupported, // no JSON, in a function's argument
	3157: db.ErrUnsupported, // too deep

	// Somebody must make room.
	3:    db.ErrSpace, // write error of a file
	1021: db.ErrSpace, // disk full
	1114: db.ErrSpace, // the table is full: no room for its file to grow
}

// errNotConnected is ErrConnection of a connection that there never was.
var errNotConnected error = notConnected{}

type notConnected struct{}

func (notConnected) Error() string        { return "no connection" }
func (notConnected) Is(target error) bool { return target == db.ErrConnection }

// noSpace finds the system's reason, no space or no quota left, in errors of files and storage engines, which have
// one number for all reasons.
var noSpace = regexp.MustCompile(`(?i)\b(errno|errcode|error):? (28|122)\b`)

// Classify wraps a server or network error in the kind that tells a phase what it can do. It leaves others, and
// contexts that ended, as they are.
func Classify(err error) error {
	var op *net.OpError // a dial that took too long claims to be an ended context too, but it is the network's
	if err == nil || errors.Is(err, context.Canceled) || classified(err) ||
		errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &op) {
		return err
	}
	switch n := Number(err); n {
	case PacketTooLarge, TruncatedByPacket:
		return fmt.Errorf("%w; raise max_allowed_packet there, at least to what the other end has (SET GLOBAL): %w",
			err, db.ErrUnsupported)
	// The server gives this number to everything that ends a stream: a purged file, GTIDs that it no longer has, and
	// a log that it cannot read. Its text tells which.
	case FatalBinlog:
		return fmt.Errorf("%w: %w", db.ErrPositionGone, err)
	case 0:
		if kind := networkKind(err); kind != nil {
			return fmt.Errorf("%w: %w", kind, err)
		}
	default:
		if kind := kinds[n]; kind != nil {
			return fmt.Errorf("%w: %w", kind, err)
		}
		if noSpace.MatchString(err.Error()) {
			return fmt.Errorf("%w: %w", db.ErrSpace, err)
		}
	}
	return err
}

func classified(err error) bool {
	return slices.ContainsFunc([]error{
		db.ErrConnection, db.ErrRetry, db.ErrPositionGone, db.ErrUnsupported, db.ErrAccess, db.ErrSetup, db.ErrSpace,
	}, func(kind error) bool { return errors.Is(err, kind) })
}

// networkKind is the kind of an error that has no number, nil when it is of none. A name that cannot be resolved counts
// as a network that is not up yet: resolvers say so while they start, and in the middle of a failover.
func networkKind(err error) error {
	var alert tls.AlertError // what the server has against us
	var verification *tls.CertificateVerificationError
	var netErr net.Error
	var op *net.OpError
	switch {
	case errors.As(err, &verification), errors.As(err, &alert) && slices.Contains(noHandshake, alert), unverified(err),
		strings.Contains(err.Error(), "does not support TLS"),
		strings.Contains(err.Error(), "first record does not look like a TLS handshake"):
		return db.ErrSetup
	case slices.ContainsFunc([]error{
		driver.ErrNoTLS, driver.ErrCleartextPassword, driver.ErrNativePassword, driver.ErrOldPassword,
		driver.ErrUnknownPlugin, driver.ErrOldProtocol,
	}, func(e error) bool { return errors.Is(err, e) }):
		return db.ErrSetup
	// Nothing was sent, so nothing can have happened. After a connection was lost, a commit may have.
	case errors.As(err, &op) && op.Op == "dial":
		return errNotConnected
	case errors.As(err, &netErr), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF),
		errors.Is(err, sqldriver.ErrBadConn), errors.Is(err, driver.ErrInvalidConn),
		errors.Is(err, protocol.ErrBadConn), errors.Is(err, net.ErrClosed),
		strings.Contains(err.Error(), "connection was bad"), strings.Contains(err.Error(), "ErrBadConn"):
		return db.ErrConnection
	}
	return nil
}

// noHandshake are the alerts by which a server tells that it will not take us as we come (RFC 8446, section 6.2).
// Others come when a connection breaks.
var noHandshake = []tls.AlertError{40, 42, 43, 44, 45, 46, 48, 49, 70, 71, 86, 112, 115, 116, 120}

// unverified tells whether we refused the server's certificate.
func unverified(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

// Number returns the server's error number, or 0.
func Number(err error) uint16 {
	var mysqlErr *driver.MySQLError
	if errors.As(err, &mysqlErr) {
		return mysqlErr.Number
	}
	var protocolErr *protocol.MyError
	if errors.As(err, &protocolErr) {
		return protocolErr.Code
	}
	return 0
}

// isAccessError tells a refused login from a server that cannot be reached. The text is searched too, for a refusal
// that go-mysql wrapped such that its number cannot be taken out.
func isAccessError(err error) bool {
	return errors.Is(Classify(err), db.ErrAccess) || strings.Contains(err.Error(), "ERROR 1045")
}
