package mysql

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// server is what a source and a target have in common: how to reach the server and what it is.
type server struct {
	cfg        Config
	flavor     schema.Flavor
	version    string
	tag        string // unique per server, for positions by file
	collations schema.Collations
	admin      *sql.DB  // for metadata and statements that are not rows
	session    []string // statements that prepare a wire

	mu   sync.Mutex
	idle []*wire
}

// maxIdle bounds the connections kept for the next chunk: one per worker of the largest configuration.
const maxIdle = 64

// openServer connects and learns which server it is.
func openServer(ctx context.Context, cfg Config, session func(schema.Flavor) []string) (*server, error) {
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	if cfg.ServerID == 0 {
		cfg.ServerID = pickServerID()
	}
	cfg.pulse = loginPulse(cfg)
	s := &server{cfg: cfg}
	dc := driver.NewConfig()
	dc.Net, dc.Addr, dc.User, dc.Passwd = cfg.network(), cfg.Address(), cfg.User, cfg.Password
	dc.TLS, dc.AllowFallbackToPlaintext = cfg.TLS, cfg.TLSFallback
	dc.Timeout = cfg.ConnectTimeout
	dc.DialFunc = cfg.dial
	dc.InterpolateParams = true
	dc.Collation = "utf8mb4_general_ci" // known to both flavors of any version
	dc.Logger = &driver.NopLogger{}
	dc.Params = map[string]string{"sql_mode": "'NO_ENGINE_SUBSTITUTION'", "time_zone": "'+00:00'"}
	for name, value := range wholeResults {
		dc.Params[name] = value
	}
	connector, err := driver.NewConnector(dc)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", cfg.Address(), err)
	}
	s.admin = sql.OpenDB(&patient{connector, cfg.ConnectTimeout, s.sameConn})
	s.admin.SetMaxIdleConns(4)
	s.admin.SetConnMaxIdleTime(time.Minute)
	if err := s.learn(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to %s as %s: %w", cfg.Address(), cfg.User, err), s.admin.Close())
	}
	s.session = session(s.flavor)
	var name, cipher string
	if err := s.admin.QueryRowContext(ctx, "SHOW SESSION STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher); err == nil && cipher == "" {
		s.cfg.TLS = nil // the server has none: do not try again for each connection
	}
	return s, nil
}

// wholeResults are what every session is set to, whatever the server's default: results are neither cut short nor refused for
// their size, and each statement sees what is committed when it begins.
var wholeResults = map[string]string{
	"sql_select_limit": "18446744073709551615", "sql_big_selects": "1",
	// The first comment is for MySQL, the second for MariaDB (MariaDB manual, "Comment Syntax").
	"autocommit": "1 /*!50708 , max_execution_time = 0 */ /*M!100101 , max_statement_time = 0 */",
}

// wholeSession is wholeResults as a list of assignments.
func wholeSession() string {
	var list []string
	for name, value := range wholeResults {
		list = append(list, name+" = "+value)
	}
	return strings.Join(list, ", ")
}

// patient bounds the whole of connecting. The driver's own timeout ends with the dialing: a server that takes connections and
// says nothing, because it is frozen or is no database, would be waited for without end.
type patient struct {
	sqldriver.Connector
	timeout time.Duration
	same    func(context.Context, sqldriver.Conn) error // ErrOtherServer
}

func (p *patient) Connect(ctx context.Context) (sqldriver.Conn, error) {
	bounded, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	conn, err := p.Connector.Connect(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("no answer within %s: %w", p.timeout, db.ErrConnection)
	}
	if err != nil {
		return nil, err
	}
	if err := p.same(bounded, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// pickServerID returns an id that no replica is likely to have.
func pickServerID() uint32 { return 1<<30 + rand.Uint32N(1<<30) }

func (s *server) learn(ctx context.Context) error {
	if err := s.admin.QueryRowContext(ctx, "SELECT VERSION()").Scan(&s.version); err != nil {
		return classify(err)
	}
	flavor, err := schema.ParseFlavor(s.version)
	if err != nil {
		return err
	}
	s.flavor = flavor
	if s.collations, err = readCollations(ctx, s.admin, flavor); err != nil {
		return classify(err)
	}
	var tag string
	if err := s.admin.QueryRowContext(ctx, tagQuery(flavor.MariaDB)).Scan(&tag); err != nil {
		return classify(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tag = tag
	return nil
}

func readCollations(ctx context.Context, admin *sql.DB, flavor schema.Flavor) (schema.Collations, error) {
	c := schema.Collations{Known: map[string]string{}, Default: map[string]string{}}
	query := `SELECT COLLATION_NAME, COALESCE(CHARACTER_SET_NAME, ''), COALESCE(IS_DEFAULT, '') FROM information_schema.COLLATIONS`
	if flavor.HasFullCollationNames() {
		query += ` WHERE CHARACTER_SET_NAME IS NOT NULL UNION ALL
			SELECT FULL_COLLATION_NAME, CHARACTER_SET_NAME, '' FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY`
	}
	rows, err := admin.QueryContext(ctx, query)
	if err != nil {
		return c, err
	}
	defer rows.Close()
	for rows.Next() {
		var name, charset, isDefault string
		if err := rows.Scan(&name, &charset, &isDefault); err != nil {
			return c, err
		}
		c.Known[name] = charset
		if strings.EqualFold(isDefault, "yes") {
			c.Default[charset] = name
		}
	}
	return c, rows.Err()
}

// get returns a prepared connection.
func (s *server) get(ctx context.Context) (*wire, error) {
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

// dial returns a new prepared connection, which need not be given back.
func (s *server) dial(ctx context.Context) (*wire, error) {
	return dialSame(ctx, &s.cfg, s.flavor.MariaDB, s.tag, s.session...)
}

// put gives a connection back; a broken one is closed.
func (s *server) put(w *wire) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.broken || len(s.idle) >= maxIdle {
		_ = w.close()
		return
	}
	s.idle = append(s.idle, w)
}

// Identity tells which server this is and how far its clock is ahead of ours.
func (s *server) Identity(ctx context.Context) (db.Identity, error) {
	id := db.Identity{UUID: s.tag, Host: s.cfg.Address(), Flavor: s.family(), Version: s.version}
	var micros int64
	began := time.Now()
	err := s.admin.QueryRowContext(ctx, `SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED), CONCAT('lower_case_table_names=', @@lower_case_table_names),
		@@GLOBAL.max_allowed_packet`).Scan(&micros, &id.Names, &id.Packet)
	if err != nil {
		return id, fmt.Errorf("identify %s: %w", s.cfg.Address(), classify(err))
	}
	id.Clock = time.UnixMicro(micros).Sub(began.Add(time.Since(began) / 2)).Round(time.Millisecond)
	return id, nil
}

func (s *server) family() string {
	if s.flavor.MariaDB {
		return "MariaDB"
	}
	return "MySQL"
}

// variable returns a global variable's value, or "" when the server does not know it.
func (s *server) variable(ctx context.Context, name string) (string, error) {
	var key, value string
	err := s.admin.QueryRowContext(ctx, "SHOW GLOBAL VARIABLES LIKE '"+strings.ReplaceAll(name, "_", `\_`)+"'").Scan(&key, &value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read @@%s: %w", name, classify(err))
	}
	return value, nil
}

// Close releases every connection.
func (s *server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.idle {
		_ = w.close()
	}
	s.idle = nil
	return s.admin.Close()
}
