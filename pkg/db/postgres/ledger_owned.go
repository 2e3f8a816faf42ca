package postgres

import (
	"context"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/db/postgres/wire"
	"wherry/pkg/schema"
)

// Which tables of the target are the move's is in the bookkeeping's table owned, by name. What a schema statement does
// to names commits with it, so the list is never behind.

// Owned returns the tables that are the move's.
func (l *ledger) Owned(ctx context.Context) (db.Owned, error) {
	whole, err := l.Get(ctx, factOwned)
	if err != nil || whole == "" {
		return nil, err
	}
	found, err := l.query(ctx, "SELECT home, name, origin FROM "+l.table("owned"))
	if err != nil {
		return nil, fmt.Errorf("read which tables are the move's: %w", err)
	}
	return ownedOf(found), nil
}

func ownedOf(found []db.Row) db.Owned {
	owned := make(db.Owned, len(found))
	for _, row := range found {
		owned[schema.Name{Database: string(row[0]), Table: string(row[1])}] = db.Origin(row[2])
	}
	return owned
}

// Own records tables as the move's and removes others from the list.
func (l *ledger) Own(ctx context.Context, put db.Owned, gone []schema.Name) error {
	if put == nil && gone == nil {
		return nil // no statement's outcome is unknown
	}
	err := l.t.pool.InTx(ctx, func(c *wire.Conn) error {
		if err := l.own(ctx, c, put, gone); err != nil {
			return err
		}
		_, err := c.Run(ctx, l.putFact(), wire.Text(factOwned), wire.Text("recorded"))
		return err
	})
	if err != nil {
		return fmt.Errorf("record which tables are the move's: %w", err)
	}
	return nil
}

// own writes the list within a transaction.
func (l *ledger) own(ctx context.Context, c *wire.Conn, put db.Owned, gone []schema.Name) error {
	homes, names := split(gone)
	if len(gone) > 0 {
		if _, err := c.Run(ctx, "DELETE FROM "+l.table("owned")+" WHERE (home, name) IN (SELECT h, n FROM ROWS FROM "+
			"(pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (h, n))", texts(homes), texts(names)); err != nil {
			return err
		}
	}
	if len(put) == 0 {
		return nil
	}
	homes, names = nil, nil
	var origins []string
	for n, origin := range put {
		homes, names, origins = append(homes, n.Database), append(names, n.Table), append(origins, string(origin))
	}
	_, err := c.Run(ctx, "INSERT INTO "+l.table("owned")+" (home, name, origin) SELECT h, n, o FROM ROWS FROM "+
		"(pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) AS u (h, n, o) "+
		"ON CONFLICT (home, name) DO UPDATE SET origin = EXCLUDED.origin", texts(homes), texts(names), texts(origins))
	return err
}

// split returns the schemas and the names of tables.
func split(tables []schema.Name) (homes, names []string) {
	for _, n := range tables {
		homes, names = append(homes, n.Database), append(names, n.Table)
	}
	return homes, names
}
