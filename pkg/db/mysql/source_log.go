package mysql

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/binlog"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
)

// headTries bounds how often the end of MariaDB's log is read to learn the GTIDs there. On a busy server the log has
// moved on each time; then file and offset must do.
const headTries = 8

// Head returns the end of the log: what any read could see is written there already. Of a MariaDB server that writes
// all the time it may be a place without GTIDs.
func (s *Source) Head(ctx context.Context) (pos db.Position, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read log status of %s: %w", s.cfg.Address(), wire.Classify(err))
		}
	}()
	for range headTries {
		status, err := s.logStatus(ctx)
		if err != nil {
			return "", err
		}
		set, err := s.headGTIDs(ctx, status)
		if err != nil {
			return "", err
		}
		pos = binlog.FormatPosition(set, status.file, status.offset, s.tag)
		if set != "" || s.flavor.Family == schema.MySQL {
			break
		}
	}
	return pos, nil
}

// owner is what follows a GTID in gtid_owned: the thread that is committing it.
var owner = regexp.MustCompile(`#[0-9]+`)

// headGTIDs returns the GTIDs of everything that can be seen. MySQL adds a transaction to gtid_executed only after it
// can be seen; until then its GTID is owned by its thread, so those are read first.
func (s *Source) headGTIDs(ctx context.Context, status logStatus) (string, error) {
	if s.flavor.Family == schema.MariaDB {
		return s.endGTIDs(ctx, status.file, status.offset)
	}
	if gtid, err := s.hasGTID(ctx); err != nil || !gtid {
		return "", err
	}
	var owned, executed string
	if err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_owned").Scan(&owned); err != nil {
		return "", err
	}
	if err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_executed").Scan(&executed); err != nil {
		return "", err
	}
	return strings.Trim(executed+","+owner.ReplaceAllString(owned, ""), ","), nil
}

// logStatus is the end of the log and what is left out of it.
type logStatus struct {
	file           string
	offset         uint64
	doDB, ignoreDB string
}

// logStatus reads the end of the log. The statement was renamed: SHOW BINARY LOG STATUS exists since MySQL 8.2, and
// 8.4 has no SHOW MASTER STATUS any more. MariaDB keeps the old one.
func (s *server) logStatus(ctx context.Context) (status logStatus, err error) {
	statement := "SHOW MASTER STATUS"
	if s.flavor.HasShowBinaryLogStatus() {
		statement = "SHOW BINARY LOG STATUS"
	}
	rows, err := s.rows(ctx, statement)
	if err != nil {
		return status, err
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return status, err
	}
	if len(found) == 0 {
		return status, errors.New("the server has no binary log: set log_bin")
	}
	row := found[0]
	status.file, status.doDB, status.ignoreDB = string(row[0]), string(row[2]), string(row[3])
	status.offset, err = strconv.ParseUint(string(row[1]), 10, 64)
	return status, err
}

// logs lists the log files, oldest first.
func (s *server) logs(ctx context.Context) ([]string, error) {
	rows, err := s.rows(ctx, "SHOW BINARY LOGS")
	if err != nil {
		return nil, err
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(found))
	for i, row := range found {
		names[i] = string(row[0])
	}
	if len(names) == 0 {
		return nil, errors.New("the server lists no binary log")
	}
	return names, nil
}

// Retained checks that the log still reaches back to pos. A position of this server's files is gone when its file is;
// one by GTIDs when gtid_purged has transactions that the position lacks. MariaDB answers that only when the log is
// opened.
func (s *Source) Retained(ctx context.Context, pos db.Position) error {
	p, err := binlog.ParsePosition(pos)
	if err != nil {
		return err
	}
	if spooled, err := s.retainedSpool(ctx, p); err != nil || spooled {
		return err
	}
	if p.File != "" && p.Server == s.tag {
		logs, err := s.logs(ctx)
		if err != nil {
			return fmt.Errorf("list logs of %s: %w", s.cfg.Address(), err)
		}
		if !slices.Contains(logs, p.File) {
			return fmt.Errorf("log %s is purged, the oldest is %s: %w", p.File, logs[0], db.ErrPositionGone)
		}
		return nil
	}
	if s.flavor.Family == schema.MariaDB || p.GTIDs == nil {
		return nil // opening the log tells
	}
	var kept bool
	err = s.admin.QueryRowContext(ctx, "SELECT GTID_SUBSET(@@GLOBAL.gtid_purged, ?)", p.GTIDs.String()).Scan(&kept)
	if err != nil {
		return fmt.Errorf("compare with gtid_purged of %s: %w", s.cfg.Address(), wire.Classify(err))
	}
	if !kept {
		return fmt.Errorf("transactions after %s are purged: %w", pos, db.ErrPositionGone)
	}
	return nil
}

// Retention returns how long the log is kept.
func (s *Source) Retention(ctx context.Context) (time.Duration, error) { return s.retention(ctx) }

func (s *server) retention(ctx context.Context) (time.Duration, error) {
	if value, err := s.variable(ctx, "binlog_expire_logs_auto_purge"); err != nil || value == "OFF" {
		return 0, err
	}
	for _, v := range []struct {
		name string
		unit time.Duration
	}{{"binlog_expire_logs_seconds", time.Second}, {"expire_logs_days", 24 * time.Hour}} {
		value, err := s.variable(ctx, v.name)
		if err != nil {
			return 0, err
		}
		if n, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && n > 0 {
			return time.Duration(n * float64(v.unit)), nil
		}
	}
	return 0, nil
}
