package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/binlog"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
)

// hasGTID tells whether every transaction of the server has a GTID.
func (s *server) hasGTID(ctx context.Context) (bool, error) {
	if s.flavor.Family == schema.MariaDB {
		return true, nil
	}
	mode, err := s.global(ctx, "gtid_mode")
	return mode == "ON", err
}

// SafePosition returns a visible-safe position. The end of the log is none: a transaction is written there before it
// can be seen (of 300 readings under load a third was followed by a read that missed one).
func (s *Source) SafePosition(ctx context.Context) (pos db.Position, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read position of %s: %w", s.cfg.Address(), wire.Classify(err))
		}
	}()
	if s.flavor.HasSnapshotPosition() {
		return s.snapshotPosition(ctx)
	}
	gtid, err := s.hasGTID(ctx)
	if err != nil {
		return "", err
	}
	if !gtid {
		return s.rotatedPosition(ctx)
	}
	return s.executedPosition(ctx)
}

const (
	// Writes are not blocked here, but the copy waits to begin. A commit takes a few milliseconds, unless a replica
	// or a semisynchronous acknowledgement is slow.
	committingWait  = 50 * time.Millisecond // for transactions that are committing, before the file is given up
	committingPause = 500 * time.Microsecond
)

// executedPosition returns MySQL's gtid_executed, which a transaction enters after it can be seen (manual,
// "gtid_executed"), together with an end of the log that it holds all of. Streams open the log at that place: by
// GTIDs alone the server would read its file from the start, for most of a second with a file of 1 GB. Every
// transaction before the end is in gtid_executed or still owned by the thread that commits it, so those are waited
// for. One that owns its GTID for long, as on a replica, leaves the GTIDs alone.
func (s *Source) executedPosition(ctx context.Context) (db.Position, error) {
	status, err := s.logStatus(ctx)
	if err != nil {
		return "", err
	}
	var owned, executed string
	if err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_owned").Scan(&owned); err != nil {
		return "", err
	}
	var committing binlog.GTIDs
	if owned != "" {
		if committing, err = binlog.ParseGTIDs(owner.ReplaceAllString(owned, "")); err != nil {
			return "", err
		}
	}
	for deadline := time.Now().Add(committingWait); ; {
		if err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_executed").Scan(&executed); err != nil {
			return "", err
		}
		all := committing == nil
		if !all && executed != "" {
			set, err := binlog.ParseGTIDs(executed)
			if err != nil {
				return "", err
			}
			yes, ok := set.Contains(committing)
			all = yes && ok
		}
		if all {
			return binlog.FormatPosition(executed, status.file, status.offset, s.tag), nil
		}
		if time.Now().After(deadline) {
			return s.positionByGTID(ctx, executed)
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-time.After(committingPause):
		}
	}
}

// positionByGTID returns the position after a set of transactions, and the start of the log when there are none: an
// empty set would not tell from "no GTIDs known". Offset 4 is behind the magic number of a log file, where its first
// event is.
func (s *Source) positionByGTID(ctx context.Context, set string) (db.Position, error) {
	if set != "" {
		return binlog.FormatPosition(set, "", 0, ""), nil
	}
	logs, err := s.logs(ctx)
	if err != nil {
		return "", err
	}
	return binlog.FormatPosition("", logs[0], 4, s.tag), nil
}

// snapshotPosition uses MariaDB's snapshot, which knows the position that it shows (MDEV-136). The GTIDs there are
// known at once when it is still the end of the log; on a server that writes all the time that takes a few tries,
// which cost far less than having it read its file.
func (s *Source) snapshotPosition(ctx context.Context) (pos db.Position, err error) {
	w, err := s.dial(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	var file, set string
	var at uint64
	for try := 0; try < headTries && set == ""; try++ {
		if _, err := w.Exec(ctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT"); err != nil { // ends the one before
			return "", err
		}
		if file, at, err = snapshotPlace(ctx, w); err != nil {
			return "", err
		}
		if set, err = s.endGTIDs(ctx, file, at); err != nil {
			return "", err
		}
	}
	if set == "" {
		set, err = s.placeGTIDs(ctx, file, at)
	}
	return binlog.FormatPosition(set, file, at, s.tag), err
}

// snapshotPlace returns the place in the log that the connection's consistent snapshot shows.
func snapshotPlace(ctx context.Context, w *wire.Conn) (file string, offset uint64, err error) {
	rows, err := w.Query(ctx, `SHOW STATUS LIKE 'binlog\_snapshot\_%'`)
	if err != nil {
		return "", 0, err
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return "", 0, err
	}
	values := map[string]string{}
	for _, row := range found {
		values[strings.ToLower(string(row[0]))] = string(row[1])
	}
	file = values["binlog_snapshot_file"]
	offset, err = strconv.ParseUint(values["binlog_snapshot_position"], 10, 64)
	if err == nil && file == "" {
		err = errors.New("the server tells no binlog_snapshot_file: set log_bin")
	}
	return file, offset, err
}

// endGTIDs returns MariaDB's GTIDs at a place that was the end of the log a moment ago, or "" when the log has moved
// on: then the file alone tells the position, until a stream from there learns the GTIDs. (placeGTIDs would tell, but
// takes time, which a cutover has not.)
func (s *Source) endGTIDs(ctx context.Context, file string, offset uint64) (string, error) {
	var set string
	if err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_binlog_pos").Scan(&set); err != nil {
		return "", err
	}
	after, err := s.logStatus(ctx)
	if err != nil || after.file != file || after.offset != offset {
		return "", err
	}
	return set, nil
}

// placeGTIDs returns MariaDB's GTIDs at a place in the log. The server reads its file up to the offset for that:
// seconds at most.
func (s *Source) placeGTIDs(ctx context.Context, file string, offset uint64) (set string, err error) {
	err = s.admin.QueryRowContext(ctx, "SELECT COALESCE(BINLOG_GTID_POS(?, ?), '')", file, offset).Scan(&set)
	return set, wire.Classify(err)
}

// rotatedPosition begins a new log file, for MySQL without GTIDs. The rotation waits for transactions that are being
// committed, so whatever is in older files can be seen, and the start of the new file is a visible-safe position.
func (s *Source) rotatedPosition(ctx context.Context) (db.Position, error) {
	if _, err := s.admin.ExecContext(ctx, "FLUSH BINARY LOGS"); err != nil {
		return "", err
	}
	status, err := s.logStatus(ctx)
	return binlog.FormatPosition("", status.file, 4, s.tag), err
}
