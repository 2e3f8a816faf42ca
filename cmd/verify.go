package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"wherry/pkg/count"
	"wherry/pkg/monitor"
	"wherry/pkg/move"
)

// newVerifyCmd is `wherry verify`.
func newVerifyCmd(a *app) *cobra.Command {
	var o move.Verify
	c := &cobra.Command{
		Use:   "verify",
		Short: "Prove both sides equal, also while changes flow",
		Long: `Verify compares every row of every included table on both sides, by checksums that the servers compute,
and lists the rows that differ. It may run while start-replica runs and while the application writes: a row is only
reported if it still differs after the target has applied everything that the source had when the difference was
seen. If no start-replica runs, verify applies changes itself meanwhile.

With --repair the rows that differ are rewritten from the source and compared again. Without it nothing is changed.
Exit status 3 means that differences remain. Once the target has taken over, it has changes of its own: verify then
says so and compares nothing. With --reverse it compares both sides on the way back, which start-replica --reverse
must have begun.`,
		Example: `  wherry verify --config shop.yaml
  wherry verify --config shop.yaml --table shop.orders --repair`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.runPhase(c.Context(), o) },
	}
	c.Flags().BoolVar(&o.Reverse, "reverse", false,
		"compare on the way back: the old source with the target, which has taken over")
	c.Flags().BoolVar(&o.Repair, "repair", false, "rewrite the target's rows that differ")
	c.Flags().StringArrayVar(&o.Tables, "table", nil,
		"compare only this source table, as `db.table`; may be given several times")
	return c
}

// printReport prints the rows that differ, up to the number that is listed per table, and how many more there are. A
// row without a key is listed once with how many times it differs, so those times count as listed.
func (a *app) printReport(r move.Result) error {
	if a.json != nil {
		for _, t := range r.Report.Tables {
			if err := a.json.Emit("table", t); err != nil {
				return err
			}
		}
		return nil
	}
	if err := monitor.WriteVerify(a.stdout, r.Verified, false); err != nil {
		return err
	}
	// The table of counts comes first, then the rows: with many rows the counts are what is needed.
	for _, t := range r.Report.Tables {
		listed := int64(0)
		for _, d := range t.Listed {
			note := ""
			if d.Times > 1 {
				note = " " + count.Of(d.Times, "time")
			}
			if d.Computed {
				note += ", in generated columns only"
			}
			if d.Repaired {
				note += ", repaired"
			}
			fmt.Fprintf(a.stdout, "  %s %s: %s%s\n", t.Source, d.Key, d.Kind, note)
			listed += max(d.Times, 1)
		}
		// Repaired rows and rows in flux are listed as well, so they count here too.
		if more := t.Differing + t.Missing + t.Extra + t.InFlux + t.Repaired - listed; more > 0 {
			fmt.Fprintf(a.stdout, "  %s: %d more\n", t.Source, more)
		}
	}
	return nil
}
