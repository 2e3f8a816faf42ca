// Command bench measures wherry against the least that anybody has to do for the same result: the copy against a
// bare LOAD DATA of the same rows into the same table, the replica against a client that applies the same changes
// one by one, and against the server's own replication. make bench runs it.
//
// What is compared runs in turns on the same servers in the same run. Absolute figures mean little elsewhere; the
// ratios should hold.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"wherry/test/internal/lab"
)

type options struct {
	from, to string // flavors
	rows     int    // of a table
	changes  int    // per round
	rounds   int
	scale    float64 // of the part memory
	dir      string
	wherry   string
	before   string // another build of wherry, measured by turns with it
	seconds  int    // of the part lag, per round
	tables   int    // of the part tables
	json     string
}

// quiet is the load of a machine that does nothing else.
const quiet = 0.7

// part is one thing that can be measured alone.
type part struct {
	name string
	run  func(*bench, context.Context) error
}

// onlyAsked are the parts that run only when they are named: they need programs that are not here.
var onlyAsked = []string{"peers"}

var parts = []part{
	{"copy", (*bench).copyPart},
	{"apply", (*bench).applyPart},
	{"oltp", (*bench).oltpPart},
	{"memory", (*bench).memoryPart},
	{"lag", (*bench).lagPart},
	{"cutover", (*bench).cutoverPart},
	{"tables", (*bench).tablesPart},
	{"verify", (*bench).verifyPart},
	{"peers", (*bench).peersPart},
}

func main() {
	var o options
	flag.StringVar(&o.from, "from", lab.MySQL, "`flavor` of the source, mysql or mariadb")
	flag.StringVar(&o.to, "to", lab.MySQL, "`flavor` of the target")
	flag.IntVar(&o.rows, "rows", 1_000_000, "rows of a table")
	flag.IntVar(&o.changes, "changes", 200_000, "changed rows per round of apply and oltp")
	flag.IntVar(&o.rounds, "rounds", 3, "how often everything is measured; medians are printed")
	flag.Float64Var(&o.scale, "scale", 1, "size of the part memory: 1 is 4 tables of -rows rows")
	flag.StringVar(&o.dir, "dir", ".servers/bench/work", "`folder` for configuration and state")
	flag.StringVar(&o.wherry, "wherry", "bin/wherry", "`program`")
	flag.StringVar(&o.before, "before", "", "another build of wherry, a `program` that all parts but oltp and memory "+
		"measure by turns with it")
	flag.IntVar(&o.seconds, "seconds", 10, "how long the part lag measures, per round")
	flag.IntVar(&o.tables, "tables", 2000, "how many tables the part tables moves; five times as many after that")
	flag.StringVar(&o.json, "json", "bench.json", "`file` for all figures")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: bench [flags] [copy] [apply] [oltp] [memory] [lag] [cutover] "+
			"[tables] [verify] [peers]")
		flag.PrintDefaults()
	}
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, o, flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1) //nolint:gocritic // nothing is left to do
	}
}

func run(ctx context.Context, o options, wanted []string) error {
	for _, name := range wanted {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("no part %q", name)
		}
	}
	b := &bench{options: o}
	defer b.close()
	if err := b.open(ctx); err != nil {
		return err
	}
	fmt.Printf("%s -> %s on %d CPUs, medians of %d rounds\n", b.results.Source, b.results.Target, b.results.CPUs,
		o.rounds)
	if b.results.Load > quiet {
		fmt.Printf("the machine is not idle (load %.1f before the run): expect noise, and look at ratios only\n",
			b.results.Load)
	}
	for _, p := range parts {
		if len(wanted) > 0 && !slices.Contains(wanted, p.name) || len(wanted) == 0 &&
			slices.Contains(onlyAsked, p.name) {
			continue
		}
		if err := p.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	fmt.Printf("\nall figures: %s\n", o.json)
	return b.results.write(o.json)
}

// flavored is a version with the flavor before it.
func flavored(flavor, version string) string {
	version, _, _ = strings.Cut(version, "-")
	return flavor + " " + version
}

// mariadb tells the flavor from a version.
func mariadb(version string) bool { return strings.Contains(version, "MariaDB") }
