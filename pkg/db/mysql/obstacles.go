package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// Obstacles finds rows and triggers. information_schema shows triggers only to accounts with the TRIGGER privilege
// (manual, "The INFORMATION_SCHEMA TRIGGERS Table"): without it an empty list proves nothing, so the privilege is
// checked too.
func (t *Target) Obstacles(ctx context.Context, tables []schema.Name) (map[schema.Name][]string, error) {
	all, err := t.readGrants(ctx)
	if err != nil {
		return nil, err
	}
	triggers, err := t.triggers(ctx, tables)
	if err != nil {
		return nil, fmt.Errorf("look for triggers: %w", wire.Classify(err))
	}
	found := map[schema.Name][]string{}
	for _, table := range tables {
		var one int
		err := t.admin.QueryRowContext(ctx, "SELECT 1 FROM "+dialect.Quoted(table)+" LIMIT 1").Scan(&one)
		switch {
		case err == nil:
			found[table] = append(found[table], "is not empty")
		case !errors.Is(err, sql.ErrNoRows):
			return nil, fmt.Errorf("look for rows in %s: %w", table, wire.Classify(err))
		}
		if !all.allow(table, "TRIGGER") {
			found[table] = append(found[table], "may have triggers, which this account cannot see: GRANT TRIGGER ON "+
				dialect.Quoted(table)+" TO "+t.grantee())
			continue
		}
		if names := triggers[table]; len(names) > 0 {
			found[table] = append(found[table], "has triggers, which would fire for every row that is copied or "+
				"changed ("+strings.Join(names, ", ")+
				"): drop them, and create them again after the cutover")
		}
	}
	return found, nil
}

// triggers returns the triggers of tables, by one query per database: the server reads its whole list for each.
func (t *Target) triggers(ctx context.Context, tables []schema.Name) (map[schema.Name][]string, error) {
	databases := map[string]bool{}
	names := map[schema.Name][]string{}
	for _, table := range tables {
		if databases[table.Database] {
			continue
		}
		databases[table.Database] = true
		if err := t.triggersOf(ctx, table.Database, names); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func (t *Target) triggersOf(ctx context.Context, database string, names map[schema.Name][]string) (err error) {
	rows, err := t.admin.QueryContext(ctx, `SELECT EVENT_OBJECT_TABLE, TRIGGER_NAME FROM information_schema.TRIGGERS
		WHERE EVENT_OBJECT_SCHEMA = ? ORDER BY EVENT_OBJECT_TABLE, TRIGGER_NAME`, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var table, name string
		if err := rows.Scan(&table, &name); err != nil {
			return err
		}
		at := schema.Name{Database: database, Table: table}
		names[at] = append(names[at], name)
	}
	return rows.Err()
}
