package monitor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"wherry/pkg/db"
)

func drawn(l style, s Snapshot) string { return "\n" + strings.Join(l.block(s), "\n") + "\n" }

func TestBlockOfACopy(t *testing.T) {
	s := copying(newClock()).Snapshot()
	s.Note = "the source is slow\x1b[2J"
	assert.Equal(t, `
shop.orders      ████████████████▏░░░░░░░░░░   60%   1.2 M rows    40 k rows/s     eta 20s
shop.items       █░░░░░░░░░░░░░░░░░░░░░░░░░░    4%   400 k rows    80 k rows/s   eta 2m00s
copy 1/4 tables  ███▌░░░░░░░░░░░░░░░░░░░░░░░   13%   1.6 M rows   120 k rows/s   eta 1m27s
the source is slow?[2J
`, drawn(style{width: 90, lines: 12}, s))
	for width := 1; width < 130; width++ {
		for _, color := range []bool{false, true} {
			for _, line := range (style{width: width, lines: 12, color: color}).block(s) {
				assert.LessOrEqual(t, cells(line), width, "%q", line)
			}
		}
	}
}

func TestBlockOnNarrowAndPlainTerminals(t *testing.T) {
	s := copying(newClock()).Snapshot()
	assert.Equal(t, `
shop.orders      ########------   60%   1.2 M rows
shop.items       --------------    4%   400 k rows
copy 1/4 tables  #-------------   13%   1.6 M rows
`, drawn(style{width: 50, lines: 12, ascii: true}, s))
	assert.Equal(t, `
shop.orders
shop.items
copy...ables
`, drawn(style{width: 12, lines: 12}, s))
	assert.Contains(t, drawn(style{width: 90, lines: 12, color: true}, s), "\x1b[1mcopy 1/4 tables\x1b[0m  ")
	assert.NotContains(t, drawn(style{width: 90, lines: 12}, s), "\x1b")
}

func TestBlockOfManyTables(t *testing.T) {
	c := newClock()
	p := NewProgress(Options{Clock: c.read})
	p.Step(StepCopy)
	for i := range 30 {
		c.tick(time.Second)
		p.Chunk(shop(fmt.Sprintf("t%02d", (i*7)%30)), db.Loaded{}, false)
	}
	s := p.Snapshot()
	lines := style{width: 80, lines: 12}.block(s)
	assert.Len(t, lines, 12)
	assert.Equal(t, "and 20 more tables", lines[10])
	assert.Contains(t, lines[11], "copy 0/30 tables")
	assert.Contains(t, strings.Join(lines, "\n"), "shop.t23", "the table that moved last is shown")
	assert.Len(t, style{width: 80, lines: 5}.block(s), 5)
	assert.Len(t, style{width: 80, lines: 1}.block(s), 1)
	assert.Empty(t, style{width: 80, lines: 0}.block(s))
}

func TestBlockOfOtherSteps(t *testing.T) {
	c := newClock()
	p := copying(c)
	l := style{width: 80, lines: 12}
	p.Step(StepReplay)
	c.tick(time.Second)
	p.Replica("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23,"+strings.Repeat("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,",
		4)+":77", 1000, 1200, 12*time.Second, false)
	c.tick(time.Second)
	assert.Equal(t, `
replay changes     1 k rows     500 rows/s      for 2s
12s behind, at 3e11fa47-71ca-11e1-9e33...a47-71ca-11e1-9e33-c80aa9429562:1-5,:77
`, drawn(l, p.Snapshot()))

	p.Step(StepIndex)
	p.Table(shop("users"), "indexed")
	c.tick(65 * time.Second)
	assert.Equal(t, `
build indexes 1/4 tables  ██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░   25%   for 1m05s
`, drawn(style{width: 84, lines: 12}, p.Snapshot()))

	p.Verify(shop("orders"), 500_000, 2)
	p.Verify(shop("orders"), 500_000, 0)
	c.tick(8 * time.Second)
	assert.Equal(t, `
shop.orders (2 differ)  ███████░░░░░░░   50%     1 M rows  62.5 k rows/s     eta 16s
verify 0/4 tables       █▏░░░░░░░░░░░░    8%     1 M rows   125 k rows/s   eta 1m29s
2 rows differing so far
12s behind, no news for 1m14s, at 3e11fa...1fa47-71ca-11e1-9e33-c80aa9429562:1-5,:77
`, drawn(style{width: 84, lines: 12}, p.Snapshot()))

	p.Step("fence")
	p.Replica("a:1", 1000, 1000, 0, true)
	c.tick(7 * time.Second)
	assert.Equal(t, `
fence        1 k rows       0 rows/s      for 7s
caught up, no news for 7s, at a:1
`, drawn(l, p.Snapshot()))
}

func TestLastLines(t *testing.T) {
	c := newClock()
	p := copying(c)
	for _, name := range []string{"orders", "items", "empty"} {
		p.Table(shop(name), "copied")
	}
	c.tick(time.Second)
	p.Note("gone at the end")
	assert.Equal(t, []string{
		"copy 4/4 tables  ███████████████████████████  100%   1.6 M rows   100 k rows/s       in 6s",
	}, style{width: 90, lines: 12}.last(p.Snapshot()))
	assert.Empty(t, style{width: 90}.last(NewProgress(Options{}).Snapshot()))
}
