package monitor

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"wherry/pkg/count"
)

const (
	maxLines   = 12              // of the block; more would push the log off a small terminal
	minBar     = 6               // columns; a shorter bar shows nothing
	maxBar     = 40              // columns
	minLabel   = 8               // columns for names
	staleAfter = 5 * time.Second // without news of the replica before "no news for .." is shown
)

// style is how the progress is drawn.
type style struct {
	width, lines int
	color, ascii bool
}

// bar is a line with a bar in it.
type bar struct {
	label  string
	part   float64   // of 1; negative is unknown, and leaves the bar out
	fields [3]string // rows, speed, time left
}

// silent tells that there is nothing to draw: no phase has begun.
func (s *Snapshot) silent() bool {
	return s.Step == "" && len(s.Tables) == 0 && s.Replica.At.IsZero() && s.Note == ""
}

// hasTables tells whether the step goes from table to table.
func (s *Snapshot) hasTables() bool {
	return len(s.Tables) > 0 && (s.countsRows() || s.Step == StepIndex)
}

// countsRows tells whether rows are the measure of the step. Of indexes, tables are counted.
func (s *Snapshot) countsRows() bool {
	return s.Step == StepCopy || s.Step == StepVerify || s.Step == StepScan
}

// hasReplica tells whether changes are applied during the step.
func (s *Snapshot) hasReplica() bool {
	return !s.Replica.At.IsZero() && s.Step != StepCopy && s.Step != StepIndex
}

// part returns how much of the step is done, from 0 to 1; -1 is unknown.
func (s *Snapshot) part() float64 {
	switch {
	case len(s.Tables) == 0:
		return -1
	case s.TablesDone == len(s.Tables):
		return 1
	case s.Step == StepIndex:
		return float64(s.TablesDone) / float64(len(s.Tables))
	case s.unsure:
		return -1
	}
	return share(s.Rows, s.Estimate)
}

// share returns rows/estimate, at most 0.999: 100 % is shown only for what is reported as finished. It is -1 (unknown)
// if there are more rows than expected already: any percentage would be wrong.
func share(rows, estimate int64) float64 {
	if estimate <= 0 || rows >= estimate {
		return -1
	}
	return min(float64(rows)/float64(estimate), 0.999)
}

// block draws the progress; its lines are no wider than the style says.
func (l style) block(s Snapshot) []string {
	if s.silent() || l.lines < 1 {
		return nil
	}
	below := l.below(s)
	bars, more := s.bars(l.lines - 1 - len(below))
	lines := l.bars(append(bars, s.overall()))
	if more > 0 {
		lines = slices.Insert(lines, len(bars), l.faint(fit(fmt.Sprintf("and %s", count.Of(more, "more table")),
			l.width)))
	}
	lines = append(lines, below...)
	return lines[max(len(lines)-l.lines, 0):]
}

// last draws what stays on the screen: the whole step, with its average speed and how long it took.
func (l style) last(s Snapshot) []string {
	if s.silent() {
		return nil
	}
	s.ETA, s.Note, s.Rate = 0, "", s.average
	b := s.overall()
	b.fields[2] = "in " + Span(time.Duration(s.Elapsed))
	return append(l.bars([]bar{b}), l.below(s)...)
}

// bars returns the tables at work, at most as many as fit into the lines, and how many more there are. Those are left
// out that have not moved for longest.
func (s *Snapshot) bars(lines int) (bars []bar, more int) {
	var active []*TableProgress
	for i := range s.Tables {
		t := &s.Tables[i]
		if s.countsRows() && !t.Finished && !t.touched.IsZero() && (s.Step != StepVerify || t.Compared > 0) {
			active = append(active, t)
		}
	}
	if len(active) > max(lines, 0) {
		lines = max(lines-1, 0) // one says how many more there are
		latest := slices.Clone(active)
		slices.SortStableFunc(latest, func(a, b *TableProgress) int { return b.touched.Compare(a.touched) })
		latest, more = latest[:lines], len(active)-lines
		active = slices.DeleteFunc(active, func(t *TableProgress) bool { return !slices.Contains(latest, t) })
	}
	for _, t := range active {
		b := bar{
			label: clean(t.Table), part: share(t.in(s.Step), t.Estimate),
			fields: numbers(t.in(s.Step), t.Rate, time.Duration(t.ETA)),
		}
		if t.Differing > 0 {
			b.label += fmt.Sprintf(" (%s differ)", Count(t.Differing))
		}
		bars = append(bars, b)
	}
	return bars, more
}

// overall returns the line for the whole step.
func (s *Snapshot) overall() bar {
	b := bar{label: s.title(), part: -1}
	if s.hasTables() {
		b.label += fmt.Sprintf(" %d/%s", s.TablesDone, count.Of(len(s.Tables), "table"))
		b.part = s.part()
	}
	switch {
	case s.countsRows():
		b.fields = numbers(s.Rows, s.Rate, time.Duration(s.ETA))
	case s.hasReplica():
		b.fields = numbers(s.Replica.Rows, s.Replica.Rate, 0)
	}
	if !s.countsRows() {
		b.fields[2] = "for " + Span(time.Duration(s.Elapsed).Truncate(time.Second))
	}
	return b
}

