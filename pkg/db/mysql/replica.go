package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/binlog"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
)

// upstream is a primary of this server: one channel of its replication. A server may have several (multi-source).
type upstream struct {
	status map[string]string // SHOW REPLICA STATUS, with the names of its columns as MySQL 8.4 has them
}

// source is host and port of the primary.
func (u *upstream) source() string { return u.status["Source_Host"] + ":" + u.status["Source_Port"] }

// receiving and applying tell which of the channel's threads run.
func (u *upstream) receiving() bool { return u.status["Replica_IO_Running"] == "Yes" }
func (u *upstream) applying() bool  { return u.status["Replica_SQL_Running"] == "Yes" }

// running tells whether the channel changes this server, or will.
func (u *upstream) running() bool {
	return u.applying() || u.status["Replica_IO_Running"] != "No" // it may be connecting
}

// newNames are the words that took the place of others in the columns of SHOW REPLICA STATUS (MySQL 8.0.22 release
// notes).
var newNames = strings.NewReplacer("Master", "Source", "Slave", "Replica")

// upstreams returns the primaries of this server, usually none.
func (s *server) upstreams(ctx context.Context) (found []upstream, err error) {
	statement := "SHOW SLAVE STATUS"
	switch {
	case s.flavor.Family == schema.MariaDB:
		statement = "SHOW ALL SLAVES STATUS" // the other statement shows only the default connection
	case s.flavor.HasShowReplicas():
		statement = "SHOW REPLICA STATUS"
	}
	rows, err := s.admin.QueryContext(ctx, statement)
	if err != nil {
		return nil, fmt.Errorf("read the replication status of %s: %w", s.cfg.Address(), wire.Classify(err))
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, into := make([][]byte, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		u := upstream{status: make(map[string]string, len(names))}
		for i, name := range names {
			u.status[newNames.Replace(name)] = string(values[i])
		}
		found = append(found, u)
	}
	return found, wire.Classify(rows.Err())
}

// follows returns a primary whose changes this server applies, or nil.
func (s *server) follows(ctx context.Context) (*upstream, error) {
	all, err := s.upstreams(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].running() {
			return &all[i], nil
		}
	}
	return nil, nil
}

// unreplicated refuses a fence that does not stop a primary's changes: neither read_only nor a lock keeps it from
// committing, and what it commits after the takeover would be lost.
func (s *server) unreplicated(ctx context.Context) error {
	u, err := s.follows(ctx)
	if err != nil {
		if isPrivilege(err) { // named by the replica check
			return nil
		}
		return err
	}
	if u == nil {
		return nil
	}
	return fmt.Errorf("the source is a replica of %s, where writes go on: %w; use cutover.fence: hook and stop "+
		"writes there "+
		"(wherry waits until this replica has applied what it has received), or stop writes there, wait and STOP "+
		"REPLICA here", u.source(), db.ErrUnsupported)
}

// appliedAll tells whether everything that was received from a primary is applied. GTIDs are compared where the channel
// has them; file and offset are only those of the last event, which with parallel replication may be ahead of others.
func (s *server) appliedAll(ctx context.Context, u *upstream) (bool, error) {
	if set := u.status["Retrieved_Gtid_Set"]; set != "" {
		var applied bool
		err := s.admin.QueryRowContext(ctx, "SELECT GTID_SUBSET(?, @@GLOBAL.gtid_executed)", set).Scan(&applied)
		return applied, wire.Classify(err)
	}
	if received := u.status["Gtid_IO_Pos"]; received != "" && !strings.EqualFold(u.status["Using_Gtid"], "No") {
		var applied string
		if err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_slave_pos").Scan(&applied); err != nil ||
			applied == "" {
			return false, wire.Classify(err)
		}
		return coveredList(applied, received)
	}
	return u.status["Source_Log_File"] == u.status["Relay_Source_Log_File"] &&
		u.status["Read_Source_Log_Pos"] == u.status["Exec_Source_Log_Pos"], nil
}

// coveredList tells whether one MariaDB GTID list is at or after another.
func coveredList(at, goal string) (bool, error) {
	a, err := binlog.ParseGTIDList(at)
	if err != nil {
		return false, err
	}
	g, err := binlog.ParseGTIDList(goal)
	if err != nil {
		return false, err
	}
	yes, _ := a.Contains(g)
	return yes, nil
}

// preparedPatience bounds the wait for prepared transactions. It is only a backstop: the cutover's own timeout is
// shorter.
const preparedPatience = time.Hour

// AwaitPending waits until what was received from primaries is applied, and no transaction is prepared by XA. A channel
// that cannot get there is an error.
func (s *Source) AwaitPending(ctx context.Context) error {
	for {
		all, err := s.upstreams(ctx)
		if err != nil {
			if isPrivilege(err) {
				return s.unprepared(ctx, preparedPatience) // the rest is named by the replica check
			}
			return err
		}
		waiting := false
		for i := range all {
			u := &all[i]
			done, err := s.appliedAll(ctx, u)
			switch {
			case err != nil:
				return err
			case u.applying() && !u.receiving():
				return fmt.Errorf("this replica is not connected to its primary %s, so it may lack what was "+
					"committed there: %s", u.source(), u.status["Last_IO_Error"])
			case !done && !u.applying():
				return fmt.Errorf("this replica of %s has received changes that it does not apply: START REPLICA: %s",
					u.source(), u.status["Last_SQL_Error"])
			}
			waiting = waiting || !done
		}
		if !waiting {
			return s.unprepared(ctx, preparedPatience)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until this replica has applied what it has received: %w", context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}
