package postgres

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// Act is what a statement of this dialect does to one table.
type Act struct {
	Kind ActKind
	Name schema.Name // of the table before
	To   schema.Name // of a table that gets another name: the new one
}

// ActKind is what becomes of a table.
type ActKind int

// What a statement does to a table.
const (
	Creates ActKind = iota
	Drops
	Renames
	Changes // its definition, or its rows
)

// ReadStatement tells what a text of this dialect's does to tables, one after the other, so that whoever runs it can
// ask first whose tables they are. A text is one statement, or several that must happen together: run it by the simple
// protocol, which makes one transaction of it. Statements on schemas and views do nothing to tables. What this dialect
// does not write is an error.
func ReadStatement(text string) (acts []Act, err error) {
	r := &statementReader{Cursor: sqltext.NewCursor(text, postgresText)}
	for r.Err == nil && r.Peek().Kind != sqltext.End {
		r.statement()
		for r.Err == nil && r.Peek().Kind != sqltext.End && !r.AcceptMark(";") {
			r.skip()
		}
	}
	if r.Err != nil {
		return nil, fmt.Errorf("read statement %.60q: %w", text, r.Err)
	}
	return chained(r.acts), nil
}

type statementReader struct {
	sqltext.Cursor
	acts []Act
}

// skip passes a token, or a text in dollar quotes.
func (r *statementReader) skip() {
	t := r.Next()
	if t.Kind != sqltext.Word || !strings.HasPrefix(t.Text, "$") {
		return
	}
	for r.Err == nil && r.Peek().Kind != sqltext.End {
		if r.Next().Is(t.Text) {
			return
		}
	}
}

func (r *statementReader) act(kind ActKind) {
	r.acts = append(r.acts, Act{Kind: kind, Name: r.table()})
}

// table reads the name of a table, which has its schema before it.
func (r *statementReader) table() schema.Name {
	database := r.Read(sqltext.Name)
	r.ExpectMark(".")
	return schema.Name{Database: database, Table: r.Read(sqltext.Name)}
}

func (r *statementReader) statement() {
	switch {
	case r.Accept("CREATE TABLE"):
		r.act(Creates)
	case r.Accept("DROP TABLE IF EXISTS"):
		r.act(Drops)
	case r.Accept("TRUNCATE TABLE"), r.Accept("COMMENT ON TABLE"), r.Accept("COMMENT ON COLUMN"),
		r.Accept("LOCK TABLE"), r.Accept("ANALYZE"):
		r.act(Changes)
	case r.Accept("CREATE INDEX"), r.Accept("CREATE UNIQUE INDEX"):
		r.Read(sqltext.Name)
		r.Expect("ON")
		r.act(Changes)
	case r.Accept("CREATE TRIGGER"), r.Accept("DROP TRIGGER IF EXISTS"):
		r.Read(sqltext.Name)
		r.Accept("BEFORE UPDATE")
		r.Expect("ON")
		r.act(Changes)
	case r.Accept("ALTER TABLE"):
		r.alter()
	case r.Accept("CREATE SCHEMA"), r.Accept("DROP SCHEMA"), r.Accept("CREATE VIEW"), r.Accept("DROP VIEW"),
		r.Accept("CREATE MATERIALIZED VIEW"), r.Accept("DROP MATERIALIZED VIEW"), r.Accept("COMMENT ON INDEX"),
		r.Accept("DROP INDEX"), r.Accept("ALTER INDEX"), r.Accept("DO"), r.Accept("CREATE OR REPLACE FUNCTION"):
		// The indexes are those of the tables that the same text, or the one before it, names.
	default:
		r.Misunderstood()
	}
}

func (r *statementReader) alter() {
	name := r.table()
	switch {
	case r.Accept("RENAME TO"):
		to := schema.Name{Database: name.Database, Table: r.Read(sqltext.Name)}
		r.acts = append(r.acts, Act{Kind: Renames, Name: name, To: to})
	case r.Accept("SET SCHEMA"):
		to := schema.Name{Database: r.Read(sqltext.Name), Table: name.Table}
		r.acts = append(r.acts, Act{Kind: Renames, Name: name, To: to})
	default:
		r.acts = append(r.acts, Act{Kind: Changes, Name: name})
	}
}

// chained makes one rename of several of one table that follow each other.
func chained(acts []Act) (out []Act) {
	for _, a := range acts {
		if n := len(out); n > 0 && a.Kind == Renames && out[n-1].Kind == Renames && out[n-1].To == a.Name {
			out[n-1].To = a.To
			continue
		}
		out = append(out, a)
	}
	return out
}
