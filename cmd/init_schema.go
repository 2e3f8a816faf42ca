package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"wherry/pkg/db"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

type initSchemaOptions struct{ dryRun bool }

func newInitSchemaCmd(a *app) *cobra.Command {
	var o initSchemaOptions
	c := &cobra.Command{
		Use:   "init-schema",
		Short: "Create the tables on the target",
		Long: `Init-schema reads the tables of the source, works out how the target holds them, and creates them there: databases, then
tables with their primary keys. Other indexes and foreign keys come after the rows, because building them at once is
faster. Each table is read back and compared with what was planned.

It refuses to touch a target table that it did not create itself; with schema.existing: accept it takes one that is empty, has
no triggers and is as planned. It reads nothing but definitions from the source and
copies no rows. Killed, it continues when it is run again.`,
		Example: `  wherry init-schema --config shop.yaml --dry-run
  wherry init-schema --config shop.yaml`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runInitSchema(c.Context(), a, o) },
	}
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "print the exact SQL and change nothing; exit status 3 when there is something to do")
	return c
}

func runInitSchema(ctx context.Context, a *app, o initSchemaOptions) error {
	return a.runPhase(ctx, initSchemaSpec(o))
}

func initSchemaSpec(o initSchemaOptions) phaseSpec {
	return phaseSpec{
		name: state.PhaseInitSchema, once: true, dry: o.dryRun,
		admit: func(ctx context.Context, s *session) error {
			mine, err := s.mine(ctx)
			if err != nil {
				return err
			}
			return schema.NewInit(s.target, s.plan.Steps, schema.Options{Defer: s.cfg.Copy.DeferIndexes, Accept: s.accepts(), DryRun: true, Mine: mine, Log: zerolog.Nop()}).Run(ctx)
		},
		run: func(ctx context.Context, s *session) (outcome, error) { return s.initSchema(ctx, o) },
	}
}

func (s *session) initSchema(ctx context.Context, o initSchemaOptions) (outcome, error) {
	mine, err := s.mine(ctx)
	if err != nil {
		return outcome{}, err
	}
	statements := 0
	init := schema.NewInit(s.target, s.plan.Steps, schema.Options{
		Defer: s.cfg.Copy.DeferIndexes, Accept: s.accepts(), DryRun: o.dryRun, Mine: mine, Claim: s.claim, Log: s.log,
		Out: func(table, statement string) {
			statements++
			if o.dryRun {
				s.printStatement(table, statement)
			}
		},
	})
	if err := init.Run(ctx); err != nil {
		return outcome{}, err
	}
	if o.dryRun {
		return s.pending(statements)
	}
	if err := s.recordTables(); err != nil {
		return outcome{}, err
	}
	n := len(s.plan.Steps)
	return outcome{
		Detail: fmt.Sprintf("%d tables are on the target", n),
		Facts:  map[string]any{"tables": n, "statements": statements},
	}, nil
}

// accepts tells whether tables that are on the target already may be taken.
func (s *session) accepts() bool { return s.cfg.Schema.Existing == "accept" }

// pending ends a dry run.
func (s *session) pending(statements int) (outcome, error) {
	out := outcome{Detail: fmt.Sprintf("dry run, %d statements pending, nothing was changed", statements), Facts: map[string]any{"statements": statements}}
	if statements > 0 {
		return out, fmt.Errorf("%w: %d statements are pending", errDifferences, statements)
	}
	return out, nil
}

func (s *session) printStatement(subject, statement string) {
	if s.app.json != nil {
		_ = s.app.json.Emit("statement", map[string]any{"subject": subject, "sql": statement})
		return
	}
	fmt.Fprintf(s.app.stdout, "-- %s\n%s;\n", subject, statement)
}

// claim records on the target that the tables are this move's, before the first is created.
func (s *session) claim(ctx context.Context, tables []schema.Name) error {
	if err := s.target.Ledger().Create(ctx); err != nil {
		return err
	}
	if err := s.recordIdentity(ctx); err != nil {
		return err
	}
	if err := s.recordFound(ctx, tables); err != nil {
		return err
	}
	if err := s.putNames(ctx, db.FactTables, tables); err != nil {
		return err
	}
	have, err := s.target.Ledger().Records(ctx)
	if err != nil {
		return err
	}
	var records []db.Record
	for _, r := range s.plan.Routes {
		// What is recorded already may be copied already: to record it anew would forget its chunks.
		if !slices.ContainsFunc(have, func(h db.Record) bool { return h.Source == r.Source.Name() }) {
			records = append(records, db.Record{Source: r.Source.Name(), Target: r.Target.Name(), Shape: r.Source.Table, Copy: true})
		}
	}
	return s.target.Ledger().Amend(ctx, records, nil)
}

// recordFound records which of the tables were there before the move: giving it up will not drop them.
func (s *session) recordFound(ctx context.Context, tables []schema.Name) error {
	mine, err := s.mine(ctx)
	if err != nil {
		return err
	}
	found, err := s.target.Tables(ctx, func(n schema.Name) bool { return slices.Contains(tables, n) && !mine(n) })
	if err != nil || len(found) == 0 {
		return err
	}
	names := make([]schema.Name, len(found))
	for i, t := range found {
		names[i] = t.Name
	}
	return s.putNames(ctx, db.FactFound, names)
}

func (s *session) putNames(ctx context.Context, fact string, tables []schema.Name) error {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.String()
	}
	text, err := json.Marshal(names)
	if err != nil {
		return err
	}
	return s.target.Ledger().Put(ctx, fact, string(text))
}

// claimMore records further tables.
func (s *session) claimMore(ctx context.Context, tables []schema.Name) error {
	text, err := s.target.Ledger().Get(ctx, db.FactTables)
	if err != nil {
		return err
	}
	var all []string
	if text != "" {
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			return fmt.Errorf("read fact %s: %w", db.FactTables, err)
		}
	}
	for _, t := range tables {
		if !slices.Contains(all, t.String()) {
			all = append(all, t.String())
		}
	}
	more, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return s.target.Ledger().Put(ctx, db.FactTables, string(more))
}

// recordTables keeps what was planned in the state file.
func (s *session) recordTables() error {
	return s.file.Update(func(st *state.State) error {
		st.Tables = st.Tables[:0]
		for _, r := range s.plan.Routes {
			st.Tables = append(st.Tables, state.Table{
				Source: r.Source.Name().String(), Target: r.Target.Name().String(), Status: state.TableCreated,
				RowsEstimate: r.Source.Table.Rows, Definition: r.Source.Table.Shape(),
			})
		}
		return nil
	})
}
