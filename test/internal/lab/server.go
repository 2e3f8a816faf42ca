// Package lab is what the demo and the benchmark share: private servers, fast loading, and wherry as a child
// process whose output, time and memory are kept.
//
// It looks at servers with go-sql-driver and its own SQL only, so that what it finds does not rest on the code
// under test. It neither starts nor stops servers: scripts/servers.sh does.
package lab

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/stdlib"
)

// The flavors that the demo and the benchmark know.
const (
	MySQL    = "mysql"
	MariaDB  = "mariadb"
	Postgres = "postgres"
)

// PostgresDatabase is the database of a PostgreSQL server that moves go to: a source's database becomes a schema of it.
const PostgresDatabase = "postgres"

// User is whom wherry connects as; scripts/servers.sh makes the account.
const (
	User     = "wherry"
	Password = "wherry-secret"
)

// Server is one instance of scripts/servers.sh.
type Server struct {
	Name   string // mysql-1
	Flavor string
	Host   string
	Port   int
}

// ParseServers reads the list that scripts/servers.sh env prints: NAME=FLAVOR://root@HOST:PORT, separated by spaces.
func ParseServers(list string) ([]Server, error) {
	var out []Server
	for _, entry := range strings.Fields(list) {
		name, address, ok := strings.Cut(entry, "=")
		u, err := url.Parse(address)
		if !ok || err != nil {
			return nil, fmt.Errorf("invalid server %q: it is like mysql-1=mysql://root@127.0.0.1:3306", entry)
		}
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			return nil, fmt.Errorf("invalid server %q: no port", entry)
		}
		out = append(out, Server{Name: name, Flavor: u.Scheme, Host: u.Hostname(), Port: port})
	}
	return out, nil
}

// Find returns the server of a name.
func Find(servers []Server, name string) (Server, error) {
	for _, s := range servers {
		if s.Name == name {
			return s, nil
		}
	}
	return Server{}, fmt.Errorf("no server %s among %d in WHERRY_TEST_SERVERS", name, len(servers))
}

// Pair returns the first server of the flavor from and the first of the flavor to that is not the same.
func Pair(servers []Server, from, to string) (source, target Server, err error) {
	if source, err = Find(servers, from+"-1"); err != nil {
		return source, target, err
	}
	name := to + "-1"
	if from == to {
		name = to + "-2"
	}
	target, err = Find(servers, name)
	return source, target, err
}

// Address is host:port.
func (s Server) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Open returns a pool of connections of an account. Every session is strict and in UTC.
func (s Server) Open(user, password, database string) (*sql.DB, error) {
	return s.open(user, password, database, false)
}

// Batch is Admin with connections that take several statements in one text.
func (s Server) Batch(database string) (*sql.DB, error) {
	return s.open(User, Password, database, true)
}

func (s Server) open(user, password, database string, batch bool) (*sql.DB, error) {
	if s.Flavor == Postgres {
		return s.openPostgres(user, password, database)
	}
	cfg := mysql.NewConfig()
	cfg.MultiStatements = batch
	cfg.User, cfg.Passwd, cfg.DBName = user, password, database
	cfg.Net, cfg.Addr = "tcp", s.Address()
	cfg.InterpolateParams = true
	cfg.Collation = "utf8mb4_general_ci"
	cfg.Timeout = 10 * time.Second
	cfg.MaxAllowedPacket = 64 << 20
	cfg.Logger = &mysql.NopLogger{} // a killed connection is told by its error, once
	cfg.Params = map[string]string{
		"time_zone": "'+00:00'",
		"sql_mode":  "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("configure %s: %w", s.Name, err)
	}
	return sql.OpenDB(connector), nil
}

// openPostgres opens the database that there is, with one of its schemas as the database.
func (s Server) openPostgres(user, password, schema string) (*sql.DB, error) {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password), Host: s.Address(), Path: PostgresDatabase,
		RawQuery: url.Values{
			"sslmode": {"disable"}, "connect_timeout": {"10"}, "TimeZone": {"UTC"}, "search_path": {schema},
		}.Encode(),
	}
	return sql.Open("pgx", u.String())
}

// Admin returns a pool of connections as the account that may do everything.
func (s Server) Admin(database string) (*sql.DB, error) { return s.Open(User, Password, database) }

// Version is what the server calls itself.
func Version(ctx context.Context, db *sql.DB) (string, error) {
	var version string
	query := "SELECT VERSION()"
	if _, ok := db.Driver().(*stdlib.Driver); ok {
		query = "SHOW server_version"
	}
	if err := db.QueryRowContext(ctx, query).Scan(&version); err != nil {
		return "", fmt.Errorf("read version: %w", err)
	}
	return version, nil
}

// ExecAll runs statements one after another on one connection.
func ExecAll(ctx context.Context, conn *sql.Conn, statements ...string) error {
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("run %.80s: %w", statement, err)
		}
	}
	return nil
}

// Exec runs statements one after another on one connection of a pool.
func Exec(ctx context.Context, db *sql.DB, statements ...string) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	return ExecAll(ctx, conn, statements...)
}
