package cmd

import (
	"github.com/spf13/cobra"

	"wherry/pkg/move"
)

// newCleanupCmd is `wherry cleanup`. The question whether to give the move up is asked by the phase (Confirm), once it
// knows which tables would be dropped.
func newCleanupCmd(a *app) *cobra.Command {
	var o move.Cleanup
	var confirm string
	c := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove every trace of a move that is over, or give one up",
		Long: `Cleanup removes what the move keeps on the servers for itself: the database wherry_<move> on the
target, the one on the source that a way back makes, and wherry_<move>-try, if a check that was killed has left it.
It renames the state file, to its name with .done at the end, and removes the lock files. It touches nothing else: no
table, no setting. Afterwards there is no way back. The source stays read-only, as the cutover left it; to open it
for writes again: SET GLOBAL read_only = OFF.

While the move is under way cleanup refuses, with exit status 12. With --abandon it gives the move up: the tables
that the move made on the target are dropped too, as long as the target has not taken over, so that you can begin
again. Tables that were there before (schema.existing: accept) stay, with the rows that were copied, and so do
databases. The source is not touched. Tables that others made under names that the move had once are not dropped.
With --keep it ends the move without a cutover and keeps its tables on the target: for a staging copy, or a test of
a move. They stay as they are, with the last changes that start-replica applied, and without the triggers, views and
other objects that a cutover makes. Stop start-replica first. Before init-copy has come to its end it is refused.

--dry-run prints every statement first.

Killed, it continues when it is run again.`,
		Example: `  wherry cleanup --config shop.yaml
  wherry cleanup --config shop.yaml --dry-run
  wherry cleanup --config shop.yaml --abandon --confirm=shop
  wherry cleanup --config shop.yaml --keep --confirm=shop`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.Confirm = func(what string) error { return a.confirm(confirm, what) }
			return a.runPhase(c.Context(), o)
		},
	}
	c.Flags().BoolVar(&o.Abandon, "abandon", false,
		"give up a move that is under way: drop the tables that it made on the target")
	c.Flags().BoolVar(&o.Keep, "keep", false,
		"end a move that is under way without a cutover: its tables stay on the target")
	c.Flags().StringVar(&confirm, "confirm", "",
		"the `move`'s name, needed with --abandon and --keep when not on a terminal")
	c.Flags().BoolVar(&o.DryRun, "dry-run", false,
		"print the exact SQL and change nothing; exit status 3 when there is something to do")
	return c
}
