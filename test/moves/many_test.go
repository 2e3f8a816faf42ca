package moves

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/test/internal/between"
	"wherry/test/internal/harness"
)

// TestStatementsPerTable counts what a small table more costs: statements on both ends, from nothing to a table with
// its rows and indexes. A connection of its own, or settings before every statement, would show here.
func TestStatementsPerTable(t *testing.T) {
	const more, most = 40, 18
	p := pairOf(t, harness.MySQL)
	count := func(extra int) (source, target int) {
		sourceSteps, targetSteps := &between.Steps{}, &between.Steps{}
		from, to := p.source.Proxy(t), p.target.Proxy(t)
		from.Count(sourceSteps)
		to.Count(targetSteps)
		m := newMove(t, p, settings{source: from.Address(), target: to.Address()})
		m.fill(t, 100)
		for i := range extra {
			m.source.Exec(t, fmt.Sprintf("CREATE TABLE %s.x%d (id INT PRIMARY KEY, a VARCHAR(20), KEY a (a))",
				quote(m.Name), i),
				fmt.Sprintf("INSERT INTO %s.x%d VALUES (1, 'a'), (2, 'b')", quote(m.Name), i))
		}
		m.Phases(t, "init-schema", "init-copy")
		source, _ = sourceSteps.Counted()
		target, _ = targetSteps.Counted()
		return source, target
	}
	source, target := count(0)
	sourceMore, targetMore := count(more)
	t.Logf("statements per table: %d on the source, %d on the target", (sourceMore-source)/more,
		(targetMore-target)/more)
	assert.Less(t, (targetMore-target)/more, most, "on the target")
	assert.Less(t, (sourceMore-source)/more, most, "on the source")
}
