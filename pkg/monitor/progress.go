// Package monitor shows how a move stands: live progress, tables and findings for people, the status of a move, a
// stream of JSON lines for programs, and news for the service manager.
//
// Its one invariant: it only observes. What phases report is quickly noted, and shown by its own goroutine, so a slow
// or broken terminal never holds up a phase. For example, a phase calls Chunk for each of a million chunks; Run draws
// five times a second, whatever happened in between. It decides nothing, and it asks no server.
package monitor

import (
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// The steps that are shown in a way of their own. Any other name is shown as it is.
const (
	StepCopy      = "copy"
	StepReplay    = "replay"
	StepIndex     = "index"
	StepReplicate = "replicate"
	StepVerify    = "verify"
	StepScan      = "scan"
)

// Options configure a Progress; the zero value shows nothing.
type Options struct {
	Out      io.Writer        // where bars and what is written to Writer go, normally stderr; none
	Terminal bool             // Out is a terminal: draw bars there instead of logging
	Width    func() int       // the terminal's columns now; 80
	Height   func() int       // the terminal's lines now; 24
	NoColor  bool             // as NO_COLOR asks for
	ASCII    bool             // the terminal cannot show block characters
	Every    time.Duration    // between log lines; 30 s
	Clock    func() time.Time // time.Now
	Log      zerolog.Logger
	Lines    *Stream // gets the progress as lines of type "progress", instead of Log; nil: none
}

// Progress is the live progress of a phase, or of one phase after another. Its methods may be called by several
// goroutines at once.
type Progress struct {
	opts   Options
	screen *screen

	mu                sync.Mutex // guards what follows
	step              string
	since             time.Time // of the step
	start, consistent db.Position
	tables            []*table // in the order in which they were first mentioned
	byName            map[schema.Name]*table
	meter             meter // of the step
	replica           replica
	note              string
	past              []Snapshot // steps that ended and are still to be drawn
}

// maxPast is how many ended steps are kept for drawing, which happens several times a second.
const maxPast = 16

// table is what is known of one table.
type table struct {
	name               schema.Name
	estimate           int64
	rows               int64 // copied
	chunks, chunksDone int
	compared           int64
	differing          int64
	step               string // the last that was reported by Table
	finished           bool   // in the current step
	touched            time.Time
	meter              meter
}

// replica is what was last reported about applying changes.
type replica struct {
	position      string
	rows, changes int64
	lag           time.Duration
	caughtUp      bool
	at            time.Time // zero if nothing was reported
	meter         meter
}

// NewProgress returns a Progress that shows itself while Run runs.
func NewProgress(opts Options) *Progress {
	if opts.Out == nil {
		opts.Out = io.Discard
	}
	if opts.Width == nil {
		opts.Width = func() int { return 80 }
	}
	if opts.Height == nil {
		opts.Height = func() int { return 24 }
	}
	if opts.Every == 0 {
		opts.Every = 30 * time.Second
	}
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	p := &Progress{
		opts:   opts,
		screen: &screen{out: opts.Out, width: opts.Width},
		byName: make(map[schema.Name]*table),
	}
	p.begin("")
	return p
}

// Writer is where log lines must go when they share the terminal with the bars: each is written above them.
func (p *Progress) Writer() io.Writer { return p.screen }

// Expect adds a table before anything is done with it, with about how many rows it has; below 0 is unknown. Without it
// a table counts only once its first chunk is planned, and the percentage would jump back with every new table.
func (p *Progress) Expect(name schema.Name, rowsEstimate int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table(name).estimate = rowsEstimate
}

// Step begins a step: no table has finished it yet, and speed and time count from here.
func (p *Progress) Step(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begin(name)
}

// begin is Step under the lock. On a terminal the step that ended is kept, to leave a line of it standing.
func (p *Progress) begin(step string) {
	if p.opts.Terminal && p.step != "" && p.step != step && len(p.past) < maxPast {
		p.past = append(p.past, p.snapshot())
	}
	p.step, p.since, p.meter = step, p.opts.Clock(), meter{}
	p.meter.advance(p.since)
	if p.replica.at.IsZero() {
		p.replica.meter = p.meter
	}
	for _, t := range p.tables {
		t.finished, t.meter = false, meter{}
		if step == StepVerify {
			t.compared, t.differing = 0, 0
		}
	}
}

// Positions notes the position that the copy began from, and the one at which the target is consistent; "" until it is
// known.
func (p *Progress) Positions(start, consistent db.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.start, p.consistent = start, consistent
}

// Chunk notes that a chunk of a table is planned, or done. Rows without bytes were loaded in an earlier run: they
// count, but not for the speed, which would otherwise begin with millions of rows per second after every restart.
func (p *Progress) Chunk(name schema.Name, loaded db.Loaded, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, t := p.opts.Clock(), p.table(name)
	t.touched = now
	t.meter.advance(now)
	if !done {
		t.chunks++
		return
	}
	t.chunksDone++
	t.rows += loaded.Rows
	if loaded.Bytes > 0 {
		t.meter.add(now, loaded.Rows)
		p.meter.add(now, loaded.Rows)
	}
}

// Table notes that a table has finished a step: "copied", "indexed", "verified".
func (p *Progress) Table(name schema.Name, step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.table(name)
	t.step, t.finished = step, true
}

// Replica notes how far changes are applied. Rows and changes are counted since the start of the run; fewer rows than
// before mean that another run has begun.
func (p *Progress) Replica(position string, rows, changes int64, lag time.Duration, caughtUp bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, now := &p.replica, p.opts.Clock()
	if rows < r.rows { // another run
		r.rows = 0
	}
	r.meter.add(now, rows-r.rows)
	r.position, r.rows, r.changes, r.lag, r.caughtUp, r.at = position, rows, changes, lag, caughtUp, now
}

// Scan notes that more rows of a table are read by a scan.
func (p *Progress) Scan(name schema.Name, rows int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, t := p.opts.Clock(), p.table(name)
	t.touched = now
	t.rows += rows
	t.meter.add(now, rows)
	p.meter.add(now, rows)
}

// Verify notes that more of a table is compared: how many rows, and how many more of them differ (negative if some turn
// out to be equal). The first call begins the step "verify".
func (p *Progress) Verify(name schema.Name, rows, differing int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.step != StepVerify {
		p.begin(StepVerify)
	}
	now, t := p.opts.Clock(), p.table(name)
	t.touched = now
	t.compared += rows
	t.differing += differing
	p.meter.add(now, rows)
	// How long the first rows took is unknown, so they only start the meter.
	if t.meter.began.IsZero() {
		t.meter.advance(now)
	} else {
		t.meter.add(now, rows)
	}
}

// Note shows in a few words what is waited for or happening; "" removes it.
func (p *Progress) Note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note = text
}

// table returns a table's progress, added with an unknown number of rows if it is new. The lock is held.
func (p *Progress) table(name schema.Name) *table {
	t := p.byName[name]
	if t == nil {
		t = &table{name: name, estimate: -1}
		p.tables = append(p.tables, t)
		p.byName[name] = t
	}
	return t
}
