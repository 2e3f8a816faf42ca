package lab

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Quote writes a name as both families take it.
func Quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// Strings returns the first column of a query.
func Strings(ctx context.Context, db *sql.DB, query string, args ...any) (out []string, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%.80s: %w", query, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var value sql.NullString
		if err := rows.Scan(&value); err != nil {
			return nil, fmt.Errorf("%.80s: %w", query, err)
		}
		out = append(out, value.String)
	}
	return out, rows.Err()
}

// Tables returns the names of the base tables of a database.
func Tables(ctx context.Context, db *sql.DB, database string) ([]string, error) {
	return Strings(ctx, db, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE "+
		"NOT IN ('VIEW', 'SEQUENCE') ORDER BY BINARY TABLE_NAME", database)
}

// Column is one column of a table, as information_schema has it.
type Column struct {
	Name, Kind string // id, bigint
	Type       string // bigint unsigned
	Nullable   bool
	Extra      string // in lower case
	Generated  bool
}

// Columns returns the columns of a table in order.
func Columns(ctx context.Context, db *sql.DB, database, table string) (out []Column, err error) {
	rows, err := db.QueryContext(ctx, "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE = 'YES', "+
		"LOWER(EXTRA), COALESCE(GENERATION_EXPRESSION, '') <> '' "+
		"FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND BINARY TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
		database, table)
	if err != nil {
		return nil, fmt.Errorf("read columns of %s.%s: %w", database, table, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c Column
		if err := rows.Scan(&c.Name, &c.Kind, &c.Type, &c.Nullable, &c.Extra, &c.Generated); err != nil {
			return nil, fmt.Errorf("read columns of %s.%s: %w", database, table, err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// Rows returns the rows of a table in binary order: characters in hexadecimal of their bytes, after the name of
// their character set, bytes in hexadecimal, numbers as the binary double or the digits that they are. where is a
// condition, or empty.
func Rows(ctx context.Context, db *sql.DB, database, table, where string) (out []string, err error) {
	columns, err := Columns(ctx, db, database, table)
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("no table %s.%s", database, table)
	}
	return RowsOf(ctx, db, database, table, columns, where)
}

// RowsOf is Rows of a table whose columns are read as those of another table are: across versions a column may be of
// another type, and hold the same text.
func RowsOf(ctx context.Context, db *sql.DB, database, table string, columns []Column, where string) (out []string,
	err error,
) {
	if where != "" {
		where = " WHERE " + where
	}
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = expression(c)
	}
	rows, err := db.QueryContext(ctx, "SELECT "+strings.Join(list, ", ")+" FROM "+Quote(database)+"."+Quote(table)+
		where)
	if err != nil {
		return nil, fmt.Errorf("read %s.%s: %w", database, table, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values, into := make([]sql.NullString, len(list)), make([]any, len(list))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("read %s.%s: %w", database, table, err)
		}
		var b strings.Builder
		for i, v := range values {
			text, err := canonical(columns[i], v)
			if err != nil {
				return nil, fmt.Errorf("read %s.%s: %w", database, table, err)
			}
			b.WriteString(text + "|")
		}
		out = append(out, b.String())
	}
	slices.Sort(out)
	return out, rows.Err()
}

// expression reads a column so that the connection's character set does not matter.
func expression(c Column) string {
	name := Quote(c.Name)
	switch c.Kind {
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		// Not converted to one character set, in which what stands for no character is lost.
		return "CONCAT(IF(CHARSET(" + name + ") = 'utf8', 'utf8mb3', CHARSET(" + name + ")), ' ', HEX(" + name + "))"
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector", "geometry", "point",
		"linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection",
		"geomcollection": // of a shape these are its SRID and WKB, on either family
		return "HEX(" + name + ")"
	case "json":
		return "CONCAT('utf8mb4 ', HEX(CONVERT(" + name + " USING utf8mb4)))" // as of text on the other family
	case "bit":
		return name + "+0"
	case "float", "double":
		return name + "*1e0"
	default:
		return name
	}
}

func canonical(c Column, v sql.NullString) (string, error) {
	if !v.Valid {
		return "NULL", nil
	}
	if c.Kind == "float" || c.Kind == "double" {
		f, err := strconv.ParseFloat(v.String, 64)
		if err != nil {
			return "", err
		}
		return strconv.FormatFloat(f, 'x', -1, 64), nil
	}
	return v.String, nil
}
