package monitor

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"wherry/pkg/state"
)

// maxListed is how many tables a status names before it only counts them.
const maxListed = 10

// WriteStatus writes for people where the move stands and what to run next.
func WriteStatus(w io.Writer, s state.State, live Live) error {
	var b strings.Builder
	writeEnds(&b, s)
	writePhases(&b, s, live)
	writeTables(&b, s)
	writeReplica(&b, s.Positions, live.Now)
	if live.Spool > 0 {
		fmt.Fprintf(&b, "\nspool    %s bytes of the source's log are kept on this machine\n", Count(live.Spool))
	}
	writeLastVerify(&b, s.Verify, live.Now)
	writeRehearsal(&b, s, live.Now)
	writeCutover(&b, s.Cutover, live.Now)
	writeReverse(&b, s, live.Now)
	next := NextStep(s, live)
	if next.Command == "" {
		fmt.Fprintf(&b, "\n%s.\n", upperFirst(next.Text))
	} else {
		fmt.Fprintf(&b, "\nNext: %s\n  %s\n", next.Text, next.Command)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeEnds(b *strings.Builder, s state.State) {
	fmt.Fprintf(b, "move    %s\n", clean(s.Move))
	for _, end := range []struct {
		name string
		at   state.Server
	}{{"source", s.Source}, {"target", s.Target}} {
		if end.at != (state.Server{}) {
			fmt.Fprintf(b, "%s  %s\n", end.name, clean(strings.Join(strings.Fields(end.at.Flavor+" "+end.at.Version+" at "+end.at.Address()), " ")))
		}
	}
	b.WriteString("\n")
}

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

func writePhases(b *strings.Builder, s state.State, live Live) {
	var rows [][]string
	var errors []string
	for _, name := range phases(&s) {
		p := s.Phase(name)
		if p == nil {
			rows = append(rows, []string{name, "-"})
			continue
		}
		status := phaseStatus(p, live)
		rows = append(rows, []string{name, status, live.at(p.Started), live.took(p, status), p.Detail})
		if p.Error != "" {
			errors = append(errors, name+": "+p.Error)
		}
	}
	_ = WriteTable(b, []string{"PHASE", "STATUS", "STARTED", "TOOK", ""}, rows) // into memory
	for _, e := range errors {
		fmt.Fprintf(b, "\nerror    %s\n", clean(e))
	}
}

// What a state file does not call a phase.
const (
	statusKilled  = "killed"  // it still says running although nobody works on the move
	statusPending = "pending" // it never began
)

func phaseStatus(p *state.Phase, live Live) string {
	running := strings.TrimPrefix(live.Running, state.RunPrefix)
	switch {
	case p.Status != state.StatusRunning || running == p.Name:
		return p.Status
	case running == state.PhaseStartReplica && (p.Name == state.PhaseVerify || p.Name == state.PhaseCutover),
		running == state.ReversePrefix+state.PhaseStartReplica && strings.HasPrefix(p.Name, state.ReversePrefix):
		return p.Status // beside it, which the lock does not show
	}
	return statusKilled
}

func (l Live) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(l.Now.Location()).Format(time.DateTime)
}

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

func writeTables(b *strings.Builder, s state.State) {
	if len(s.Tables) == 0 {
		return
	}
	sum := sumTables(s.Tables)
	fmt.Fprintf(b, "\ntables   %d of %d copied, %s", sum.Copied, sum.Total, rowsOf(sum.Rows, sum.RowsEstimate))
	if part := share(sum.Rows, sum.RowsEstimate); part >= 0 && sum.Copied < sum.Total {
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
		fmt.Fprintf(b, "         and %s\n", plural(more, "more table"))
	}
}

func rowsOf(rows, estimate int64) string {
	if estimate <= rows {
		return Count(rows) + " rows"
	}
	return Count(rows) + " of about " + Count(estimate) + " rows"
}

// tableSum adds tables up.
type tableSum struct {
	Total        int   `json:"total"`
	Copied       int   `json:"copied"`
	Rows         int64 `json:"rows"`
	RowsEstimate int64 `json:"rows_estimate"`
}

func sumTables(tables []state.Table) tableSum {
	sum := tableSum{Total: len(tables)}
	for _, t := range tables {
		sum.Rows += t.Rows
		if t.Status == state.TableCopied || t.Status == state.TableIndexed {
			sum.Copied++
			sum.RowsEstimate += t.Rows
		} else {
			sum.RowsEstimate += max(t.Rows, t.RowsEstimate)
		}
	}
	return sum
}

func writeReplica(b *strings.Builder, p state.Positions, now time.Time) {
	if p.Applied == "" {
		return
	}
	fmt.Fprintf(b, "replica  applied up to %s\n", clean(p.Applied))
	if p.Head != "" && p.Head != p.Applied {
		fmt.Fprintf(b, "         the source is at %s\n", clean(p.Head))
	}
	fmt.Fprintf(b, "         %s behind", Span(time.Duration(p.Lag)))
	if !p.AppliedAt.IsZero() {
		fmt.Fprintf(b, ", as of %s", ago(now, p.AppliedAt))
	}
	fmt.Fprintf(b, ", %s rows applied\n", Count(p.RowsApplied))
}

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
		fmt.Fprintf(b, "         %s: %d differing, %d missing, %d extra\n", clean(t.Table), t.Differing, t.Missing, t.Extra)
	}
	if listed > maxListed {
		fmt.Fprintf(b, "         and %s\n", plural(listed-maxListed, "more table"))
	}
}

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
	if c.Note != "" {
		fmt.Fprintf(b, "         %s\n", clean(c.Note))
	}
}

func ago(now, then time.Time) string {
	return Span(max(now.Sub(then), 0).Truncate(time.Second)) + " ago"
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
