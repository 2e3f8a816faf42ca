package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// plan is all of an episode that its seed decides: what moves, how, and what happens meanwhile. Only the timing of what
// runs at the same time is not in it.
type plan struct {
	seed      uint64
	from, to  string // flavors
	databases []string
	routed    bool
	tables    []*table
	writers   int
	pace      int // a writer waits for up to so many milliseconds between transactions
	fence     string
	follows   bool // start-replica runs in the background, beside verify and cutover
	verifies  int
	damages   bool
	ddl       bool   // the schema changes from the copy on
	ddlUntil  string // the step before which it stops to change, or ""
	failover  bool   // the source has a replica that takes its place
	rehearses bool
	xa        bool // some transactions are prepared first
	refuses   bool // a stored column that depends on the session is there before the move
	others    bool // tables of somebody else are on the target
	globals   bool // the servers have strange values for all sessions
	back      bool
	cleans    bool
	lines     []string // of the configuration
	events    map[string][]event
}

// The streams of an episode's seed. Each part draws from its own, so that leaving out a feature of one does not change
// the others.
const (
	streamPlan = iota + 1
	streamTables
	streamRows
	streamEvents
	streamDamage
	streamMore
	streamFamily
	streamSchema
	streamKinds
	streamHidden
	streamGlobals
	streamWriters   = 100 // and one for each writer after it
	streamReturning = 200
)

func stream(seed, number uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, number)) }

// combinations are the pairs of flavors.
var combinations = []string{"mysql-mysql", "mariadb-mariadb", "mysql-mariadb", "mariadb-mysql"}

// newPlan draws an episode. combo is one of the combinations, or "" for any.
func newPlan(seed uint64, combo string, features featureSet) *plan {
	r := stream(seed, streamPlan)
	p := &plan{seed: seed, fence: "read_only"}
	drawn := combinations[[]int{0, 0, 1, 1, 2, 3}[r.IntN(6)]]
	if combo != "" {
		drawn = combo
	}
	p.from, p.to, _ = strings.Cut(drawn, "-")
	p.databases = []string{p.move() + "_a", p.move() + "_b"}[:1+r.IntN(2)]
	p.routed = r.IntN(2) == 0 && features["routes"]
	p.writers, p.pace = 1+r.IntN(4), pick(r, 2, 10, 30)
	if r.IntN(8) == 0 {
		p.fence = pick(r, "lock_tables", "none")
	}
	p.follows = r.IntN(4) > 0
	p.verifies = r.IntN(3)
	p.damages = features["damage"] && r.IntN(3) == 0
	p.lines = p.settings(r, features)
	d := &draw{from: p.from, to: p.to, features: features, seed: seed}
	p.tables = d.tables(stream(seed, streamTables), p.databases)
	p.more(stream(seed, streamMore), d)
	p.events = drawEvents(stream(seed, streamEvents), features, p)
	p.moreEvents(stream(seed, streamMore), features)
	kinds := stream(seed, streamKinds)
	p.xa = features["xa"] && !p.failover && kinds.IntN(3) == 0
	p.refuses = features["sorts"] && kinds.IntN(4) == 0
	p.others, p.globals = kinds.IntN(3) == 0 && features["others"], kinds.IntN(3) == 0 && features["hostile"]
	if d.crossing() && features["losses"] {
		p.lines = append(p.lines, "schema: {allow_losses: [collation, json, uuid, inet4, inet6, invisible-column, "+
			"default, generated-not-null]}")
	}
	return p
}

// more draws what an episode has besides: each part in some of them only.
func (p *plan) more(r *rand.Rand, d *draw) {
	drawn := map[string]bool{}
	for _, x := range []struct {
		feature string
		outOf   int
	}{{"ddl", 2}, {"cascades", 3}, {"failover", 6}, {"spool", 3}, {"rehearse", 3}, {"back", 3}} {
		drawn[x.feature] = r.IntN(x.outOf) == 0 && d.on(x.feature)
	}
	filtered := slices.ContainsFunc(p.tables, func(t *table) bool { return t.filter != "" })
	p.ddl, p.failover, p.rehearses = drawn["ddl"], drawn["failover"], drawn["rehearse"] && p.fence != "none"
	p.ddlUntil = pick(r, "verify", "cutover", "")
	p.back = drawn["back"] && !d.crossing() && !filtered
	p.cleans = r.IntN(2) == 0
	if drawn["cascades"] {
		p.tables = append(p.tables, family(stream(p.seed, streamFamily), p.databases[0])...)
	}
	if drawn["spool"] {
		p.lines[0] = strings.Replace(p.lines[0], "}", ", spool: true}", 1)
	}
}

