package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// ScratchName is the name of a move's first scratch database; further ones have a number behind it. Names of moves
// have no hyphen, so it is never the bookkeeping of another move.
func ScratchName(move string) string { return Bookkeeping(move) + "-try" }

// scratchName is the name of one of several.
func scratchName(move string, i int) string {
	if i == 0 {
		return ScratchName(move)
	}
	return fmt.Sprintf("%s-%d", ScratchName(move), i+1)
}

// scratchPrivileges are what making such objects and tables in a scratch database needs.
func scratchPrivileges(kinds []schema.ObjectKind) []string {
	wanted := []string{"SELECT", "CREATE", "ALTER", "INDEX", "DROP", "REFERENCES"}
	for _, kind := range kinds {
		for _, p := range making[kind] {
			if !slices.Contains(wanted, p) {
				wanted = append(wanted, p)
			}
		}
	}
	return wanted
}

const (
	// scratchMark is the comment of the table by which a scratch database is known.
	scratchMark = "wherry makes and removes this database to try statements in"
	// scratchCollation is the collation of a scratch database until that table is there. A kill may come between the
	// two statements: an empty database of our name with this odd collation is ours too, and may be removed.
	scratchCollation = "ascii_bin"
	// scratchConns is how many statements run at a time.
	scratchConns = 4
	// scratchPatience bounds the removal, which also happens when the user has given up.
	scratchPatience = 5 * time.Minute
)

type scratch struct {
	t       *Target
	names   map[string]string // target's database -> scratch database
	made    []string
	lock    *sql.Conn // holds the lock that keeps another check away
	conns   chan *sql.Conn
	closing sync.Once
	closed  error
}

