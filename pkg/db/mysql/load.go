package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

const (
	insertBytes     = 4 << 20 // aimed size of a multi-row INSERT: thousands of usual rows; larger ones are no faster
	statementMargin = 1 << 10 // what a packet holds besides the statement's text
)

// Load copies a chunk and marks it done in the same transaction. The order matters: the chunk is claimed before the
// source is read, so that a chunk that another worker has just loaded is not read for nothing; and what the rows can
// show (Seen) is asked after the last row, because only then is it at or after all that was read.
func (t *Target) Load(ctx context.Context, from db.RowReader, r *route.Route, c db.Chunk) (loaded db.Loaded,
	err error,
) {
	w, err := t.get(ctx)
	if err != nil {
		return loaded, err
	}
	defer func() {
		if err != nil {
			err = t.blocked(ctx, err, w.ID)
			w.Broken = true // drops the connection and with it the transaction
		}
		t.put(w)
	}()
	for _, statement := range t.loadPrologue(w) {
		if _, err := w.Exec(ctx, statement); err != nil {
			return loaded, wire.Classify(err)
		}
	}
	// The connection goes back to the pool and stays unlogged there: only Load uses pooled connections for writing.
	w.Unlogged = !t.cfg.BinlogOnTarget
	if err := t.claim(ctx, w, r.Source.Name(), c); err != nil {
		return loaded, err
	}
	rows, err := from.Rows(ctx, &r.Source, c.Range)
	if err != nil {
		return loaded, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	displace, err := t.displaces(ctx, r)
	if err == nil && displace {
		err = free(ctx, w, &r.Target, c.Range)
	}
	if err != nil {
		return loaded, err
	}
	if loaded, err = t.write(ctx, w, &r.Target, rows, displace); err != nil {
		return loaded, err
	}
	if c.Seen, err = seen(ctx, from, c); err != nil {
		return loaded, fmt.Errorf("read what the rows can show: %w", err)
	}
	done := fmt.Sprintf("UPDATE %s.chunks SET done = 1, row_count = %d, position = %s, seen = %s WHERE source = %s "+
		"AND number = %d",
		dialect.Quote(Bookkeeping(t.cfg.Move)), loaded.Rows, wire.Quoted(c.Position.String()),
		wire.Quoted(c.Seen.String()), wire.Quoted(dialect.Quoted(r.Source.Name())), c.Number)
	for _, statement := range []string{done, "COMMIT"} {
		if _, err := w.Exec(ctx, statement); err != nil {
			return loaded, wire.Classify(err)
		}
	}
	return loaded, nil
}

// seen returns a position at or after everything that the rows show, which have been read to their end. A snapshot
// shows nothing beyond its own position; a server must be asked.
func seen(ctx context.Context, from db.RowReader, c db.Chunk) (db.Position, error) {
	if s, ok := from.(db.Successor); ok {
		return s.Seen(ctx)
	}
	return c.Position, nil
}

// write loads rows by LOAD DATA as far as that carries them exactly, and the rest by INSERT.
func (t *Target) write(ctx context.Context, w *wire.Conn, rel *route.Relation, rows db.Rows,
	displace bool,
) (loaded db.Loaded, err error) {
	if !t.useLoadData() {
		return t.insert(ctx, w, rel, rows, displace)
	}
	plain := t.plainRows(rel, rows)
	loaded, err = t.loadData(ctx, w, rel, plain, displace)
	if err != nil || plain.left == nil {
		return loaded, err
	}
	more, err := t.insert(ctx, w, rel, &remainingRows{rows, plain.left}, displace)
	return db.Loaded{
		Rows: loaded.Rows + more.Rows, Bytes: loaded.Bytes + more.Bytes,
		Displaced: loaded.Displaced + more.Displaced,
	}, err
}

func (t *Target) useLoadData() bool { return t.cfg.LoadMethod != "insert" && t.localInfile.Load() }

// loadPrologue begins a transaction for rows, in a session that does not log them, if so configured.
func (t *Target) loadPrologue(w *wire.Conn) []string {
	if t.cfg.BinlogOnTarget || w.Unlogged {
		return []string{"BEGIN"}
	}
	return []string{"SET SESSION sql_log_bin = 0", "BEGIN"}
}

// claim locks the chunk's record until the transaction ends: whoever else loads the chunk waits, and then finds it
// done. The record must be of the very rows that are to be loaded: had another wherry cut the table elsewhere, the rows
// between two cuts would be lost.
func (t *Target) claim(ctx context.Context, w *wire.Conn, table schema.Name, c db.Chunk) error {
	rows, err := w.Query(ctx, fmt.Sprintf("SELECT done, after_key, upto_key FROM %s.chunks WHERE source = %s AND "+
		"number = %d FOR UPDATE",
		dialect.Quote(Bookkeeping(t.cfg.Move)), wire.Quoted(dialect.Quoted(table)), c.Number))
	if err != nil {
		return wire.Classify(err)
	}
	found, err := db.ReadAll(rows)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return fmt.Errorf("claim chunk %s[%d]: no record of it on the target", table, c.Number)
	case !sameKey(found[0][1], db.EncodeKey(c.Range.After)) || !sameKey(found[0][2], db.EncodeKey(c.Range.Upto)):
		return fmt.Errorf("claim chunk %s[%d]: it is recorded with other bounds: %w", table, c.Number, db.ErrLocked)
	case string(found[0][0]) != "0":
		return db.ErrChunkDone
	}
	return nil
}

