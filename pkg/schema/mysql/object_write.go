package mysql

import (
	"strings"

	"wherry/pkg/schema"
)

// CreateObject implements schema.Dialect.
func (d dialect) CreateObject(o *schema.Object) string {
	// ALGORITHM stands before DEFINER, SQL SECURITY and AGGREGATE after it (MySQL manual 15.1.26)
	algorithm, rest := "", o.Lead
	if strings.HasPrefix(o.Lead, "ALGORITHM=") {
		algorithm, rest, _ = strings.Cut(o.Lead, " ")
	}
	words := []string{"CREATE", algorithm}
	if !o.Definer.IsZero() {
		words = append(words, "DEFINER="+quotedAccount(o.Definer))
	}
	words = append(words, rest, strings.ToUpper(string(o.Kind)), Quoted(o.Name))
	switch o.Kind {
	case schema.TriggerObject:
		words = append(words, o.Timing, "ON", Quoted(o.Table), "FOR EACH ROW")
	case schema.EventObject:
		words = append(words, o.Schedule, "DISABLE")
	case schema.ViewObject, schema.Procedure, schema.Function, schema.Package, schema.SequenceObject:
	}
	var b strings.Builder
	for _, word := range append(words, o.Body) {
		if word != "" {
			b.WriteString(word + " ")
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// DropObject implements schema.Dialect.
func (d dialect) DropObject(o *schema.Object) string {
	return "DROP " + strings.ToUpper(string(o.Kind)) + " IF EXISTS " + Quoted(o.Name)
}

// DisableEvent implements schema.Dialect. The event's definer becomes the account's (MySQL manual, "ALTER EVENT
// Statement").
func (d dialect) DisableEvent(o *schema.Object) string {
	return "ALTER EVENT " + Quoted(o.Name) + " DISABLE"
}

// EnableEvent implements schema.Dialect. ALTER EVENT without DEFINER would make it the session's (MySQL manual 15.1.3).
func (d dialect) EnableEvent(o *schema.Object) string {
	if o.Definer.IsZero() {
		return "ALTER EVENT " + Quoted(o.Name) + " ENABLE"
	}
	return "ALTER DEFINER=" + quotedAccount(o.Definer) + " EVENT " + Quoted(o.Name) + " ENABLE"
}

// SetSequence implements schema.Dialect.
func (d dialect) SetSequence(o *schema.Object, next string) string {
	return "ALTER SEQUENCE " + Quoted(o.Name) + " RESTART " + next
}

// quotedAccount writes an account, or a role, as a definer.
func quotedAccount(a schema.Account) string {
	if a.Host == "" {
		return Quote(a.User)
	}
	return Quote(a.User) + "@" + Quote(a.Host)
}