// Scratch makes the databases. They are made, used and removed without the binary log where the account may leave it
// out, so that replicas of the target do not see them.
func (t *Target) Scratch(ctx context.Context, plan db.ScratchPlan) (_ db.Scratch, err error) {
	s := &scratch{t: t, names: map[string]string{}, conns: make(chan *sql.Conn, scratchConns)}
	for i, d := range plan.Databases {
		s.names[d.Name] = scratchName(t.cfg.Move, i)
	}
	defer func() {
		if err != nil {
			err = errors.Join(noScratch(err), s.Close())
		}
	}()
	if err := s.permitted(ctx, plan); err != nil {
		return nil, err
	}
	if err := s.acquireLock(ctx); err != nil {
		return nil, err
	}
	if err := s.sweep(ctx); err != nil {
		return nil, err
	}
	for range scratchConns {
		conn, err := s.open(ctx)
		if err != nil {
			return nil, err
		}
		s.conns <- conn
	}
	for _, d := range plan.Databases {
		if err := s.make(ctx, s.names[d.Name], d.Collation); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// noScratch makes of a refusal by the server one by us: whatever it was, nothing can be tried.
func noScratch(err error) error {
	var known *db.NoScratchError
	if errors.As(err, &known) || errors.Is(err, db.ErrConnection) || errors.Is(err, db.ErrRetry) ||
		errors.Is(err, db.ErrSpace) || wire.Number(err) == 0 {
		return err
	}
	return &db.NoScratchError{
		What: "no scratch database can be made on the target: " + err.Error(),
		Fix:  "let the target take it, or leave it out with --no-trial",
	}
}

// permitted checks that the account may do what is to be tried, before anything is made.
func (s *scratch) permitted(ctx context.Context, plan db.ScratchPlan) error {
	all, err := s.t.readGrants(ctx)
	if err != nil {
		return err
	}
	wanted := scratchPrivileges(plan.Kinds)
	var lacking, grants []string
	for _, d := range plan.Databases {
		name := s.names[d.Name]
		var here []string
		for _, p := range wanted {
			if !all.allow(schema.Name{Database: name, Table: "*"}, p) {
				here = append(here, p)
			}
		}
		if len(here) > 0 {
			lacking = append(lacking, fmt.Sprintf("no %s on %s.*", strings.Join(here, ", "), dialect.Quote(name)))
			grants = append(grants, fmt.Sprintf("GRANT %s ON %s.* TO %s", strings.Join(wanted, ", "),
				dialect.Quote(name), s.t.grantee()))
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return &db.NoScratchError{
		What: "the account may not make the scratch database in which the statements of the move are tried: " +
			strings.Join(lacking, "; "),
		Fix: strings.Join(grants, "; "),
	}
}

// acquireLock keeps two checks of one move from using one database.
func (s *scratch) acquireLock(ctx context.Context) (err error) {
	if s.lock, err = s.t.admin.Conn(ctx); err != nil {
		return wire.Classify(err)
	}
	var got sql.NullInt64
	if err := s.lock.QueryRowContext(ctx, "SELECT GET_LOCK(?, 0)", ScratchName(s.t.cfg.Move)).Scan(&got); err != nil {
		return wire.Classify(err)
	}
	if got.Int64 != 1 {
		return &db.NoScratchError{
			What: "another check of this move tries its statements at the moment",
			Fix:  "wait until it has ended",
		}
	}
	return nil
}

// sweep removes what an interrupted check has left. The DROP goes to the binary log: the CREATE may have gone there
// too, if the account had no privilege to keep it out, and then replicas have the database. DROP DATABASE IF EXISTS
// does no harm on those that have not.
func (s *scratch) sweep(ctx context.Context) error {
	left, others, err := s.t.scratchDatabases(ctx)
	if err != nil {
		return err
	}
	for _, name := range others {
		if slices.ContainsFunc(s.wanted(), func(w string) bool { return w == name }) {
			return &db.NoScratchError{
				What: "the target has a database " + dialect.Quote(name) +
					" that this move did not make, where its statements would be tried",
				Fix: "drop or rename it",
			}
		}
	}
	for _, name := range left {
		if err := s.t.Execute(ctx, s.t.Dialect().DropDatabase(name)); err != nil {
			return fmt.Errorf("remove the scratch database %s: %w", name, err)
		}
	}
	return nil
}

func (s *scratch) wanted() []string {
	names := make([]string, 0, len(s.names))
	for _, name := range s.names {
		names = append(names, name)
	}
	return names
}

// open returns a connection that is ready for schema statements, with the same session as the move's own: a statement
// that passes here must pass later.
func (s *scratch) open(ctx context.Context) (*sql.Conn, error) {
	conn, err := s.t.admin.Conn(ctx)
	if err != nil {
		return nil, wire.Classify(err)
	}
	settings, _, err := s.t.moment(ctx, db.Moment{StatementSession: schema.StatementSession{Strict: true}})
	if err == nil {
		err = unlogged(ctx, conn)
	}
	for _, set := range settings {
		if err == nil {
			_, err = conn.ExecContext(ctx, set)
		}
	}
	if err != nil {
		return nil, errors.Join(wire.Classify(err), closeConn(conn))
	}
	return conn, nil
}

// unlogged keeps the session out of the binary log, if the account may: the target's replicas need not see the trial.
func unlogged(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SET SESSION sql_log_bin = 0")
	if isPrivilege(err) {
		return nil
	}
	return err
}

// make makes one database that is known as ours at every instant, whenever a kill comes: first by its collation, then
// by a table with a comment. The name of that table is random, so that no table of the user's has it.
func (s *scratch) make(ctx context.Context, name, collation string) (err error) {
	if collation == "" {
		if collation, err = s.t.variable(ctx, "collation_server"); err != nil {
			return err
		}
	}
	if err := s.Execute(ctx, "CREATE DATABASE "+dialect.Quote(name)+" CHARACTER SET ascii COLLATE "+
		scratchCollation); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	s.made = append(s.made, name)
	mark := schema.Name{Database: name, Table: fmt.Sprintf("wherry_%x", rand.Uint64())}
	if err := s.Execute(ctx, "CREATE TABLE "+dialect.Quoted(mark)+" (id INT PRIMARY KEY) COMMENT = "+
		wire.Quoted(scratchMark)); err != nil {
		return fmt.Errorf("mark database %s: %w", name, err)
	}
	create := s.t.Dialect().CreateDatabase(name, collation)
	if err := s.Execute(ctx, strings.Replace(create, "CREATE DATABASE IF NOT EXISTS", "ALTER DATABASE",
		1)); err != nil {
		return fmt.Errorf("alter database %s: %w", name, err)
	}
	return nil
}

// Database implements db.Scratch.
func (s *scratch) Database(of string) string { return s.names[of] }

// Execute implements db.Scratch.
func (s *scratch) Execute(ctx context.Context, statement string) error {
	select {
	case conn := <-s.conns:
		_, err := conn.ExecContext(ctx, statement)
		s.conns <- conn
		return wire.Classify(err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ExecuteIn implements db.Scratch.
func (s *scratch) ExecuteIn(ctx context.Context, in schema.Session, statement string) (err error) {
	conn, err := s.t.admin.Conn(ctx)
	if err != nil {
		return wire.Classify(err)
	}
	defer func() { err = errors.Join(err, closeConn(conn)) }()
	if err := unlogged(ctx, conn); err != nil {
		return wire.Classify(err)
	}
	for _, set := range append(sessionSettings(in), statement) {
		if _, err := conn.ExecContext(ctx, set); err != nil {
			return wire.Classify(err)
		}
	}
	return nil
}

// Close implements db.Scratch.
func (s *scratch) Close() error {
	s.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), scratchPatience)
		defer cancel()
		s.closed = s.remove(ctx)
		for len(s.conns) > 0 {
			s.closed = errors.Join(s.closed, closeConn(<-s.conns))
		}
		if s.lock != nil {
			s.closed = errors.Join(s.closed, closeConn(s.lock))
		}
	})
	return s.closed
}

// remove drops the databases on a connection of its own: on the others a statement may still be running whose caller
// has given up, and the DROP would wait behind it.
func (s *scratch) remove(ctx context.Context) error {
	if len(s.made) == 0 {
		return nil
	}
	conn, err := s.open(ctx)
	if err != nil {
		return fmt.Errorf("remove the scratch database: %w", err)
	}
	for _, name := range s.made {
		if _, e := conn.ExecContext(ctx, s.t.Dialect().DropDatabase(name)); e != nil {
			err = errors.Join(err, fmt.Errorf("remove the scratch database %s: %w", name, wire.Classify(e)))
		}
	}
	return errors.Join(err, closeConn(conn))
}

// Leftovers returns the scratch databases that an interrupted check has left.
func (t *Target) Leftovers(ctx context.Context) ([]string, error) {
	ours, _, err := t.scratchDatabases(ctx)
	return ours, err
}

// scratchDatabases returns the databases that have names of this move's scratch databases: those that it made, and
// those of somebody else, which are left alone.
func (t *Target) scratchDatabases(ctx context.Context) (ours, others []string, err error) {
	first := ScratchName(t.cfg.Move)
	found, err := t.readAll(ctx, `SELECT SCHEMA_NAME, DEFAULT_COLLATION_NAME,
		(SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = SCHEMA_NAME),
		(SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = SCHEMA_NAME AND TABLE_COMMENT = `+
		wire.Quoted(scratchMark)+`),
		(SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = SCHEMA_NAME)
		FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = `+wire.Quoted(first)+" OR SCHEMA_NAME LIKE "+
		wire.Quoted(strings.ReplaceAll(first, "_", `\_`)+"-%")+" ORDER BY SCHEMA_NAME")
	if err != nil {
		return nil, nil, fmt.Errorf("look for scratch databases: %w", wire.Classify(err))
	}
	for _, row := range found {
		name := string(row[0])
		empty := string(row[2]) == "0" && string(row[4]) == "0"
		if string(row[3]) == "1" || empty && string(row[1]) == scratchCollation {
			ours = append(ours, name)
		} else {
			others = append(others, name)
		}
	}
	return ours, others, nil
}
