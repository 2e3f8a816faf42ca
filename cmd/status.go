package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wherry/pkg/db/mysql"
	"wherry/pkg/monitor"
)

type statusOptions struct {
	watch bool
	every time.Duration
}

func newStatusCmd(a *app) *cobra.Command {
	var o statusOptions
	c := &cobra.Command{
		Use:   "status",
		Short: "Show where the move stands and what to run next",
		Long: `Status reads the state file and shows where the move stands: phases, tables, how far the target is behind, the last
verification, and the command to run next. It connects to no server and takes no lock, so it may run at any time beside
every other command.`,
		Example: `  wherry status --config shop.yaml
  wherry status --config shop.yaml --watch
  wherry status --config shop.yaml --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runStatus(c.Context(), a, o) },
	}
	c.Flags().BoolVarP(&o.watch, "watch", "w", false, "show again every so often, until interrupted")
	c.Flags().DurationVar(&o.every, "every", time.Second, "how often --watch shows")
	return c
}

func runStatus(ctx context.Context, a *app, o statusOptions) error {
	s, printed, err := a.configure()
	if err != nil || printed {
		return err
	}
	if err := s.openState(); err != nil {
		return err
	}
	for {
		if err := s.showStatus(o.watch && terminal(a.stdout)); err != nil || !o.watch {
			return err
		}
		select {
		case <-ctx.Done():
			return nil // leaving a watch is no failure
		case <-time.After(max(o.every, 100*time.Millisecond)):
		}
	}
}

func (s *session) showStatus(redraw bool) error {
	st, err := s.file.Read()
	if err != nil {
		return err
	}
	if st.Move == "" {
		st.Move = s.cfg.Move
	}
	phase, pid, err := s.file.Holder()
	if err != nil {
		return err
	}
	live := monitor.Live{Running: phase, PID: pid, Now: time.Now(), Args: strings.TrimSpace(s.configFlags()), Spool: mysql.SpoolSize(s.cfg.SpoolDir())}
	if s.app.json != nil {
		line, err := json.Marshal(monitor.StatusJSON(*st, live))
		if err == nil {
			_, err = fmt.Fprintf(s.app.stdout, "%s\n", line)
		}
		return err
	}
	var b bytes.Buffer
	if redraw {
		b.WriteString("\x1b[H\x1b[J")
	}
	if err := monitor.WriteStatus(&b, *st, live); err != nil {
		return err
	}
	_, err = b.WriteTo(s.app.stdout)
	return err
}
