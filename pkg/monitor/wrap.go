package monitor

import (
	"regexp"
	"strings"
)

// label is what a line begins with before its text, such as a name and two blanks: what follows hangs behind it.
var label = regexp.MustCompile(`^ *\S+( \S+)? {2,}`)

// Wrap breaks lines that are longer than n columns between words. What follows hangs behind the line's label, or four
// columns in. A command (from the word wherry on, behind a colon or at the beginning) is left whole on a line of its
// own, to be copied. n below 1 is no limit.
func Wrap(text string, n int) string {
	if n < 1 {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		wrapLine(&b, strings.TrimSuffix(line, "\n"), n)
	}
	return b.String()
}

// wrapLine writes one line, broken if it is too long.
func wrapLine(b *strings.Builder, line string, n int) {
	if trimmed := strings.TrimLeft(line, " "); cells(line) <= n || strings.HasPrefix(trimmed, "wherry ") {
		b.WriteString(line + "\n")
		return
	}
	command := ""
	if at := strings.LastIndex(line, ": wherry "); at > 0 {
		line, command = line[:at+1], line[at+2:]
	}
	first := label.FindString(line)
	if cells(first) > n/2 {
		first = ""
	}
	hang := strings.Repeat(" ", cells(first))
	if first == "" {
		first = line[:len(line)-len(strings.TrimLeft(line, " "))]
		hang = first + "    "
		n -= 4 // of the first line too: it is no wider than the others
	}
	for _, part := range wrap(strings.TrimLeft(line[len(first):], " "), max(n-cells(first), 20)) {
		b.WriteString(first + part + "\n")
		first = hang
	}
	if command != "" {
		b.WriteString(hang + command + "\n")
	}
}

// Reflow is Wrap for prose: lines without indentation that follow one another are one paragraph.
func Reflow(text string, n int) string {
	if n < 1 {
		return text
	}
	var lines []string
	prose := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		plain := line != "" && !strings.HasPrefix(line, " ")
		if plain && prose {
			lines[len(lines)-1] += " " + line
		} else {
			lines = append(lines, line)
		}
		prose = plain
	}
	var b strings.Builder
	for _, line := range lines {
		if strings.HasPrefix(line, " ") || line == "" {
			wrapLine(&b, line, n)
			continue
		}
		b.WriteString(strings.Join(wrap(line, n), "\n") + "\n")
	}
	return b.String()
}
