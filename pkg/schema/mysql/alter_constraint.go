package mysql

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// keepsCheck returns whether check i of from stays, apart from whether it is enforced.
func (a *alteration) keepsCheck(i int, planned *schema.Check) bool {
	have := &a.base.Checks[i]
	return strings.EqualFold(have.Name, planned.Name) && !a.stale(a.from.Checks[i].Expr) &&
		sameExpression(have.Expr, planned.Expr)
}

// droppedChecks writes what happens to the checks of from. A check that is not what is planned is dropped here and
// added in addedChecks: no server changes its expression.
func (a *alteration) droppedChecks() {
	for i, check := range a.from.Checks {
		at := slices.IndexFunc(a.to.Checks, func(planned schema.Check) bool { return a.keepsCheck(i, &planned) })
		switch {
		case at >= 0 && a.to.Checks[at].NotEnforced == check.NotEnforced:
		case at >= 0:
			a.clause("ALTER CHECK %s %s", Quote(check.Name),
				map[bool]string{false: "ENFORCED", true: "NOT ENFORCED"}[a.to.Checks[at].NotEnforced])
		case a.flavor.Family == schema.MariaDB:
			a.clause("DROP CONSTRAINT %s", Quote(check.Name))
		default:
			a.clause("DROP CHECK %s", Quote(check.Name))
		}
	}
}

// addedChecks adds the checks of to that from lacks or has in another form.
func (a *alteration) addedChecks() {
	for at := range a.to.Checks {
		if planned := &a.to.Checks[at]; !a.hasCheck(planned) {
			a.clause("ADD %s", a.check(*planned))
		}
	}
}

// hasCheck returns whether a check of to is one of from that stays.
func (a *alteration) hasCheck(planned *schema.Check) bool {
	for i := range a.from.Checks {
		if a.keepsCheck(i, planned) {
			return true
		}
	}
	return false
}

// keepsForeignKey returns whether foreign key i of from is the planned one.
func (a *alteration) keepsForeignKey(i int, planned schema.ForeignKey) bool {
	text := func(key schema.ForeignKey) string {
		key.OnDelete, key.OnUpdate = action(key.OnDelete), action(key.OnUpdate)
		return lower(foreignKey(key))
	}
	own := a.from.ForeignKeys[i]
	columns := own.Columns
	if own.Parent == a.from.Name {
		columns = append(slices.Clone(columns), own.ParentColumns...)
	}
	return !slices.ContainsFunc(columns, a.unbinds) && text(a.base.ForeignKeys[i]) == text(planned)
}

// unbinds returns whether a foreign key over a column of from has to be dropped, and added again if it stays: when the
// column is made anew; when it is renamed and the table may be copied by the same statement (error 1846); on MariaDB
// when its type changes (error 1832, whatever foreign_key_checks is).
func (a *alteration) unbinds(column string) bool {
	at := a.from.Column(column)
	i := slices.Index(a.former, at)
	if at < 0 || i < 0 || a.gone[lower(column)] {
		return true
	}
	return a.flavor.Family == schema.MariaDB && a.typed(i) || a.newName(at) && a.mayCopy()
}

// typed returns whether column i of to has another type in from.
func (a *alteration) typed(i int) bool {
	if a.former[i] < 0 {
		return false
	}
	was, is := &a.from.Columns[a.former[i]].Type, &a.to.Columns[i].Type
	return was.Text != is.Text || was.Collation != is.Collation
}

// follows returns whether a foreign key has to be added after all else: MariaDB refuses one over a column that gets
// another type by the same statement (error 1832).
func (a *alteration) follows(key schema.ForeignKey) bool {
	return a.flavor.Family == schema.MariaDB && slices.ContainsFunc(key.Columns, func(name string) bool {
		at := a.to.Column(name)
		return at >= 0 && a.typed(at)
	})
}

// mayCopy returns whether more is asked for than what servers certainly do without copying the table. It may say yes
// too often: then a foreign key is dropped and added, which is right too.
func (a *alteration) mayCopy() bool {
	if slices.Contains(a.changed, true) || slices.Contains(a.moved, true) || a.from.Engine != a.to.Engine ||
		a.from.Collation != a.to.Collation ||
		a.from.RowFormat != a.to.RowFormat || optionText(a.from.Options) != optionText(a.to.Options) ||
		!samePartitioning(a.base.Partition, a.to.Partition) {
		return true
	}
	for i, at := range a.former {
		if at < 0 && (a.to.Columns[i].Generated != schema.NotGenerated || a.to.Columns[i].AutoIncrement ||
			a.to.Columns[i].Default != nil && !a.to.Columns[i].Default.Literal) {
			return true
		}
	}
	fulltexts := 0
	for i := range a.to.Indexes {
		if a.to.Indexes[i].Kind == schema.Fulltext {
			fulltexts++
		}
	}
	return fulltexts > 1 || slices.ContainsFunc(a.to.Checks, func(planned schema.Check) bool {
		return !a.hasCheck(&planned)
	})
}

// foreignKeyDrops drops the foreign keys that to lacks or has in another form, and returns those to add. No server
// drops and adds one name in one statement (MySQL manual 15.1.9; error 1826 on both families). If a name comes back,
// all drops are a statement of their own before the others.
func (a *alteration) foreignKeyDrops() (adds []schema.ForeignKey) {
	var drops, after []string // the same, under the names before and after the table is renamed
	names := map[string]bool{}
	for i := range a.from.ForeignKeys {
		if !slices.ContainsFunc(a.to.ForeignKeys, func(planned schema.ForeignKey) bool {
			return a.keepsForeignKey(i, planned)
		}) {
			drops = append(drops, "DROP FOREIGN KEY "+Quote(a.from.ForeignKeys[i].Name))
			after = append(after, "DROP FOREIGN KEY "+Quote(a.base.ForeignKeys[i].Name))
			names[lower(a.base.ForeignKeys[i].Name)] = true
		}
	}
	returns := false // the name of a dropped key is given to an added one
	for _, planned := range a.to.ForeignKeys {
		kept := false
		for i := range a.from.ForeignKeys {
			kept = kept || a.keepsForeignKey(i, planned)
		}
		if !kept {
			adds = append(adds, planned)
			returns = returns || names[lower(planned.Name)] && !a.follows(planned)
		}
	}
	switch {
	case returns:
		a.first = append(a.first, alter(a.from.Name, drops)...)
	case a.flavor.losesKeysByRename():
		a.clauses = append(a.clauses, after...)
	default:
		a.clauses = append(a.clauses, drops...)
	}
	return adds
}

// foreignKeyAdds adds foreign keys, those that MariaDB refuses beside a new type by a statement of their own.
func (a *alteration) foreignKeyAdds(keys []schema.ForeignKey) {
	var late []string
	for _, key := range keys {
		if text := "ADD " + foreignKey(key); a.follows(key) {
			late = append(late, text)
		} else {
			a.clauses = append(a.clauses, text)
		}
	}
	a.last = append(a.last, alter(a.to.Name, late)...)
}
