package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"wherry/test/internal/lab"
)

const (
	peersDatabase = "bench_peers"
	loadedBy      = "loaded_by_peer"
)

// errNoPeer is a peer that is not installed, or does not talk to this server.
var errNoPeer = errors.New("no peer to compare with")

// peersPart measures the tools that Debian packages for the same work: mydumper and myloader, with as many threads as
// wherry has connections. They move no changes that are made meanwhile.
func (b *bench) peersPart(ctx context.Context) error {
	for _, name := range []string{"mydumper", "myloader"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%w: %s is not installed (scripts/bench.sh peers installs it)", errNoPeer, name)
		}
	}
	if err := fill(ctx, b.sourceDB, peersDatabase, 4, b.rows/4, twoIndexes); err != nil {
		return err
	}
	r := b.results.section("peers: %s rows of 195 bytes in 4 tables with two secondary indexes, %d connections",
		thousands(b.rows/4*4), connections)
	for round := range b.rounds {
		runs := []func() error{func() error { return b.dumpAndLoad(ctx, r) }}
		for _, p := range b.turns(round) {
			runs = append(runs, func() error { return b.movedWhole(ctx, r, p) })
		}
		for i := range runs {
			if err := b.tidy(ctx, peersDatabase, loadedBy); err != nil {
				return err
			}
			if err := runs[(i+round)%len(runs)](); err != nil {
				return err
			}
		}
	}
	r.ratio("mydumper and myloader", "wherry", "")
	r.print()
	return b.tidy(ctx, peersDatabase, loadedBy)
}

func (b *bench) movedWhole(ctx context.Context, r *section, p program) error {
	w, err := b.prepare(peersDatabase)
	if err != nil {
		return err
	}
	began := time.Now()
	for _, phase := range []string{"init-schema", "init-copy"} {
		if _, _, err := w.With(p.path).Run(ctx, phase); err != nil {
			return err
		}
	}
	r.add(p.name, "s", time.Since(began).Seconds())
	return b.sameRows(ctx, peersDatabase+".t1", peersDatabase+".t1")
}

func (b *bench) dumpAndLoad(ctx context.Context, r *section) error {
	dir := filepath.Join(b.dir, "dump")
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the last dump: %w", err)
	}
	defer os.RemoveAll(dir)
	began := time.Now()
	for _, command := range [][]string{
		peer("mydumper", b.source, "--database="+peersDatabase, "--outputdir="+dir, "--rows=100000",
			"--trx-consistency-only"),
		peer("myloader", b.target, "--source-db="+peersDatabase, "--database="+loadedBy, "--directory="+dir,
			"--queries-per-transaction=10"),
	} {
		c := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // our own words
		if said, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s: %w: %.500s", errNoPeer, command[0], err, said)
		}
	}
	r.add("mydumper and myloader", "s", time.Since(began).Seconds())
	return b.sameRows(ctx, peersDatabase+".t1", loadedBy+".t1")
}

func peer(name string, s lab.Server, args ...string) []string {
	return append([]string{
		name, "--host=" + s.Host, "--port=" + strconv.Itoa(s.Port), "--user=" + lab.User, "--password=" + lab.Password,
		"--threads=" + strconv.Itoa(connections),
	}, args...)
}
