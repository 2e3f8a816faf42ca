// Command demo moves a live shop from one private server to another with wherry, while an application goes on
// writing to it, and then proves by its own means that nothing was lost or doubled. make demo runs it.
//
// What it proves does not rest on wherry: the application keeps a journal of every transaction, and both servers
// are compared by the demo's own SQL, row by row.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"wherry/test/internal/lab"
)

type options struct {
	from, to string // flavors
	rows     int    // about that many at the start
	rate     int    // row writes per second
	seed     uint64
	dir      string // where the journal, the configuration and the state are
	wherry   string
}

func main() {
	var o options
	flag.StringVar(&o.from, "from", lab.MySQL, "`flavor` of the source, mysql or mariadb")
	flag.StringVar(&o.to, "to", lab.MySQL, "`flavor` of the target, mysql, mariadb or postgres")
	flag.IntVar(&o.rows, "rows", 1_000_000, "`number` of rows that the shop begins with, about")
	flag.IntVar(&o.rate, "rate", 1000, "row writes per second")
	flag.Uint64Var(&o.seed, "seed", 1, "of everything random")
	flag.StringVar(&o.dir, "dir", ".servers/demo/shop", "`folder` for journal, configuration and state")
	flag.StringVar(&o.wherry, "wherry", "bin/wherry", "`program`")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := run(ctx, o)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "demo: interrupted")
		os.Exit(130) //nolint:gocritic // nothing is left to do
	case errors.Is(err, errNotProved):
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
		os.Exit(1)
	default:
		fmt.Fprintf(os.Stderr, "demo: %v (the log is %s)\n", err, logFile(o.dir))
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	servers, err := lab.ParseServers(os.Getenv("WHERRY_TEST_SERVERS"))
	if err != nil {
		return err
	}
	source, target, err := lab.Pair(servers, o.from, o.to)
	if err != nil {
		return err
	}
	d := newDemo(o, source, target)
	defer d.close()
	if err := d.open(ctx); err != nil {
		return err
	}
	return d.run(ctx)
}
