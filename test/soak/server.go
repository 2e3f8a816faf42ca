package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"wherry/test/internal/lab"
)

// patience is how long a server may take to come back on a busy machine.
const patience = 2 * time.Minute

// The application's account: a server that is read-only refuses it.
const appUser, appPassword = "soak_app", "soak-app-secret"

// server is one end of a move.
type server struct {
	lab.Server
	pair *pair   // behind this address, or nil
	db   *sql.DB // as root, whom wherry is not: the connections of wherry can be told from ours
}

func openServer(s lab.Server) (*server, error) {
	db, err := s.Open("root", "", "")
	if err != nil {
		return nil, err
	}
	return &server{Server: s, db: db}, nil
}

// control has the servers' script do something to the server.
func (s *server) control(ctx context.Context, verb string) error {
	if s.pair != nil {
		_, err := s.pair.fleet.Control(verb, s.pair.primary.Name)
		return err
	}
	script := os.Getenv("WHERRY_SERVERS_SCRIPT")
	if script == "" {
		return errors.New("no WHERRY_SERVERS_SCRIPT: servers that the script did not start are not touched; leave " +
			"out the features restart and freeze")
	}
	ctx, cancel := context.WithTimeout(ctx, 3*patience) // the script waits for other copies of itself
	defer cancel()
	if out, err := exec.CommandContext(ctx, script, verb, s.Name).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", verb, s.Name, err, out)
	}
	return nil
}

// restart is a crash and a start some time after.
func (s *server) restart(ctx context.Context, down time.Duration) error {
	if err := s.control(ctx, "kill"); err != nil {
		return err
	}
	time.Sleep(down)
	return s.control(ctx, "start")
}

func (s *server) freeze(ctx context.Context, lasts time.Duration) error {
	if err := s.control(ctx, "freeze"); err != nil {
		return err
	}
	time.Sleep(lasts)
	return s.control(ctx, "thaw")
}

// cut ends all connections of wherry. Those that are gone by themselves meanwhile are as well.
func (s *server) cut(ctx context.Context) error {
	ids, err := s.sessions(ctx)
	if away(err) {
		return nil // all are gone then
	}
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.try(ctx, fmt.Sprintf("KILL %s", id)); err != nil && number(err) != 1094 { // unknown thread
			return err
		}
	}
	return nil
}

// sessions are the numbers of wherry's connections. SHOW is used because MySQL's information_schema.processlist fails
// while anybody runs a statement whose bytes are no text (error 3854).
func (s *server) sessions(ctx context.Context) (ids []string, err error) {
	rows, err := s.db.QueryContext(ctx, "SHOW PROCESSLIST")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		if values[1].String == lab.User {
			ids = append(ids, values[0].String)
		}
	}
	return ids, rows.Err()
}

// try runs statements, again while the server is away.
func (s *server) try(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		var err error
		for until := time.Now().Add(patience); time.Now().Before(until) &&
			ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
			if _, err = s.db.ExecContext(ctx, statement); err == nil || !away(err) {
				break
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %.300s: %w", s.Name, statement, err)
		}
	}
	return nil
}

// list returns the first column of a query.
func (s *server) list(ctx context.Context, query string, args ...any) (all []string, err error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

// prepare makes the application's account and removes what an episode that failed has left.
func (s *server) prepare(ctx context.Context) error {
	if err := s.try(ctx, "SET GLOBAL read_only = 0",
		"DROP USER IF EXISTS '"+appUser+"'@'%'",
		"CREATE USER '"+appUser+"'@'%' IDENTIFIED BY '"+appPassword+"'",
		"GRANT ALL ON `soak\\_%`.* TO '"+appUser+"'@'%'"); err != nil {
		return err
	}
	return s.sweep(ctx)
}

// sweep drops the databases of all episodes.
func (s *server) sweep(ctx context.Context) error {
	names, err := s.list(ctx, `SELECT schema_name FROM information_schema.schemata
		WHERE schema_name LIKE 'soak\_%' OR schema_name LIKE 'wherry\_soak\_%'`)
	if err != nil {
		return fmt.Errorf("%s: list databases: %w", s.Name, err)
	}
	for _, name := range names {
		if err := s.try(ctx, "DROP DATABASE "+quote(name)); err != nil {
			return err
		}
	}
	return nil
}
