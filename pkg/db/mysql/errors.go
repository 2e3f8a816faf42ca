package mysql

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	protocol "github.com/go-mysql-org/go-mysql/mysql"
	driver "github.com/go-sql-driver/mysql"

	"wherry/pkg/db"
)

// Server error numbers that wherry acts on (MySQL server error message reference; MariaDB error codes).
const (
	errTooManyConnections = 1040
	errAccessDatabase     = 1044
	errAccess             = 1045
	errDuplicateKey       = 1062
	errNoTable            = 1146
	errNoDatabase         = 1049
	errServerShutdown     = 1053
	errNoSuchThread       = 1094
	errTooManyUserConns   = 1203
	errFileWrite          = 3 // write error of a file, with the system's reason
	errDiskFull           = 1021
	errRecordFileFull     = 1114 // the table is full: no room for its file to grow
	errLockWait           = 1205
	errDeadlock           = 1213
	errPacketTooLarge     = 1153
	errPrivilege          = 1227
	errFatalBinlog        = 1236
	errTruncatedByPacket  = 1301 // result of a function was larger than max_allowed_packet
	errTimeZone           = 1298 // unknown
	errInterrupted        = 1317
	errDefinitionChanged  = 1412 // a table that a snapshot is older than
	errKilled             = 1927 // MariaDB: connection was killed
	errClientGone         = 4031 // MySQL 8: disconnected because of inactivity
	errTrxRollback        = 3101 // plugin instructed the server to roll back
	errNoWaitLock         = 3572
	errNoRoutine          = 1305
	errBrokenView         = 1356
	errNoTrigger          = 1360
	errNoEvent            = 1539
	errMalformed          = 1835
)

// errBadConn tells database/sql to drop a connection.
var errBadConn = sqldriver.ErrBadConn

// classify wraps a server or network error in the kind that tells a phase what it can do. It leaves others, and
// contexts that ended, as they are.
func classify(err error) error {
	var op *net.OpError // a dial that took too long claims to be an ended context too, but it is the network's
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &op) ||
		errors.Is(err, db.ErrConnection) || errors.Is(err, db.ErrRetry) || errors.Is(err, db.ErrPositionGone) {
		return err
	}
	switch number(err) {
	case errLockWait, errDeadlock, errTrxRollback, errNoWaitLock, errDefinitionChanged:
		return fmt.Errorf("%w: %w", db.ErrRetry, err)
	case errTooManyConnections, errServerShutdown, errTooManyUserConns, errInterrupted, errKilled, errClientGone, errMalformed:
		return fmt.Errorf("%w: %w", db.ErrConnection, err)
	case errPacketTooLarge, errTruncatedByPacket:
		return fmt.Errorf("%w; raise max_allowed_packet there, at least to what the other end has (SET GLOBAL): %w", err, db.ErrUnsupported)
	case errFatalBinlog:
		return fmt.Errorf("%w: %w", db.ErrPositionGone, err)
	case 0:
	default:
		return err
	}
	var netErr net.Error
	if errors.As(err, &netErr) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, sqldriver.ErrBadConn) || errors.Is(err, driver.ErrInvalidConn) ||
		errors.Is(err, protocol.ErrBadConn) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "connection was bad") || strings.Contains(err.Error(), "ErrBadConn") {
		return fmt.Errorf("%w: %w", db.ErrConnection, err)
	}
	return err
}

// number returns the server's error number, or 0.
func number(err error) uint16 {
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

// isAccessError tells a refused login from a server that cannot be reached.
func isAccessError(err error) bool {
	n := number(err)
	return n == errAccess || n == errAccessDatabase || strings.Contains(err.Error(), "ERROR 1045")
}
