package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"wherry/pkg/db"
)

// leastPacket is the least max_allowed_packet, in bytes, that is accepted: statements that prepare sessions, keep the
// bookkeeping and define tables cannot be made smaller.
const leastPacket = 16 << 10

// learnSessions finds out, on the first connection, which variables sessions have and may set.
func (s *server) learnSessions(ctx context.Context, conn *sql.Conn) error {
	has, err := shownVariables(ctx, conn, "SHOW SESSION VARIABLES")
	if err != nil {
		return err
	}
	if v := otherProduct(s.version, has["version_comment"]); v != nil {
		return v.unsupported()
	}
	s.verdicts = judge(s.version, has)
	if packet, err := strconv.Atoi(has["max_allowed_packet"]); err == nil && packet < leastPacket {
		return fmt.Errorf("max_allowed_packet is %d bytes, which wherry's own statements do not fit in; nothing was "+
			"changed; "+
			"SET GLOBAL max_allowed_packet = 67108864 there: %w", packet, db.ErrUnsupported)
	}
	s.refused, err = s.dialer.PrepareSessions(ctx, conn, has)
	return err
}

// shownVariables returns what SHOW VARIABLES or SHOW STATUS prints, by names in lower case.
func shownVariables(ctx context.Context, conn *sql.Conn, statement string) (shown map[string]string, err error) {
	rows, err := conn.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	shown = map[string]string{}
	for rows.Next() {
		var name string
		var value sql.NullString
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		shown[strings.ToLower(name)] = value.String
	}
	return shown, rows.Err()
}

// sessionVariables reports variables that sessions inherit from the server because the account may not set them.
func (l *checklist) sessionVariables(context.Context, db.Plan) error {
	good := true
	for _, r := range l.s.refused {
		if r.Writes && l.end != "target" {
			continue
		}
		good = false
		l.add(r.Level, "session_variables", "@@"+r.Name,
			fmt.Sprintf("is %q for new sessions, and the account may not set it: %s", r.Value, r.Why),
			fmt.Sprintf("SET GLOBAL %s = %s on the %s, or GRANT %s ON *.* TO %s", r.Name, r.Wanted, l.end,
				l.s.flavor.Privileges("SESSION_VARIABLES_ADMIN", "SUPER")[0], l.s.grantee()))
	}
	if good {
		l.ok("session_variables", "set per session, the server's own do not matter")
	}
	return nil
}
