package mysql

import (
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
func (t *Target) Load(ctx context.Context, from db.Reader, r *route.Route, c db.Chunk) (loaded db.Loaded, err error) {
	w, err := t.get(ctx)
	if err != nil {
		return loaded, err
	}
	defer func() {
		if err != nil {
			w.broken = true // drops the connection and with it the transaction
		}
		t.put(w)
	}()
	for _, statement := range t.loadPrologue() {
		if _, err := w.exec(ctx, statement); err != nil {
			return loaded, classify(err)
		}
	}
	if err := t.claim(ctx, w, r.Source.Name(), c.Number); err != nil {
		return loaded, err
	}
	rows, err := from.Rows(ctx, &r.Source, c.Range)
	if err != nil {
		return loaded, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if t.useLoadData() {
		loaded, err = t.loadData(ctx, w, &r.Target, rows)
	} else {
		loaded, err = t.insert(ctx, w, &r.Target, rows)
	}
	if err != nil {
		return loaded, err
	}
	done := fmt.Sprintf("UPDATE %s.chunks SET done = 1, row_count = %d WHERE source = %s AND number = %d",
		schema.Quote(Bookkeeping(t.cfg.Move)), loaded.Rows, quoted(r.Source.Name().Quoted()), c.Number)
	for _, statement := range []string{done, "COMMIT"} {
		if _, err := w.exec(ctx, statement); err != nil {
			return loaded, classify(err)
		}
	}
	return loaded, nil
}

func (t *Target) useLoadData() bool { return t.cfg.LoadMethod != "insert" && t.localInfile.Load() }

func (t *Target) loadPrologue() []string {
	if t.cfg.BinlogOnTarget {
		return []string{"BEGIN"}
	}
	return []string{"SET SESSION sql_log_bin = 0", "BEGIN"}
}

// claim locks the chunk's record, so that whoever else loads it waits and then finds it done.
func (t *Target) claim(ctx context.Context, w *wire, table schema.Name, number int) error {
	rows, err := w.query(ctx, fmt.Sprintf("SELECT done FROM %s.chunks WHERE source = %s AND number = %d FOR UPDATE",
		schema.Quote(Bookkeeping(t.cfg.Move)), quoted(table.Quoted()), number))
	if err != nil {
		return classify(err)
	}
	found, err := db.ReadAll(rows)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return fmt.Errorf("claim chunk %s[%d]: no record of it on the target", table, number)
	case string(found[0][0]) != "0":
		return db.ErrChunkDone
	}
	return nil
}

// loadData streams rows through LOAD DATA LOCAL. That statement turns errors into warnings even under strict
// sql_mode (manual, "LOAD DATA Statement", "Error Handling"), so warnings must be zero and every row must count.
func (t *Target) loadData(ctx context.Context, w *wire, rel *route.Relation, rows db.Rows) (loaded db.Loaded, err error) {
	done := w.guard(ctx)
	defer func() { err = done(err) }()
	statement := append([]byte{0, 0, 0, 0, protocol.COM_QUERY}, loadStatement(rel)...)
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
	if loaded, err = t.streamRows(w, rows); err != nil {
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
	if res.warnings != 0 || res.affected != uint64(loaded.Rows) {
		return loaded, fmt.Errorf("load %d rows into %s: the target took %d with %d warnings: %s: %w", loaded.Rows, rel.Name(),
			res.affected, res.warnings, w.warnings(ctx), db.ErrUnsupported)
	}
	return loaded, nil
}

func (t *Target) streamRows(w *wire, rows db.Rows) (loaded db.Loaded, err error) {
	packet := make([]byte, 4, loadPacket+loadPacket/4)
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return loaded, err
		}
		before := len(packet)
		for i, v := range row {
			if i > 0 {
				packet = append(packet, '\t')
			}
			packet = appendField(packet, v)
		}
		packet = append(packet, '\n')
		loaded.Rows++
		loaded.Bytes += int64(len(packet) - before)
		if len(packet) >= loadPacket {
			if err := w.writePacket(packet); err != nil {
				return loaded, classify(err)
			}
			packet = packet[:4]
		}
	}
	if len(packet) > 4 {
		if err := w.writePacket(packet); err != nil {
			return loaded, classify(err)
		}
	}
	return loaded, classify(w.writePacket(make([]byte, 4)))
}

// loadStatement names the columns; a JSON column is set from a variable, because MySQL refuses binary strings for it
// (error 3144).
func loadStatement(rel *route.Relation) string {
	columns, sets := make([]string, len(rel.Columns)), []string(nil)
	for i := range rel.Columns {
		c := rel.Column(i)
		columns[i] = schema.Quote(c.Name)
		if c.Type.Kind == schema.JSON {
			columns[i] = "@v" + itoa(i)
			sets = append(sets, schema.Quote(c.Name)+" = CONVERT(@v"+itoa(i)+" USING utf8mb4)")
		}
	}
	statement := "LOAD DATA LOCAL INFILE 'wherry' INTO TABLE " + rel.Name().Quoted() +
		` CHARACTER SET binary FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' (` + strings.Join(columns, ", ") + ")"
	if sets != nil {
		statement += " SET " + strings.Join(sets, ", ")
	}
	return statement
}

// insert writes rows by multi-row INSERT, for targets without LOAD DATA LOCAL.
func (t *Target) insert(ctx context.Context, w *wire, rel *route.Relation, rows db.Rows) (loaded db.Loaded, err error) {
	st := newStatement(t, rel, "INSERT INTO ", "")
	flush := func() error {
		n := st.rows
		res, err := st.run(ctx, w)
		if err == nil && (res.affected != uint64(n) || res.warnings != 0) {
			err = fmt.Errorf("insert %d rows into %s: the target took %d with %d warnings: %s: %w", n, rel.Name(), res.affected,
				res.warnings, w.warnings(ctx), db.ErrUnsupported)
		}
		return err
	}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return loaded, err
		}
		if !st.fits(row) {
			if err := flush(); err != nil {
				return loaded, err
			}
		}
		if err := st.add(row); err != nil {
			return loaded, err
		}
		loaded.Rows++
		loaded.Bytes += int64(row.Size())
	}
	if st.rows > 0 {
		err = flush()
	}
	return loaded, err
}

// warnings returns the texts of the first few warnings of the statement before.
func (w *wire) warnings(ctx context.Context) string {
	rows, err := w.query(ctx, "SHOW WARNINGS LIMIT 3")
	if err != nil {
		return err.Error()
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return err.Error()
	}
	texts := make([]string, len(found))
	for i, row := range found {
		texts[i] = string(row[2])
	}
	return strings.Join(texts, "; ")
}

func quoted(s string) string { return string(appendQuoted(nil, []byte(s))) }
