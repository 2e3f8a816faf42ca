package mysql

import (
	"context"
	"fmt"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/ddl"
	"wherry/pkg/schema"
)

// Effects tells what a statement of the log does to tables. The server is asked only for what new tables have by default.
func (s *Source) Effects(ctx context.Context, change *db.DDL, known []*schema.Table) ([]schema.Effect, error) {
	parsed, err := ddl.Parse(change.Statement, change.Context)
	if err != nil {
		return nil, err
	}
	if parsed.Database() != "" { // what was in it is what the stream has found to be touched
		var effects []schema.Effect
		for _, name := range change.Tables {
			effects = append(effects, schema.Effect{Kind: schema.Dropped, Name: name})
		}
		return effects, nil
	}
	databases, err := s.databases(ctx)
	if err != nil {
		return nil, err
	}
	tables, children := map[schema.Name]*schema.Table{}, map[schema.Name][]*schema.Table{}
	for _, t := range known {
		tables[t.Name] = t
		for i := range t.ForeignKeys {
			children[t.ForeignKeys[i].Parent] = append(children[t.ForeignKeys[i].Parent], t)
		}
	}
	table := func(n schema.Name) *schema.Table { return tables[n] }
	of := func(n schema.Name) []*schema.Table { return children[n] }
	effects, err := parsed.Apply(ddl.Catalog{Table: table, Children: of, Collations: s.collations, Database: func(name string) (string, string) {
		return databases[strings.ToLower(name)][0], databases[strings.ToLower(name)][1]
	}})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", schema.ErrUnknownStatement, err)
	}
	return effects, nil
}

// databases returns the default character set and collation of each database, by its name in lower case.
func (s *server) databases(ctx context.Context) (map[string][2]string, error) {
	rows, err := s.rows(ctx, "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA")
	if err != nil {
		return nil, fmt.Errorf("read databases of %s: %w", s.cfg.Address(), err)
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return nil, fmt.Errorf("read databases of %s: %w", s.cfg.Address(), err)
	}
	databases := make(map[string][2]string, len(found))
	for _, row := range found {
		databases[strings.ToLower(string(row[0]))] = [2]string{string(row[1]), string(row[2])}
	}
	return databases, nil
}
