package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// schemaParts are queries for the parts of a schema that matter to the application, one line each.
type schemaParts struct{ columns, indexes, references string }

// alike are the parts of two servers that have the same types.
var alike = schemaParts{
	indexes: `SELECT CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name, non_unique, sub_part)
		FROM information_schema.statistics WHERE table_schema = DATABASE()`,
	references: `SELECT CONCAT_WS(' ', k.table_name, k.constraint_name, k.ordinal_position, k.column_name,
		k.referenced_table_name, k.referenced_column_name) FROM information_schema.key_column_usage k
		WHERE k.table_schema = DATABASE() AND k.referenced_table_name IS NOT NULL`,
	// JSON is text on MariaDB, so it counts as that everywhere.
	columns: `SELECT CONCAT_WS(' ', table_name, ordinal_position, column_name, is_nullable,
		IF(data_type = 'json', 'longtext 4294967295 utf8mb4 utf8mb4_bin', CONCAT_WS(' ', data_type,
		character_maximum_length, numeric_precision, numeric_scale, datetime_precision, character_set_name,
		collation_name))) FROM information_schema.columns
		WHERE table_schema = DATABASE()`,
}

// The parts that a server of the MySQL family and PostgreSQL have in common: types and the names of indexes differ.
var (
	mysqlParts = schemaParts{
		columns: `SELECT CONCAT_WS(' ', table_name, ordinal_position, column_name, is_nullable)
			FROM information_schema.columns WHERE table_schema = DATABASE()`,
		indexes: `SELECT CONCAT_WS(' ', table_name, seq_in_index, non_unique, IF(sub_part IS NULL, column_name,
			CONCAT('left(', column_name, ', ', sub_part, ')')), '/', (SELECT GROUP_CONCAT(x.column_name ORDER BY
			x.seq_in_index) FROM information_schema.statistics x WHERE x.table_schema = s.table_schema AND
			x.table_name = s.table_name AND x.index_name = s.index_name))
			FROM information_schema.statistics s WHERE table_schema = DATABASE()`,
		references: alike.references,
	}
	postgresParts = schemaParts{
		columns: `SELECT CONCAT_WS(' ', table_name, ordinal_position, column_name, is_nullable)
			FROM information_schema.columns WHERE table_schema = current_schema()`,
		indexes: `SELECT CONCAT_WS(' ', t.relname, n, CASE WHEN i.indisunique THEN 0 ELSE 1 END,
			regexp_replace(regexp_replace(pg_get_indexdef(i.indexrelid, n, true), '::text|"', '', 'g'),
			'left\(\((.*)\), ', 'left(\1, '), '/',
			(SELECT string_agg(COALESCE(a.attname, substring(pg_get_indexdef(i.indexrelid, m, true) FROM '\((\w+)')),
			',' ORDER BY m) FROM generate_series(1, i.indnkeyatts) m LEFT JOIN pg_attribute a
			ON a.attrelid = i.indrelid AND a.attnum = i.indkey[m - 1]))
			FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid, generate_series(1, i.indnkeyatts) n
			WHERE t.relnamespace = current_schema()::regnamespace`,
		references: `SELECT CONCAT_WS(' ', t.relname, c.conname, n, a.attname, p.relname, b.attname)
			FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class p ON p.oid = c.confrelid,
			generate_subscripts(c.conkey, 1) n JOIN pg_attribute a ON true JOIN pg_attribute b ON true
			WHERE c.contype = 'f' AND c.convalidated AND t.relnamespace = current_schema()::regnamespace
			AND a.attrelid = c.conrelid AND a.attnum = c.conkey[n]
			AND b.attrelid = c.confrelid AND b.attnum = c.confkey[n]`,
	}
)

// sight is how a table is read so that both servers show a value by the same bytes: those of MySQL's text.
func (p *pool) sight(ctx context.Context, t table) (query string, err error) {
	if !p.postgres {
		return t.ordered(), nil
	}
	rows, err := p.QueryContext(ctx, `SELECT column_name, data_type, COALESCE(datetime_precision, 0)
		FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1
		ORDER BY ordinal_position`, t.name)
	if err != nil {
		return "", fmt.Errorf("columns of %s: %w", t.name, err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var name, kind string
		var digits int
		if err := rows.Scan(&name, &kind, &digits); err != nil {
			return "", err
		}
		list = append(list, shown(`"`+name+`"`, kind, digits)+` AS "`+name+`"`)
	}
	// By the column, not by its text, which has the same name.
	key := t.name + "." + strings.Join(t.key, ", "+t.name+".")
	return fmt.Sprintf("SELECT %s FROM %s ORDER BY %s", strings.Join(list, ", "), t.name, key), rows.Err()
}

// shown is the expression for the text of a column. Sessions are in UTC.
func shown(column, kind string, digits int) string {
	switch {
	case kind == "bytea":
		return column
	case kind == "boolean":
		return column + "::int::text"
	case strings.HasPrefix(kind, "timestamp"):
		text := "to_char(" + column + ", 'YYYY-MM-DD HH24:MI:SS"
		if digits == 0 {
			return text + "')"
		}
		return fmt.Sprintf("left(%s.US'), %d)", text, len("2024-01-02 03:04:05.")+digits)
	}
	return column + "::text"
}

// sameDocument tells whether two texts are the same JSON document. Servers write one in several ways.
func sameDocument(a, b []byte) bool {
	var x, y any
	if len(a) == 0 || a[0] != '{' || json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	left, _ := json.Marshal(x)
	right, _ := json.Marshal(y)
	return string(left) == string(right)
}
