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

// Seen returns the GTIDs of everything that a read could see: those in the log of MariaDB, and those executed or
// owned on MySQL.
func (s *Source) Seen(ctx context.Context) (db.Position, error) {
	if s.flavor.Family == schema.MySQL {
		set, err := s.headGTIDs(ctx, logStatus{})
		return binlog.FormatPosition(set, "", 0, ""), wire.Classify(err)
	}
	var list string
	err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_binlog_pos").Scan(&list)
	return binlog.FormatPosition(list, "", 0, ""), wire.Classify(err)
}

// Continues proves by GTIDs that this server continues another one's history: it has executed all that the target or
// any read has seen of the other, and its log still has what comes after. Offsets prove nothing: a replica's log has
// other files.
func (s *Source) Continues(ctx context.Context, from db.Position, seen []db.Position) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("go on with %s (%s): %w", s.cfg.Address(), s.tag, err)
		}
	}()
	if on, err := s.hasGTID(ctx); err != nil || !on {
		return errors.Join(err, fmt.Errorf("%w: it has no GTIDs (gtid_mode is not ON), so it cannot be proved to "+
			"have the same history", db.ErrUnsupported))
	}
	if from.IsZero() {
		return nil // the target holds nothing yet
	}
	needed, err := parseNeeded(append([]db.Position{from}, seen...), s.flavor.Family == schema.MariaDB)
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
func parseNeeded(positions []db.Position, mariadb bool) ([]binlog.GTIDs, error) {
	needed := make([]binlog.GTIDs, 0, len(positions))
	known := map[db.Position]bool{}
	for _, pos := range positions {
		if known[pos] {
			continue
		}
		known[pos] = true
		p, err := binlog.ParsePosition(pos)
		if err != nil {
			return nil, err
		}
		if p.GTIDs == nil || p.GTIDs.Empty() {
			return nil, fmt.Errorf("%w: position %q of the other server has no GTIDs, so nothing proves that both "+
				"have the same history", db.ErrUnsupported, pos)
		}
		if _, list := p.GTIDs.(binlog.GTIDList); list != mariadb {
			return nil, fmt.Errorf("%w: position %q is of a server of another family", db.ErrUnsupported, pos)
		}
		needed = append(needed, p.GTIDs)
	}
	return needed, nil
}

// lacks returns what is needed and was not executed here, or "". What is not lacking is visible to every later read.
func (s *Source) lacks(ctx context.Context, needed []binlog.GTIDs) (string, error) {
	if s.flavor.Family == schema.MariaDB {
		return s.lacksOfLists(ctx, needed)
	}
	all := binlog.NewGTIDSet()
	for _, n := range needed {
		n.Each(all.Add)
	}
	var lacking string
	err := s.admin.QueryRowContext(ctx, "SELECT GTID_SUBTRACT(?, @@GLOBAL.gtid_executed)", all.String()).Scan(&lacking)
	return strings.ReplaceAll(lacking, "\n", ""), wire.Classify(err)
}

// visibleWait bounds the waiting for transactions that are in the log to be visible: the time of a group commit.
const visibleWait = 30 * time.Second

// lacksOfLists compares with the state of MariaDB's log (gtid_binlog_state), which has the last transaction of every
// server in every domain, such as 0-1-100,0-2-120. A sequence number alone proves nothing: after a failover two servers
// may have used the same one for different transactions.
func (s *Source) lacksOfLists(ctx context.Context, needed []binlog.GTIDs) (string, error) {
	var state, end string
	if err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_binlog_state, @@GLOBAL.gtid_binlog_pos").Scan(&state,
		&end); err != nil {
		return "", wire.Classify(err)
	}
	type origin struct{ domain, server uint32 }
	last := map[origin]uint64{}
	for _, member := range strings.Split(state, ",") {
		if member == "" {
			continue
		}
		list, err := binlog.ParseGTIDList(member)
		if err != nil {
			return "", err
		}
		list.Each(func(r binlog.GTIDRun) { last[origin{r.Domain, r.Server}] = r.Last })
	}
	lacking := binlog.GTIDList{}
	for _, n := range needed {
		n.Each(func(r binlog.GTIDRun) {
			if last[origin{r.Domain, r.Server}] < r.Last && lacking[r.Domain].Last < r.Last {
				lacking.Add(r)
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
		at, err := binlog.ParsePosition(pos)
		if err != nil {
			return "", err
		}
		goal, err := binlog.ParseGTIDList(end)
		if err != nil {
			return "", err
		}
		if at.GTIDs != nil {
			if yes, _ := at.GTIDs.Contains(goal); yes {
				return "", nil
			}
		}
		if time.Now().After(deadline) {
			return "", fmt.Errorf("%w: transactions up to %s are in the log and not visible after %s", db.ErrRetry, end,
				visibleWait)
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
	return fmt.Errorf("%w: %s. The target is ahead of this server: they were lost with the server that was the "+
		"source before, or this one "+
		"does not log what it replicates (log_replica_updates). Bring them to this server, or go on with one that "+
		"has them, or begin the move again", db.ErrLost, lacking)
}

// reaches proves that the log holds everything after from.
func (s *Source) reaches(ctx context.Context, from binlog.GTIDs) error {
	if s.flavor.Family == schema.MySQL {
		return s.Retained(ctx, binlog.FormatPosition(from.String(), "", 0, ""))
	}
	cfg := binlog.Config{Dialer: s.dialer, Flavor: s.flavor, Tag: s.tag, From: binlog.Position{GTIDs: from}}
	return binlog.Probe(ctx, cfg)
}
