package monitor

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
)

func newScreen(width int) (*screen, *bytes.Buffer) {
	var out bytes.Buffer
	return &screen{out: &out, width: func() int { return width }}, &out
}

func taken(b *bytes.Buffer) string {
	defer b.Reset()
	return b.String()
}

func TestScreenPutsLogLinesAboveTheBlock(t *testing.T) {
	s, out := newScreen(20)
	write := func(text string) {
		n, err := s.Write([]byte(text))
		require.NoError(t, err)
		assert.Equal(t, len(text), n)
	}
	write("before ")
	assert.Equal(t, "before ", taken(out))
	s.draw([]string{"one", "two"})
	assert.Equal(t, "\r\x1b[?7lone\x1b[K\ntwo\x1b[K\n\x1b[?7h\x1b[J", taken(out))
	write("hal")
	assert.Empty(t, taken(out), "the end of the line is still to come")
	write("f\nnext")
	assert.Equal(t, "\r\x1b[1A\x1b[2K\x1b[1A\x1b[2Khalf\n\x1b[?7lone\x1b[K\ntwo\x1b[K\n\x1b[?7h\x1b[J", taken(out))
	s.draw([]string{"three"})
	assert.Equal(t, "\r\x1b[2A\x1b[?7lthree\x1b[K\n\x1b[?7h\x1b[J", taken(out))
	s.finish([]string{"end"})
	assert.Equal(t, "\r\x1b[1A\x1b[?7lnext\x1b[K\nend\x1b[K\n\x1b[?7h\x1b[J", taken(out))
	write("after\n")
	assert.Equal(t, "after\n", taken(out))
}

func TestScreenThatBecameNarrower(t *testing.T) {
	s, out := newScreen(20)
	s.draw([]string{strings.Repeat("x", 19), "\x1b[1m" + strings.Repeat("y", 10) + "\x1b[0m"})
	taken(out)
	s.width = func() int { return 10 }
	s.draw(nil)
	assert.Equal(t, "\r"+strings.Repeat("\x1b[1A\x1b[2K", 3), taken(out))
}

func TestScreenKeepsLongPartsBounded(t *testing.T) {
	s, out := newScreen(20)
	s.draw(nil)
	for range 100 {
		_, err := s.Write(bytes.Repeat([]byte("x"), 1<<10))
		require.NoError(t, err)
	}
	assert.Greater(t, out.Len(), maxPartial)
	assert.LessOrEqual(t, len(s.partial), maxPartial)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestBrokenTerminalStopsNothing(t *testing.T) {
	s := &screen{out: broken{}, width: func() int { return 0 }}
	s.draw([]string{"one"})
	_, err := s.Write([]byte("x\n"))
	require.EqualError(t, err, "gone")
	s.finish([]string{"two"})
}

func TestRunOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := NewProgress(Options{Out: &out, Terminal: true, NoColor: true})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { p.Run(ctx); close(ended) }()
		p.Expect(shop("orders"), 10)
		p.Step(StepCopy)
		p.Chunk(shop("orders"), db.Loaded{}, false)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.GreaterOrEqual(t, strings.Count(out.String(), "copy 0/1 table"), 9)
		taken(&out)
		p.Chunk(shop("orders"), db.Loaded{Rows: 9, Bytes: 1}, true)
		p.Table(shop("orders"), "copied")
		p.Step(StepIndex)
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		assert.Equal(t, 1, strings.Count(out.String(), "copy 1/1 table  █████████████████  100%       9 rows       5 "+
			"rows/s       in 2s\n"))
		taken(&out)
		cancel()
		<-ended
		assert.Equal(t, "\r\x1b[1A\x1b[?7lbuild indexes 0/1 table  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░    0%     in "+
			"1.5s\x1b[K\n\x1b[?7h\x1b[J", out.String())
	})
}
