package mysql

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
)

func lower(s string) string { return strings.ToLower(s) }

// indexDrops writes what happens to the indexes of from that to lacks or has in another form. An index that only has
// another name is renamed, since building it anew reads the whole table.
func (a *alteration) indexDrops() {
	if a.from.Primary != nil && !a.keepsPrimary() {
		a.clause("DROP PRIMARY KEY")
	}
	for i := range a.from.Indexes {
		name := a.from.Indexes[i].Name
		planned := indexNamed(a.to, name)
		switch {
		case planned != nil && a.keepsIndex(i, planned):
			if planned.Invisible != a.from.Indexes[i].Invisible {
				a.clause("ALTER INDEX %s %s", Quote(name), a.visibility(planned.Invisible))
			}
		case planned == nil && a.successor(i) != nil:
			a.clause("RENAME INDEX %s TO %s", Quote(name), Quote(a.successor(i).Name))
		default:
			a.clause("DROP INDEX %s", Quote(name))
		}
	}
}

// indexAdds adds the indexes of to that from lacks or has in another form.
func (a *alteration) indexAdds() {
	if a.to.Primary != nil && (a.from.Primary == nil || !a.keepsPrimary()) {
		a.clause("ADD %s", a.index(a.to.Primary))
	}
	fulltexts := 0
	for i := range a.to.Indexes {
		index := &a.to.Indexes[i]
		if a.hasIndex(index) {
			continue
		}
		a.clause("ADD %s", a.index(index))
		if index.Kind == schema.Fulltext {
			fulltexts++
		}
	}
	if fulltexts > 1 && strings.EqualFold(a.to.Engine, "InnoDB") {
		a.clause("ALGORITHM=COPY") // see AddIndexes
	}
}

// visibility returns the word for an index that the optimizer does not use, or does: the families have words of their
// own.
func (a *alteration) visibility(invisible bool) string {
	return map[bool]map[bool]string{
		false: {true: "INVISIBLE", false: "VISIBLE"},
		true:  {true: "IGNORED", false: "NOT IGNORED"},
	}[a.flavor.Family == schema.MariaDB][invisible]
}

// keepsPrimary returns whether the primary key of from, which there is, stays as it is.
func (a *alteration) keepsPrimary() bool {
	return a.to.Primary != nil && !a.staleIndex(a.from.Primary) && indexText(a.to.Primary) == indexText(a.base.Primary)
}

// keepsIndex returns whether index i of from is the planned one, apart from its visibility.
func (a *alteration) keepsIndex(i int, planned *schema.Index) bool {
	return !a.staleIndex(&a.from.Indexes[i]) && sameIndex(&a.base.Indexes[i], planned, planned.Name) &&
		a.base.Indexes[i].Name == planned.Name
}

// sameIndex compares indexes as if have were called name and had the other's visibility.
func sameIndex(have, planned *schema.Index, name string) bool {
	renamed := *have
	renamed.Name, renamed.Invisible = name, planned.Invisible
	return indexText(&renamed) == indexText(planned)
}

// successor returns the index of to that index i of from becomes by a new name alone, or nil.
func (a *alteration) successor(i int) *schema.Index {
	if !a.flavor.HasRenameIndex() || a.staleIndex(&a.from.Indexes[i]) {
		return nil
	}
	fits := func(i int, planned *schema.Index) bool {
		have := &a.base.Indexes[i]
		return indexNamed(a.to, have.Name) == nil && have.Invisible == planned.Invisible &&
			sameIndex(have, planned, planned.Name) &&
			!a.staleIndex(&a.from.Indexes[i])
	}
	for at := range a.to.Indexes {
		planned := &a.to.Indexes[at]
		// Of several equal indexes, the first of one side becomes the first of the other, and so on.
		if indexNamed(a.base, planned.Name) != nil || !fits(i, planned) {
			continue
		}
		before := 0
		for j := range i {
			if fits(j, planned) {
				before++
			}
		}
		for j := range at {
			other := &a.to.Indexes[j]
			if indexNamed(a.base, other.Name) == nil && sameIndex(other, planned, planned.Name) &&
				other.Invisible == planned.Invisible {
				before--
			}
		}
		if before == 0 {
			return planned
		}
	}
	return nil
}

// hasIndex returns whether an index of to comes from one of from without being built.
func (a *alteration) hasIndex(planned *schema.Index) bool {
	for i := range a.from.Indexes {
		if strings.EqualFold(a.from.Indexes[i].Name, planned.Name) && a.keepsIndex(i, planned) {
			return true
		}
		if indexNamed(a.to, a.from.Indexes[i].Name) == nil && a.successor(i) == planned {
			return true
		}
	}
	return false
}

// indexNamed returns an index of a table by its name, without case, or nil.
func indexNamed(t *schema.Table, name string) *schema.Index {
	at := slices.IndexFunc(t.Indexes, func(index schema.Index) bool { return strings.EqualFold(index.Name, name) })
	if at < 0 {
		return nil
	}
	return &t.Indexes[at]
}

// staleIndex returns whether an index of from has to be built anew: because of its columns, or because the table's
// KEY_BLOCK_SIZE changes.
func (a *alteration) staleIndex(index *schema.Index) bool {
	// Indexes keep the block size of the table that they were made with.
	blocks := func(t *schema.Table) string {
		at := slices.IndexFunc(t.Options, func(option string) bool { return optionName(option) == "KEY_BLOCK_SIZE" })
		if at < 0 {
			return ""
		}
		return t.Options[at]
	}
	if blocks(a.from) != blocks(a.to) {
		return true
	}
	return slices.ContainsFunc(index.Parts, func(part schema.Part) bool {
		return a.gone[lower(part.Column)] || a.stale(part.Expr)
	})
}
