package mysql

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// A stored generated column holds what was computed in the session that wrote the row, with that session's variables.
// The target computes it anew, in a session of the move, and no server lets anybody write another value. For example
// `h INT AS (HOUR(at)) STORED` of a TIMESTAMP is 9 for a writer in Berlin and 8 in UTC. So where the value does not
// follow from the row alone it may differ afterwards, which is a loss to be allowed. A virtual column is computed when
// it is read, and is the same on both ends for the same session: no loss, unless an index keeps an old value.
//
// The target's column stays a generated one, rather than a plain column with the source's values: applications go on
// writing rows without naming it, and there is a way back.

// sessionColumn records the loss of a stored column whose values may differ on the target.
func (m *mapping) sessionColumn(c *schema.Column) {
	if c.Generated != schema.Stored {
		return
	}
	certain, rare := m.sessionUses(SessionUses(m.source, m.sourceColumn(c.Name)))
	switch {
	case certain != "":
		m.lose(schema.SessionExpression, c.Name, "stored values depend on %s of the session that wrote the row: the "+
			"target computes them anew in a session in UTC with the servers' own defaults, and they are not compared",
			certain)
	case rare != "":
		m.lose(schema.SessionExpression, c.Name, "stored values may depend on %s of the session that wrote the row: "+
			"the target computes them anew, and verify finds those that are others; they cannot be mended unless "+
			"schema.allow_losses has %s, and are not compared then", rare, schema.SessionExpression)
		m.losses[len(m.losses)-1].Grade = schema.Rare
	}
}

// SessionColumns implements schema.Dialect.
func (dialect) SessionColumns(t *schema.Table) (names []string) {
	for i := range t.Columns {
		c := &t.Columns[i]
		certain := func(use SessionUse) bool { return !use.Rare }
		if c.Generated == schema.Stored && slices.ContainsFunc(SessionUses(t, c), certain) {
			names = append(names, c.Name)
		}
	}
	return names
}

// sourceColumn returns the source's column of a name, whose expression is still the source's.
func (m *mapping) sourceColumn(name string) *schema.Column {
	return &m.source.Columns[m.source.Column(name)]
}

// sessionUses returns in words on what values depend: those that certainly do, and those of which only some values do.
func (m *mapping) sessionUses(uses []SessionUse) (certain, rare string) {
	var words [2][]string
	for _, use := range uses {
		grade := 0
		if use.Rare {
			grade = 1
		}
		words[grade] = append(words[grade], fmt.Sprintf("%s (by %s)", use.Variable, use.Part))
	}
	return strings.Join(words[0], " and "), strings.Join(words[1], " and ")
}

// sessionIndex records the loss of an index over a computed value: it keeps the values that the writing session saw,
// and a query by the index finds rows by those.
func (m *mapping) sessionIndex(index *schema.Index) {
	for _, part := range index.Parts {
		uses := conditionUses(m.source, part.Expr)
		if at := m.source.Column(part.Column); part.Expr == "" && at >= 0 &&
			m.source.Columns[at].Generated == schema.Virtual {
			uses = SessionUses(m.source, &m.source.Columns[at])
		}
		if certain, _ := m.sessionUses(uses); certain != "" {
			m.lose(schema.SessionExpression, part.Column,
				"what index %s holds depends on %s of the session that wrote the row: the target computes it anew in "+
					"a session in UTC with the servers' own defaults, and queries by the index may find other rows",
				index.Name, certain)
		}
	}
}

// sessionPartitions records the loss of partitions by a computed column: a row is in the partition into which the
// writing session has put it, and a query searches only the partition of the value that it computes.
func (m *mapping) sessionPartitions() {
	for i := range m.source.Columns {
		c := &m.source.Columns[i]
		if c.Generated != schema.Virtual || m.source.Partition == "" || !schema.Mentions(m.source.Partition, c.Name) {
			continue
		}
		if certain, _ := m.sessionUses(SessionUses(m.source, c)); certain != "" {
			m.lose(schema.SessionExpression, c.Name, "the partition that a row is in depends on %s of the session "+
				"that wrote it: the target computes it anew in a session in UTC with the servers' own defaults, and "+
				"queries by the column may find other rows", certain)
		}
	}
}

// sessionCheck makes a CHECK NOT ENFORCED if a session of the move might find it broken by rows that the source has
// accepted. On MariaDB the move's sessions turn checks off instead, by a variable.
func (m *mapping) sessionCheck(check *schema.Check) {
	certain, _ := m.sessionUses(conditionUses(m.source, check.Expr))
	if certain == "" || check.NotEnforced || !m.flavor.HasChecksNotEnforced() {
		return
	}
	m.lose(schema.SessionExpression, "", "CHECK (%s) depends on %s of the session that writes a row, and could "+
		"refuse rows that the source has: it becomes NOT ENFORCED",
		check.Expr, certain)
	check.NotEnforced = true
}
