package monitor

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

// maxPartial is how much of a log line is kept back for its end to arrive.
const maxPartial = 64 << 10

// screen is a terminal with a block of lines at its end that is redrawn in place. The cursor rests below the block.
// Everything that goes to this terminal has to go through Write: a line from elsewhere would be overwritten.
type screen struct {
	out   io.Writer
	width func() int

	mu      sync.Mutex
	live    bool     // a block may stand
	block   []string // as last drawn
	partial []byte   // a log line without its end
}

// Write puts whole lines above the block. While no block is shown it passes on what it gets. A line without its end is
// held back until the rest arrives, or until it is larger than maxPartial.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.live {
		return s.out.Write(p)
	}
	s.partial = append(s.partial, p...)
	whole := bytes.LastIndexByte(s.partial, '\n') + 1
	if whole == 0 && len(s.partial) > maxPartial {
		s.partial = append(s.partial, '\n')
		whole = len(s.partial)
	}
	if whole == 0 {
		return len(p), nil
	}
	text := string(s.partial[:whole])
	s.partial = append(s.partial[:0], s.partial[whole:]...)
	if err := s.above(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// keep puts a line above the block.
func (s *screen) keep(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.above(line + "\n")
}

// above writes text where the block stands, and the block below it.
func (s *screen) above(text string) error {
	var b strings.Builder
	b.WriteString(s.erase() + text)
	paint(&b, s.block)
	b.WriteString("\x1b[J")
	_, err := io.WriteString(s.out, b.String())
	return err
}

// draw replaces the block. A terminal that cannot be written to is no reason to stop.
func (s *screen) draw(block []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = true
	s.replace(block)
}

// finish replaces the block a last time and leaves it standing.
func (s *screen) finish(block []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.partial) > 0 {
		block = append([]string{string(s.partial)}, block...)
	}
	s.replace(block)
	s.live, s.block, s.partial = false, nil, nil
}

// replace draws a block over the one that stands. It overwrites line by line and clears only what is left below:
// clearing first would flicker.
func (s *screen) replace(block []string) {
	if len(block) == 0 && len(s.block) == 0 {
		return
	}
	var b strings.Builder
	if len(block) == 0 {
		b.WriteString(s.erase())
	} else {
		b.WriteString(s.top())
		paint(&b, block)
		b.WriteString("\x1b[J") // what is left of a taller block
	}
	_, _ = io.WriteString(s.out, b.String())
	s.block = block
}

// height returns how many lines of the terminal the block takes. If the window has become narrower since it was drawn,
// the terminal has broken its lines into more, and the cursor has to go up further.
func (s *screen) height() int {
	columns, n := max(s.width(), 1), 0
	for _, line := range s.block {
		n += max((cells(line)+columns-1)/columns, 1)
	}
	return n
}

// erase clears the block line by line. Clearing from the cursor to the end would be one code, but tmux puts a screen
// that is cleared from its first line into its history, and the block would fill that.
func (s *screen) erase() string {
	return "\r" + strings.Repeat("\x1b[1A\x1b[2K", s.height())
}

// top moves the cursor to the first line of the block.
func (s *screen) top() string {
	up := s.height()
	if up == 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA", up)
}

// paint writes lines without letting the terminal wrap them.
func paint(b *strings.Builder, lines []string) {
	if len(lines) == 0 {
		return
	}
	b.WriteString("\x1b[?7l")
	for _, line := range lines {
		b.WriteString(line + "\x1b[K\n")
	}
	b.WriteString("\x1b[?7h")
}
