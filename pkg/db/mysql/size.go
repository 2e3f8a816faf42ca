package mysql

import (
	"context"
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
)

// sizeColumns are what a server estimates of a table; for InnoDB the number of rows may be wrong by half. Sessions of
// MySQL are set to keep no answer of an earlier moment (information_schema_stats_expiry), which would be one of up to
// a day ago.
const sizeColumns = "TABLE_SCHEMA, TABLE_NAME, COALESCE(TABLE_ROWS, 0), COALESCE(DATA_LENGTH, 0) + " +
	"COALESCE(INDEX_LENGTH, 0), COALESCE(AUTO_INCREMENT, 0)"

// fewTables is how many tables of a database are asked for one by one. A server opens one table then, and else every
// table of the database: MariaDB has no use for a list of names there (MariaDB manual, "Information Schema Tables",
// optimization).
const fewTables = 16

// Sizes returns how large tables are, as the server estimates now.
func (s *server) Sizes(ctx context.Context, tables []schema.Name) (map[schema.Name]db.Size, error) {
	byDatabase := map[string][]string{}
	for _, t := range tables {
		byDatabase[t.Database] = append(byDatabase[t.Database], t.Table)
	}
	sizes := map[schema.Name]db.Size{}
	for database, names := range byDatabase {
		const all = "SELECT " + sizeColumns + " FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?"
		if len(names) > fewTables {
			if err := s.sizes(ctx, sizes, all, database); err != nil {
				return nil, err
			}
			continue
		}
		for _, name := range names {
			if err := s.sizes(ctx, sizes, all+" AND TABLE_NAME = ?", database, name); err != nil {
				return nil, err
			}
		}
	}
	return sizes, nil
}

func (s *server) sizes(ctx context.Context, sizes map[schema.Name]db.Size, query string, args ...any) error {
	rows, err := s.admin.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read sizes of tables: %w", wire.Classify(err))
	}
	defer rows.Close()
	for rows.Next() {
		var name schema.Name
		var size db.Size
		if err := rows.Scan(&name.Database, &name.Table, &size.Rows, &size.Bytes, &size.Next); err != nil {
			return fmt.Errorf("read sizes of tables: %w", wire.Classify(err))
		}
		sizes[name] = size
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read sizes of tables: %w", wire.Classify(err))
	}
	return nil
}
