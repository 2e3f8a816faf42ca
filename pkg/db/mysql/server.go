package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/binlog"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// server is what a source and a target have in common: how to reach the server and what it is.
type server struct {
	cfg        Config
	dialer     *wire.Dialer
	flavor     dialect.Flavor
	version    string
	tag        string    // unique per server, for positions by file
	verdicts   []verdict // on the kind of server, such as Galera; empty for a usual one
	collations dialect.Collations
	admin      *sql.DB   // for metadata and statements that are not rows
	role       wire.Role // of connections for rows
	refused    []wire.Refused

	mu      sync.Mutex
	idle    []*wire.Conn
	current string // the account that we are, once it was asked for
}

// maxIdle bounds the connections that are kept for the next chunk, one per worker. Each keeps a read buffer of 256 KiB.
const maxIdle = 64

// openServer connects and learns which server it is. role is that of connections for rows. A server that is not
// supported is refused here, before any statement that it may not know.
func openServer(ctx context.Context, cfg Config, role wire.Role) (*server, error) {
	if cfg.ServerID == 0 {
		cfg.ServerID = binlog.PickServerID()
	}
	s := &server{cfg: cfg, dialer: cfg.dialer(), role: role}
	var err error
	if s.admin, err = s.dialer.OpenPool(); err != nil {
		return nil, err
	}
	if err := s.learn(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to %s as %s: %w", cfg.Address(), cfg.User, err), s.admin.Close())
	}
	var name, cipher string
	if err := s.admin.QueryRowContext(ctx, "SHOW SESSION STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher); err == nil &&
		cipher == "" {
		s.dialer.TLS = nil // the server has none: do not try again for each connection
	}
	return s, nil
}

// Classify is for errors that left an engine without a kind: a phase fails with them, and pkg/move asks whether a
// retry could help.
func Classify(err error) error { return wire.Classify(err) }

// learn asks on the first connection who the server is, and which session variables it has. The order matters: the
// version first, because all later statements depend on it; the identity last, because from then on every connection
// must lead to the same server.
func (s *server) learn(ctx context.Context) (err error) {
	conn, err := s.admin.Conn(ctx)
	if err != nil {
		return wire.Classify(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.QueryRowContext(ctx, "SELECT VERSION()").Scan(&s.version); err != nil {
		return wire.Classify(err)
	}
	if v := otherProduct(s.version, ""); v != nil {
		return v.unsupported()
	}
	if s.flavor, err = dialect.ParseFlavor(s.version); err != nil {
		return fmt.Errorf("%w, which is none of MySQL or MariaDB; nothing was changed: %w", err, db.ErrUnsupported)
	}
	if v := tooOld(s.flavor); v != nil {
		return v.unsupported()
	}
	if err := s.learnSessions(ctx, conn); err != nil {
		return s.explained(wire.Classify(err))
	}
	if s.collations, err = readCollations(ctx, conn, s.flavor); err != nil {
		return s.explained(wire.Classify(err))
	}
	var tag string
	if err := conn.QueryRowContext(ctx, wire.IdentityQuery(s.flavor.Family == schema.MariaDB)).Scan(&tag); err != nil {
		return s.explained(wire.Classify(err))
	}
	s.tag = tag
	s.dialer.Expect(tag, s.flavor.Family == schema.MariaDB)
	return nil
}

// readCollations asks the server for its collations: their numbers are in the log, and their names and defaults
// differ from version to version. MariaDB since 10.10 lists some by short names, which stand for several character
// sets; the second part of the query adds their full names.
func readCollations(ctx context.Context, admin *sql.Conn, flavor dialect.Flavor) (dialect.Collations, error) {
	c := dialect.Collations{Known: map[string]string{}, Default: map[string]string{}, Numbers: map[int]string{}}
	query := `SELECT COLLATION_NAME, COALESCE(CHARACTER_SET_NAME, ''), COALESCE(IS_DEFAULT, ''), COALESCE(ID, 0) ` +
		`FROM information_schema.COLLATIONS`
	if flavor.HasFullCollationNames() {
		query += ` WHERE CHARACTER_SET_NAME IS NOT NULL UNION ALL
			SELECT FULL_COLLATION_NAME, CHARACTER_SET_NAME, '', COALESCE(ID, 0)
			FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY`
	}
	rows, err := admin.QueryContext(ctx, query)
	if err != nil {
		return c, err
	}
	defer rows.Close()
	for rows.Next() {
		var name, charset, isDefault string
		var number int
		if err := rows.Scan(&name, &charset, &isDefault, &number); err != nil {
			return c, err
		}
		c.Known[name], c.Numbers[number] = charset, name
		if strings.EqualFold(isDefault, "yes") {
			c.Default[charset] = name
		}
	}
	return c, rows.Err()
}

// get returns a prepared connection.
func (s *server) get(ctx context.Context) (*wire.Conn, error) {
	s.mu.Lock()
	if n := len(s.idle); n > 0 {
		w := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		return w, nil
	}
	s.mu.Unlock()
	return s.dial(ctx)
}

// dial returns a new prepared connection, which need not be given back. It is for what must not be shared: a lock, a
// snapshot, an applier's transaction.
func (s *server) dial(ctx context.Context) (*wire.Conn, error) {
	return s.dialer.Dial(ctx, s.role)
}

// put gives a connection back; a broken one is closed, and so is one too many. Settings of the session stay, so a
// caller that changed some closes the connection instead.
func (s *server) put(w *wire.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.Broken || len(s.idle) >= maxIdle {
		_ = w.Close()
		return
	}
	s.idle = append(s.idle, w)
}

// Identity tells which server this is and how far its clock is ahead of ours.
func (s *server) Identity(ctx context.Context) (db.Identity, error) {
	id := db.Identity{UUID: s.tag, Host: s.cfg.Address(), Flavor: s.family(), Version: s.version}
	var micros int64
	began := time.Now()
	err := s.admin.QueryRowContext(ctx,
		`SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED),
		CONCAT('lower_case_table_names=', @@lower_case_table_names),
		@@GLOBAL.max_allowed_packet`).Scan(&micros, &id.Names, &id.Packet)
	if err != nil {
		return id, fmt.Errorf("identify %s: %w", s.cfg.Address(), wire.Classify(err))
	}
	// As NTP does it: the answer was made about half way between asking and reading.
	id.Clock = time.UnixMicro(micros).Sub(began.Add(time.Since(began) / 2)).Round(time.Millisecond)
	return id, nil
}

func (s *server) family() string {
	if s.flavor.Family == schema.MariaDB {
		return "MariaDB"
	}
	return "MySQL"
}

// variable returns a global variable's value, or "" when the server does not know it, as other versions and flavors do
// not. SELECT @@x would be an error then. An underscore is a wildcard of LIKE, so it is escaped.
func (s *server) variable(ctx context.Context, name string) (string, error) {
	var key, value string
	err := s.admin.QueryRowContext(ctx, "SHOW GLOBAL VARIABLES LIKE '"+strings.ReplaceAll(name, "_",
		`\_`)+"'").Scan(&key, &value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read @@%s: %w", name, wire.Classify(err))
	}
	return value, nil
}

// global returns a global variable's value as an expression has it, a flag as 0 or 1. It takes a tenth of the time of
// variable, which makes the server list all that it has: what is asked while writes are blocked is asked like this.
func (s *server) global(ctx context.Context, name string) (value string, err error) {
	if err := s.admin.QueryRowContext(ctx, "SELECT @@GLOBAL."+name).Scan(&value); err != nil {
		return "", fmt.Errorf("read @@%s: %w", name, wire.Classify(err))
	}
	return value, nil
}

// Close releases every connection.
func (s *server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.idle {
		_ = w.Close()
	}
	s.idle = nil
	return s.admin.Close()
}

// Dialect writes and compares tables in this server's language.
func (s *server) Dialect() schema.Dialect { return dialect.New(s.flavor, s.collations) }
