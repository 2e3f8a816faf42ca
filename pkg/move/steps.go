package move

import (
	"sync"
	"time"

	"wherry/pkg/monitor"
)

// stopwatch is the progress of a copy that also notes how long each step takes.
type stopwatch struct {
	*monitor.Progress
	mu    sync.Mutex
	step  string
	since time.Time
	spent map[string]time.Duration
}

func newStopwatch(p *monitor.Progress, now time.Time) *stopwatch {
	return &stopwatch{Progress: p, since: now, spent: map[string]time.Duration{}}
}

// Step begins a step and ends the one before.
func (w *stopwatch) Step(name string) {
	w.Progress.Step(name)
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.spent[w.step] += now.Sub(w.since)
	w.step, w.since = name, now
}

// times returns how long each step has taken.
func (w *stopwatch) times(now time.Time) map[string]time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	times := map[string]time.Duration{w.step: now.Sub(w.since)}
	for step, d := range w.spent {
		if step != "" {
			times[step] += d
		}
	}
	return times
}
