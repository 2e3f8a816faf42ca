package main

import (
	"fmt"
	"time"
)

// print writes the report.
func (d *demo) print() {
	r := &d.report
	line := func(what, format string, args ...any) { fmt.Printf("  %-10s %s\n", what, fmt.Sprintf(format, args...)) }
	fmt.Println()
	fmt.Printf("%s -> %s, a shop of %s rows, %s row writes/s all the time\n", r.source, r.target,
		count(d.sizes.total(d.tables)), count(d.rate))
	line("copy", "%s rows in %s, %s; at most %d MB of memory", count(r.copy.Number("rows")),
		short(r.copy.Duration("copy_seconds")),
		rate(r.copy.Number("rows"), r.copy.Duration("copy_seconds")), r.peakRSS>>20)
	replay := r.copy.Duration("replay_seconds")
	line("replay", "%s transactions made meanwhile, %s rows, in %s: %s transactions, %s rows", count(r.replayed),
		count(r.replayedRows), short(replay),
		rate(r.replayed, replay), rate(r.replayedRows, replay))
	line("indexes", "built in %s", short(r.copy.Duration("index_seconds")))
	line("replica", "%s changes applied, %s behind (median of %d looks; at most %s)",
		count(r.replica.Number("changes")),
		short(r.lags[len(r.lags)/2]), len(r.lags), short(r.lags[len(r.lags)-1]))
	line("verify", "%s rows in %s, %s, %s differences", count(r.verify.Number("rows")),
		short(r.verify.Duration("seconds")),
		rate(r.verify.Number("rows"), r.verify.Duration("seconds")), count(r.verify.Number("differences")))
	line("cutover", "writes blocked for %s as wherry measured, %s as the application saw it",
		short(r.cutover.Duration("blocked_seconds")), short(r.gap))
	fmt.Println("proof")
	t := r.tally
	line("journal", "%s transactions acknowledged, %s of them by the target: %s lost, %s doubled",
		count(t.acknowledged), count(t.afterSwitch), count(t.lost), count(t.doubled))
	line("", "%s refused or rolled back, of which %s are there; %s without an answer", count(t.refused),
		count(t.ghosts), count(t.doubtful))
	rows, tables := r.equalRows()
	line("rows", "%s rows compared with the frozen source, tables equal %d/%d", count(rows), tables, len(d.tables))
	line("effects", "%d/%d sums and references as the journal says", r.effectsRight, len(effects(r.start)))
	line("schema", "%d columns, %d index columns, %d foreign keys alike", r.columns, r.indexes, r.references)
	line("total", "%s", short(time.Since(d.began)))
}
