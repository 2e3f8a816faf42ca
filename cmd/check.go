package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"wherry/pkg/db"
	"wherry/pkg/monitor"
	"wherry/pkg/move"
	"wherry/pkg/schema"
)

// newCheckCmd is `wherry check`. --grants is another way to print what the same checks find, and not a phase: nothing
// is recorded, and the output can be piped into a client.
func newCheckCmd(a *app) *cobra.Command {
	var o move.Check
	var end, account string
	c := &cobra.Command{
		Use:   "check",
		Short: "Check every precondition on both sides, changing none of your data",
		Long: `Check connects to both servers and looks at everything that a move needs: versions, privileges, the
source's binary log and how long it is kept, replication settings, every included table with its engine, key, types
and foreign keys, the target's settings and space, clocks and hooks. It prints what is wrong with the fix for each.
On the source it only reads.

It also tries every statement of the move on the target: tables with all indexes and foreign keys, views, routines,
triggers and events. For that it makes a database wherry_<move>-try without rows (and -try-2 and so on, if the move
goes to several databases), and removes it again. If check is killed, the next check or cleanup removes it. The trial
stays out of the target's binary log if the account may do that. Nothing else on the target is written. --no-trial
leaves the trial out.

--scan also reads every row of the source and counts, per column, the values that would stop the move: numbers,
dates and times beyond the target's type, 0x00 in text, text that is not valid in its character set. It names the key
of the first of each, and counts rows that reference nothing by a foreign key. It takes about as long as a dump.

If privileges are missing, check prints the GRANTs for each end, to be run there by an account that may grant.
--grants source, or --grants target, prints only the GRANTs for everything that the move needs on that end, for the
account in the configuration or for --account. A table that the account cannot see is not included: grant, and check
again.

Views, triggers, routines, events and sequences are listed with what becomes of them at the cutover: moved
(cutover.objects), left behind, or impossible to move, and why.

A failed check refuses the move; whether a warning matters is for you to decide. Each phase repeats the checks that it
relies on.`,
		Example: `  wherry check --config shop.yaml
  wherry check --config shop.yaml --all --json
  wherry check --config shop.yaml --scan
  wherry check --config shop.yaml --grants target --account wherry@10.0.0.% | mysql --host 10.0.0.6`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if end == "" {
				return a.runPhase(c.Context(), o)
			}
			if end != "source" && end != "target" {
				return usageError{fmt.Errorf("--grants %s: it is source or target", end), c.CommandPath()}
			}
			return a.runGrants(c.Context(), end, account)
		},
	}
	c.Flags().BoolVar(&a.allFindings, "all", false, "list the checks that are ok too")
	c.Flags().BoolVar(&o.Scan, "scan", false,
		"read every row of the source, for values that the target cannot hold")
	c.Flags().StringVar(&end, "grants", "", "print only the GRANTs that the move needs on an `end`, source or target")
	c.Flags().StringVar(&account, "account", "", "the `user@host` that --grants is for (default: the configuration's)")
	c.Flags().BoolVar(&o.NoTrial, "no-trial", false,
		"do not try the move's statements on the target: nothing at all is written there")
	return c
}

// runGrants prints the script of all privileges that one end needs, and nothing else. The account of --account is
// parsed and quoted again: it becomes part of statements that somebody with all rights will run.
func (a *app) runGrants(ctx context.Context, end, account string) error {
	if printed, err := a.open(); err != nil || printed {
		return err
	}
	defer a.move.Close()
	found, err := a.move.Run(ctx, move.Check{Grants: true})
	if err != nil {
		return err
	}
	if account != "" {
		parsed, err := schema.ParseAccount(account)
		if err != nil {
			return fmt.Errorf("--account: %w: %w", err, move.ErrRefused)
		}
		account = parsed.Quoted()
	}
	statements := monitor.Grants(found.Findings, end, account, true)
	if a.json != nil {
		return a.json.Summary(map[string]any{"end": end, "grants": statements})
	}
	_, err = fmt.Fprintf(a.stdout, "%s;\n", strings.Join(statements, ";\n"))
	return err
}

// printFindings prints what check has found, with the statements that grant what accounts lack. Lines are at most 120
// columns wide, also on a wider terminal: longer ones are hard to read.
func (a *app) printFindings(findings []db.Finding) error {
	if a.json == nil {
		if err := monitor.WriteFindings(a.stdout, findings, min(columns(a.stdout), 120), a.allFindings); err != nil {
			return err
		}
		return a.printGrants(findings)
	}
	for _, f := range findings {
		if err := a.json.Emit("finding", f); err != nil {
			return err
		}
	}
	return a.printGrants(findings)
}

// printGrants prints for each end the script of what the account lacks. It is printed if a check failed, or warned
// about something that a privilege would mend: other warnings need no GRANT.
func (a *app) printGrants(findings []db.Finding) error {
	lacks := func(f db.Finding) bool {
		// Of these checks a warning may be about a privilege, such as XA_RECOVER_ADMIN to see prepared transactions.
		weighs := slices.Contains([]string{"xa", "replica", "trial", "definer"}, f.Check)
		return f.Level == db.Fail || f.Level == db.Warn && weighs
	}
	if !slices.ContainsFunc(findings, lacks) {
		return nil
	}
	for _, end := range []string{"source", "target"} {
		statements := monitor.Grants(findings, end, "", false)
		if len(statements) == 0 {
			continue
		}
		if a.json != nil {
			if err := a.json.Emit("grants", map[string]any{"end": end, "grants": statements}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(a.stdout, "-- on the %s, by an account that may grant:\n%s;\n\n", end, strings.Join(statements,
			";\n"))
	}
	return nil
}
