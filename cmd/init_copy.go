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
		Long: `Init-copy records a safe position in the source's binary log and copies the rows of all tables in
parallel chunks, without locks. Then it replays every change made since that position, until the target is a
consistent state of the source, and builds secondary indexes, unique keys and foreign keys.

A table whose schema changes meanwhile is copied again. Use --table to copy a table again later, after start-replica
has stopped at a change of it that cannot be followed; start-replica must not run meanwhile. Until the copy is done,
that table on the target does not match any state of the source.

The progress of each chunk is committed together with its rows. If init-copy is killed, run it again: it continues
and repeats at most the chunks that were under way. Changes after the point of consistency are not applied here:
start-replica does that.`,
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
