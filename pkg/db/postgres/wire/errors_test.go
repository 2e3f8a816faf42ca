package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
)

// TestClassify gives errors the kinds that tell a phase what it can do.
func TestClassify(t *testing.T) {
	for code, kind := range map[string]error{
		"40001": db.ErrRetry, "40P01": db.ErrRetry, "55P03": db.ErrRetry, "57014": db.ErrRetry,
		"08006": db.ErrConnection, "57P01": db.ErrConnection, "57P03": db.ErrConnection, "53300": db.ErrConnection,
		"25P03": db.ErrConnection, "28P01": db.ErrAccess, "28000": db.ErrAccess, "42501": db.ErrAccess,
		"3D000": db.ErrSetup, "25006": db.ErrSetup, "53200": db.ErrSetup, "53100": db.ErrSpace,
		"22P02": db.ErrUnsupported, "22003": db.ErrUnsupported, "23505": db.ErrUnsupported, "54000": db.ErrUnsupported,
	} {
		err := Classify(fmt.Errorf("execute: %w", &pgconn.PgError{Code: code, Message: "text", Detail: "more."}))
		require.ErrorIs(t, err, kind, code)
		require.ErrorContains(t, err, "more: ", code)
		assert.Equal(t, code, Code(err))
		assert.Equal(t, err, Classify(err), "once")
	}
	unknown := Classify(&pgconn.PgError{Code: "42601", Message: "syntax error"})
	for _, kind := range []error{
		db.ErrRetry, db.ErrConnection, db.ErrAccess, db.ErrSetup, db.ErrUnsupported,
		db.ErrSpace,
	} {
		require.NotErrorIs(t, unknown, kind)
	}
	for _, err := range []error{io.ErrUnexpectedEOF, net.ErrClosed, &net.OpError{
		Op:  "read",
		Err: errors.New("reset"),
	}} {
		require.ErrorIs(t, Classify(err), db.ErrConnection)
	}
	require.NoError(t, Classify(nil))
	assert.Equal(t, context.Canceled, Classify(context.Canceled))
}
