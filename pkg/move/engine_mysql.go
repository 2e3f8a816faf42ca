package move

import (
	"context"
	"fmt"

	"wherry/pkg/config"
	"wherry/pkg/db/mysql"
	"wherry/pkg/db/secure"
)

// mysqlEngine is MySQL and MariaDB.
func mysqlEngine() engine {
	return engine{
		openRead: func(ctx context.Context, s server) (readEnd, error) {
			cfg, err := mysqlConfig(s)
			if err != nil {
				return nil, err
			}
			end, err := mysql.OpenSource(ctx, cfg)
			if err != nil {
				return nil, connectError{err}
			}
			return end, nil
		},
		openWritten: func(ctx context.Context, s server) (writtenEnd, error) {
			cfg, err := mysqlConfig(s)
			if err != nil {
				return nil, err
			}
			end, err := mysql.OpenTarget(ctx, cfg)
			if err != nil {
				return nil, connectError{err}
			}
			return end, nil
		},
		bookkeeping: mysql.Bookkeeping, spoolSize: mysql.SpoolSize, classify: mysql.Classify,
	}
}

func mysqlConfig(s server) (mysql.Config, error) {
	options := secure.Options{Mode: s.TLS.Mode, CA: s.TLS.CA, Cert: s.TLS.Cert, Key: s.TLS.Key}
	tls, fallback, err := secure.TLS(options, s.Host)
	if err != nil {
		return mysql.Config{}, fmt.Errorf("%w: %w", err, config.ErrInvalid)
	}
	return mysql.Config{
		Host: s.Host, Port: s.Port, Socket: s.Socket, User: s.User, Password: s.password, TLS: tls,
		TLSFallback:    fallback,
		ConnectTimeout: s.ConnectTimeout, Move: s.move, LoadMethod: s.copying.Load,
		BinlogOnTarget: s.copying.BinlogOnTarget,
		ServerID:       s.serverID, SpoolDir: s.spoolDir, Follows: s.follows,
	}, nil
}
