package plan

import "strings"

// foreignKeyNames refuses foreign keys that would have one name in one database: most servers want them unique there (MySQL manual,
// "FOREIGN KEY Constraints"), while MariaDB since 12.1 wants them unique in a table (MDEV-28933), and two databases may become one.
func (b *builder) foreignKeyNames() {
	type name struct{ database, key string }
	first := map[name]string{}
	for i := range b.Steps {
		t := b.Steps[i].Target
		if t.Flavor.HasForeignKeyNamesPerTable() {
			continue
		}
		for _, f := range t.ForeignKeys {
			n := name{t.Name.Database, strings.ToLower(f.Name)}
			subject := b.Steps[i].Source.Name.String() + "." + f.Name
			if other := first[n]; other != "" && f.Name != "" {
				b.fail("foreign_key", subject, "would have the same name in "+t.Name.Database+" as "+other,
					"drop one of them on the source and add it again by another name, or lead the tables to different databases")
				continue
			}
			first[n] = subject
		}
	}
}
