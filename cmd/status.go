package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wherry/pkg/monitor"
	"wherry/pkg/state"
)

type statusOptions struct {
	watch   bool
	offline bool
	every   time.Duration
}

func newStatusCmd(a *app) *cobra.Command {
	var o statusOptions
	c := &cobra.Command{
		Use:   "status",
		Short: "Show where the move stands and what to run next",
		Long: `Status reads the state file, asks both servers, and shows where the move stands: phases, tables, the
last verification; and at the end what is true now, since when, what is wrong, and the one command to run next. It
waits for a server for 3 seconds at most and says when one did not answer. It changes nothing and takes no lock, so
it may run at any time beside every other command.

With --offline it asks no server: how far the target is behind is then what was last recorded. Without a state file
the target tells whether the move has begun; when it cannot be asked, or holds the move all the same, the exit
status is 10.`,
		Example: `  wherry status --config shop.yaml
  wherry status --config shop.yaml --watch
  wherry status --config shop.yaml --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.runStatus(c.Context(), o) },
	}
	c.Flags().BoolVarP(&o.watch, "watch", "w", false, "show again every so often, until interrupted")
	c.Flags().DurationVar(&o.every, "every", time.Second, "how often --watch shows")
	c.Flags().BoolVar(&o.offline, "offline", false, "ask no server: show what the state file says")
	return c
}

func (a *app) runStatus(ctx context.Context, o statusOptions) error {
	if printed, err := a.open(); err != nil || printed {
		return err
	}
	defer a.move.Close()
	asked := a.move.Ask()
	defer asked.Close()
	for {
		live, err := a.live()
		if err != nil {
			return err
		}
		st, err := a.move.State()
		if err != nil {
			return err
		}
		if st.Move == "" {
			st.Move = a.cfg.Move
		}
		if !o.offline {
			asked.Fill(ctx, *st, &live)
		}
		if err := a.showStatus(*st, live, o.watch && a.draws(a.stdout)); err != nil {
			return err
		}
		if !o.watch {
			return statusError(*st, live)
		}
		select {
		case <-ctx.Done():
			return nil // leaving a watch is no failure
		case <-time.After(max(o.every, 100*time.Millisecond)):
		}
	}
}

// statusError is what status could not tell: a move that it does not find may be another folder's.
func statusError(st state.State, live monitor.Live) error {
	if !live.Missing {
		return nil
	}
	if stand := monitor.StandOf(st, live); stand.Rule != "not begun" {
		return fmt.Errorf("%w: %s", state.ErrMissing, stand.Now)
	}
	return nil
}

// lastLines returns the end of a text, where the status says what to do: what is above a terminal's first line would
// scroll away each time it is drawn.
func lastLines(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	if n < 1 || len(lines) <= n+1 { // the last one is empty
		return text
	}
	return strings.Join(lines[len(lines)-n-1:], "")
}

func (a *app) showStatus(st state.State, live monitor.Live, redraw bool) error {
	if a.json != nil {
		line, err := json.Marshal(monitor.StatusJSON(st, live))
		if err == nil {
			_, err = fmt.Fprintf(a.stdout, "%s\n", line)
		}
		return err
	}
	var b bytes.Buffer
	if err := monitor.WriteStatus(&b, st, live); err != nil {
		return err
	}
	text := b.String()
	if redraw {
		text = "\x1b[H\x1b[J" + lastLines(text, height(a.stdout)-1)
	}
	_, err := io.WriteString(a.stdout, text)
	return err
}
