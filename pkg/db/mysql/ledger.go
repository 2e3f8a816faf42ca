package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// ledger keeps facts and chunks in a database of their own beside the data, so that they commit with it.
type ledger struct {
	t        *Target
	database string
}

func (l *ledger) table(name string) string {
	return dialect.Quote(l.database) + "." + dialect.Quote(name)
}

// Create makes the database and its tables, or completes them. A database of that name with tables of others is left
// alone: cleanup drops the whole database in the end. Engine, row format and collation are named, because a server's
// defaults could make tables without transactions, or with a collation that takes two names for one.
func (l *ledger) Create(ctx context.Context) error {
	if foreign, err := l.t.foreignIn(ctx, l.database); err != nil || foreign != "" {
		return cmp.Or(err, fmt.Errorf("create bookkeeping: database %s holds %s, which no move made; nothing was "+
			"changed; give the move another name: %w",
			l.database, foreign, db.ErrUnsupported))
	}
	for _, statement := range []string{
		"CREATE DATABASE IF NOT EXISTS " + dialect.Quote(l.database) + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
		"CREATE TABLE IF NOT EXISTS " + l.table("facts") + ` (
			name VARCHAR(64) NOT NULL PRIMARY KEY,
			value LONGTEXT NOT NULL,
			updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)
		) ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
		COMMENT='wherry: what this move has reached'`,
		"CREATE TABLE IF NOT EXISTS " + l.table("chunks") + ` (
			source VARCHAR(300) NOT NULL COMMENT 'quoted name of the source table',
			number INT NOT NULL,
			after_key LONGBLOB NULL,
			upto_key LONGBLOB NULL,
			done TINYINT NOT NULL DEFAULT 0,
			row_count BIGINT NOT NULL DEFAULT 0,
			` + positionColumn + `,
			` + seenColumn + `,
			PRIMARY KEY (source, number)
		) ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
		COMMENT='wherry: key ranges and which of them are copied'`,
		"CREATE TABLE IF NOT EXISTS " + l.table("tables") + ` (
			source VARCHAR(300) NOT NULL PRIMARY KEY COMMENT 'quoted name of the source table',
			record LONGTEXT NOT NULL
		) ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
		COMMENT='wherry: what the source tables were at the position'`,
		l.createOwned(),
	} {
		if _, err := l.t.admin.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("create bookkeeping %s: %w", l.database, wire.Classify(err))
		}
	}
	return l.extend(ctx)
}

// foreignIn names a table in a database of the bookkeeping's name that no move of wherry made, "" when there is none.
// Tables of the bookkeeping are known by their comments, which begin with "wherry: ". Only the scratch table of
// TryTrigger has none: it has that of the user's table.
func (t *Target) foreignIn(ctx context.Context, database string) (name string, err error) {
	err = t.admin.QueryRowContext(ctx, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND "+
		"TABLE_COMMENT NOT LIKE 'wherry: %' AND TABLE_NAME <> ? LIMIT 1",
		database, tried).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for tables in %s: %w", database, wire.Classify(err))
	}
	return name, nil
}

// extend adds what the bookkeeping of an earlier version lacks. New columns may be NULL: that version may still be
// running and writes rows without them.
func (l *ledger) extend(ctx context.Context) error {
	for name, column := range map[string]string{"position": positionColumn, "seen": seenColumn} {
		var have int
		err := l.t.admin.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.COLUMNS "+
			"WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 'chunks' AND COLUMN_NAME = ?", l.database, name).Scan(&have)
		if err == nil && have == 0 {
			_, err = l.t.admin.ExecContext(ctx, "ALTER TABLE "+l.table("chunks")+" ADD COLUMN "+column)
		}
		if err != nil {
			return fmt.Errorf("extend bookkeeping %s: %w", l.database, wire.Classify(err))
		}
	}
	return nil
}

const (
	positionColumn = "position LONGTEXT NULL COMMENT 'of the snapshot that the rows were read from'"
	seenColumn     = "seen LONGTEXT NULL COMMENT 'at or after everything that the rows show'"
)

// Get returns a fact, or "" where there is none, no bookkeeping, or no such database: all mean that it was not
// recorded.
func (l *ledger) Get(ctx context.Context, name string) (string, error) {
	var value string
	err := l.t.admin.QueryRowContext(ctx, "SELECT value FROM "+l.table("facts")+" WHERE name = ?", name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) || wire.Number(err) == wire.NoTable || wire.Number(err) == wire.NoDatabase {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read fact %s: %w", name, wire.Classify(err))
	}
	return value, nil
}

