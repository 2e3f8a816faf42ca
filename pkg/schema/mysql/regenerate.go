package mysql

import (
	"reflect"

	"wherry/pkg/schema"
)

// Regenerates implements schema.Dialect. It proves that a table was understood as its server meant it: it writes the
// CREATE TABLE from what was understood, in the server's own language, reads that as if the server had printed it, and
// returns how the two differ, in words; nothing when they are equal. A word that the parser passes over, or the writer
// forgets, shows up here, before a table without it is made. A table of the zero Flavor comes from no server and has
// nothing to prove.
func (dialect) Regenerates(t *schema.Table) []string {
	if t.Flavor == (schema.Flavor{}) || t.Kind == schema.View || t.Kind == schema.Sequence {
		return nil
	}
	d := dialect{flavor: Flavor(t.Flavor)}
	own := *t
	own.Name.Database = "" // as SHOW CREATE TABLE prints it
	create := d.createTable(&own, false, true)
	second, err := ParseCreate(create, t.Name, Flavor(t.Flavor), Collations{})
	if err != nil {
		return []string{"cannot be read after writing it again: " + err.Error()}
	}
	if differences := d.Differences(t, second, true, true); len(differences) > 0 {
		return differences
	}
	// Differences accepts what two servers may print in two ways. One server has one way.
	var found []string
	v, w := reflect.ValueOf(*bare(t)), reflect.ValueOf(*bare(second))
	for i := range v.NumField() {
		if !reflect.DeepEqual(v.Field(i).Interface(), w.Field(i).Interface()) {
			found = append(found, lower(v.Type().Field(i).Name)+": not the same after writing the table again")
		}
	}
	return found
}

// bare returns a table without what its CREATE TABLE does not say, or says in a way that depends on the rows.
func bare(t *schema.Table) *schema.Table {
	out := t.Clone()
	out.Definition, out.Rows, out.Bytes, out.AutoIncrement, out.RowKey, out.DatabaseCollation = "", 0, 0, 0, "", ""
	for i := range out.Columns {
		c := &out.Columns[i].Type
		c.Encoded, c.Unclear, c.Labels = nil, false, nil // the labels are in Text
	}
	return out
}
