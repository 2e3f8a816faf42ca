package move

import (
	"context"
	"fmt"
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
				Types: postgresTypes(s.schema),
			})
			if err != nil {
				return nil, connectError{err}
			}
			return end, nil
		},
		bookkeeping: postgres.Bookkeeping, spoolSize: func(string) int64 { return 0 }, classify: postgres.Classify,
	}
}

// postgresTypes is what the configuration says of the target's tables.
func postgresTypes(s config.Schema) dialect.Options {
	o := dialect.Options{Types: map[string]string{}, Fulltext: s.Fulltext, Materialize: s.Materialize}
	for _, rule := range s.Types {
		o.Types[rule.Of] = rule.As
	}
	for _, loss := range s.AllowLosses {
		name, _, _ := strings.Cut(loss, "@")
		o.ZeroDates = o.ZeroDates || name == schema.ZeroDate
	}
	return o
}
