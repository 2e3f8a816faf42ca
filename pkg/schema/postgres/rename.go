package postgres

import (
	"strings"

	"wherry/pkg/schema"
)

// RenameTables implements schema.Dialect. It is several statements that the server runs as one. The names of indexes
// follow their tables': a table that comes in the place of another wants names for its own.
func (d Dialect) RenameTables(pairs [][2]schema.Name) string {
	var statements []string
	for _, pair := range pairs {
		statements = append(statements, renameTable(pair[0], pair[1])...)
	}
	return strings.Join(statements, between)
}

// renameTable writes what gives a table another name. Into another schema it goes under a name that nobody has: the one
// it had, or is to have, may be taken in the schema that it passes.
func renameTable(from, to schema.Name) (statements []string) {
	table := from.Table
	if from.Database != to.Database {
		table = hashed("wherry", from.String()+"\x00"+to.String())
		statements = append(
			statements, "ALTER TABLE "+Quoted(from)+" RENAME TO "+Quote(table),
			"ALTER TABLE "+Quoted(schema.Name{Database: from.Database, Table: table})+" SET SCHEMA "+Quote(to.Database),
		)
	}
	statements = append(statements, "ALTER TABLE "+Quoted(schema.Name{Database: to.Database, Table: table})+
		" RENAME TO "+Quote(to.Table))
	return append(statements, renameIndexes(from.Table, to))
}

// renameIndexes writes what renames the indexes of a table whose names begin with its old one. What is too long then,
// or taken, gets a name that ends in the index's number.
func renameIndexes(from string, table schema.Name) string {
	return dollarQuoted(`DECLARE i record; free text; BEGIN
  FOR i IN SELECT c.oid, c.relname, n.oid AS home FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = ` + Literal(table.Database) + ` AND t.relname = ` + Literal(table.Table) + ` ORDER BY c.oid LOOP
    free := ` + Literal(table.Table) + ` || '_' || CASE
      WHEN pg_catalog.starts_with(i.relname, ` + Literal(from+"_") + `)
      THEN pg_catalog.substr(i.relname, ` + lengthOf(from+"_") + ` + 1) ELSE i.relname END;
    IF pg_catalog.octet_length(free) > 63 OR EXISTS (SELECT FROM pg_catalog.pg_class r
      WHERE r.relnamespace = i.home AND r.relname = free AND r.oid <> i.oid) THEN
      free := 'wherry_' || i.oid;
    END IF;
    IF free <> i.relname THEN
      EXECUTE pg_catalog.format('ALTER INDEX %I.%I RENAME TO %I', ` + Literal(table.Database) + `, i.relname, free);
    END IF;
  END LOOP;
END`)
}

func lengthOf(text string) string { return "pg_catalog.length(" + Literal(text) + ")" }
