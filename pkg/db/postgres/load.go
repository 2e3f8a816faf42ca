package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// beginLoad begins a transaction for rows. It is durable when it has committed, as all are here: a copy that goes on
// counts the chunk as done. With synchronous_commit off a server that crashes loses the last commits that it has
// confirmed, and their rows would be missing for good.
const beginLoad = "BEGIN"

// Load copies a chunk and marks it done in the same transaction.
func (t *Target) Load(ctx context.Context, from db.RowReader, r *route.Route, c db.Chunk) (loaded db.Loaded,
	err error,
) {
	columns, err := newColumns(&r.Target)
	if err != nil {
		return loaded, err
	}
	conn, err := t.pool.Get(ctx)
	if err != nil {
		return loaded, err
	}
	defer func() {
		if err != nil {
			conn.Broken = true // drops the connection and with it the transaction
		}
		t.pool.Put(conn)
	}()
	if err := conn.Exec(ctx, beginLoad); err != nil {
		return loaded, err
	}
	if err := t.claim(ctx, conn, r.Source.Name(), c); err != nil {
		return loaded, err
	}
	if loaded, err = t.loadRows(ctx, conn, from, r, c, columns); err != nil {
		return loaded, err
	}
	if c.Seen, err = seen(ctx, from, c); err != nil {
		return loaded, fmt.Errorf("read what the rows can show: %w", err)
	}
	_, err = conn.Run(ctx, "UPDATE "+t.ledger().table("chunks")+" SET done = true, row_count = $3, position = $4, "+
		"seen = $5 WHERE source = $1 AND number = $2::bigint", wire.Text(dialect.Quoted(r.Source.Name())),
		wire.Number(int64(c.Number)), wire.Number(loaded.Rows), wire.Text(c.Position.String()),
		wire.Text(c.Seen.String()))
	if err != nil {
		return loaded, err
	}
	return loaded, conn.Commit(ctx)
}

// seen returns a position at or after everything that rows which are read to their end show.
func seen(ctx context.Context, from db.RowReader, c db.Chunk) (db.Position, error) {
	if s, ok := from.(db.Successor); ok {
		return s.Seen(ctx)
	}
	return c.Position, nil
}

// claim locks the chunk's record, so that whoever else loads it waits and then finds it done. The record must be of the
// very rows that are to be loaded: had another wherry cut the table elsewhere, the rows between two cuts would be lost.
func (t *Target) claim(ctx context.Context, conn *wire.Conn, table schema.Name, c db.Chunk) error {
	found, err := conn.One(ctx, "SELECT done::text, after_key, upto_key FROM "+t.ledger().table("chunks")+
		" WHERE source = $1 AND number = $2::bigint FOR UPDATE", wire.Text(dialect.Quoted(table)),
		wire.Number(int64(c.Number)))
	switch {
	case err != nil:
		return err
	case found == nil:
		return fmt.Errorf("claim chunk %s[%d]: no record of it on the target", table, c.Number)
	case !sameKey(found[1], db.EncodeKey(c.Range.After)) || !sameKey(found[2], db.EncodeKey(c.Range.Upto)):
		return fmt.Errorf("claim chunk %s[%d]: it is recorded with other bounds: %w", table, c.Number, db.ErrLocked)
	case string(found[0]) != "false":
		return db.ErrChunkDone
	}
	return nil
}