// sameKey compares two encoded bounds. NULL is the open bound, and not the empty key.
func sameKey(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// loadData streams rows through LOAD DATA LOCAL, and proves that every row counts.
func (t *Target) loadData(
	ctx context.Context, w *wire.Conn, rel *route.Relation, rows db.Rows, displace bool,
) (loaded db.Loaded, err error) {
	loaded, res, err := w.Load(ctx, loadStatement(rel, displace), rows, t.maxPacket)
	if err != nil {
		return loaded, err
	}
	loaded.Displaced, err = account(ctx, w, res, rel, loaded.Rows, displace)
	return loaded, err
}

// loadStatement names the columns; those whose text the server parses are set from variables, see parsed, and a
// generated column's values go to a variable that nobody reads. For example
//
//	LOAD DATA LOCAL INFILE 'wherry' INTO TABLE `d`.`t` CHARACTER SET binary ..
//	(`id`, @v1) SET `doc` = CONVERT(@v1 USING utf8mb4)
//
// If there is a SET, an AUTO_INCREMENT column is set from a variable too. Otherwise MariaDB makes its 0 the next
// number, in spite of NO_AUTO_VALUE_ON_ZERO (measured with 10.11: SET forgets for each row that the column was given a
// value).
func loadStatement(rel *route.Relation, displace bool) string {
	set := false
	for i := range rel.Columns {
		set = set || rel.Written(i) && parsed(&rel.Column(i).Type)
	}
	columns, sets := make([]string, len(rel.Columns)), []string(nil)
	for i := range rel.Columns {
		c := rel.Column(i)
		columns[i] = dialect.Quote(c.Name)
		switch {
		case !rel.Written(i):
			columns[i] = "@v" + itoa(i)
		case parsed(&c.Type):
			columns[i] = "@v" + itoa(i)
			sets = append(sets, dialect.Quote(c.Name)+" = CONVERT(@v"+itoa(i)+" USING utf8mb4)")
		case set && c.AutoIncrement:
			columns[i] = "@v" + itoa(i)
			sets = append(sets, dialect.Quote(c.Name)+" = @v"+itoa(i))
		}
	}
	statement := "LOAD DATA LOCAL INFILE 'wherry' "
	if displace {
		statement += "REPLACE "
	}
	statement += "INTO TABLE " + dialect.Quoted(rel.Name()) +
		` CHARACTER SET binary FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' (` +
		strings.Join(columns, ", ") + ")"
	if sets != nil {
		statement += " SET " + strings.Join(sets, ", ")
	}
	return statement
}

// insert writes rows by multi-row INSERT, or REPLACE, for targets without LOAD DATA LOCAL.
func (t *Target) insert(ctx context.Context, w *wire.Conn, rel *route.Relation, rows db.Rows,
	displace bool,
) (loaded db.Loaded, err error) {
	verb := "INSERT INTO "
	if displace {
		verb = "REPLACE INTO "
	}
	st := newStatement(t, rel, verb, "")
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return loaded, err
		}
		if !st.fits(row) {
			displaced, err := st.load(ctx, w, displace)
			if err != nil {
				return loaded, err
			}
			loaded.Displaced += displaced
		}
		if err := st.add(row); err != nil {
			return loaded, err
		}
		loaded.Rows++
		loaded.Bytes += int64(row.Size())
	}
	displaced, err := st.load(ctx, w, displace)
	loaded.Displaced += displaced
	return loaded, err
}
