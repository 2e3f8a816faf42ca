package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"wherry/pkg/state"
)

// completions tell a shell what may stand behind flags. They ask no server, since a shell waits for them at every key:
// tables are those that the state file has. Errors give no completions, and print nothing into the command line.
func (a *app) completions(root *cobra.Command) {
	fixed := func(values ...string) cobra.CompletionFunc {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return values, cobra.ShellCompDirectiveNoFileComp
		}
	}
	endings := func(values ...string) cobra.CompletionFunc {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return values, cobra.ShellCompDirectiveFilterFileExt
		}
	}
	// Commands have different flags, so a flag that a command lacks is passed over.
	register := func(c *cobra.Command, flag string, f cobra.CompletionFunc) {
		if c.Flags().Lookup(flag) == nil && c.PersistentFlags().Lookup(flag) == nil {
			return
		}
		if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
			panic(fmt.Errorf("complete --%s: %w", flag, err)) // registered twice
		}
	}
	register(root, "log-level", fixed("trace", "debug", "info", "warn", "error"))
	register(root, "log-format", fixed("auto", "json", "text"))
	register(root, "config", endings("yaml", "yml"))
	register(root, "state", endings("yaml", "yml", "json"))
	for _, c := range root.Commands() {
		register(c, "table", a.completeTable)
		register(c, "confirm", a.completeMove)
		register(c, "until", fixed())
		register(c, "every", fixed("1s", "5s", "1m"))
	}
}

// completeMove completes the name of the move, for --confirm.
func (a *app) completeMove(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	cfg, err := a.load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{cfg.Move}, cobra.ShellCompDirectiveNoFileComp
}

// completeTable completes the source tables of the move, for --table. A file of another move gives none.
func (a *app) completeTable(_ *cobra.Command, _ []string, typed string) (tables []string, _ cobra.ShellCompDirective) {
	cfg, err := a.load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	file, err := state.Open(cfg.State, state.OpenOptions{Move: cfg.Move})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, t := range file.Snapshot().Tables {
		if strings.HasPrefix(t.Source, typed) {
			tables = append(tables, t.Source)
		}
	}
	return tables, cobra.ShellCompDirectiveNoFileComp
}
