package postgres

import (
	"context"
	"fmt"
	"strconv"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/postgres"
)

// Chunks returns the chunks of a table in order.
func (l *ledger) Chunks(ctx context.Context, table schema.Name) (chunks []db.Chunk, err error) {
	found, err := l.query(ctx, "SELECT number::text, after_key, upto_key, done::text, row_count::text, position, seen "+
		"FROM "+l.table("chunks")+" WHERE source = $1 ORDER BY number", wire.Text(dialect.Quoted(table)))
	if err != nil {
		return nil, fmt.Errorf("read chunks of %s: %w", table, err)
	}
	for _, row := range found {
		c := db.Chunk{Done: string(row[3]) == "true", Position: db.Position(row[5]), Seen: db.Position(row[6])}
		if c.Number, err = strconv.Atoi(string(row[0])); err == nil {
			c.Rows, err = strconv.ParseInt(string(row[4]), 10, 64)
		}
		if err == nil {
			c.Range.After, err = db.DecodeKey(row[1])
		}
		if err == nil {
			c.Range.Upto, err = db.DecodeKey(row[2])
		}
		if err != nil {
			return nil, fmt.Errorf("read chunk %s[%s]: %w", table, row[0], err)
		}
		chunks = append(chunks, c)
	}
	return chunks, nil
}

// Begun tells which tables have chunks, by one query for all.
func (l *ledger) Begun(ctx context.Context) (begun func(schema.Name) bool, err error) {
	found, err := l.query(ctx, "SELECT DISTINCT source FROM "+l.table("chunks"))
	if err != nil {
		return nil, fmt.Errorf("read which tables have chunks: %w", err)
	}
	sources := map[string]bool{}
	for _, row := range found {
		sources[string(row[0])] = true
	}
	return func(n schema.Name) bool { return sources[dialect.Quoted(n)] }, nil
}

// Plan records a chunk of each table, in one statement. Recording the same number again changes nothing.
func (l *ledger) Plan(ctx context.Context, c db.Chunk, tables ...schema.Name) error {
	sources := make([]string, len(tables))
	for i, table := range tables {
		sources[i] = dialect.Quoted(table)
	}
	_, err := l.run(ctx, "INSERT INTO "+l.table("chunks")+" (source, number, after_key, upto_key) "+
		"SELECT s, $2::bigint, $3, $4 FROM pg_catalog.unnest($1) AS s ON CONFLICT DO NOTHING", texts(sources),
		wire.Number(int64(c.Number)), wire.Bytes(db.EncodeKey(c.Range.After)), wire.Bytes(db.EncodeKey(c.Range.Upto)))
	if err != nil {
		return fmt.Errorf("record chunk %s[%d]: %w", tables[0], c.Number, err)
	}
	return nil
}
