package mysql

import (
	"wherry/pkg/db"
	"wherry/pkg/db/mysql/binlog"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// inForm returns rows whose values are in the form that the relation asks for, see route.Rule: for example a JSON
// document in the form in which both servers agree, if one of them keeps JSON as text.
func inForm(rel *route.Relation, rows db.Rows) db.Rows {
	if !rel.Formed() {
		return rows
	}
	return &formedRows{Rows: rows, rel: rel, texts: make([][]byte, len(rel.Columns))}
}

type formedRows struct {
	db.Rows
	rel   *route.Relation
	row   db.Row
	texts [][]byte // by value, used again
}

// Next returns the next row.
func (r *formedRows) Next() (db.Row, error) {
	row, err := r.Rows.Next()
	if err != nil {
		return nil, err
	}
	r.row = append(r.row[:0], row...)
	for i, v := range row {
		if form := r.rel.Rule(i).Form; form != schema.Other && v != nil {
			r.texts[i] = binlog.AppendNormal(r.texts[i][:0], v, form)
			r.row[i] = r.texts[i]
		}
	}
	return r.row, nil
}