// title names the step for people.
func (s *Snapshot) title() string {
	switch s.Step {
	case "":
		return "progress"
	case StepReplay:
		return "replay changes"
	case StepIndex:
		return "build indexes"
	}
	return clean(s.Step)
}

// numbers are the fields of a bar: rows, speed, and the time left if it is known.
func numbers(rows, rate int64, eta time.Duration) [3]string {
	out := [3]string{Counted(rows, "row"), Count(rate) + " rows/s", ""}
	if eta > 0 {
		out[2] = "eta " + Span(eta)
	}
	return out
}

// below returns the lines under the bars: differences, the replica and the note.
func (l style) below(s Snapshot) []string {
	var lines []string
	if s.Step == StepVerify && s.Differing != 0 {
		lines = append(lines, fit(count.Of(s.Differing, "row")+" differing so far", l.width))
	}
	if r := s.Replica; s.hasReplica() {
		text := Span(time.Duration(r.Lag)) + " behind"
		if r.CaughtUp {
			text = "caught up"
		}
		if age := time.Duration(r.Age); age >= staleAfter {
			text += ", no news for " + Span(age)
		}
		lines = append(lines, fit(clean(text+", at "+r.Position), l.width))
	}
	if s.Note != "" {
		lines = append(lines, fit(clean(s.Note), l.width))
	}
	return lines
}

// bars draws lines with their columns below one another. What does not fit is left out: first the time left, then the
// speed, the rows, the percentage, and last the bar. The label always stays: a line without a name says nothing.
func (l style) bars(bars []bar) []string {
	columns, drawn := columnsOf(bars)
	label, room := minLabel, 0
	for _, b := range bars {
		label = max(label, cells(b.label))
	}
	// Tables' names are shortened if they are long; the label of the last line, the whole step, is not.
	label = min(label, max(l.width*3/10, minLabel, cells(bars[len(bars)-1].label)), l.width)
	for ; ; columns = columns[:len(columns)-1] {
		room = l.width - label - 2
		for _, c := range columns {
			room -= c.width + 2
		}
		if room >= minBar || len(columns) == 0 {
			break
		}
	}
	size := min(room, maxBar)
	if drawn = drawn && size >= minBar; !drawn && len(columns) == 0 {
		label = l.width
	}

	lines := make([]string, 0, len(bars))
	for i, b := range bars {
		parts := []string{pad(fit(b.label, label), label, false)}
		if i == len(bars)-1 {
			parts[0] = l.strong(parts[0])
		}
		if drawn {
			parts = append(parts, l.bar(b.part, size))
		}
		for _, c := range columns {
			parts = append(parts, pad(c.texts[i], c.width, true))
		}
		lines = append(lines, strings.TrimRight(strings.Join(parts, "  "), " "))
	}
	return lines
}

// column is what stands right of the bars, a text for each.
type column struct {
	width int
	texts []string
}

// columnsOf returns the columns that are not empty. Each has a least width that is enough for most texts, so that
// columns rarely move while numbers grow. drawn tells whether any line has a bar.
func columnsOf(bars []bar) (columns []column, drawn bool) {
	for j, width := range []int{4, 11, 13, 10} {
		c, empty := column{width: width}, true
		for _, b := range bars {
			text := percentText(b.part)
			if j > 0 {
				text = b.fields[j-1]
			}
			c.texts = append(c.texts, text)
			c.width = max(c.width, cells(text))
			empty = empty && text == ""
			drawn = drawn || b.part >= 0
		}
		if !empty {
			columns = append(columns, c)
		}
	}
	return columns, drawn
}

// percentText is "" for an unknown part.
func percentText(part float64) string {
	if part < 0 {
		return ""
	}
	return fmt.Sprintf("%d%%", percent(part))
}

func percent(part float64) int { return int(max(part, 0) * 100) }

// bar draws a bar in eighths of a column, or a blank one if the part is unknown. An ASCII terminal gets # and -.
func (l style) bar(part float64, size int) string {
	if part < 0 {
		return strings.Repeat(" ", size)
	}
	if l.ascii {
		full := int(part * float64(size))
		return strings.Repeat("#", full) + strings.Repeat("-", size-full)
	}
	eighths := int(math.Floor(part * float64(size) * 8))
	text := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		text += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return l.paint("36", text) + l.faint(strings.Repeat("░", size-cells(text)))
}

// strong and faint are bold and dim, without colours plain text.
func (l style) strong(s string) string { return l.paint("1", s) }
func (l style) faint(s string) string  { return l.paint("2", s) }

// paint puts text between the terminal's codes for a colour and for its end.
func (l style) paint(code, s string) string {
	if !l.color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
