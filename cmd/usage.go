package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"wherry/pkg/config"
	"wherry/pkg/monitor"
)

// knownCommand refuses a word that is no command, with the commands that it may have meant. Cobra's own check is not
// used, since its error has no type and would end with another exit status.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q for %q", args[0], c.CommandPath())
	// Such as init-shema for init-schema: at most two letters apart, or a beginning.
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		text += ", did you mean " + strings.Join(near, " or ") + "?"
	}
	return usageError{errors.New(text), c.CommandPath()}
}

// wrapHelp makes help as wide as the terminal, so that it is not broken within words. Written to a pipe or a file it
// stays as it is, and can be searched line by line.
func (a *app) wrapHelp(root *cobra.Command) {
	// The help function of the root is inherited by all commands.
	show := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		width := columns(a.stdout)
		if width == 0 {
			show(c, args)
			return
		}
		var b bytes.Buffer
		c.SetOut(&b)
		show(c, args)
		c.SetOut(a.stdout)
		_, _ = io.WriteString(a.stdout, monitor.Reflow(b.String(), width))
	})
}

// columns returns how wide a terminal is, 0 for what is none.
func columns(w any) int { width, _ := size(w); return width }

// height returns how many lines a terminal has, 0 for what is none.
func height(w any) int { _, height := size(w); return height }

// size returns the columns and lines of a terminal, 0 and 0 for anything else, such as a pipe or a test's buffer.
func size(w any) (width, height int) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd())) //nolint:gosec // a file descriptor fits
	if err != nil {
		return 0, 0
	}
	return width, height
}

// noConfig is the error if there is no configuration at all: a list of all keys that are missing would hide the cause.
func noConfig() error {
	dir, err := os.Getwd()
	if err != nil {
		dir = "this folder"
	}
	return fmt.Errorf("%w: there is no wherry.yaml in %s: go to the folder that has it, name another file with "+
		"--config (or in WHERRY_CONFIG), or write one; config.example.yaml explains every key", config.ErrInvalid, dir)
}

// configured tells whether the environment holds settings: in a container all keys may come from there, without a file.
func (a *app) configured() bool {
	for _, e := range a.environ {
		name, value, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "WHERRY_") && value != "" && name != "WHERRY_CONFIG" {
			return true
		}
	}
	return false
}
