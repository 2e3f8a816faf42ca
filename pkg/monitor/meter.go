package monitor

import "time"

const (
	rateWindow = 10 * time.Second // for the speed that is shown
	etaWindow  = time.Minute      // for the speed that the time left is computed from: it must not jump about
	meterSlots = 60               // seconds; covers both windows
)

// meter counts per second over the last minute, in a ring of 60 slots. The zero value begins with the first call.
type meter struct {
	began time.Time
	last  int64 // the newest slot, in seconds since began
	slots [meterSlots]int64
	total int64
}

// advance begins the meter, or empties the slots of the seconds that passed.
func (m *meter) advance(now time.Time) {
	if m.began.IsZero() {
		m.began = now
	}
	second := int64(now.Sub(m.began) / time.Second)
	for s := max(m.last+1, second-meterSlots+1); s <= second; s++ {
		m.slots[s%meterSlots] = 0
	}
	m.last = max(m.last, second) // a clock that is set back counts on in the newest slot
}

// add counts n things that happened now.
func (m *meter) add(now time.Time, n int64) {
	m.advance(now)
	m.slots[m.last%meterSlots] += n
	m.total += n
}

// average returns what was counted per second since the meter began.
func (m *meter) average(now time.Time) float64 {
	return float64(m.total) / max(now.Sub(m.began), time.Second).Seconds()
}

// rate returns what was counted per second within the window, or since the meter began when that is less.
func (m *meter) rate(now time.Time, window time.Duration) float64 {
	m.advance(now)
	seconds, sum := int64(window/time.Second), int64(0)
	for s := max(0, m.last-seconds+1); s <= m.last; s++ {
		sum += m.slots[s%meterSlots]
	}
	// The newest slot covers only the part of its second that has passed.
	elapsed := now.Sub(m.began)
	span := min(elapsed, window-time.Second+elapsed%time.Second)
	return float64(sum) / max(span, time.Second).Seconds()
}
