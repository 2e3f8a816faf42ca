package postgres

import (
	"wherry/pkg/schema"
)

// MapObject implements schema.ObjectDialect.
func (d Dialect) MapObject(source *schema.Object, _ schema.Places) (*schema.Object, []schema.Remark) {
	return source, []schema.Remark{{
		Fatal: true, What: "PostgreSQL speaks another language", Fix: "write it anew for PostgreSQL after the cutover",
	}}
}

// CreateObject implements schema.ObjectDialect.
func (d Dialect) CreateObject(o *schema.Object) string {
	return "CREATE VIEW " + Quoted(o.Name) + " " + o.Body
}

// DropObject implements schema.ObjectDialect.
func (d Dialect) DropObject(o *schema.Object) string { return "DROP VIEW IF EXISTS " + Quoted(o.Name) }

// DisableEvent implements schema.ObjectDialect. There are no events.
func (d Dialect) DisableEvent(*schema.Object) string { return "" }

// EnableEvent implements schema.ObjectDialect. There are no events.
func (d Dialect) EnableEvent(*schema.Object) string { return "" }

// SetSequence implements schema.ObjectDialect. No sequence is moved.
func (d Dialect) SetSequence(*schema.Object, string) string { return "" }
