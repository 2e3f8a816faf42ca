package mysql

import (
	"context"
	"fmt"
	"strings"
	"time"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// copyRate is a cautious guess in bytes per second, to compare the copy's length with the log's retention: if the log
// is purged while rows are copied, the copy was for nothing.
const copyRate = 20 << 20

// Check returns what is right and wrong with the source.
func (s *Source) Check(ctx context.Context, plan db.Plan) ([]db.Finding, error) {
	l := &sourceChecks{checklist{s: s.server, end: "source"}}
	return l.each(ctx, plan,
		named{l.product, atFirst}, named{l.sessionSettings, everyPhase}, named{l.sessionVariables, everyPhase},
		named{l.log, everyPhase}, named{l.logFilters, everyPhase}, named{l.logsReplicated, everyPhase},
		named{l.replica, atCutover}, named{l.group, atCutover},
		named{l.prepared, adviceOnly}, named{l.retention, atFirst},
		named{l.gtid, adviceOnly}, named{l.serverID, atFirst},
		named{l.cascades, untilCopy},
		named{l.privileges, atFirst}, named{l.fence, atCutover}, named{l.objects, adviceOnly})
}

type sourceChecks struct{ checklist }

// log checks that the log holds whole rows of every change. Sessions keep the format and image that they began with,
// which is why the advice ends with reconnecting: the global value may be right while an old connection still logs
// statements.
func (l *sourceChecks) log(ctx context.Context, _ db.Plan) error {
	for _, c := range []struct{ name, want, fix string }{
		{"log_bin", "ON", "set log_bin in the server's configuration and restart it"},
		{"binlog_format", "ROW", "SET GLOBAL binlog_format = 'ROW', in the configuration too; then reconnect " +
			"every writer"},
		{"binlog_row_image", "FULL", "SET GLOBAL binlog_row_image = 'FULL', in the configuration too; then reconnect " +
			"every writer"},
	} {
		if err := l.is(ctx, db.Fail, c.name, c.fix, c.want); err != nil {
			return err
		}
	}
	return nil
}

// prepared reports transactions in the state between XA PREPARE and XA COMMIT. MySQL, and MariaDB since 10.5, log their
// rows at the prepare, which may be days before the commit. They are followed as long as the log still holds those
// rows, and a cutover waits for their end.
func (l *sourceChecks) prepared(ctx context.Context, _ db.Plan) error {
	names, known, err := l.s.prepared(ctx)
	switch {
	case err != nil:
		return err
	case !known:
		l.add(db.Warn, "xa", "", "prepared XA transactions cannot be listed, and one that is committed after the "+
			"cutover would be lost",
			"GRANT XA_RECOVER_ADMIN ON *.* TO "+l.s.grantee()+", or make sure that nobody uses XA")
	case len(names) > 0:
		l.add(db.Warn, "xa", "", count.Of(len(names), "transaction")+" prepared by XA and not ended: "+
			firstNames(names),
			"commit or roll them back before the cutover (XA RECOVER lists them), and before the log no longer holds "+
				"their rows")
	}
	return nil
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

// logsReplicated refuses a replica that does not log what it replicates: its tables would change without an event.
func (l *sourceChecks) logsReplicated(ctx context.Context, _ db.Plan) error {
	all, err := l.s.upstreams(ctx)
	if err != nil || len(all) == 0 {
		if isPrivilege(err) {
			return nil // named by the replica check
		}
		return err
	}
	logged, err := l.s.variable(ctx, "log_slave_updates")
	if err == nil && logged == "" {
		logged, err = l.s.variable(ctx, "log_replica_updates")
	}
	if err != nil {
		return err
	}
	if strings.EqualFold(logged, "OFF") {
		l.add(db.Fail, "log_replica_updates", "@@log_replica_updates",
			"is OFF: what comes from this replica's primary is not logged",
			"set log_replica_updates (log_slave_updates on MariaDB) and restart the source")
	}
	return nil
}

// replica refuses fences that do not stop the primary of a replica: the replication threads go on applying under
// read_only, and wait behind a table lock only until it is released.
func (l *sourceChecks) replica(ctx context.Context, plan db.Plan) error {
	all, err := l.s.upstreams(ctx)
	if err != nil {
		if isPrivilege(err) {
			l.add(db.Warn, "replica", "", "whether the source is a replica cannot be read",
				"GRANT "+append(l.s.flavor.Privileges("SLAVE MONITOR"), "REPLICATION CLIENT")[0]+" ON *.* TO "+
					l.s.grantee()+", or make sure that it is none")
			return nil
		}
		return err
	}
	if len(all) == 0 {
		l.ok("replica", "the source has no primary of its own")
		return nil
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
		l.add(db.Warn, "replica", "", what+" whose replication is stopped",
			"make sure that nothing more is to come from there before the cutover")
	case fence == db.FenceReadOnly || fence == db.FenceLockTables:
		l.add(db.Fail, "replica", "cutover.fence", what+": "+string(fence)+" here does not stop writes there",
			"use cutover.fence: hook with hooks.fence that stops writes on "+u.source()+
				" and returns when the source has received them all")
	default:
		l.add(db.Warn, "replica", "cutover.fence", what, "stop writes on "+u.source()+" at the cutover, not here; "+
			"wherry waits until the source has applied what it has received")
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

// gtid warns of a server without GTIDs. The move works, by file and offset, but only with this very server.
func (l *sourceChecks) gtid(ctx context.Context, _ db.Plan) error {
	if l.s.flavor.Family == schema.MariaDB {
		l.ok("gtid", "MariaDB always has GTIDs")
		return nil
	}
	return l.is(ctx, db.Warn, "gtid_mode", "without GTIDs the move cannot follow a failover of the source; see the "+
		"manual, "+
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
	// A server ends the connection of a replica when another one with the same number asks for its log: both would
	// throw each other out for ever.
	if own == int64(l.s.cfg.ServerID) {
		l.add(db.Fail, "server_id", "source.server_id", fmt.Sprintf("%d is the source's own", own),
			"choose another number, or 0")
		return nil
	}
	statement := "SHOW SLAVE HOSTS"
	if l.s.flavor.HasShowReplicas() && l.s.flavor.Family == schema.MySQL {
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
			l.add(db.Fail, "server_id", "source.server_id", fmt.Sprintf("%d is used by a replica", l.s.cfg.ServerID),
				"choose another number, or 0")
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
	if (strings.EqualFold(wsrep, "ON") || tidb) && (plan.Fence == db.FenceReadOnly ||
		plan.Fence == db.FenceLockTables) {
		what := "a Galera cluster: other nodes go on writing"
		if tidb {
			what = "TiDB: table locks and read_only do not stop writes"
		}
		l.add(db.Fail, "fence", "cutover.fence", string(plan.Fence)+" cannot hold on "+what,
			"use cutover.fence: hook and stop the writers there")
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