// Put sets a fact.
func (l *ledger) Put(ctx context.Context, name, value string) error {
	if name == db.FactPosition {
		if sealed, err := l.Get(ctx, db.FactCutover); err != nil || sealed != "" {
			return cmp.Or(err, fmt.Errorf("record fact %s: %w", name, db.ErrSealed))
		}
	}
	// Appliers do not come here: they UPDATE the position, and must find it.
	_, err := l.t.admin.ExecContext(ctx, "REPLACE INTO "+l.table("facts")+" (name, value) VALUES (?, ?)", name, value)
	if err != nil {
		return fmt.Errorf("record fact %s: %w", name, wire.Classify(err))
	}
	return nil
}

// Begin records where the copy begins. An insert that finds a record waits for its transaction and changes nothing: of
// two init-copy that start at once both get the start of the first. If the later start won, the changes between the two
// would be lost for chunks that the first had read already.
func (l *ledger) Begin(ctx context.Context, start db.Position) (recorded db.Position, err error) {
	tx, err := l.t.admin.BeginTx(ctx, nil)
	if err != nil {
		return "", fmt.Errorf("record the start: %w", wire.Classify(err))
	}
	defer func() {
		if rerr := tx.Rollback(); !errors.Is(rerr, sql.ErrTxDone) {
			err = errors.Join(err, rerr)
		}
	}()
	facts := l.table("facts")
	res, err := tx.ExecContext(ctx, "INSERT INTO "+facts+" (name, value) VALUES (?, ?) ON DUPLICATE KEY UPDATE "+
		"name = name", db.FactStart, string(start))
	if err != nil {
		return "", fmt.Errorf("record the start: %w", wire.Classify(err))
	}
	switch n, err := res.RowsAffected(); {
	case err != nil:
		return "", err
	// Affected is 1 for a new row, and 0 for an update that changes nothing.
	case n != 1:
		err := tx.QueryRowContext(ctx, "SELECT value FROM "+facts+" WHERE name = ? FOR UPDATE",
			db.FactStart).Scan(&recorded)
		return recorded, wire.Classify(err)
	}
	if _, err := tx.ExecContext(ctx, "REPLACE INTO "+facts+" (name, value) VALUES (?, ?)", db.FactPosition,
		string(start)); err != nil {
		return "", fmt.Errorf("record the start: %w", wire.Classify(err))
	}
	if err := tx.Commit(); err != nil {
		return "", fmt.Errorf("record the start: %w", wire.Classify(err))
	}
	return start, nil
}

// Chunks returns the chunks of a table in order.
func (l *ledger) Chunks(ctx context.Context, table schema.Name) (chunks []db.Chunk, err error) {
	rows, err := l.t.admin.QueryContext(ctx, "SELECT number, after_key, upto_key, done, row_count, "+
		"COALESCE(position, ''), COALESCE(seen, '') FROM "+l.table("chunks")+
		" WHERE source = ? ORDER BY number", dialect.Quoted(table))
	if err != nil {
		return nil, fmt.Errorf("read chunks of %s: %w", table, wire.Classify(err))
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c db.Chunk
		var after, upto []byte
		if err := rows.Scan(&c.Number, &after, &upto, &c.Done, &c.Rows, &c.Position, &c.Seen); err != nil {
			return nil, fmt.Errorf("read chunks of %s: %w", table, wire.Classify(err))
		}
		if c.Range.After, err = db.DecodeKey(after); err == nil {
			c.Range.Upto, err = db.DecodeKey(upto)
		}
		if err != nil {
			return nil, fmt.Errorf("read chunk %s[%d]: %w", table, c.Number, err)
		}
		chunks = append(chunks, c)
	}
	return chunks, wire.Classify(rows.Err())
}

