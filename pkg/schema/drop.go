package schema

import "strings"

// DropTable returns the statement that removes a table if it is there, in the words of every server of the MySQL family.
func DropTable(name Name) string { return "DROP TABLE IF EXISTS " + name.Quoted() }

// DropDatabase is DropTable for a database with all that is in it.
func DropDatabase(name string) string { return "DROP DATABASE IF EXISTS " + Quote(name) }

// DropObject is DropTable for a view, routine, event, sequence or trigger.
func DropObject(kind ObjectKind, name Name) string {
	return "DROP " + strings.ToUpper(string(kind)) + " IF EXISTS " + name.Quoted()
}

// DisableEvent returns the statement that keeps an event from firing. Its definer becomes the account's (MySQL manual, "ALTER
// EVENT Statement"): Dialect.EnableEvent puts that back.
func DisableEvent(name Name) string { return "ALTER EVENT " + name.Quoted() + " DISABLE" }
