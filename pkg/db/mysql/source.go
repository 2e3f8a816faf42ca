package mysql

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Source reads from a MySQL or MariaDB server.
type Source struct {
	*server
	reading  atomic.Bool // a stream has the configured server id
	spooling atomic.Bool // the spool is being written
}

// OpenSource connects to a server as the source of a move.
func OpenSource(ctx context.Context, cfg Config) (*Source, error) {
	s, err := openServer(ctx, cfg, sourceSession)
	if err != nil {
		return nil, err
	}
	return &Source{server: s}, nil
}

func sourceSession(flavor schema.Flavor) []string {
	// ALLOW_INVALID_DATES: a key such as 2024-02-31 is compared, where MySQL refuses it otherwise (error 1525).
	set := "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00', net_write_timeout = 600, wait_timeout = 28800, " + wholeSession()
	if !flavor.MariaDB {
		set += ", range_optimizer_max_mem_size = 0" // else a thousand keys are looked for in the whole table
	}
	return []string{"SET NAMES binary", set, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"}
}

// hasGTID tells whether every transaction of the server has a GTID.
func (s *server) hasGTID(ctx context.Context) (bool, error) {
	if s.flavor.MariaDB {
		return true, nil
	}
	mode, err := s.variable(ctx, "gtid_mode")
	return mode == "ON", err
}

// SafePosition returns a visible-safe position. The end of the log is none: a transaction is written there before it can be
// seen (of 300 readings under load a third was followed by a read that missed one).
func (s *Source) SafePosition(ctx context.Context) (pos db.Position, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read position of %s: %w", s.cfg.Address(), classify(err))
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
	var set string // updated after the commit in the engine (manual, "gtid_executed")
	if err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_executed").Scan(&set); err != nil {
		return "", err
	}
	if set != "" {
		return formatPosition(set, "", 0, ""), nil
	}
	logs, err := s.logs(ctx) // nothing was ever executed: the whole log is ahead
	if err != nil {
		return "", err
	}
	return formatPosition("", logs[0], 4, s.tag), nil
}

// snapshotPosition uses MariaDB's snapshot, which knows the position that it shows (MDEV-136).
func (s *Source) snapshotPosition(ctx context.Context) (pos db.Position, err error) {
	w, err := s.dial(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if _, err := w.exec(ctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT"); err != nil {
		return "", err
	}
	file, at, err := snapshotPlace(ctx, w)
	if err != nil {
		return "", err
	}
	set, err := s.endGTIDs(ctx, file, at)
	if err == nil && set == "" {
		set, err = s.placeGTIDs(ctx, file, at)
	}
	return formatPosition(set, file, at, s.tag), err
}

// snapshotPlace returns the place in the log that the connection's consistent snapshot shows.
func snapshotPlace(ctx context.Context, w *wire) (file string, offset uint64, err error) {
	rows, err := w.query(ctx, `SHOW STATUS LIKE 'binlog\_snapshot\_%'`)
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

// endGTIDs returns MariaDB's GTIDs at a place that was the end of the log a moment ago, or "" when the log has moved on: then
// the file alone tells the position, until a stream from there learns the GTIDs. (placeGTIDs would tell, but takes time, which a
// cutover has not.)
func (s *Source) endGTIDs(ctx context.Context, file string, offset uint64) (string, error) {
	var set string
	if err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_binlog_pos").Scan(&set); err != nil {
		return "", err
	}
	again, err := s.logStatus(ctx)
	if err != nil || again.file != file || again.offset != offset {
		return "", err
	}
	return set, nil
}

// placeGTIDs returns MariaDB's GTIDs at a place in the log. The server reads its file up to the offset for that: seconds at most.
func (s *Source) placeGTIDs(ctx context.Context, file string, offset uint64) (set string, err error) {
	err = s.admin.QueryRowContext(ctx, "SELECT COALESCE(BINLOG_GTID_POS(?, ?), '')", file, offset).Scan(&set)
	return set, classify(err)
}

// rotatedPosition begins a new log file: the rotation waits for transactions that are being committed.
func (s *Source) rotatedPosition(ctx context.Context) (db.Position, error) {
	if _, err := s.admin.ExecContext(ctx, "FLUSH BINARY LOGS"); err != nil {
		return "", err
	}
	status, err := s.logStatus(ctx)
	return formatPosition("", status.file, 4, s.tag), err
}

// headTries bounds how often the end of MariaDB's log is read to learn the GTIDs there.
const headTries = 8

// Head returns the end of the log: what any read could see is written there already. Of a MariaDB server that writes all the
// time it may be a place without GTIDs.
func (s *Source) Head(ctx context.Context) (pos db.Position, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read log status of %s: %w", s.cfg.Address(), classify(err))
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
		pos = formatPosition(set, status.file, status.offset, s.tag)
		if set != "" || !s.flavor.MariaDB {
			break
		}
	}
	return pos, nil
}

