package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	protocol "github.com/go-mysql-org/go-mysql/mysql"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

const (
	loadPacket      = 256 << 10 // bytes of one packet of a LOAD DATA stream
	insertBytes     = 4 << 20   // aimed size of a multi-row INSERT: thousands of usual rows
	statementMargin = 1 << 10   // what a packet holds besides the statement's text
)

// Load copies a chunk and marks it done in the same transaction.
func (t *Target) Load(ctx context.Context, from db.RowReader, r *route.Route, c db.Chunk) (loaded db.Loaded, err error) {
	w, err := t.get(ctx)
	if err != nil {
		return loaded, err
	}
	defer func() {
		if err != nil {
			err = t.blocked(ctx, err, w.id)
			w.broken = true // drops the connection and with it the transaction
		}
		t.put(w)
	}()
	for _, statement := range t.loadPrologue() {
		if _, err := w.exec(ctx, statement); err != nil {
			return loaded, classify(err)
		}
	}
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
		err = w.free(ctx, &r.Target, c.Range)
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
	done := fmt.Sprintf("UPDATE %s.chunks SET done = 1, row_count = %d, position = %s, seen = %s WHERE source = %s AND number = %d",
		schema.Quote(Bookkeeping(t.cfg.Move)), loaded.Rows, quoted(c.Position.String()), quoted(c.Seen.String()), quoted(r.Source.Name().Quoted()), c.Number)
	for _, statement := range []string{done, "COMMIT"} {
		if _, err := w.exec(ctx, statement); err != nil {
			return loaded, classify(err)
		}
	}
	return loaded, nil
}

// seen returns a position at or after everything that rows which are read to their end show.
func seen(ctx context.Context, from db.RowReader, c db.Chunk) (db.Position, error) {
	if s, ok := from.(db.Successor); ok {
		return s.Seen(ctx)
	}
	return c.Position, nil
}

// write loads rows by LOAD DATA as far as that carries them exactly, and the rest by INSERT.
func (t *Target) write(ctx context.Context, w *wire, rel *route.Relation, rows db.Rows, displace bool) (loaded db.Loaded, err error) {
	if !t.useLoadData() {
		return t.insert(ctx, w, rel, rows, displace)
	}
	plain := t.plainRows(rel, rows)
	loaded, err = t.loadData(ctx, w, rel, plain, displace)
	if err != nil || plain.held == nil {
		return loaded, err
	}
	more, err := t.insert(ctx, w, rel, &heldRows{rows, plain.held}, displace)
	return db.Loaded{Rows: loaded.Rows + more.Rows, Bytes: loaded.Bytes + more.Bytes, Displaced: loaded.Displaced + more.Displaced}, err
}

func (t *Target) useLoadData() bool { return t.cfg.LoadMethod != "insert" && t.localInfile.Load() }

func (t *Target) loadPrologue() []string {
	if t.cfg.BinlogOnTarget {
		return []string{"BEGIN"}
	}
	return []string{"SET SESSION sql_log_bin = 0", "BEGIN"}
}

// claim locks the chunk's record, so that whoever else loads it waits and then finds it done. The record must be of the
// very rows that are to be loaded: had another wherry cut the table elsewhere, the rows between two cuts would be lost.
func (t *Target) claim(ctx context.Context, w *wire, table schema.Name, c db.Chunk) error {
	rows, err := w.query(ctx, fmt.Sprintf("SELECT done, after_key, upto_key FROM %s.chunks WHERE source = %s AND number = %d FOR UPDATE",
		schema.Quote(Bookkeeping(t.cfg.Move)), quoted(table.Quoted()), c.Number))
	if err != nil {
		return classify(err)
	}
	found, err := db.ReadAll(rows)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return fmt.Errorf("claim chunk %s[%d]: no record of it on the target", table, c.Number)
	case !sameKey(found[0][1], encodeKey(c.Range.After)) || !sameKey(found[0][2], encodeKey(c.Range.Upto)):
		return fmt.Errorf("claim chunk %s[%d]: it is recorded with other bounds: %w", table, c.Number, db.ErrLocked)
	case string(found[0][0]) != "0":
		return db.ErrChunkDone
	}
	return nil
}

func sameKey(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// loadData streams rows through LOAD DATA LOCAL. That statement turns errors into warnings even under strict
// sql_mode (manual, "LOAD DATA Statement", "Error Handling"), so warnings must be zero and every row must count.
func (t *Target) loadData(ctx context.Context, w *wire, rel *route.Relation, rows db.Rows, displace bool) (loaded db.Loaded, err error) {
	done := w.guard(ctx)
	defer func() { err = done(err) }()
	statement := append([]byte{0, 0, 0, 0, protocol.COM_QUERY}, loadStatement(rel, displace)...)
	if err := w.send(statement); err != nil {
		return loaded, classify(err)
	}
	reply, err := w.readPacket()
	if err != nil {
		return loaded, classify(err)
	}
	if reply[0] != protocol.LocalInFile_HEADER {
		_, err := w.parseOK(reply)
		return loaded, fmt.Errorf("start LOAD DATA LOCAL: %w", classify(err))
	}
	if loaded, err = t.newLoadStream(w).rows(rows); err != nil {
		w.broken = true // the server still waits for the end of the file: only dropping the connection stops it
		return loaded, err
	}
	if reply, err = w.readPacket(); err != nil {
		return loaded, classify(err)
	}
	res, err := w.parseOK(reply)
	if err != nil {
		return loaded, classify(err)
	}
	loaded.Displaced, err = w.account(ctx, res, rel, loaded.Rows, displace)
	return loaded, err
}

// loadStatement names the columns; those whose text the server parses are set from variables, see parsed, and a generated
// column's values go to a variable that nobody reads.
func loadStatement(rel *route.Relation, displace bool) string {
	columns, sets := make([]string, len(rel.Columns)), []string(nil)
	for i := range rel.Columns {
		c := rel.Column(i)
		columns[i] = schema.Quote(c.Name)
		switch {
		case !rel.Written(i):
			columns[i] = "@v" + itoa(i)
		case parsed(&c.Type):
			columns[i] = "@v" + itoa(i)
			sets = append(sets, schema.Quote(c.Name)+" = CONVERT(@v"+itoa(i)+" USING utf8mb4)")
		}
	}
	statement := "LOAD DATA LOCAL INFILE 'wherry' "
	if displace {
		statement += "REPLACE "
	}
	statement += "INTO TABLE " + rel.Name().Quoted() +
		` CHARACTER SET binary FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' (` + strings.Join(columns, ", ") + ")"
	if sets != nil {
		statement += " SET " + strings.Join(sets, ", ")
	}
	return statement
}

// insert writes rows by multi-row INSERT, or REPLACE, for targets without LOAD DATA LOCAL.
func (t *Target) insert(ctx context.Context, w *wire, rel *route.Relation, rows db.Rows, displace bool) (loaded db.Loaded, err error) {
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

func quoted(s string) string { return string(appendQuoted(nil, []byte(s))) }
