// Command soak simulates moves: random tables, random writers, and wherry killed, cut off and locked out, on servers
// that crash. At the end of each both ends are compared by SQL of its own. make soak runs it.
//
// All that is random comes from one seed per episode: tables, rows, configuration, what happens when, and what each
// writer does. What cannot be repeated is how the things that run at the same time meet; a seed that fails may need
// several runs, or a longer one, to fail again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"wherry/test/internal/lab"
)

type options struct {
	seed     uint64
	duration time.Duration
	episodes int
	features string
	combo    string
	dir      string
	wherry   string
}

func main() {
	var o options
	flag.Uint64Var(&o.seed, "seed", 0, "of the first episode; the next has the next `number`; 0 draws one")
	flag.DurationVar(&o.duration, "duration", 10*time.Minute, "no episode begins after it")
	flag.IntVar(&o.episodes, "episodes", 0, "at most so many; 0 is any `number`")
	flag.StringVar(&o.features, "features", "", "`list`: only these, or all but those with - before their names")
	flag.StringVar(&o.combo, "combo", "", "only moves of these `flavors`: "+strings.Join(combinations, ", "))
	flag.StringVar(&o.dir, "dir", ".servers/soak/work", "`folder` for configuration, state and logs")
	flag.StringVar(&o.wherry, "wherry", "bin/wherry", "`program`")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintf(os.Stderr, "soak: %v\n", err)
		os.Exit(1) //nolint:gocritic // nothing is left to do
	}
}

func run(ctx context.Context, o options) error {
	features, err := parseFeatures(o.features)
	if err != nil {
		return err
	}
	servers, err := lab.ParseServers(os.Getenv("WHERRY_TEST_SERVERS"))
	if err != nil {
		return err
	}
	if o.seed == 0 {
		o.seed = 1 + rand.Uint64N(1e9)
	}
	s := &soak{binary: o.wherry, dir: o.dir, servers: servers, features: features, combo: o.combo, out: os.Stdout}
	fmt.Printf("soak: seed %d\n", o.seed)
	began := time.Now()
	defer func() { fmt.Println(s.summary(time.Since(began))) }()
	for n := 0; ctx.Err() == nil && time.Since(began) < o.duration && (o.episodes == 0 || n < o.episodes); n++ {
		seed := o.seed + uint64(n)
		if err := s.episode(ctx, seed); err != nil {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			return fmt.Errorf("%w\nto replay: %s", err, replay(o, seed))
		}
	}
	return nil
}

// replay is the command that draws the episode of a seed again.
func replay(o options, seed uint64) string {
	line := fmt.Sprintf("make soak SEED=%d ARGS='-episodes 1", seed)
	if o.features != "" {
		line += " -features " + strings.Join(strings.Fields(o.features), ",")
	}
	if o.combo != "" {
		line += " -combo " + o.combo
	}
	return line + "'"
}

// summary is the last line.
func (s *soak) summary(took time.Duration) string {
	c := &s.count
	return fmt.Sprintf("soak: %.1f minutes, %d episodes equal; wherry killed %d times, servers %d times, connections "+
		"cut %d times; %d rows compared, %d changes written, %d rows damaged and repaired; %d schema changes, %d "+
		"failovers, %d rehearsals, %d ways back",
		took.Minutes(), c.episodes.Load(), c.kills.Load(), c.crashes.Load(), c.cuts.Load(), c.rows.Load(),
		c.changes.Load(), c.damaged.Load(), c.ddl.Load(), c.failovers.Load(), c.rehearsals.Load(), c.back.Load())
}
