package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"wherry/pkg/config"
	"wherry/pkg/move"
)

// newConfigCmd is `wherry config`, which looks at the configuration and connects to nothing.
func newConfigCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Look at the configuration",
		Long: `Config looks at the configuration as flags, variables and files give it, and connects to no server.
To see every key with its value and where that comes from, add --print-config to any command.`,
		Example: "  wherry config validate --config shop.yaml",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(&cobra.Command{
		Use:   "validate",
		Short: "Say whether the configuration is valid, all problems at once",
		Long: `Validate reads the configuration and says what is wrong with it, all at once. It does not connect,
runs no command of the configuration, and does not know which tables there are: check does.`,
		Example: `  wherry config validate --config shop.yaml
  wherry config validate --config shop.yaml --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.validate() },
	})
	return c
}

// validate reads the configuration and the rules in it: globs, routes and filters are parsed by package route, which
// config does not know. Exit status 78 if anything is wrong.
func (a *app) validate() error {
	if printed, err := a.configure(); err != nil || printed {
		return err
	}
	if _, err := move.Rules(a.cfg); err != nil {
		return err
	}
	if a.json != nil {
		return a.json.Summary(map[string]any{
			"phase": "config validate", "detail": "valid", "warnings": append([]string{}, a.cfg.Warnings()...),
		})
	}
	_, err := fmt.Fprintf(a.stdout, "config validate: valid, move %s\n", a.cfg.Move)
	return err
}

// printConfig prints every key with its origin: as YAML that can be used as a file, or as JSON. Secrets are ***.
func (a *app) printConfig(cfg *config.Config) error {
	if a.json != nil {
		return a.json.Summary(map[string]any{"keys": cfg.Entries()})
	}
	return cfg.Print(a.stdout)
}
