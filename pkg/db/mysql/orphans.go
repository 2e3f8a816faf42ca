package mysql

import (
	"context"
	"fmt"
	"strconv"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// Orphans counts rows that reference a row which is not there. A row with a NULL in one of the columns references
// nothing (MATCH SIMPLE, the only rule that InnoDB has). The limit is inside of the derived table: counting stops
// there, and a table with a million orphans takes no longer than one with a few.
func (s *server) Orphans(ctx context.Context, rel, parent *route.Relation, key schema.ForeignKey, limit int) (int64,
	error,
) {
	present, equal := "", ""
	for i := range key.Columns {
		from, to := "c."+dialect.Quote(key.Columns[i]), "p."+dialect.Quote(key.ParentColumns[i])
		present += from + " IS NOT NULL AND "
		if i > 0 {
			equal += " AND "
		}
		equal += to + " = " + from
	}
	if parent.Where != "" {
		equal += " AND (" + parent.Where + ")"
	}
	if rel.Where != "" {
		present += "(" + rel.Where + ") AND "
	}
	statement := "SELECT COUNT(*) FROM (SELECT 1 FROM " + dialect.Quoted(rel.Name()) + " AS c WHERE " + present +
		"NOT EXISTS (SELECT 1 FROM " +
		dialect.Quoted(parent.Name()) + " AS p WHERE " + equal + ") LIMIT " + strconv.Itoa(limit) + ") AS orphans"
	rows, err := s.rows(ctx, statement)
	if err != nil {
		return 0, fmt.Errorf("look for rows of %s that reference nothing by %s: %w", rel.Name(), key.Name, err)
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return 0, fmt.Errorf("look for rows of %s that reference nothing by %s: %w", rel.Name(), key.Name, err)
	}
	return strconv.ParseInt(string(found[0][0]), 10, 64)
}
