package mysql

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
)

// errNoRecover is MySQL 5.7's answer to an account that may not list prepared transactions (ER_XAER_RMERR).
const errNoRecover = 1401

// prepared lists transactions that are prepared by XA and not ended, of whatever tables; known is false where the
// account may not ask.
func (s *server) prepared(ctx context.Context) (names []string, known bool, err error) {
	found, err := s.readAll(ctx, "XA RECOVER")
	if isPrivilege(err) || wire.Number(err) == errNoRecover {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("list prepared XA transactions of %s: %w", s.cfg.Address(), err)
	}
	for _, row := range found { // format, length of the first part of the name, of the second, both parts
		global, err := strconv.Atoi(string(row[1]))
		if err != nil || global > len(row[3]) {
			return nil, false, fmt.Errorf("list prepared XA transactions of %s: invalid answer %q", s.cfg.Address(),
				row)
		}
		names = append(names, fmt.Sprintf("X'%x',X'%x',%s", row[3][:global], row[3][global:], row[0]))
	}
	return names, true, nil
}

// firstNames shows some of a list.
func firstNames(names []string) string {
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most], "; ") + "; .."
	}
	return strings.Join(names, "; ")
}

// preparedPoll is the pause between two lists of prepared transactions: short, because writes are blocked meanwhile.
const preparedPoll = 10 * time.Millisecond

// unprepared waits up to patience, or until ctx ends, for the end of all prepared transactions. Neither read_only of
// MySQL nor a lock stops the commit of one (only MariaDB's read_only does), so one that is left at a cutover would be
// lost.
func (s *server) unprepared(ctx context.Context, patience time.Duration) error {
	var left error // what is waited for
	for deadline := time.Now().Add(patience); ; {
		names, _, err := s.prepared(ctx)
		switch {
		case err != nil && ctx.Err() != nil && left != nil: // the time was over while the server was asked
			return fmt.Errorf("%w: %w", context.Cause(ctx), left)
		case err != nil || len(names) == 0:
			return err
		}
		left = fmt.Errorf("%s prepared by XA on the source, and what is committed of that after the takeover would "+
			"be lost: commit or roll back: %s: %w",
			count.Of(len(names), "transaction"), firstNames(names), db.ErrRetry)
		if time.Now().After(deadline) {
			return left
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), left)
		case <-time.After(preparedPoll):
		}
	}
}
