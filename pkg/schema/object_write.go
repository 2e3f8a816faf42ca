package schema

import "strings"

// CreateObject implements Dialect.
func (d mysqlDialect) CreateObject(o *Object) string {
	algorithm, rest := "", o.Lead // ALGORITHM stands before DEFINER, SQL SECURITY and AGGREGATE after it (MySQL manual 15.1.26)
	if strings.HasPrefix(o.Lead, "ALGORITHM=") {
		algorithm, rest, _ = strings.Cut(o.Lead, " ")
	}
	words := []string{"CREATE", algorithm}
	if !o.Definer.IsZero() {
		words = append(words, "DEFINER="+o.Definer.quoted())
	}
	words = append(words, rest, strings.ToUpper(string(o.Kind)), o.Name.Quoted())
	switch o.Kind {
	case TriggerObject:
		words = append(words, o.Timing, "ON", o.Table.Quoted(), "FOR EACH ROW")
	case EventObject:
		words = append(words, o.Schedule, "DISABLE")
	case ViewObject, Procedure, Function, Package, SequenceObject:
	}
	var b strings.Builder
	for _, word := range append(words, o.Body) {
		if word != "" {
			b.WriteString(word + " ")
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// DropObject implements Dialect.
func (d mysqlDialect) DropObject(o *Object) string {
	return DropObject(o.Kind, o.Name)
}

// EnableEvent implements Dialect. ALTER EVENT without DEFINER would make it the session's (MySQL manual 15.1.3).
func (d mysqlDialect) EnableEvent(o *Object) string {
	if o.Definer.IsZero() {
		return "ALTER EVENT " + o.Name.Quoted() + " ENABLE"
	}
	return "ALTER DEFINER=" + o.Definer.quoted() + " EVENT " + o.Name.Quoted() + " ENABLE"
}

// SetSequence implements Dialect.
func (d mysqlDialect) SetSequence(o *Object, next string) string {
	return "ALTER SEQUENCE " + o.Name.Quoted() + " RESTART " + next
}
