package postgres

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// Triggers returns the statements that make the triggers of a table: those that stand for ON UPDATE CURRENT_TIMESTAMP.
// They are for the cutover: before it a trigger would change rows that are the source's. Made again they change
// nothing.
//
// As on the source a column gets the present moment if a row changes and the statement leaves the column as it is.
// Whether a statement named the column a trigger cannot see.
func (d Dialect) Triggers(t *schema.Table) []string {
	var changes, acts []string
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Generated == schema.NotGenerated {
			changes = append(changes, changed(c))
		}
		if c.OnUpdate == "" {
			continue
		}
		now, ok := nowFor(c, fmt.Sprint(c.Type.Scale))
		if !ok {
			continue
		}
		acts = append(acts, fmt.Sprintf("  IF NEW.%s IS NOT DISTINCT FROM OLD.%s THEN NEW.%s := %s; END IF;",
			Quote(c.Name),
			Quote(c.Name), Quote(c.Name), now))
	}
	if len(acts) == 0 {
		return nil
	}
	name := shorten(t.Name.Table + "_on_update")
	function := Quoted(schema.Name{Database: t.Name.Database, Table: name})
	body := "BEGIN\nIF " + strings.Join(changes, "\n  OR ") + " THEN\n" + strings.Join(acts, "\n") +
		"\nEND IF;\nRETURN NEW;\nEND"
	return []string{
		"CREATE OR REPLACE FUNCTION " + function + "() RETURNS trigger LANGUAGE plpgsql AS " + dollars(body) + between +
			"DROP TRIGGER IF EXISTS " + Quote(name) + " ON " + Quoted(t.Name) + between +
			"CREATE TRIGGER " + Quote(name) + " BEFORE UPDATE ON " + Quoted(t.Name) +
			" FOR EACH ROW EXECUTE FUNCTION " +
			function + "()",
	}
}

// changed writes that an UPDATE gives a column another value. JSON, unlike JSONB, has no equality but that of its text.
func changed(c *schema.Column) string {
	cast := ""
	if c.Type.Name == "json" {
		cast = "::text"
	}
	return "NEW." + Quote(c.Name) + cast + " IS DISTINCT FROM OLD." + Quote(c.Name) + cast
}
