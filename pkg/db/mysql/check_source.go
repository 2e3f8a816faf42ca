package mysql

import (
	"context"
	"fmt"
	"strings"
	"time"

	"wherry/pkg/db"
)

// copyRate is a cautious guess of bytes per second, to compare the copy's length with the log's retention.
const copyRate = 20 << 20

// Check returns what is right and wrong with the source.
func (s *Source) Check(ctx context.Context, plan db.Plan) ([]db.Finding, error) {
	l := &sourceChecks{checklist{s: s.server, end: "source"}}
	return l.each(ctx, plan, l.version, l.sessionSettings, l.log, l.logFilters, l.replica, l.prepared, l.retention, l.gtid, l.serverID, l.cascades, l.privileges, l.fence, l.objects)
}

type sourceChecks struct{ checklist }

// log checks that the log holds whole rows of every change.
func (l *sourceChecks) log(ctx context.Context, _ db.Plan) error {
	for _, c := range []struct{ name, want, fix string }{
		{"log_bin", "ON", "set log_bin in the server's configuration and restart it"},
		{"binlog_format", "ROW", "SET GLOBAL binlog_format = 'ROW', in the configuration too; then reconnect every writer"},
		{"binlog_row_image", "FULL", "SET GLOBAL binlog_row_image = 'FULL', in the configuration too; then reconnect every writer"},
	} {
		if err := l.is(ctx, db.Fail, c.name, c.fix, c.want); err != nil {
			return err
		}
	}
	return nil
}

// prepared refuses transactions in the state between XA PREPARE and XA COMMIT: their rows are in the log already, before
// any start position, and only their fate is not.
func (l *sourceChecks) prepared(ctx context.Context, _ db.Plan) error {
	rows, err := l.s.rows(ctx, "XA RECOVER")
	if err != nil {
		if isPrivilege(err) || number(err) == 1401 { // no XA_RECOVER_ADMIN
			l.add(db.Warn, "xa", "", "prepared XA transactions cannot be listed", "GRANT XA_RECOVER_ADMIN to the account, or make sure that nobody uses XA")
			return nil
		}
		return err
	}
	found, err := db.ReadAll(rows)
	if err == nil && len(found) > 0 {
		l.add(db.Fail, "xa", "", fmt.Sprintf("%d transactions are prepared by XA and not committed", len(found)), "commit or roll them back (XA RECOVER lists them)")
	}
	return err
}

// logFilters refuses a server that leaves databases out of its log.
func (l *sourceChecks) logFilters(ctx context.Context, _ db.Plan) error {
	if enabled, err := l.s.variable(ctx, "log_bin"); err != nil || enabled == "OFF" {
		return err // named by the log check
	}
	status, err := l.s.logStatus(ctx)
	if err != nil {
		if isPrivilege(err) {
			return nil // named by the privileges check
		}
		return err
	}
	if status.doDB != "" || status.ignoreDB != "" {
		l.add(db.Fail, "binlog_filter", "", fmt.Sprintf("the log is limited by binlog_do_db=%q binlog_ignore_db=%q",
			status.doDB, status.ignoreDB), "remove both from the server's configuration and restart it")
	}
	return nil
}

// replica refuses a replica that does not log what it replicates, and fences that do not stop its primary.
func (l *sourceChecks) replica(ctx context.Context, plan db.Plan) error {
	all, err := l.s.upstreams(ctx)
	if err != nil {
		if isPrivilege(err) {
			l.add(db.Warn, "replica", "", "whether the source is a replica cannot be read",
				"GRANT REPLICATION CLIENT (on MariaDB SLAVE MONITOR, and REPLICA MONITOR since 10.5.9) to the account, or make sure that it is none")
			return nil
		}
		return err
	}
	if len(all) == 0 {
		l.ok("replica", "the source has no primary of its own")
		return nil
	}
	logged, err := l.s.variable(ctx, "log_slave_updates")
	if err == nil && logged == "" {
		logged, err = l.s.variable(ctx, "log_replica_updates")
	}
	if err != nil {
		return err
	}
	if strings.EqualFold(logged, "OFF") {
		l.add(db.Fail, "log_replica_updates", "@@log_replica_updates", "is OFF: what comes from this replica's primary is not logged",
			"set log_replica_updates (log_slave_updates on MariaDB) and restart the source")
	}
	for i := range all {
		l.upstream(&all[i], plan.Fence)
	}
	return nil
}

