package monitor

import (
	"math"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/state"
)

// Snapshot is the progress at one moment. It is a copy: the caller may keep and change it.
type Snapshot struct {
	Step       string          `json:"step"`
	Elapsed    state.Duration  `json:"elapsed"` // since the step began
	Start      db.Position     `json:"start,omitempty"`
	Consistent db.Position     `json:"consistent,omitempty"`
	Tables     []TableProgress `json:"tables,omitempty"`
	TablesDone int             `json:"tables_done"` // in this step
	Rows       int64           `json:"rows"`        // copied, or compared in the step "verify"
	Estimate   int64           `json:"rows_estimate"`
	Differing  int64           `json:"differing,omitempty"`
	Rate       int64           `json:"rows_per_second"` // over the last 10 seconds
	ETA        state.Duration  `json:"eta,omitzero"`    // 0 is unknown
	Replica    ReplicaProgress `json:"replica,omitzero"`
	Note       string          `json:"note,omitempty"`

	average int64 // rows per second in the step
	unsure  bool  // a table that is not finished has more rows than were expected, or nobody knows how many
}

// TableProgress is the progress of one table.
type TableProgress struct {
	Table      string         `json:"table"`          // db.table on the source
	Step       string         `json:"step,omitempty"` // the last that is done: copied, indexed, verified
	Finished   bool           `json:"finished"`       // with the current step
	Rows       int64          `json:"rows"`           // copied
	Estimate   int64          `json:"rows_estimate"`  // 0 is unknown
	Chunks     int            `json:"chunks"`         // planned so far
	ChunksDone int            `json:"chunks_done"`
	Compared   int64          `json:"compared,omitempty"` // rows, by the last verify
	Differing  int64          `json:"differing,omitempty"`
	Rate       int64          `json:"rows_per_second"`
	ETA        state.Duration `json:"eta,omitzero"` // 0 is unknown

	touched time.Time
	unknown bool // nobody knows how many rows there are
}

// ReplicaProgress is how far changes are applied. It is zero until the first commit. Age is how long ago that was
// reported: with a large one, Lag and CaughtUp are no longer true.
type ReplicaProgress struct {
	Position string         `json:"position"`
	Rows     int64          `json:"rows"`    // since the start of the run
	Changes  int64          `json:"changes"` // since the start of the run
	Rate     int64          `json:"rows_per_second"`
	Lag      state.Duration `json:"lag"`
	CaughtUp bool           `json:"caught_up"`
	At       time.Time      `json:"at"` // when it was told
	Age      state.Duration `json:"age"`
}

// Snapshot returns the progress now.
func (p *Progress) Snapshot() Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.snapshot()
}

func (p *Progress) snapshot() Snapshot {
	now := p.opts.Clock()
	s := Snapshot{
		Step: p.step, Elapsed: state.Duration(max(now.Sub(p.since), 0)), Note: p.note,
		Start: p.start, Consistent: p.consistent, Tables: make([]TableProgress, 0, len(p.tables)),
		Rate: perSecond(&p.meter, now), average: int64(math.Round(p.meter.average(now))),
	}
	for _, t := range p.tables {
		s.add(t.progress(p.step, now))
	}
	if !s.unsure {
		s.ETA = timeLeft(s.Estimate-s.Rows, &p.meter, now)
	}
	if r := &p.replica; !r.at.IsZero() {
		s.Replica = ReplicaProgress{
			Position: r.position, Rows: r.rows, Changes: r.changes, Rate: perSecond(&r.meter, now),
			Lag: state.Duration(r.lag), CaughtUp: r.caughtUp, At: r.at, Age: state.Duration(max(now.Sub(r.at), 0)),
		}
	}
	return s
}

// add counts a table in. A wrong estimate is replaced by a better number: the rows of a finished table, or the rows so
// far if they are more than expected.
func (s *Snapshot) add(t TableProgress) {
	rows := t.in(s.Step)
	s.Rows += rows
	s.Differing += t.Differing
	if t.Finished {
		s.TablesDone++
		s.Estimate += rows
	} else {
		s.Estimate += max(rows, t.Estimate)
		s.unsure = s.unsure || t.unknown || rows > t.Estimate
	}
	s.Tables = append(s.Tables, t)
}

// in returns the rows that count in a step.
func (t *TableProgress) in(step string) int64 {
	if step == StepVerify {
		return t.Compared
	}
	return t.Rows
}

// progress is the table at one moment; a finished table has no speed and no time left.
func (t *table) progress(step string, now time.Time) TableProgress {
	out := TableProgress{
		Table: t.name.String(), Step: t.step, Finished: t.finished, Rows: t.rows, Estimate: max(t.estimate, 0),
		Chunks:     t.chunks,
		ChunksDone: t.chunksDone, Compared: t.compared, Differing: t.differing, touched: t.touched,
		unknown: t.estimate < 0,
	}
	if !t.finished {
		out.Rate = perSecond(&t.meter, now)
		out.ETA = timeLeft(t.estimate-out.in(step), &t.meter, now)
	}
	return out
}

// perSecond is the speed that is shown, in whole rows.
func perSecond(m *meter, now time.Time) int64 { return int64(math.Round(m.rate(now, rateWindow))) }

// timeLeft returns how long the rest will take at the speed of the last minute; 0 is unknown, or more than 1000 days.
func timeLeft(rows int64, m *meter, now time.Time) state.Duration {
	rate := m.rate(now, etaWindow)
	if rows <= 0 || rate <= 0 {
		return 0
	}
	seconds := math.Ceil(float64(rows) / rate)
	if seconds > (1000 * 24 * time.Hour).Seconds() {
		return 0
	}
	return state.Duration(seconds) * state.Duration(time.Second)
}
