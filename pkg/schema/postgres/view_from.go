package postgres

import (
	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// tables reads the joins of a view.
func (v *viewReader) tables() string {
	text := v.table()
	for v.Err == nil {
		word := ""
		switch {
		case v.Accept("LEFT JOIN"):
			word = " LEFT JOIN "
		case v.Accept("RIGHT JOIN"):
			word = " RIGHT JOIN "
		case v.Accept("JOIN"), v.Accept("INNER JOIN"), v.Accept("CROSS JOIN"):
			word = " JOIN "
		default:
			return text
		}
		right := v.table()
		switch {
		case v.Accept("ON"):
			text += word + right + " ON " + v.condition(v.expression(0))
		case word == " JOIN ":
			text += " CROSS JOIN " + right
		default:
			v.Misunderstood()
		}
	}
	return text
}

// table reads a table, or joins in parentheses.
func (v *viewReader) table() string {
	if v.AcceptMark("(") {
		text := v.tables()
		v.ExpectMark(")")
		return "(" + text + ")"
	}
	name := schema.Name{Database: v.database(), Table: v.Read(sqltext.Name)}
	if v.AcceptMark(".") {
		name = schema.Name{Database: name.Table, Table: v.Read(sqltext.Name)}
	}
	to, ok := v.places.Tables[name]
	if !ok {
		v.fail("%s, which is not moved", name)
		return ""
	}
	to = v.d.opts.Identifiers.Name(to)
	alias := name.Table
	if v.Accept("AS") || v.Peek().Kind == sqltext.Name {
		alias = v.Read(sqltext.Name)
	}
	table := &viewTable{sql: Quote(shorten(alias)), m: v.mappingOf(name, to)}
	if key := scopeOf([]string{alias}); v.scope[key] == nil {
		v.scope[key] = table
	} else {
		v.fail("two tables that are called %s", alias)
	}
	return Quoted(to) + " AS " + table.sql
}

// database is the one that tables are in whose names stand alone.
func (v *viewReader) database() string {
	if v.view.Session.Database != "" {
		return v.view.Session.Database
	}
	return v.view.Name.Database
}

// mappingOf returns what a table becomes, or nil when it is not known.
func (v *viewReader) mappingOf(name, to schema.Name) *mapping {
	if v.d.known == nil || v.d.known.tables[name] == nil {
		return nil
	}
	source := v.d.known.tables[name]
	target, _, err := v.d.Map(source, to, nil)
	if err != nil {
		return nil
	}
	m := &mapping{Dialect: v.d, source: source, target: target}
	if err := m.nameColumns(); err != nil {
		return nil
	}
	return m
}
