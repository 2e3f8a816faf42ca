package cmd

import (
	"errors"

	"github.com/spf13/cobra"

	"wherry/pkg/move"
)

// newInitCopyCmd is `wherry init-copy`. --table and --dry-run exclude each other: what a copy of one table would run
// depends on how the table is by then.
func newInitCopyCmd(a *app) *cobra.Command {
	var o move.InitCopy
	c := &cobra.Command{
		Use:   "init-copy",
		Short: "Copy every row, replay what changed meanwhile, build the indexes",
		Long: `Init-copy records a safe position in the source's binary log, copies the rows of all tables in
parallel chunks without locks, replays every change made since that position, so that the target is a consistent
state of the source, and then builds secondary indexes, unique keys and foreign keys.

A table whose schema changes meanwhile is copied again. --table copies a table again at any later time, when a
change of it could not be followed; start-replica must not run then. Until it is done, that table on the target is
no state of the source.

The progress of each chunk is committed together with its rows. Killed at any moment, it continues when it is run
again and redoes nothing that is done. It does not apply changes after the point of consistency: start-replica does.`,
		Example: `  wherry init-copy --config shop.yaml
  WHERRY_COPY_WORKERS=8 wherry init-copy --config shop.yaml`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.DryRun && len(o.Tables) > 0 {
				return usageError{errors.New("--table and --dry-run exclude each other"), c.CommandPath()}
			}
			return a.runPhase(c.Context(), o)
		},
	}
	c.Flags().StringSliceVar(&o.Tables, "table", nil,
		"copy this source `table` (db.table) again, as it is now, and bring the target up to date; may be "+
			"given several times")
	c.Flags().BoolVar(&o.DryRun, "dry-run", false,
		"print what would be copied and the SQL that would build indexes, and change nothing; exit status 3")
	return c
}
