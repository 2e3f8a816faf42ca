package monitor

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"wherry/pkg/count"
	"wherry/pkg/state"
)

// maxListed is how many tables a status names before it only counts them.
const maxListed = 10

// WriteStatus writes for people where the move stands: first what there is of it, then what is true now, what is wrong,
// and what to do next.
func WriteStatus(w io.Writer, s state.State, live Live) error {
	var b strings.Builder
	stand := StandOf(s, live)
	writeEnds(&b, s, live)
	writePhases(&b, s, live)
	writeTables(&b, s)
	writeReplica(&b, factsOf(&s, live), &s.Positions, "")
	if live.Spool > 0 {
		fmt.Fprintf(&b, "\nspool    %s bytes of the source's log are kept on this machine\n", Count(live.Spool))
	}
	writeLastVerify(&b, s.Verify, live.Now)
	writeRehearsal(&b, s, live.Now)
	writeCutover(&b, s.Cutover, live.Now)
	writeReverse(&b, s, live)
	// Tables are cut to the width, the sentences at the end are wrapped: those have to be read whole.
	text := fitLines(b.String(), live.Width)
	b.Reset()
	writeStand(&b, stand, live)
	_, err := io.WriteString(w, text+Wrap(b.String(), live.Width))
	return err
}

// fitLines cuts lines that are wider than the terminal and marks them with ~. Wrapped, the columns of tables would be
// unreadable.
func fitLines(text string, n int) string {
	if n < 1 {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if cells(line) > n {
			line = cut([]rune(line), n-1) + "~"
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// writeStand writes what is true now, what is wrong and what to do. It comes last, right above the prompt, where people
// look first.
func writeStand(b *strings.Builder, stand Stand, live Live) {
	fmt.Fprintf(b, "\nNow:   %s", clean(stand.Now))
	if !stand.Since.IsZero() {
		fmt.Fprintf(b, " (since %s, %s)", live.at(stand.Since), ago(live.Now, stand.Since))
	}
	b.WriteString("\n")
	for _, wrong := range stand.Wrong {
		fmt.Fprintf(b, "Wrong: %s\n", wrong)
	}
	fmt.Fprintf(b, "Next:  %s\n", stand.Next.Text)
	if stand.Next.Command != "" {
		fmt.Fprintf(b, "  %s\n", stand.Next.Command)
	}
}

// writeEnds writes the move and its two servers, with whether they answer.
func writeEnds(b *strings.Builder, s state.State, live Live) {
	fmt.Fprintf(b, "move    %s\n", clean(s.Move))
	for _, end := range []struct {
		name string
		at   state.Server
		says End
	}{{"source", s.Source, live.Source}, {"target", s.Target, live.Target}} {
		if end.at == (state.Server{}) && !end.says.Asked {
			continue
		}
		line := strings.Join(strings.Fields(end.at.Flavor+" "+end.at.Version), " ")
		if address := end.at.Address(); address != "" {
			line += " at " + address
		}
		fmt.Fprintf(b, "%s  %s\n", end.name, clean(strings.TrimPrefix(line+end.says.answer(), ", ")))
	}
	b.WriteString("\n")
}

// answer says whether a server answers, "" when nobody has asked it.
func (e End) answer() string {
	switch {
	case !e.Asked:
		return ""
	case e.silent():
		return ", does not answer"
	}
	return ", answers"
}

// phases are the names of all phases in their order, those of the way back once it was begun.
func phases(s *state.State) []string {
	names := []string{
		state.PhaseCheck, state.PhaseInitSchema, state.PhaseInitCopy,
		state.PhaseStartReplica, state.PhaseVerify, state.PhaseCutover,
	}
	if s.Turned() {
		names = append(names, reversePhases()...)
	}
	return names
}

// writePhases writes a line for each phase. The error of an attempt is not shown here: the last failure that matters is
// in the lines at the end, and older ones would only confuse.
func writePhases(b *strings.Builder, s state.State, live Live) {
	var rows [][]string
	failure := factsOf(&s, live).failure()
	for _, name := range phases(&s) {
		p := s.Phase(name)
		if p == nil {
			rows = append(rows, []string{name, "-"})
			continue
		}
		status := phaseStatus(p, live)
		detail := p.Detail
		if p.Status == state.StatusFailed && (failure == nil || failure.Name != p.Name) {
			detail = "an earlier failure"
		}
		if p.Attempts > 1 {
			detail = strings.TrimSuffix(fmt.Sprintf("attempt %d, the first %s; %s", p.Attempts, ago(live.Now, p.Begun),
				detail), "; ")
		}
		rows = append(rows, []string{name, status, live.at(p.Started), live.took(p, status), detail})
	}
	_ = WriteTable(b, []string{"PHASE", "STATUS", "STARTED", "TOOK", ""}, rows) // into memory
}

// What a state file does not call a phase.
const (
	statusKilled  = "killed"  // it still says running although nobody works on the move
	statusPending = "pending" // it never began
)

// phaseStatus is the recorded status, unless the record says running and nobody holds the lock for it: then killed.
func phaseStatus(p *state.Phase, live Live) string {
	running := strings.TrimPrefix(live.Running, state.RunPrefix)
	switch {
	case p.Status != state.StatusRunning || running == p.Name:
		return p.Status
	case live.Beside == p.Name:
		return p.Status
	}
	return statusKilled
}

// at writes a time in the reader's time zone; "" for none.
func (l Live) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(l.Now.Location()).Format(time.DateTime)
}

// took is how long a phase took, or takes so far; "" if it was killed, since its end is unknown.
func (l Live) took(p *state.Phase, status string) string {
	switch {
	case p.Started.IsZero():
		return ""
	case !p.Finished.IsZero():
		return Span(p.Finished.Sub(p.Started))
	case status == state.StatusRunning:
		return Span(max(l.Now.Sub(p.Started), 0).Truncate(time.Second)) + " so far"
	}
	return ""
}

// writeTables sums the tables up and lists those that are being copied.
func writeTables(b *strings.Builder, s state.State) {
	if len(s.Tables) == 0 {
		return
	}
	sum := sumTables(s.Tables)
	fmt.Fprintf(b, "\ntables   %d of %d copied, %s", sum.Copied, sum.Total, rowsOf(sum.Rows, sum.RowsEstimate))
	if part := share(sum.Rows, sum.RowsEstimate); part >= 0 && sum.Copied < sum.Total && !sum.unsure {
		fmt.Fprintf(b, " (%d%%)", percent(part))
	}
	b.WriteString("\n")
	var rows [][]string
	for _, t := range s.Tables {
		if t.Status == state.TableCopying {
			rows = append(rows, []string{
				"       ", t.Source, rowsOf(t.Rows, t.RowsEstimate),
				strconv.Itoa(t.ChunksDone) + "/" + strconv.Itoa(t.Chunks) + " chunks",
			})
		}
	}
	_ = WriteTable(b, nil, rows[:min(len(rows), maxListed)]) // into memory
	if more := len(rows) - maxListed; more > 0 {
		fmt.Fprintf(b, "         and %s\n", count.Of(more, "more table"))
	}
}

// rowsOf leaves the estimate out once it is reached: "12 of about 10 rows" would look like a mistake.
func rowsOf(rows, estimate int64) string {
	if estimate <= rows {
		return Counted(rows, "row")
	}
	return Count(rows) + " of about " + Count(estimate) + " rows"
}

// tableSum adds tables up.
type tableSum struct {
	Total        int
	Copied       int
	Rows         int64
	RowsEstimate int64
	unsure       bool // a table has more rows than were expected
}

// sumTables adds tables up. The estimate of a copied table is its real number of rows.
func sumTables(tables []state.Table) tableSum {
	sum := tableSum{Total: len(tables)}
	for _, t := range tables {
		sum.Rows += t.Rows
		if t.Status == state.TableCopied || t.Status == state.TableIndexed {
			sum.Copied++
			sum.RowsEstimate += t.Rows
		} else {
			sum.RowsEstimate += max(t.Rows, t.RowsEstimate)
			sum.unsure = sum.unsure || t.Rows > t.RowsEstimate
		}
	}
	return sum
}

// writeReplica writes how far changes are applied, of one direction (prefix).
func writeReplica(b *strings.Builder, f *facts, p *state.Positions, prefix string) {
	if p.Applied == "" {
		return
	}
	fmt.Fprintf(b, "replica  applied up to %s\n", clean(p.Applied))
	over := prefix == "" && f.s.Over() || prefix != "" && f.s.Back()
	if p.Head != "" && p.Head != p.Applied && !over {
		fmt.Fprintf(b, "         the source is at %s\n", clean(p.Head))
	}
	said := ""
	if !p.AppliedAt.IsZero() {
		said = "last said " + ago(f.Now, p.AppliedAt)
	}
	if !over {
		said = strings.TrimSuffix(f.lagOf(p, f.follows() && f.prefix == prefix).String()+", "+said, ", ")
	}
	if said != "" {
		fmt.Fprintf(b, "         %s\n", said)
	}
}

// writeLastVerify writes the last comparison, and up to maxListed tables that differ.
func writeLastVerify(b *strings.Builder, v state.Verify, now time.Time) {
	if v.Started.IsZero() && len(v.Tables) == 0 {
		return
	}
	fmt.Fprintf(b, "verify   %s", sumVerify(v))
	if v.Mode != "" {
		fmt.Fprintf(b, " (%s)", clean(v.Mode))
	}
	if !v.Finished.IsZero() {
		fmt.Fprintf(b, ", %s", ago(now, v.Finished))
	}
	b.WriteString("\n")
	listed := 0
	for _, t := range v.Tables {
		if !differs(t) {
			continue
		}
		if listed++; listed > maxListed {
			continue
		}
		fmt.Fprintf(b, "         %s: %d differing, %d missing, %d extra\n", clean(t.Table), t.Differing, t.Missing,
			t.Extra)
	}
	if listed > maxListed {
		fmt.Fprintf(b, "         and %s\n", count.Of(listed-maxListed, "more table"))
	}
}

// writeCutover writes how far a cutover is or was; nothing before one began.
func writeCutover(b *strings.Builder, c state.Cutover, now time.Time) {
	if c.Step == "" && !c.Done {
		return
	}
	text := "began, its last step is " + c.Step
	if c.Done {
		text = "done"
	}
	if !c.FencedAt.IsZero() {
		text += ", fenced " + ago(now, c.FencedAt)
	}
	if c.FenceKind != "" {
		text += " by " + c.FenceKind
	}
	if c.Blocked > 0 {
		text += ", writes were blocked for " + Span(time.Duration(c.Blocked))
	}
	fmt.Fprintf(b, "cutover  %s\n", clean(text))
	if c.Note != "" && c.Note != "sealed" { // which the lines at the end tell
		fmt.Fprintf(b, "         %s\n", clean(c.Note))
	}
}

// ago writes how long something is past. A time in the future, by a clock that differs, counts as now.
func ago(now, then time.Time) string {
	return Span(max(now.Sub(then), 0).Truncate(time.Second)) + " ago"
}
