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

// statusOptions are the flags of `wherry status`.
type statusOptions struct {
	watch   bool
	offline bool
	every   time.Duration
}

// newStatusCmd is `wherry status`. It takes no lock: it must work while anything runs, above all while something hangs.
func newStatusCmd(a *app) *cobra.Command {
	var o statusOptions
	c := &cobra.Command{
		Use:   "status",
		Short: "Show where the move stands and what to run next",
		Long: `Status reads the state file, asks both servers, and shows where the move stands: phases, tables, the
last verification. Its last lines say what is true now and since when, what is wrong, and the one command to run next.
It waits at most 3 seconds for a server and says if one did not answer. It changes nothing and takes no lock, so it
may run at any time beside every other command.

With --offline it asks no server, and shows the lag that was last recorded. If there is no state file, status asks the
target whether the move has begun. If it has, or if the target does not answer, the exit status is 10.`,
		Example: `  wherry status --config shop.yaml
  wherry status --config shop.yaml --watch
  wherry status --config shop.yaml --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.runStatus(c.Context(), o) },
	}
	c.Flags().BoolVarP(&o.watch, "watch", "w", false, "show the status again and again, until interrupted")
	c.Flags().DurationVar(&o.every, "every", time.Second, "how often --watch shows it")
	c.Flags().BoolVar(&o.offline, "offline", false, "ask no server: show what the state file says")
	return c
}

// runStatus shows the status once, or again and again (--watch). The state file is read anew each time, since other
// processes write it; the servers' answers are cached, see move.Asking.
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
		// Without a state file the name comes from the configuration, for the commands that are advised.
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
		// Leaving a watch by Ctrl-C is no failure. --every has a floor: each round reads the state file and its locks.
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(o.every, 100*time.Millisecond)):
		}
	}
}

// statusError is an error if there is no state file and the move may have begun all the same: the reader may be in the
// wrong folder, and a script must not go on as if nothing had begun. A move that has surely not begun is no error.
func statusError(st state.State, live monitor.Live) error {
	if !live.Missing {
		return nil
	}
	if stand := monitor.StandOf(st, live); stand.Rule != "not begun" {
		return fmt.Errorf("%w: %s", state.ErrMissing, stand.Now)
	}
	return nil
}

// lastLines returns the last n lines of a text. A status that is higher than the terminal would scroll at each redraw;
// its end has what is true and what to do. n below 1 is no limit.
func lastLines(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	if n < 1 || len(lines) <= n+1 { // the last one is empty
		return text
	}
	return strings.Join(lines[len(lines)-n-1:], "")
}

// showStatus writes the status once. redraw: over the one before, from the terminal's first line.
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
	// The cursor goes to the first line and the rest is cleared, instead of clearing all first, which would flicker.
	if redraw {
		text = "\x1b[H\x1b[J" + lastLines(text, height(a.stdout)-1)
	}
	_, err := io.WriteString(a.stdout, text)
	return err
}
