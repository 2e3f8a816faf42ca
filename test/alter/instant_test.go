package alter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestInstant: what servers do without touching a row, they still do when Alter asks for it.
func TestInstant(t *testing.T) {
	instant := map[string]bool{}
	for _, name := range []string{
		"add last", "add first", "add between", "add several", "drop", "rename", "swap names",
		"default set", "default dropped", "enum longer", "rename under a foreign key",
	} {
		instant[name] = true
	}
	for _, s := range servers(t) {
		ran := 0
		for _, p := range pairs {
			if !instant[p.name] {
				continue
			}
			ran++
			t.Run(s.name+"/"+p.name, func(t *testing.T) {
				s.fresh(t)
				for _, database := range []string{later, now} {
					s.exec(t, "USE "+database)
					for _, statement := range p.before {
						s.exec(t, statement)
					}
				}
				s.exec(t, "CREATE TABLE t "+p.from)
				s.exec(t, "CREATE TABLE "+later+".t "+p.to)
				from, to := s.read(t, now, "t"), s.read(t, later, "t")
				statements, err := s.dialect.Alter(from, to, lineage(from, to, p.lineage), nil)
				require.NoError(t, err)
				require.Len(t, statements, 1)
				require.NoError(t, s.try(statements[0]+", ALGORITHM=INSTANT"), statements[0])
			})
		}
		assert.GreaterOrEqual(t, ran, len(instant))
	}
}
