package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	protocol "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"wherry/pkg/db"
)

// Seen returns the GTIDs of everything that a read could see: those in the log of MariaDB, and those executed or owned on MySQL.
func (s *Source) Seen(ctx context.Context) (db.Position, error) {
	if !s.flavor.MariaDB {
		set, err := s.headGTIDs(ctx, logStatus{})
		return formatPosition(set, "", 0, ""), classify(err)
	}
	var list string
	err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_binlog_pos").Scan(&list)
	return formatPosition(list, "", 0, ""), classify(err)
}

// Continues proves by GTIDs that this server goes on with another one's history.
func (s *Source) Continues(ctx context.Context, from db.Position, seen []db.Position) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("go on with %s (%s): %w", s.cfg.Address(), s.tag, err)
		}
	}()
	if on, err := s.hasGTID(ctx); err != nil || !on {
		return errors.Join(err, fmt.Errorf("%w: it has no GTIDs (gtid_mode is not ON), so it cannot be proved to have the same history", db.ErrUnsupported))
	}
	if from.IsZero() {
		return nil // the target holds nothing yet
	}
	needed, err := parseNeeded(append([]db.Position{from}, seen...), s.flavor.MariaDB)
	if err != nil {
		return err
	}
	lacking, err := s.lacks(ctx, needed)
	if err != nil {
		return err
	}
	if lacking != "" {
		return s.lost(ctx, lacking)
	}
	return s.reaches(ctx, needed[0])
}

// parseNeeded reads positions, which must have GTIDs of the flavor.
func parseNeeded(positions []db.Position, mariadb bool) ([]gtids, error) {
	needed := make([]gtids, 0, len(positions))
	known := map[db.Position]bool{}
	for _, pos := range positions {
		if known[pos] {
			continue
		}
		known[pos] = true
		p, err := parsePosition(string(pos))
		if err != nil {
			return nil, err
		}
		if p.gtid == nil || p.gtid.empty() {
			return nil, fmt.Errorf("%w: position %q of the other server has no GTIDs, so nothing proves that both have the same history", db.ErrUnsupported, pos)
		}
		if _, list := p.gtid.(gtidList); list != mariadb {
			return nil, fmt.Errorf("%w: position %q is of a server of another family", db.ErrUnsupported, pos)
		}
		needed = append(needed, p.gtid)
	}
	return needed, nil
}

// lacks returns what is needed and was not executed here, or "". What is not lacking is visible to every later read.
func (s *Source) lacks(ctx context.Context, needed []gtids) (string, error) {
	if s.flavor.MariaDB {
		return s.lacksOfLists(ctx, needed)
	}
	all := newGTIDSet()
	for _, n := range needed {
		n.each(all.add)
	}
	var lacking string
	err := s.admin.QueryRowContext(ctx, "SELECT GTID_SUBTRACT(?, @@GLOBAL.gtid_executed)", all.String()).Scan(&lacking)
	return strings.ReplaceAll(lacking, "\n", ""), classify(err)
}

// visibleWait bounds the waiting for transactions that are in the log to be visible: the time of a group commit.
const visibleWait = 30 * time.Second

// lacksOfLists looks in the state of MariaDB's log, which knows the last transaction of every server in every domain: a
// sequence number alone proves nothing, for two servers may have used it.
func (s *Source) lacksOfLists(ctx context.Context, needed []gtids) (string, error) {
	var state, end string
	if err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_binlog_state, @@GLOBAL.gtid_binlog_pos").Scan(&state, &end); err != nil {
		return "", classify(err)
	}
	type origin struct{ domain, server uint32 }
	last := map[origin]uint64{}
	for _, member := range strings.Split(state, ",") {
		if member == "" {
			continue
		}
		list, err := parseGTIDList(member)
		if err != nil {
			return "", err
		}
		list.each(func(r gtidRun) { last[origin{r.domain, r.server}] = r.last })
	}
	lacking := gtidList{}
	for _, n := range needed {
		n.each(func(r gtidRun) {
			if last[origin{r.domain, r.server}] < r.last && lacking[r.domain].last < r.last {
				lacking.add(r)
			}
		})
	}
	if len(lacking) > 0 {
		return lacking.String(), nil
	}
	for deadline := time.Now().Add(visibleWait); ; {
		pos, err := s.SafePosition(ctx)
		if err != nil {
			return "", err
		}
		at, err := parsePosition(string(pos))
		if err != nil {
			return "", err
		}
		goal, err := parseGTIDList(end)
		if err != nil {
			return "", err
		}
		if at.gtid != nil {
			if yes, _ := at.gtid.contains(goal); yes {
				return "", nil
			}
		}
		if time.Now().After(deadline) {
			return "", fmt.Errorf("%w: transactions up to %s are in the log and not visible after %s", db.ErrRetry, end, visibleWait)
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// lost says what becomes of transactions that this server lacks.
func (s *Source) lost(ctx context.Context, lacking string) error {
	if u, err := s.follows(ctx); err == nil && u != nil && u.applying() {
		return fmt.Errorf("%w: it is a replica of %s and has not applied %s yet", db.ErrRetry, u.source(), lacking)
	}
	return fmt.Errorf("%w: %s. The target is ahead of this server: they were lost with the server that was the source before, or this one "+
		"does not log what it replicates (log_replica_updates). Bring them to this server, or go on with one that has them, or begin the move again", db.ErrLost, lacking)
}

// reaches proves that the log holds everything after from.
func (s *Source) reaches(ctx context.Context, from gtids) error {
	if !s.flavor.MariaDB {
		return s.Retained(ctx, formatPosition(from.String(), "", 0, ""))
	}
	cfg := s.cfg
	cfg.ServerID = pickServerID()
	stream := streamConfig{server: &cfg, mariadb: true, from: position{gtid: from}, serverTag: s.tag, heartbeat: 100 * time.Millisecond}
	w, err := dialWire(ctx, &cfg)
	if err != nil {
		return classify(err)
	}
	defer func() { _ = w.close() }()
	done := w.guard(ctx)
	return done(streamError((&binlogReader{cfg: &stream, wire: w}).probe(ctx)))
}

// probe opens the log and reads until the server has found the place, or says that it cannot.
func (r *binlogReader) probe(ctx context.Context) error {
	if err := r.start(ctx); err != nil {
		return err
	}
	for {
		packet, err := r.wire.readPacket()
		switch {
		case err != nil:
			return err
		case packet[0] == protocol.ERR_HEADER:
			return serverError(packet)
		case packet[0] != protocol.OK_HEADER:
			return fmt.Errorf("%w: packet 0x%02x", errEvent, packet[0])
		}
		event, ok := parseEventHeader(packet[1:])
		if !ok {
			return errEvent
		}
		if event.kind == replication.MARIADB_GTID_EVENT || event.kind == replication.HEARTBEAT_EVENT {
			return nil
		}
	}
}