// Begun tells which tables have chunks, by one query for all.
func (l *ledger) Begun(ctx context.Context) (begun func(schema.Name) bool, err error) {
	rows, err := l.t.admin.QueryContext(ctx, "SELECT DISTINCT source FROM "+l.table("chunks"))
	if err != nil {
		return nil, fmt.Errorf("read which tables have chunks: %w", wire.Classify(err))
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	sources := map[string]bool{}
	for rows.Next() {
		var source string
		if err := rows.Scan(&source); err != nil {
			return nil, fmt.Errorf("read which tables have chunks: %w", wire.Classify(err))
		}
		sources[source] = true
	}
	return func(n schema.Name) bool { return sources[dialect.Quoted(n)] }, wire.Classify(rows.Err())
}

// Plan records a chunk of each table, in one statement. Recording the same number a second time changes nothing: bounds
// that are recorded stay, so that a chunk copied after a kill has the bounds that it had before.
func (l *ledger) Plan(ctx context.Context, c db.Chunk, tables ...schema.Name) error {
	var values []string
	var args []any
	for _, table := range tables {
		values = append(values, "(?, ?, ?, ?)")
		args = append(args, dialect.Quoted(table), c.Number, db.EncodeKey(c.Range.After), db.EncodeKey(c.Range.Upto))
	}
	_, err := l.t.admin.ExecContext(ctx, "INSERT INTO "+l.table("chunks")+
		" (source, number, after_key, upto_key) VALUES "+strings.Join(values,
		", ")+" ON DUPLICATE KEY UPDATE number = number", args...)
	if err != nil {
		return fmt.Errorf("record chunk %s[%d]: %w", tables[0], c.Number, wire.Classify(err))
	}
	return nil
}

// Seal records the takeover and turns the position into the final one, in one transaction. From then on no UPDATE of
// the position finds a row, so an applier that is still running somewhere fails at its next commit with ErrSealed.
func (l *ledger) Seal(ctx context.Context, record string) (pos db.Position, err error) {
	tx, err := l.t.admin.BeginTx(ctx, nil)
	if err != nil {
		return "", fmt.Errorf("seal the move: %w", wire.Classify(err))
	}
	defer func() {
		if rerr := tx.Rollback(); !errors.Is(rerr, sql.ErrTxDone) {
			err = errors.Join(err, rerr)
		}
	}()
	facts := l.table("facts")
	err = tx.QueryRowContext(ctx, "SELECT value FROM "+facts+" WHERE name = ? FOR UPDATE", db.FactPosition).Scan(&pos)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, "SELECT value FROM "+facts+" WHERE name = ?", db.FactFinal).Scan(&pos)
		if errors.Is(err, sql.ErrNoRows) {
			return "", errors.New("seal the move: no position on the target")
		}
		return pos, wire.Classify(err)
	}
	if err != nil {
		return "", fmt.Errorf("seal the move: %w", wire.Classify(err))
	}
	// The position's record is locked: no applier commits between the end of the log, as it is read here, and the
	// takeover. All that appliers ever committed is before it (a transaction is in the log before its commit is
	// seen), and what applications will write here is after it: they do not know of the takeover before it is
	// committed.
	end, err := l.ownEnd(ctx)
	if err != nil {
		return "", fmt.Errorf("seal the move: %w", err)
	}
	if _, err := tx.ExecContext(ctx, "REPLACE INTO "+facts+" (name, value) VALUES (?, ?)", db.FactReturn,
		end.String()); err != nil {
		return "", fmt.Errorf("seal the move: %w", wire.Classify(err))
	}
	if _, err := tx.ExecContext(ctx, "UPDATE "+facts+" SET name = ? WHERE name = ?", db.FactFinal,
		db.FactPosition); err != nil {
		return "", fmt.Errorf("seal the move: %w", wire.Classify(err))
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO "+facts+" (name, value) VALUES (?, ?)", db.FactCutover,
		record); err != nil {
		return "", fmt.Errorf("seal the move: %w", wire.Classify(err))
	}
	if err := tx.Commit(); err != nil {
		return "", fmt.Errorf("seal the move: %w", wire.Classify(err))
	}
	return pos, nil
}

// ownEnd reads the end of this server's own log, zero where it keeps none, or the account may not ask.
func (l *ledger) ownEnd(ctx context.Context) (db.Position, error) {
	enabled, err := l.t.variable(ctx, "log_bin")
	if err != nil || enabled != "ON" {
		return "", err
	}
	end, err := (&Source{server: l.t.server}).Head(ctx)
	if isPrivilege(err) {
		return "", nil
	}
	return end, err
}

// Drop removes the bookkeeping.
func (l *ledger) Drop(ctx context.Context) error {
	if _, err := l.t.admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+dialect.Quote(l.database)); err != nil {
		return fmt.Errorf("drop bookkeeping %s: %w", l.database, wire.Classify(err))
	}
	return nil
}
