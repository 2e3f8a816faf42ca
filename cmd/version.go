package cmd

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// newVersionCmd is `wherry version`, which works without a configuration: it is the first thing that somebody types
// after installing wherry, and what a bug report needs.
func newVersionCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Version prints which wherry this is and what it was built with. It reads no configuration.",
		Example: "  wherry version --json",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return a.showVersion() },
	}
}

// showVersion is used by --version too.
func (a *app) showVersion() error {
	if a.json != nil {
		return a.json.Summary(map[string]any{
			"version": version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		})
	}
	_, err := fmt.Fprintf(a.stdout, "wherry %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