// owner is what follows a GTID in gtid_owned: the thread that is committing it.
var owner = regexp.MustCompile(`#[0-9]+`)

// headGTIDs returns the GTIDs of everything that can be seen. MySQL adds a transaction to gtid_executed only after it can
// be seen; until then its GTID is owned by its thread, so those are read first.
func (s *Source) headGTIDs(ctx context.Context, status logStatus) (string, error) {
	if s.flavor.MariaDB {
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

// Reached tells whether everything up to goal is contained in at.
func (s *Source) Reached(at, goal db.Position) (bool, error) {
	a, err := parsePosition(string(at))
	if err != nil {
		return false, err
	}
	g, err := parsePosition(string(goal))
	if err != nil {
		return false, err
	}
	if a.file == "" && g.gtid == nil {
		return false, nil // a start position by GTID only; the log's first event tells where that is
	}
	return reached(a, g)
}

// Retained checks that the log still reaches back to pos.
func (s *Source) Retained(ctx context.Context, pos db.Position) error {
	p, err := parsePosition(string(pos))
	if err != nil {
		return err
	}
	if spooled, err := s.retainedSpool(ctx, p); err != nil || spooled {
		return err
	}
	if p.file != "" && p.server == s.tag {
		logs, err := s.logs(ctx)
		if err != nil {
			return fmt.Errorf("list logs of %s: %w", s.cfg.Address(), err)
		}
		if !slices.Contains(logs, p.file) {
			return fmt.Errorf("log %s is purged, the oldest is %s: %w", p.file, logs[0], db.ErrPositionGone)
		}
		return nil
	}
	if s.flavor.MariaDB || p.gtid == nil {
		return nil // opening the log tells
	}
	var kept bool
	err = s.admin.QueryRowContext(ctx, "SELECT GTID_SUBSET(@@GLOBAL.gtid_purged, ?)", p.gtid.String()).Scan(&kept)
	if err != nil {
		return fmt.Errorf("compare with gtid_purged of %s: %w", s.cfg.Address(), classify(err))
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

// Stream opens the log after pos.
func (s *Source) Stream(ctx context.Context, pos db.Position, routes []*route.Route, since db.Since) (db.Stream, error) {
	from, err := parsePosition(string(pos))
	if err != nil {
		return nil, err
	}
	loaded, err := parseSince(since)
	if err != nil {
		return nil, err
	}
	// A server ends the older of two readers with one server id, so only the first has the configured one.
	cfg, release := s.cfg, func() {}
	if s.reading.CompareAndSwap(false, true) {
		release = func() { s.reading.Store(false) }
	} else {
		cfg.ServerID = pickServerID()
	}
	config := streamConfig{
		server: &cfg, mariadb: s.flavor.MariaDB, from: from, routes: routes, since: loaded, serverTag: s.tag,
		follows: s.cfg.Follows, flavor: s.flavor,
	}
	opened, err := s.openSpooled(ctx, config)
	if err == nil && opened == nil {
		opened, err = openStream(ctx, config)
	}
	if err != nil {
		release()
		return nil, err
	}
	return &releasing{opened, sync.OnceFunc(release)}, nil
}

// releasing is a stream that gives back its server id.
type releasing struct {
	db.Stream
	release func()
}

func (r *releasing) Close() error {
	defer r.release()
	return r.Stream.Close()
}

// formatPosition writes a position as parsePosition reads it.
func formatPosition(gtid, file string, offset uint64, tag string) db.Position {
	var parts []string
	if gtid != "" {
		parts = append(parts, "gtid="+strings.NewReplacer("\n", "", " ", "").Replace(gtid))
	}
	if file != "" {
		parts = append(parts, fmt.Sprintf("file=%s:%d", file, offset), "server="+tag)
	}
	return db.Position(strings.Join(parts, " "))
}
