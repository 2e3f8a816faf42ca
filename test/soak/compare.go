package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// row is a row as the comparison sees it: each value as text that both flavors write alike.
type row struct {
	key  string // the values of the key; the whole row where there is none
	text string // all values
}

// contents is what one end holds of a table.
type contents struct {
	rows []row // in the order of text
	hash [sha256.Size]byte
}

// difference is what differs between both ends of a table.
type difference struct {
	missing, extra, differing []string // keys
	listed                    []string // for people
}

func (d *difference) count() int { return len(d.missing) + len(d.extra) + len(d.differing) }

// compare compares both ends, and their indexes.
func (e *episode) compare(ctx context.Context) error {
	if err := e.compareColumns(ctx); err != nil {
		return err
	}
	tables, _ := e.catalog.now()
	for _, t := range tables {
		d, rows, err := e.compareTable(ctx, t)
		if err != nil {
			return err
		}
		e.rows += int64(rows)
		e.count.rows.Add(int64(rows))
		if d.count() > 0 {
			return fmt.Errorf("table %s with key %v: %d rows are missing, %d are extra, %d differ:\n  %s",
				t.quoted(), t.key, len(d.missing), len(d.extra), len(d.differing),
				strings.Join(d.listed[:min(len(d.listed), 20)], "\n  "))
		}
		if err := e.compareIndexes(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// compareColumns compares which tables there are and their columns, with each other and with what was drawn.
func (e *episode) compareColumns(ctx context.Context) error {
	there := make([]string, len(e.plan.databases))
	for i, d := range e.plan.databases {
		there[i] = e.plan.target(d)
	}
	source, err := e.source.columns(ctx, e.plan.databases)
	if err != nil {
		return err
	}
	target, err := e.target.columns(ctx, there)
	if err != nil {
		return err
	}
	for i := range target {
		for n, d := range there {
			if rest, of := strings.CutPrefix(target[i], d+"."); of {
				target[i] = e.plan.databases[n] + "." + rest
			}
		}
	}
	slices.Sort(target)
	if !slices.Equal(source, target) {
		return fmt.Errorf("tables and columns differ:\n  source %q\n  target %q", source, target)
	}
	if tables, _ := e.catalog.now(); !slices.Equal(source, outline(tables)) {
		return fmt.Errorf("the tables are not what was drawn:\n  source %q\n  drawn %q", source, outline(tables))
	}
	return nil
}

func (e *episode) compareTable(ctx context.Context, t *table) (*difference, int, error) {
	source, err := e.source.contents(ctx, t.database, t, t.filter)
	if err != nil {
		return nil, 0, err
	}
	target, err := e.target.contents(ctx, e.plan.target(t.database), t, "")
	if err != nil {
		return nil, 0, err
	}
	if len(source.rows) == len(target.rows) && source.hash == target.hash {
		return &difference{}, len(source.rows), nil
	}
	return differ(source.rows, target.rows), len(source.rows), nil
}

// differ compares the rows of both ends as a merge of two sorted lists does.
func differ(source, target []row) *difference {
	var missing, extra []row
	for i, j := 0, 0; i < len(source) || j < len(target); {
		switch {
		case j == len(target) || i < len(source) && source[i].text < target[j].text:
			missing = append(missing, source[i])
			i++
		case i == len(source) || source[i].text > target[j].text:
			extra = append(extra, target[j])
			j++
		default:
			i, j = i+1, j+1
		}
	}
	d := &difference{}
	for _, r := range missing {
		at := slices.IndexFunc(extra, func(x row) bool { return x.key == r.key && x.key != x.text })
		if at < 0 {
			d.missing = append(d.missing, r.key)
			d.listed = append(d.listed, "missing "+r.text)
			continue
		}
		d.differing = append(d.differing, r.key)
		d.listed = append(d.listed, "differs, source "+r.text, "         target "+extra[at].text)
		extra = slices.Delete(extra, at, at+1)
	}
	for _, r := range extra {
		d.extra = append(d.extra, r.key)
		d.listed = append(d.listed, "extra   "+r.text)
	}
	return d
}

// canonical is an expression for a value of a column that both flavors write alike, and that no two values share.
func canonical(dataType, column string) string {
	c := quote(column)
	switch dataType {
	case "float", "double":
		return c + " * 1e0" // FLOAT alone prints six digits, CAST as CHAR one too few, and + 0 loses the sign of -0
	case "bit":
		return "CAST(CAST(" + c + " AS UNSIGNED) AS CHAR)"
	case "enum", "set":
		return "CONCAT(CAST(" + c + " AS UNSIGNED), ':', HEX(" + c + "))" // + 0 is a double on MariaDB
	case "json":
		return "HEX(CAST(" + c + " AS CHAR CHARACTER SET utf8mb4))"
	case "uuid", "inet6", "inet4":
		return "HEX(CAST(" + c + " AS CHAR CHARACTER SET utf8mb4))"
	case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "date", "datetime", "timestamp", "time",
		"year":
		return "CAST(" + c + " AS CHAR)"
	default:
		return "HEX(" + c + ")"
	}
}

// contents reads a table.
func (s *server) contents(ctx context.Context, database string, t *table, where string) (*contents, error) {
	var list, keys []string
	for _, c := range t.columns {
		var dataType string
		err := s.db.QueryRowContext(ctx, "SELECT data_type FROM information_schema.columns WHERE table_schema = ? "+
			"AND table_name = ? AND column_name = ?",
			database, t.name, c.name).Scan(&dataType)
		if err != nil {
			return nil, fmt.Errorf("%s: column %s of %s.%s: %w", s.Name, c.name, database, t.name, err)
		}
		list = append(list, canonical(strings.ToLower(dataType), c.name))
		if slices.Contains(t.key, c.name) {
			keys = append(keys, c.name)
		}
	}
	query := "SELECT " + strings.Join(list, ", ") + " FROM " + quote(database) + "." + quote(t.name)
	if where != "" {
		query += " WHERE " + where
	}
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", s.Name, query, err)
	}
	defer rows.Close()
	all := &contents{}
	values, into := make([]sql.NullString, len(list)), make([]any, len(list))
	exact := func(i int) {
		// Both print what reads back as the same number, but not with the same digits.
		if n, err := strconv.ParseFloat(values[i].String, 64); err == nil && strings.HasSuffix(list[i], "* 1e0") {
			values[i].String = strconv.FormatFloat(n, 'x', -1, 64)
		}
	}
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i := range values {
			exact(i)
		}
		all.rows = append(all.rows, newRow(t, values, keys))
	}
	slices.SortFunc(all.rows, func(a, b row) int { return strings.Compare(a.text, b.text) })
	hash := sha256.New()
	for _, r := range all.rows {
		fmt.Fprintf(hash, "%d:%s", len(r.text), r.text)
	}
	hash.Sum(all.hash[:0])
	return all, rows.Err()
}

func newRow(t *table, values []sql.NullString, keys []string) row {
	var text, key []string
	for i, v := range values {
		value := "NULL"
		if v.Valid {
			value = "'" + v.String + "'"
		}
		text = append(text, t.columns[i].name+"="+value)
		if slices.Contains(keys, t.columns[i].name) {
			key = append(key, t.columns[i].name+"="+value)
		}
	}
	r := row{text: strings.Join(text, " "), key: strings.Join(key, " ")}
	if len(keys) == 0 {
		r.key = r.text
	}
	return r
}

// compareIndexes compares what is indexed, and how.
func (e *episode) compareIndexes(ctx context.Context, t *table) error {
	const query = `SELECT CONCAT_WS(' ', HEX(index_name), seq_in_index, HEX(column_name), non_unique, sub_part)
		FROM information_schema.statistics WHERE table_schema = ? AND table_name = ?
		ORDER BY HEX(index_name), seq_in_index`
	source, err := e.source.list(ctx, query, t.database, t.name)
	if err != nil {
		return err
	}
	target, err := e.target.list(ctx, query, e.plan.target(t.database), t.name)
	if err != nil {
		return err
	}
	if !slices.Equal(source, target) {
		return fmt.Errorf("table %s: indexes differ:\n  source %s\n  target %s", t.quoted(), source, target)
	}
	return nil
}
