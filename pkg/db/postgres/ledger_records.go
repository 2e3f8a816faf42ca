package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/codec"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// texts is a parameter that is an array of text.
func texts(values []string) wire.Param {
	const text = 25
	b := codec.AppendArray(nil, text, len(values))
	for _, v := range values {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...) //nolint:gosec // names and records
	}
	return wire.Param{OID: 1009, Value: b}
}

// Records returns the tables of the move.
func (l *ledger) Records(ctx context.Context) (records []db.Record, err error) {
	found, err := l.query(ctx, "SELECT record FROM "+l.table("tables")+` ORDER BY source COLLATE "C"`)
	if err != nil {
		return nil, fmt.Errorf("read the move's tables: %w", err)
	}
	for _, row := range found {
		record, err := db.DecodeRecord(string(row[0]))
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

// Amend puts records and removes others, in one transaction.
func (l *ledger) Amend(ctx context.Context, put []db.Record, gone []schema.Name) error {
	err := l.t.pool.InTx(ctx, func(c *wire.Conn) error { return l.amend(ctx, c, put, gone, true) })
	if err != nil {
		return fmt.Errorf("record the move's tables: %w", err)
	}
	return nil
}

// amend puts records within a transaction. With renew the chunks of tables that are to be copied are forgotten: their
// bounds were cut from rows of another shape.
func (l *ledger) amend(ctx context.Context, c *wire.Conn, put []db.Record, gone []schema.Name, renew bool) error {
	var removed, uncut, sources, records []string
	for _, name := range gone {
		removed = append(removed, dialect.Quoted(name))
	}
	uncut = append(uncut, removed...)
	for _, r := range put {
		text, err := db.EncodeRecord(r)
		if err != nil {
			return err
		}
		source := dialect.Quoted(r.Source)
		if sources, records = append(sources, source), append(records, text); r.Copy && renew {
			uncut = append(uncut, source)
		}
	}
	for _, step := range []struct {
		statement string
		params    []wire.Param
	}{
		{"DELETE FROM " + l.table("tables") + " WHERE source = ANY($1)", []wire.Param{texts(removed)}},
		{"DELETE FROM " + l.table("chunks") + " WHERE source = ANY($1)", []wire.Param{texts(uncut)}},
		{
			"INSERT INTO " + l.table("tables") + " (source, record) SELECT s, r FROM ROWS FROM " +
				"(pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (s, r) " +
				"ON CONFLICT (source) DO UPDATE SET record = EXCLUDED.record",
			[]wire.Param{texts(sources), texts(records)},
		},
	} {
		if _, err := c.Run(ctx, step.statement, step.params...); err != nil {
			return err
		}
	}
	return nil
}

// Amend puts records and takes others away within the applier's transaction.
func (a *applier) Amend(ctx context.Context, put []db.Record, gone []schema.Name) error {
	if err := a.begin(ctx); err != nil {
		return err
	}
	l := a.t.ledger()
	err := l.amend(ctx, a.wires[0], put, gone, false)
	if err == nil {
		_, err = a.wires[0].Run(ctx, "DELETE FROM "+l.table("facts")+" WHERE name = $1", wire.Text(db.FactChange))
	}
	if err != nil {
		return fmt.Errorf("record the move's tables: %w", err)
	}
	return nil
}

// Execute runs one schema statement on the connection that holds the lock.
func (a *applier) Execute(ctx context.Context, statement string, at db.Moment) error {
	if a.began {
		return errors.New("execute a schema statement: a transaction is open")
	}
	return errors.Join(a.t.guarded(ctx, a.wires[0], statement, &at), a.wires[0].Forget(ctx))
}
