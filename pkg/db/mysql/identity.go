package mysql

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"

	"wherry/pkg/db"
)

// An address may lead to another server after a failover: a virtual address, a name that is resolved anew, a proxy. So every
// connection is asked which server answers, and one that leads elsewhere is not used: what was read from the first server
// and what is read from this one need not fit together. Who wants to go on with it connects anew and asks Continues.

// tagQuery asks a server who it is. MariaDB has no server_uuid; host, port and number stand in for it.
func tagQuery(mariadb bool) string {
	if mariadb {
		return "SELECT CONCAT(@@hostname, ':', @@port, ':', @@server_id)"
	}
	return "SELECT @@server_uuid"
}

// otherServer tells that tag is not who is expected to answer.
func otherServer(cfg *Config, tag, expected string) error {
	return fmt.Errorf("connect to %s: %w: %s, where %s was", cfg.Address(), db.ErrOtherServer, tag, expected)
}

// dialSame connects to the server that is expected and prepares the session, before anything is asked: the server's own defaults
// could end even a question of a millisecond (max_execution_time).
func dialSame(ctx context.Context, cfg *Config, mariadb bool, expected string, prepare ...string) (*wire, error) {
	w, err := dialWire(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", cfg.Address(), classify(err))
	}
	for _, statement := range prepare {
		if _, err := w.exec(ctx, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare session on %s: %w", cfg.Address(), classify(err)), w.close())
		}
	}
	if err := w.same(ctx, cfg, mariadb, expected); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// same makes sure that the connection is to the server that is expected.
func (w *wire) same(ctx context.Context, cfg *Config, mariadb bool, expected string) error {
	if expected == "" {
		return nil
	}
	rows, err := w.query(ctx, tagQuery(mariadb))
	if err != nil {
		return fmt.Errorf("identify %s: %w", cfg.Address(), classify(err))
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return fmt.Errorf("identify %s: %w", cfg.Address(), classify(err))
	}
	if tag := string(found[0][0]); tag != expected {
		return otherServer(cfg, tag, expected)
	}
	return nil
}

// sameConn is same for connections of the pool. The first of them tells who is expected.
func (s *server) sameConn(ctx context.Context, conn sqldriver.Conn) error {
	s.mu.Lock()
	expected := s.tag
	s.mu.Unlock()
	if expected == "" {
		return nil
	}
	rows, err := conn.(sqldriver.QueryerContext).QueryContext(ctx, tagQuery(s.flavor.MariaDB), nil)
	if err != nil {
		return fmt.Errorf("identify %s: %w", s.cfg.Address(), classify(err))
	}
	defer func() { _ = rows.Close() }()
	row := make([]sqldriver.Value, 1)
	if err := rows.Next(row); err != nil && err != io.EOF { //nolint:errorlint // the driver's contract is io.EOF itself
		return fmt.Errorf("identify %s: %w", s.cfg.Address(), classify(err))
	}
	tag, _ := row[0].([]byte)
	if string(tag) != expected {
		return otherServer(&s.cfg, string(tag), expected)
	}
	return nil
}
