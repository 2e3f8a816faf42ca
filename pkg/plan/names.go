package plan

import "strings"

// constraintNames refuses two constraints of one kind that would have the same name in one database, where the target
// wants such names to be unique in the database. That happens when routes lead two databases into one, or when the
// source wants them unique in a table only: MariaDB takes a check named positive in each of two tables.
//
// Foreign keys must have names of their own on most servers (MySQL manual, "FOREIGN KEY Constraints"; MariaDB until
// 12.1, MDEV-28933), checks on MySQL ("CHECK Constraints").
func (b *builder) constraintNames() {
	type name struct{ kind, database, name string }
	first := map[name]string{}
	once := func(kind string, i int, constraint string) {
		t := b.Steps[i].Target
		n := name{kind, t.Name.Database, strings.ToLower(constraint)}
		subject := b.Steps[i].Source.Name.String() + "." + constraint
		if other := first[n]; other != "" && constraint != "" {
			b.fail(kind, subject, "would have the same name in "+t.Name.Database+" as "+other,
				"drop one of them on the source and add it again by another name, or lead the tables to different "+
					"databases")
			return
		}
		first[n] = subject
	}
	foreignKeys, checks := b.dialect.UniqueNames()
	for i := range b.Steps {
		t := b.Steps[i].Target
		if foreignKeys {
			for _, f := range t.ForeignKeys {
				once("foreign_key", i, f.Name)
			}
		}
		if checks {
			for _, c := range t.Checks {
				once("check", i, c.Name)
			}
		}
	}
}
