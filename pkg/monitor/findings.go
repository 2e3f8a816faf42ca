package monitor

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"wherry/pkg/count"
	"wherry/pkg/db"
)

// WriteFindings writes what the checks found, failures first, each with its fix beneath. The text is wrapped to the
// width (below 1: not at all). Checks that are ok are written only when all is set.
func WriteFindings(w io.Writer, findings []db.Finding, width int, all bool) error {
	sorted := slices.Clone(findings)
	slices.SortStableFunc(sorted, func(a, b db.Finding) int { return rank(a.Level) - rank(b.Level) })
	var b strings.Builder
	for _, f := range sorted {
		if f.Level != db.OK || all {
			writeFinding(&b, f, width)
		}
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Tally sums findings up: "3 failed, 1 warning, 24 ok".
func Tally(findings []db.Finding) string {
	counts := [3]int{}
	for _, f := range findings {
		counts[rank(f.Level)]++
	}
	return fmt.Sprintf("%d failed, %s, %d ok", counts[0], count.Of(counts[1], "warning"), counts[2])
}

// rank puts failures first. An unknown level counts as a failure: a new level must not be hidden by an old rule.
func rank(level db.Level) int {
	switch level {
	case db.OK:
		return 2
	case db.Warn:
		return 1
	default:
		return 0
	}
}

// writeFinding writes one finding: an OK one in one line if it fits, others with their text and fix below.
func writeFinding(b *strings.Builder, f db.Finding, width int) {
	const indent = "      "
	label := map[bool]string{true: strings.ToUpper(string(f.Level)), false: string(f.Level)}[f.Level != db.OK]
	head := fmt.Sprintf("%-4s  %s", clean(label), clean(f.Check))
	if f.End != "" {
		head += " (" + clean(f.End) + ")"
	}
	if f.Subject != "" {
		head += " " + clean(f.Subject)
	}
	if f.Level == db.OK && f.What != "" && (width < 1 || cells(head)+2+cells(clean(f.What)) <= width) {
		b.WriteString(head + ": " + clean(f.What) + "\n")
		return
	}
	b.WriteString(head + "\n")
	writeWrapped(b, indent, "", f.What, width)
	writeWrapped(b, indent, "fix: ", f.Fix, width)
}

// writeWrapped writes text that hangs behind its label.
func writeWrapped(b *strings.Builder, indent, label, text string, width int) {
	if strings.TrimSpace(text) == "" {
		return
	}
	room := 0
	if width > 0 {
		room = max(width-len(indent)-len(label), 20)
	}
	for i, line := range wrap(text, room) {
		if i > 0 {
			label = strings.Repeat(" ", len(label))
		}
		b.WriteString(indent + label + line + "\n")
	}
}
