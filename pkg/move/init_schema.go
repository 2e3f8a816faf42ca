package move

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"wherry/pkg/count"
	"wherry/pkg/initschema"
	"wherry/pkg/plan"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// InitSchema creates the tables on the target.
type InitSchema struct{ DryRun bool }

func (o InitSchema) spec() spec {
	return spec{
		name: state.PhaseInitSchema, once: true, dry: o.DryRun,
		admit: func(ctx context.Context, m *Move) error {
			mine, err := m.mine(ctx)
			if err != nil {
				return err
			}
			return initschema.New(m.target, m.plan.Steps, initschema.Options{
				Defer: m.cfg.Copy.DeferIndexes, Accept: m.accepts(), DryRun: true, Mine: mine, Log: zerolog.Nop(),
			}).Run(ctx)
		},
		run: func(ctx context.Context, m *Move) (Result, error) { return m.initSchema(ctx, o) },
	}
}

// initSchema creates the tables. The move is recorded on the target (claim) before the first of them: a crash after
// CREATE TABLE then leaves a table that is known to be the move's, and not one that looks like somebody else's.
func (m *Move) initSchema(ctx context.Context, o InitSchema) (Result, error) {
	mine, err := m.mine(ctx)
	if err != nil {
		return Result{}, err
	}
	statements := 0
	init := initschema.New(m.target, m.plan.Steps, initschema.Options{
		Defer: m.cfg.Copy.DeferIndexes, Accept: m.accepts(), DryRun: o.DryRun, Mine: mine, Claim: m.claim, Log: m.log,
		Out: func(table, statement string) {
			statements++
			if o.DryRun {
				m.statement(table, statement)
			}
		},
	})
	if err := init.Run(ctx); err != nil {
		return Result{}, err
	}
	if o.DryRun {
		return pending(statements, "statement")
	}
	if err := m.recordTables(); err != nil {
		return Result{}, err
	}
	n := len(m.plan.Steps)
	return Result{
		Detail: fmt.Sprintf("%s on the target", count.Of(n, "table")),
		Facts:  map[string]any{"tables": n, "statements": statements},
	}, nil
}

// create makes tables that are planned while the move goes on, as init-schema makes the first ones.
func (m *Move) create(ctx context.Context, steps []plan.Step, mine func(schema.Name) bool) error {
	options := initschema.Options{Defer: m.cfg.Copy.DeferIndexes, Mine: mine, Log: m.log}
	return initschema.New(m.target, steps, options).Run(ctx)
}