// move is the name of the move, and begins the names of all databases.
func (p *plan) move() string { return fmt.Sprintf("soak_%d", p.seed) }

// elsewhere is a database on the source that does not move.
func (p *plan) elsewhere() string { return fmt.Sprintf("soak_elsewhere_%d", p.seed) }

// target is the database on the target that a source's database goes to.
func (p *plan) target(database string) string {
	if p.routed {
		return database + "_to"
	}
	return database
}

// settings draws the configuration beyond who and what.
func (p *plan) settings(r *rand.Rand, features featureSet) []string {
	writers := pick(r, 1, 1, 1, 4)
	if !features["workers"] {
		writers = 1
	}
	lines := []string{
		fmt.Sprintf("copy: {workers: %d, chunk_rows: %d, chunk_bytes: %s, defer_indexes: %t, index_workers: %d, "+
			"binlog_on_target: %t, load: %s}",
			1+r.IntN(6), pick(r, 0, 5, 40, 300, 300), pick(r, "64KiB", "1MiB"), r.IntN(2) == 0, 1+r.IntN(3),
			r.IntN(2) == 0, pick(r, "auto", "load_data", "insert")),
		fmt.Sprintf("replicate: {batch_rows: %d, batch_bytes: %s, batch_age: %s, workers: %d, retry_for: 90s}",
			pick(r, 1, 10, 200, 5000), pick(r, "64KiB", "16MiB"), pick(r, "0s", "1ms", "50ms", "500ms"), writers),
		fmt.Sprintf("verify: {workers: %d, chunk_rows: %d}", 1+r.IntN(4), pick(r, 1, 13, 100, 10000)),
		fmt.Sprintf("cutover: {fence: %s, timeout: 60s, max_lag: 30s, verify: %s}", p.fence,
			pick(r, "changed", "full")),
		"log: {level: debug}",
	}
	return lines
}

// configuration adds what depends on the tables.
func (p *plan) configuration(switched string) []string {
	lines := slices.Clone(p.lines)
	if p.routed {
		var routes []string
		for _, d := range p.databases {
			routes = append(routes, fmt.Sprintf("{from: %q, to: %q}", d+".*", p.target(d)+".*"))
		}
		lines = append(lines, "routes: ["+strings.Join(routes, ", ")+"]")
	}
	var filters []string
	for _, t := range p.tables {
		if t.filter != "" {
			filters = append(filters, fmt.Sprintf("{table: %s.%s, where: %q}", t.database, t.name, t.filter))
		}
	}
	if len(filters) > 0 {
		lines = append(lines, "filters: ["+strings.Join(filters, ", ")+"]")
	}
	return append(lines, fmt.Sprintf("hooks: {switch: %q}", "touch '"+switched+"'.$WHERRY_DIRECTION"))
}

// describe is what the report says of the plan.
func (p *plan) describe() string {
	keys := map[string]int{}
	var order []string
	for _, t := range p.tables {
		what := "none"
		if len(t.key) > 0 {
			what = t.column(t.key[0]).kind.class
		}
		if len(t.key) > 1 {
			what += "+"
		}
		if keys[what]++; keys[what] == 1 {
			order = append(order, what)
		}
	}
	text := fmt.Sprintf("%s>%s, %d tables (%s)", p.from, p.to, len(p.tables), strings.Join(order, " "))
	for _, x := range []struct {
		on   bool
		what string
	}{
		{p.ddl, "ddl"},
		{slices.ContainsFunc(p.tables, func(t *table) bool { return t.family }), "cascades"},
		{p.failover, "failover"},
		{strings.Contains(p.lines[0], "spool"), "spool"},
		{p.rehearses, "rehearse"},
		{p.back, "back"},
		{p.xa, "xa"},
		{p.refuses, "refuses"},
		{p.others, "others"},
		{p.globals, "globals"},
	} {
		if x.on {
			text += " " + x.what
		}
	}
	return text
}
