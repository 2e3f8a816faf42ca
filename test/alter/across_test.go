package alter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

// TestPairsAcross takes the pairs to a server of the other family: the plan of each side is what Map makes of it there.
func TestPairsAcross(t *testing.T) {
	all := servers(t)
	if len(all) < 2 {
		t.Skip("only one family of servers")
	}
	for i, source := range all {
		target, ran := all[1-i], 0
		for _, p := range pairs {
			if p.refused == "" && (p.only == "" || p.only == source.name) {
				t.Run(source.name+" to "+target.name+"/"+p.name, func(t *testing.T) {
					if across(t, source, target, p) {
						ran++
					}
				})
			}
		}
		t.Logf("%d pairs from %s to %s", ran, source.name, target.name)
		assert.Greater(t, ran, 120)
	}
}

// across alters one pair's table on the target; false when the target cannot hold one of its sides.
func across(t *testing.T, source, target *server, p pair) bool {
	t.Helper()
	source.fresh(t)
	target.fresh(t)
	for _, s := range []*server{source, target} {
		for _, database := range []string{now, later} {
			s.exec(t, "USE "+database)
			for _, statement := range p.before {
				s.exec(t, statement)
			}
		}
	}
	name := "t"
	if p.renamed != "" {
		name = p.renamed
	}
	source.exec(t, "USE "+now)
	source.exec(t, "CREATE TABLE t "+p.from)
	source.exec(t, "USE "+later)
	source.exec(t, "CREATE TABLE "+name+" "+p.to)
	from, to := source.read(t, now, "t"), source.read(t, later, name)
	former := lineage(from, to, p.lineage)
	first, ok := target.plan(t, from)
	plan, good := target.plan(t, to)
	if !ok || !good {
		return false
	}
	for _, statement := range target.dialect.CreateTable(first, false) {
		target.exec(t, statement)
	}
	for _, statement := range target.dialect.AddForeignKeys(first, target.read(t, now, "t")) {
		target.exec(t, statement)
	}
	statements, err := target.dialect.Alter(target.read(t, now, "t"), plan, former, p.empties)
	require.NoError(t, err)
	for _, statement := range statements {
		t.Log(statement)
		require.NoError(t, target.try(statement), "from %s\nto %s\n%q", from.Definition, to.Definition, statements)
	}
	got := target.read(t, now, name)
	assert.Empty(t, target.dialect.Differences(plan, got, true, true), "%q", statements)
	again, err := target.dialect.Alter(got, plan, lineage(got, plan, ""), nil)
	require.NoError(t, err)
	assert.Empty(t, again, "nothing is left to do")
	return true
}

// plan is what a table of the source becomes on the server, or false when that cannot hold it.
func (s *server) plan(t *testing.T, table *schema.Table) (*schema.Table, bool) {
	t.Helper()
	plan, losses, err := s.dialect.Map(table, table.Name, func(n schema.Name) schema.Name { return n })
	require.NoError(t, err)
	for _, loss := range losses {
		if loss.Grade == schema.Fatal {
			t.Log(loss.What)
			return nil, false
		}
	}
	return plan, true
}
