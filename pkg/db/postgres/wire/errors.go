package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"wherry/pkg/db"
)

// Codes that wherry acts on by themselves (PostgreSQL manual, "Appendix A. PostgreSQL Error Codes").
const (
	NoSchema      = "3F000"
	NoTable       = "42P01"
	TableExists   = "42P07"
	SchemaExists  = "42P06"
	DuplicateKey  = "23505"
	LockNotThere  = "55P03" // lock_timeout, or NOWAIT
	QueryCanceled = "57014"
)

// kinds tells what a phase can do about a server's error, by its code or the first two letters of it, the class. A code
// that is not here is of no kind: the phase fails with the server's text, and may be run again.
var kinds = map[string]error{
	// The transaction is rolled back, or never began: a moment mends it.
	"40001": db.ErrRetry, // serialization failure
	"40P01": db.ErrRetry, // deadlock
	"55P03": db.ErrRetry, // lock_timeout, or NOWAIT
	"57014": db.ErrRetry, // canceled: by an administrator, or by statement_timeout
	"55006": db.ErrRetry, // an object is in use

	// The connection has ended, or is about to.
	"08":    db.ErrConnection,
	"40003": db.ErrConnection, // whether the statement was completed is not known
	"57P01": db.ErrConnection, // shut down, or terminated
	"57P02": db.ErrConnection, // the server crashed
	"57P05": db.ErrConnection, // idle_session_timeout
	"25P03": db.ErrConnection, // idle_in_transaction_session_timeout
	"25P04": db.ErrConnection, // transaction_timeout
	"58P01": db.ErrConnection, // a file of the server is missing: seen while it starts

	// The server takes no connection for now.
	"53300": errNotConnected, // too many connections
	"57P03": errNotConnected, // it starts, stops or recovers

	// Somebody must grant something, or give another account or password.
	"28":    db.ErrAccess,
	"42501": db.ErrAccess,

	// Somebody must change a setting of the server, or how we connect to it.
	"3D000": db.ErrSetup, // no such database
	"57P04": db.ErrSetup, // the database was dropped
	"25006": db.ErrSetup, // read only
	"53200": db.ErrSetup, // out of memory: of locks, mostly (max_locks_per_transaction)
	"53400": db.ErrSetup, // a limit of the configuration (temp_file_limit)

	// Values that the target does not take: the row cannot be carried.
	"22":    db.ErrUnsupported,
	"23":    db.ErrUnsupported,
	"54":    db.ErrUnsupported, // a limit of the program: a row or a key is too large
	"0A000": db.ErrUnsupported, // not supported there
	"44000": db.ErrUnsupported, // a view's check option

	// Somebody must make room.
	"53100": db.ErrSpace,
}

// errNotConnected is ErrConnection of a connection that there never was.
var errNotConnected error = notConnected{}

type notConnected struct{}

func (notConnected) Error() string        { return "no connection" }
func (notConnected) Is(target error) bool { return target == db.ErrConnection }

// Code returns the server's error code, or "".
func Code(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Code
	}
	return ""
}

// Classify wraps a server or network error in the kind that tells a phase what it can do. It leaves others, and
// contexts that ended, as they are.
func Classify(err error) error {
	var connect *pgconn.ConnectError // that took too long claims to be an ended context too, but it is the network's
	if err == nil || errors.Is(err, context.Canceled) || classified(err) ||
		errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &connect) {
		return err
	}
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		if kind := networkKind(err); kind != nil {
			return fmt.Errorf("%w: %w", kind, err)
		}
		return err
	}
	kind := kinds[server.Code]
	if kind == nil && len(server.Code) == 5 {
		kind = kinds[server.Code[:2]]
	}
	if kind == nil && strings.Contains(server.Message, "No space left on device") {
		kind = db.ErrSpace
	}
	if kind == nil {
		return fmt.Errorf("%s%w", details(server), err)
	}
	return fmt.Errorf("%w: %s%w", kind, details(server), err)
}

// details are what a server tells besides its message: where it was, and what helps.
func details(e *pgconn.PgError) string {
	var b strings.Builder
	for _, part := range []string{e.Detail, e.Hint, e.Where} {
		if part != "" {
			b.WriteString(strings.TrimSuffix(strings.ReplaceAll(part, "\n", " "), ".") + ": ")
		}
	}
	return b.String()
}

func classified(err error) bool {
	return slices.ContainsFunc([]error{
		db.ErrConnection, db.ErrRetry, db.ErrUnsupported, db.ErrAccess, db.ErrSetup, db.ErrSpace, db.ErrOtherServer,
	}, func(kind error) bool { return errors.Is(err, kind) })
}

// networkKind is the kind of an error that has no code, nil when it is of none.
func networkKind(err error) error {
	var alert tls.AlertError // what the server has against us
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var network net.Error
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &verification), errors.As(err, &authority), errors.As(err, &host), errors.As(err, &invalid),
		errors.As(err, &alert) && slices.Contains(noHandshake, alert),
		strings.Contains(err.Error(), "server refused TLS connection"):
		return db.ErrSetup
	case errors.As(err, &connect):
		return errNotConnected
	case errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF),
		errors.Is(err, net.ErrClosed), strings.Contains(err.Error(), "conn closed"),
		strings.Contains(err.Error(), "conn busy"):
		return db.ErrConnection
	}
	return nil
}

// noHandshake are the alerts by which a server tells that it will not take us as we come (RFC 8446, section 6.2).
var noHandshake = []tls.AlertError{40, 42, 43, 44, 45, 46, 48, 49, 70, 71, 86, 112, 115, 116, 120}
