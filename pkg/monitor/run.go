package monitor

import (
	"context"
	"time"

	"github.com/rs/zerolog"
)

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

func (p *Progress) draw(ctx context.Context) {
	ticker := time.NewTicker(redrawEvery)
	defer ticker.Stop()
	for {
		p.screen.draw(p.look().block(p.Snapshot()))
		p.drawPast()
		select {
		case <-ctx.Done():
			p.drawPast()
			p.screen.finish(p.look().last(p.Snapshot()))
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
		p.screen.keep(p.look().last(s)[0])
	}
}

// look leaves the last column free, where terminals differ, and a line for the cursor.
func (p *Progress) look() look {
	return look{
		width: max(p.opts.Width()-1, 1), lines: min(maxLines, p.opts.Height()-1),
		color: !p.opts.NoColor, ascii: p.opts.ASCII,
	}
}

func (p *Progress) log() {
	s := p.Snapshot()
	if s.silent() {
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
			Int64("rows_applied_per_second", s.Replica.Rate).Stringer("lag", s.Replica.Lag).Bool("caught_up", s.Replica.CaughtUp)
	}
	if s.Note != "" {
		e.Str("note", s.Note)
	}
	e.Msg("progress")
}

func (s *Snapshot) logRows(e *zerolog.Event) {
	e.Int64("rows", s.Rows).Int64("rows_estimate", s.Estimate).Int("percent", percent(s.part())).Int64("rows_per_second", s.Rate)
	if s.ETA > 0 {
		e.Str("eta", Span(time.Duration(s.ETA)))
	}
	if s.Step == StepVerify {
		e.Int64("differing", s.Differing)
	}
}