func sameKey(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

func (t *Target) loadRows(ctx context.Context, conn *wire.Conn, from db.RowReader, r *route.Route, c db.Chunk,
	columns *columns,
) (loaded db.Loaded, err error) {
	rows, err := from.Rows(ctx, &r.Source, c.Range)
	if err != nil {
		return loaded, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	conflicts, err := t.conflicts(ctx, r)
	if err != nil {
		return loaded, err
	}
	if conflicts == nil {
		return copyRows(ctx, conn, columns, columns.table, rows)
	}
	if err := stage(ctx, conn, columns); err != nil {
		return loaded, err
	}
	if loaded, err = copyRows(ctx, conn, columns, staging, rows); err != nil {
		return loaded, err
	}
	loaded.Displaced, err = displaceStaged(ctx, conn, columns, conflicts, loaded.Rows)
	return loaded, err
}

// copyRows streams rows into a table, and proves that every one counts.
func copyRows(ctx context.Context, conn *wire.Conn, c *columns, table string, rows db.Rows) (loaded db.Loaded,
	err error,
) {
	s := &stream{c: c, rows: rows, buffer: append(make([]byte, 0, 2*streamStep), copyHead...)}
	n, err := conn.Copy(ctx, "COPY "+table+" ("+c.list(c.written, "")+") FROM STDIN (FORMAT binary)", s)
	if s.err != nil {
		return loaded, s.err // what the server says of it is only that the stream was broken off
	}
	if err != nil {
		return loaded, fmt.Errorf("load rows into %s: %w", c.rel.Name(), err)
	}
	if n != s.loaded.Rows {
		return loaded, fmt.Errorf("load %s into %s: the target took %d: %w", count.Of(s.loaded.Rows, "row"),
			c.rel.Name(), n, db.ErrUnsupported)
	}
	return s.loaded, nil
}

// copyHead begins a stream in the binary form of COPY (PostgreSQL manual, "COPY", "Binary Format"): its signature, no
// flags, no extension.
const copyHead = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// streamStep is how many bytes of rows are made ready at a time.
const streamStep = 64 << 10

// stream turns rows into COPY's binary form as they are asked for.
type stream struct {
	c      *columns
	rows   db.Rows
	buffer []byte
	at     int // in the buffer: what is before was read
	ended  bool
	err    error // why it ended too early
	loaded db.Loaded
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	if s.at == len(s.buffer) || len(s.buffer) < streamStep && !s.ended {
		s.buffer = append(s.buffer[:0], s.buffer[s.at:]...)
		s.at = 0
		for len(s.buffer) < streamStep && !s.ended && s.err == nil {
			s.err = s.add()
		}
	}
	switch {
	case s.err != nil:
		return 0, s.err
	case s.at == len(s.buffer):
		return 0, io.EOF
	}
	n := copy(p, s.buffer[s.at:])
	s.at += n
	return n, nil
}

// add appends the next row, or the end.
func (s *stream) add() error {
	row, err := s.rows.Next()
	if errors.Is(err, io.EOF) {
		s.ended = true
		s.buffer = append(s.buffer, 0xff, 0xff)
		return nil
	}
	if err != nil {
		return err
	}
	n := len(s.c.written)
	s.buffer = append(s.buffer, byte(n>>8), byte(n))
	for _, i := range s.c.written {
		grown, err := s.c.codecs[i].AppendField(s.buffer, row[i])
		if err != nil {
			return s.c.unfit(i, row, s.c.all(), err)
		}
		s.buffer = grown
	}
	s.loaded.Rows++
	s.loaded.Bytes += int64(row.Size())
	return nil
}

// conflicts returns the unique indexes, besides the row key's, of the table that is there, if rows may give way by
// them. The target is asked, once per table: what is planned may still have to be built. Where the target may take two
// values of the source for one, nothing gives way: COPY meets a duplicate then, and stops.
func (t *Target) conflicts(ctx context.Context, r *route.Route) ([]*schema.Index, error) {
	if len(r.Target.Key) == 0 || !r.Target.Table.OtherUnique() {
		return nil, nil
	}
	if known, ok := t.conflict.Load(r); ok {
		return known.([]*schema.Index), nil //nolint:forcetypeassert // nothing else is put there
	}
	found, err := t.describe(ctx, []schema.Name{r.Target.Name()})
	if err != nil || len(found) == 0 {
		return nil, errors.Join(err, fmt.Errorf("describe table %s: it is not there", r.Target.Name()))
	}
	indexes := schema.CompetingIndexes(r.Target.Table, found[0])
	if slices.ContainsFunc(indexes, func(i *schema.Index) bool { return comparesOtherwise(r, i) }) {
		indexes = nil
	}
	t.conflict.Store(r, indexes)
	return indexes, nil
}
