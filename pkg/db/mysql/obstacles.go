package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// Obstacles looks for rows and triggers. Triggers are seen only by who has the privilege for them (manual, "The
// INFORMATION_SCHEMA TRIGGERS Table"), so that an account without it cannot tell.
func (t *Target) Obstacles(ctx context.Context, tables []schema.Name) (map[schema.Name][]string, error) {
	all, err := t.readGrants(ctx)
	if err != nil {
		return nil, err
	}
	found := map[schema.Name][]string{}
	for _, table := range tables {
		var one int
		err := t.admin.QueryRowContext(ctx, "SELECT 1 FROM "+table.Quoted()+" LIMIT 1").Scan(&one)
		switch {
		case err == nil:
			found[table] = append(found[table], "is not empty")
		case !errors.Is(err, sql.ErrNoRows):
			return nil, fmt.Errorf("look for rows in %s: %w", table, classify(err))
		}
		if !all.allow(table, "TRIGGER") {
			found[table] = append(found[table], "may have triggers, which this account cannot see: GRANT TRIGGER ON "+table.Quoted()+" TO the account "+t.cfg.User)
			continue
		}
		triggers, err := t.triggers(ctx, table)
		if err != nil {
			return nil, fmt.Errorf("look for triggers of %s: %w", table, classify(err))
		}
		if len(triggers) > 0 {
			found[table] = append(found[table], "has triggers, which would fire for every row that is copied or changed ("+strings.Join(triggers, ", ")+
				"): drop them, and create them again after the cutover")
		}
	}
	return found, nil
}

func (t *Target) triggers(ctx context.Context, table schema.Name) (names []string, err error) {
	rows, err := t.admin.QueryContext(ctx, `SELECT TRIGGER_NAME FROM information_schema.TRIGGERS
		WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? ORDER BY TRIGGER_NAME`, table.Database, table.Table)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