// upstream judges one primary of the source.
func (l *sourceChecks) upstream(u *upstream, fence db.FenceKind) {
	what := "the source is a replica of " + u.source()
	switch {
	case !u.running():
		l.add(db.Warn, "replica", "", what+" whose replication is stopped", "make sure that nothing more is to come from there before the cutover")
	case fence == db.FenceReadOnly || fence == db.FenceLockTables:
		l.add(db.Fail, "replica", "cutover.fence", what+": "+string(fence)+" here does not stop writes there",
			"use cutover.fence: hook with hooks.fence that stops writes on "+u.source()+" and returns when the source has received them all")
	default:
		l.add(db.Warn, "replica", "cutover.fence", what, "stop writes on "+u.source()+" at the cutover, not here; wherry waits until the source has applied what it has received")
	}
}

// retention compares how long the log is kept with how long the copy will take, roughly.
func (l *sourceChecks) retention(ctx context.Context, plan db.Plan) error {
	kept, err := l.s.retention(ctx)
	if err != nil {
		return err
	}
	var bytes int64
	for _, r := range plan.Routes {
		bytes += r.Source.Table.Bytes
	}
	need := time.Duration(bytes/copyRate+1) * time.Second
	const fix = "raise binlog_expire_logs_seconds (or expire_logs_days) for the time of the move"
	switch {
	case kept == 0:
		l.ok("retention", "the log is kept until purged by hand")
	case kept < need:
		l.add(db.Fail, "retention", "", fmt.Sprintf("the log is kept for %s, the copy may take %s", kept, need), fix)
	case kept < 3*need:
		l.add(db.Warn, "retention", "", fmt.Sprintf("the log is kept for %s, the copy may take %s", kept, need), fix)
	default:
		l.ok("retention", fmt.Sprintf("the log is kept for %s, the copy may take %s", kept, need))
	}
	return nil
}

func (l *sourceChecks) gtid(ctx context.Context, _ db.Plan) error {
	if l.s.flavor.MariaDB {
		l.ok("gtid", "MariaDB always has GTIDs")
		return nil
	}
	return l.is(ctx, db.Warn, "gtid_mode", "without GTIDs the move cannot follow a failover of the source; see the manual, "+
		"\"Changing GTID Mode on Online Servers\"", "ON")
}

// serverID looks for a replica with the number that wherry would use.
func (l *sourceChecks) serverID(ctx context.Context, _ db.Plan) error {
	own, err := l.number(ctx, "server_id")
	if err != nil {
		return err
	}
	if own == 0 {
		l.add(db.Fail, "server_id", "@@server_id", "is 0: the server refuses to send its log", "set a unique server_id")
		return nil
	}
	if own == int64(l.s.cfg.ServerID) {
		l.add(db.Fail, "server_id", "source.server_id", fmt.Sprintf("%d is the source's own", own), "choose another number, or 0")
		return nil
	}
	statement := "SHOW SLAVE HOSTS"
	if l.s.flavor.HasShowReplicas() && !l.s.flavor.MariaDB {
		statement = "SHOW REPLICAS"
	}
	rows, err := l.s.rows(ctx, statement)
	if err != nil {
		if isPrivilege(err) {
			return nil
		}
		return err
	}
	replicas, err := db.ReadAll(rows)
	if err != nil {
		return err
	}
	for _, row := range replicas {
		if string(row[0]) == fmt.Sprint(l.s.cfg.ServerID) {
			l.add(db.Fail, "server_id", "source.server_id", fmt.Sprintf("%d is used by a replica", l.s.cfg.ServerID), "choose another number, or 0")
			return nil
		}
	}
	l.ok("server_id", fmt.Sprintf("wherry reads as %d", l.s.cfg.ServerID))
	return nil
}

// fence refuses fences that cannot hold.
func (l *sourceChecks) fence(ctx context.Context, plan db.Plan) error {
	wsrep, err := l.s.variable(ctx, "wsrep_on")
	if err != nil {
		return err
	}
	tidb := strings.Contains(strings.ToLower(l.s.version), "tidb")
	if (strings.EqualFold(wsrep, "ON") || tidb) && (plan.Fence == db.FenceReadOnly || plan.Fence == db.FenceLockTables) {
		what := "a Galera cluster: other nodes go on writing"
		if tidb {
			what = "TiDB: table locks and read_only do not stop writes"
		}
		l.add(db.Fail, "fence", "cutover.fence", string(plan.Fence)+" cannot hold on "+what, "use cutover.fence: hook and stop the writers there")
		return nil
	}
	if plan.Fence == db.FenceReadOnly && !l.s.flavor.HasSuperReadOnly() {
		l.add(db.Warn, "fence", "cutover.fence", "read_only does not stop accounts with SUPER or READ ONLY ADMIN",
			"make sure that no such account writes at cutover, or use cutover.fence: lock_tables")
		return nil
	}
	l.ok("fence", string(plan.Fence))
	return nil
}
