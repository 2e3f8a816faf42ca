package move

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/config"
	"wherry/pkg/db/postgres"
	"wherry/pkg/db/secure"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// postgresEngine is PostgreSQL, which is only written to.
func postgresEngine() engine {
	return engine{
		openWritten: func(ctx context.Context, s server) (writtenEnd, error) {
			options := secure.Options{Mode: s.TLS.Mode, CA: s.TLS.CA, Cert: s.TLS.Cert, Key: s.TLS.Key}
			tls, fallback, err := secure.TLS(options, s.Host)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", err, config.ErrInvalid)
			}
			end, err := postgres.OpenTarget(ctx, postgres.Config{
				Host: s.Host, Port: s.Port, Socket: s.Socket, User: s.User, Password: s.password, Database: s.Database,
				TLS: tls, TLSFallback: fallback, ConnectTimeout: s.ConnectTimeout, Move: s.move,
				Types: dialect.Options{ZeroDates: slices.ContainsFunc(s.losses, isZeroDate)},
			})
			if err != nil {
				return nil, connectError{err}
			}
			return end, nil
		},
		bookkeeping: postgres.Bookkeeping, spoolSize: func(string) int64 { return 0 }, classify: postgres.Classify,
	}
}

// isZeroDate tells whether an allowed loss is that of dates which no calendar has, for some tables or for all: their
// columns take NULL then.
func isZeroDate(allowed string) bool {
	name, _, _ := strings.Cut(allowed, "@")
	return name == schema.ZeroDate
}
