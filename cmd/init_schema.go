package cmd

import (
	"github.com/spf13/cobra"

	"wherry/pkg/move"
)

// newInitSchemaCmd is `wherry init-schema`. Its dry run prints the very statements that it would run, so that they can
// be reviewed, or run by somebody else with schema.existing: accept.
func newInitSchemaCmd(a *app) *cobra.Command {
	var o move.InitSchema
	c := &cobra.Command{
		Use:   "init-schema",
		Short: "Create the tables on the target",
		Long: `Init-schema reads the tables of the source, works out how the target holds them, and creates them
there: databases, then tables with their primary keys. Other indexes and foreign keys come after the rows, because
building them at once is faster. Each table is read back and compared with what was planned.

It refuses if a table is on the target already. With schema.existing: accept it uses such a table if it is empty, has
no triggers and is what it would have created. It reads only definitions from the source and copies no rows. If it is
killed, run it again: it continues.`,
		Example: `  wherry init-schema --config shop.yaml --dry-run
  wherry init-schema --config shop.yaml`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.runPhase(c.Context(), o) },
	}
	c.Flags().BoolVar(&o.DryRun, "dry-run", false,
		"print the exact SQL and change nothing; exit status 3 when there is something to do")
	return c
}
