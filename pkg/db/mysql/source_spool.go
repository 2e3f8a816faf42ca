package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/binlog"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
)

// Spool copies the log from a position on into the configured directory, until ctx ends or an error comes. It continues
// what an earlier run has kept. So the source may purge its log while rows are copied for days. ErrPositionGone: the
// source has purged what follows.
func (s *Source) Spool(ctx context.Context, from db.Position) error {
	s.spooling.Store(true)
	defer s.spooling.Store(false)
	p, err := binlog.ParsePosition(from)
	if err != nil {
		return err
	}
	cfg := binlog.Config{Dialer: s.dialer, Flavor: s.flavor, Tag: s.tag, From: p, SpoolDir: s.cfg.SpoolDir}
	return binlog.WriteSpool(ctx, cfg, s.spoolBegin)
}

// spoolBegin returns the file of the source's log with which a spool for a position has to begin: the newest file such
// that all transactions in older files are contained in the position. Each file says at its start which those are.
func (s *Source) spoolBegin(ctx context.Context, p binlog.Position) (file string, err error) {
	if p.File != "" && p.Server == s.tag {
		return p.File, nil
	}
	if p.GTIDs == nil {
		return "", fmt.Errorf("position %q is not one of this server's files: %w", p, db.ErrPositionGone)
	}
	logs, err := s.logs(ctx)
	if err != nil {
		return "", err
	}
	for i := len(logs) - 1; i >= 0; i-- {
		before, err := s.previousGTIDs(ctx, logs[i])
		if err != nil {
			return "", err
		}
		if before == nil && s.flavor.Family == schema.MariaDB {
			continue // it says nothing
		}
		if before == nil || before.Empty() {
			return logs[i], nil
		}
		if yes, _ := p.GTIDs.Contains(before); yes {
			return logs[i], nil
		}
	}
	return "", fmt.Errorf("the log begins after %q: %w", p, db.ErrPositionGone)
}

// previousGTIDs reads what the server executed before a file of its log; nil: the file does not say. MySQL writes a
// set, such as 6dc15fe1-ed40-11f1-86c6-02fc00000001:1-66, and MariaDB a list, such as [0-1-351,0-2-360], in which a
// domain has a member for every server that wrote to it.
func (s *Source) previousGTIDs(ctx context.Context, file string) (binlog.GTIDs, error) {
	rows, err := s.rows(ctx, "SHOW BINLOG EVENTS IN "+wire.Quoted(file)+" LIMIT 3")
	if err != nil {
		return nil, err
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return nil, err
	}
	for _, row := range found {
		switch text := strings.TrimSpace(string(row[5])); string(row[2]) {
		case "Previous_gtids":
			if text == "" {
				return binlog.NewGTIDSet(), nil
			}
			return binlog.ParseGTIDs(text)
		case "Gtid_list":
			return binlog.NewestGTIDs(strings.Trim(text, "[]"))
		}
	}
	return nil, nil
}

// retainedSpool tells whether the spool has the position and the source has what follows the spool.
func (s *Source) retainedSpool(ctx context.Context, p binlog.Position) (bool, error) {
	last, err := binlog.SpoolEnd(s.cfg.SpoolDir, p, s.tag)
	if err != nil || last == "" {
		return false, err
	}
	logs, err := s.logs(ctx)
	if err != nil {
		return false, fmt.Errorf("list logs of %s: %w", s.cfg.Address(), err)
	}
	return slices.Contains(logs, last), nil
}

// Trim removes what the target durably has of the spool, and all of it once nothing is left that it lacks.
func (s *Source) Trim(pos db.Position) error {
	p, err := binlog.ParsePosition(pos)
	if err != nil {
		return err
	}
	return binlog.TrimSpool(s.cfg.SpoolDir, p, s.tag, s.spooling.Load)
}

// SpoolSize is how many bytes a spool takes on disk.
func SpoolSize(dir string) int64 { return binlog.SpoolSize(dir) }
