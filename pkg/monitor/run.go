package monitor

import (
	"context"
	"time"

	"github.com/rs/zerolog"
)

// redrawEvery is fast enough to look alive and slow enough for a terminal over a slow line.
const redrawEvery = 200 * time.Millisecond

// Run shows the progress until ctx ends: as bars on a terminal, else as log lines. It may run again afterwards.
func (p *Progress) Run(ctx context.Context) {
	if p.opts.Terminal {
		p.draw(ctx)
		return
	}
	ticker := time.NewTicker(p.opts.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			p.log()
			return
		case <-ticker.C:
			p.log()
		}
	}
}

// draw redraws the bars until ctx ends, and then leaves the last step standing as one line.
func (p *Progress) draw(ctx context.Context) {
	ticker := time.NewTicker(redrawEvery)
	defer ticker.Stop()
	for {
		p.screen.draw(p.style().block(p.Snapshot()))
		p.drawPast()
		select {
		case <-ctx.Done():
			p.drawPast()
			p.screen.finish(p.style().last(p.Snapshot()))
			return
		case <-ticker.C:
		}
	}
}

// drawPast leaves a line standing for every step that ended.
func (p *Progress) drawPast() {
	p.mu.Lock()
	past := p.past
	p.past = nil
	p.mu.Unlock()
	for _, s := range past {
		p.screen.keep(p.style().last(s)[0])
	}
}

// style leaves the last column free, where terminals differ, and a line for the cursor.
func (p *Progress) style() style {
	return style{
		width: max(p.opts.Width()-1, 1), lines: min(maxLines, p.opts.Height()-1),
		color: !p.opts.NoColor, ascii: p.opts.ASCII,
	}
}

// log writes the progress once: as a line for programs if Options.Lines is set, else as a log message.
func (p *Progress) log() {
	s := p.Snapshot()
	if s.silent() {
		return
	}
	if p.opts.Lines != nil {
		// An error means that the stream has ended or cannot be written. The command itself reports that.
		_ = p.opts.Lines.Emit("progress", s.line())
		return
	}
	e := p.opts.Log.Info()
	if s.Step != "" {
		e.Str("step", s.Step)
	}
	if s.hasTables() {
		e.Int("tables_done", s.TablesDone).Int("tables", len(s.Tables))
	}
	if s.countsRows() {
		s.logRows(e)
	}
	if s.hasReplica() {
		e.Str("position", s.Replica.Position).Int64("rows_applied", s.Replica.Rows).Int64("changes", s.Replica.Changes).
			Int64("rows_applied_per_second", s.Replica.Rate).
			Float64("lag_seconds", time.Duration(s.Replica.Lag).Seconds()).Bool("caught_up", s.Replica.CaughtUp)
	}
	if s.Note != "" {
		e.Str("note", s.Note)
	}
	e.Msg("progress")
}

// logRows adds the fields of steps that count rows.
func (s *Snapshot) logRows(e *zerolog.Event) {
	e.Int64("rows", s.Rows).Int64("rows_estimate", s.Estimate)
	if part := s.part(); part >= 0 {
		e.Int("percent", percent(part))
	}
	e.Int64("rows_per_second", s.Rate)
	if s.ETA > 0 {
		e.Str("eta", Span(time.Duration(s.ETA)))
	}
	if s.Step == StepVerify {
		e.Int64("differing", s.Differing)
	}
}

// progressLine is a line of type "progress", see docs/json.md.
type progressLine struct {
	Step           string   `json:"step"`
	ElapsedSeconds float64  `json:"elapsed_seconds"`
	TablesDone     int      `json:"tables_done"`
	Tables         int      `json:"tables"`
	Rows           int64    `json:"rows"`
	Estimate       int64    `json:"rows_estimate"`
	Rate           int64    `json:"rows_per_second"`
	ETASeconds     *float64 `json:"eta_seconds"`
	Differing      int64    `json:"differing"`
	Position       string   `json:"position"`
	Applied        int64    `json:"rows_applied"`
	Changes        int64    `json:"changes"`
	AppliedRate    int64    `json:"rows_applied_per_second"`
	LagSeconds     *float64 `json:"lag_seconds"`
	CaughtUp       bool     `json:"caught_up"`
	Note           string   `json:"note"`
}

// line is the snapshot for programs. What is unknown is null, and not 0, which would mean "done" or "caught up".
func (s *Snapshot) line() progressLine {
	line := progressLine{
		Step: s.Step, ElapsedSeconds: time.Duration(s.Elapsed).Seconds(), TablesDone: s.TablesDone,
		Tables: len(s.Tables), Rows: s.Rows, Estimate: s.Estimate,
		Rate: s.Rate, Differing: s.Differing, Position: s.Replica.Position, Applied: s.Replica.Rows,
		Changes: s.Replica.Changes, AppliedRate: s.Replica.Rate,
		CaughtUp: s.Replica.CaughtUp, Note: s.Note,
	}
	if s.ETA > 0 {
		seconds := time.Duration(s.ETA).Seconds()
		line.ETASeconds = &seconds
	}
	if s.hasReplica() {
		seconds := time.Duration(s.Replica.Lag).Seconds()
		line.LagSeconds = &seconds
	}
	return line
}
