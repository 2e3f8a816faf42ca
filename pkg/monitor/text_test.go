package monitor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCells(t *testing.T) {
	assert.Equal(t, 6, cells("\x1b[1mörders\x1b[0m"))
	assert.Equal(t, 6, cells("注文.a"))
	assert.Equal(t, 1, cells("e\u0301"))
}

func TestClean(t *testing.T) {
	assert.Equal(t, "a b ?[2Jc ? ö", clean("a\nb\t\x1b[2Jc \u202e ö"))
}

func TestFit(t *testing.T) {
	assert.Equal(t, "orders", fit("orders", 6))
	assert.Equal(t, "shop...tory", fit("shop.orders_history", 11))
	assert.Equal(t, "sh", fit("shop.orders", 2))
	assert.Empty(t, fit("shop", 0))
	assert.Equal(t, "注...録", fit("注文と在庫の記録", 7))
	for n := range 20 {
		assert.LessOrEqual(t, cells(fit("注文と在庫の記録.items_and_more", n)), n)
	}
}

func TestWrap(t *testing.T) {
	assert.Equal(t, []string{"one two", "three", "extraordinarily", "x"}, wrap("one two\nthree  extraordinarily x", 9))
	assert.Equal(t, []string{"one two three"}, wrap("one two three", 0))
	assert.Equal(t, []string{""}, wrap(" ", 9))
}

// TestWrapLines: lines are broken between words, commands are not.
func TestWrapLines(t *testing.T) {
	for _, c := range []struct {
		title, text, want string
		width             int
	}{
		{"no limit", "one two three\n", "one two three\n", 0},
		{"it fits", "one two three\n", "one two three\n", 13},
		{
			"between words", "  a line that is longer than it may be\n",
			"  a line that is longer\n      than it may be\n",
			30,
		},
		{
			"a command stays whole", "wherry: mend it and go on: wherry start-replica --config a-long-name.yaml\n",
			"wherry: mend it and go on:\n    wherry start-replica --config a-long-name.yaml\n", 40,
		},
		{
			"a command by itself", "  wherry start-replica --config a-long-name.yaml\n",
			"  wherry start-replica --config a-long-name.yaml\n", 20,
		},
		{
			"behind a label", "  10   the state file belongs to another move\n",
			"  10   the state file\n       belongs to another\n       move\n", 27,
		},
		{
			"a long word", "x 0123456789012345678901234567890123456789 y\n",
			"x\n    0123456789012345678901234567890123456789\n    y\n", 30,
		},
		{"an empty line", "\n\n", "\n\n", 30},
	} {
		assert.Equal(t, c.want, Wrap(c.text, c.width), c.title)
	}
}

// TestReflow: prose fills the lines, what is indented keeps its place.
func TestReflow(t *testing.T) {
	assert.Equal(t, "one two three four five\nsix\n\n  a  list of many good\n     things\n",
		Reflow("one\ntwo three\nfour five six\n\n  a  list of many good things\n", 25))
	assert.Equal(t, "one\ntwo\n", Reflow("one\ntwo\n", 0))
}

// TestNarrowStatus: nothing but commands is wider than the terminal, whose own wrapping would break words and tables.
func TestNarrowStatus(t *testing.T) {
	for name, m := range moves() {
		for _, width := range []int{40, 60, 80} {
			m.live.Width = width
			var b strings.Builder
			require.NoError(t, WriteStatus(&b, m.state, m.live))
			for line := range strings.Lines(b.String()) {
				line = strings.TrimSuffix(line, "\n")
				if !strings.HasPrefix(strings.TrimSpace(line), "wherry ") {
					assert.LessOrEqual(t, cells(line), width, "%s: %q", name, line)
				}
			}
			assert.Contains(t, strings.Join(strings.Fields(b.String()), " "), NextStep(m.state, m.live).Text,
				"%s: whole, in lines", name)
		}
	}
}
