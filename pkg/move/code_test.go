package move

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/pkg/config"
	"wherry/pkg/db"
	"wherry/pkg/monitor"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// TestAdvice: what is said after an error, of the kinds that are told apart. The table itself is tested in pkg/monitor.
func TestAdvice(t *testing.T) {
	m, commands := &Move{phase: state.PhaseStartReplica}, monitor.Commands{Move: "shop", Args: "--config shop.yaml"}
	orders := []schema.Name{{Database: "shop", Table: "orders"}}
	const (
		again  = "progress is saved: run the same command again to continue"
		copies = "wherry init-copy --table shop.orders --config shop.yaml"
	)
	for _, c := range []struct {
		title string
		err   error
		says  string
	}{
		{"a failure", errors.New("x"), again + ": wherry start-replica --config shop.yaml"},
		{"a schema change", &db.NotFollowed{Tables: orders, Err: db.ErrUnsupported}, copies},
		{"rows of another shape", fmt.Errorf("x: %w", &db.CopyAgain{Tables: orders}), copies},
		{
			"differences",
			differingTables{ErrDifferences, []string{"shop.orders"}, false},
			"wherry verify --repair --table shop.orders --config shop.yaml",
		},
		{"a dry run", fmt.Errorf("%w: 3 statements", ErrPending), ""},
		{"a configuration that is wrong", config.ErrInvalid, ""},
		{"access", db.ErrAccess, "trying again does not help"},
		{"an unreachable server", connectError{db.ErrConnection}, "nothing was changed: look at the host"},
		{"a log that is gone", db.ErrPositionGone, "wherry cleanup --abandon --config shop.yaml --confirm=shop"},
	} {
		line := monitor.After(m.Outcome(Code(c.err), c.err), commands).Line()
		if c.says == "" {
			assert.NotContains(t, line, "again", c.title)
			continue
		}
		assert.Contains(t, line, c.says, c.title)
	}
}
