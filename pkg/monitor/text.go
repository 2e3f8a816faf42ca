package monitor

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// clean makes text that came from outside safe for a terminal and a single line: white space becomes a blank, other
// control and formatting characters a question mark. A table may be named with an escape code that clears the screen.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s)
}

// cells returns how many columns a terminal needs for text; colours need none.
func cells(s string) int {
	n, escape := 0, false
	for _, r := range s {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		default:
			n += runeCells(r)
		}
	}
	return n
}

// runeCells returns the columns of one character: 0 for combining marks, 2 for wide ones such as 表.
func runeCells(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// fit shortens text to at most n columns, taking away its middle: both ends of a name or position tell more.
func fit(s string, n int) string {
	if cells(s) <= n {
		return s
	}
	const mark = "..."
	if n <= len(mark) {
		return cut([]rune(s), n)
	}
	head := cut([]rune(s), (n-len(mark))/2)
	back := []rune(s)
	tail, left := len(back), n-len(mark)-cells(head)
	for tail > 0 && left >= runeCells(back[tail-1]) {
		tail--
		left -= runeCells(back[tail])
	}
	return head + mark + string(back[tail:])
}

// cut returns as many characters from the front as fit into n columns.
func cut(s []rune, n int) string {
	for i, r := range s {
		if n -= runeCells(r); n < 0 {
			return string(s[:i])
		}
	}
	return string(s)
}

// pad fills text up to n columns, on its left when right is set.
func pad(s string, n int, right bool) string {
	fill := strings.Repeat(" ", max(n-cells(s), 0))
	if right {
		return fill + s
	}
	return s + fill
}

// wrap breaks text between words into lines of at most n columns; a longer word gets a line of its own. n below 1
// is no limit.
func wrap(s string, n int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(clean(s)) {
		switch {
		case line == "":
			line = word
		case n > 0 && cells(line)+1+cells(word) > n:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
