package monitor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// clock is a time that only moves when told to.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) read() time.Time      { return c.now }
func (c *clock) tick(d time.Duration) { c.now = c.now.Add(d) }

func shop(table string) schema.Name { return schema.Name{Database: "shop", Table: table} }

// observer is copy.Observer, which a leaf may not import.
type observer interface {
	Step(name string)
	Positions(start, consistent db.Position)
	Chunk(table schema.Name, loaded db.Loaded, done bool)
	Table(table schema.Name, step string)
}

var _ observer = (*Progress)(nil)

func copying(c *clock) *Progress {
	p := NewProgress(Options{Clock: c.read})
	p.Expect(shop("orders"), 2_000_000)
	p.Expect(shop("items"), 10_000_000)
	p.Expect(shop("users"), 500)
	p.Expect(shop("empty"), 0)
	p.Step(StepCopy)
	p.Positions("a:1-5", "")
	for _, name := range []string{"orders", "items", "users"} {
		p.Chunk(shop(name), db.Loaded{}, false)
		p.Chunk(shop(name), db.Loaded{}, false)
	}
	p.Chunk(shop("orders"), db.Loaded{Rows: 1_000_000}, true) // by an earlier run
	c.tick(5 * time.Second)
	p.Chunk(shop("orders"), db.Loaded{Rows: 200_000, Bytes: 1}, true)
	p.Chunk(shop("items"), db.Loaded{Rows: 400_000, Bytes: 1}, true)
	p.Chunk(shop("users"), db.Loaded{Rows: 700, Bytes: 1}, true)
	p.Table(shop("users"), "copied")
	return p
}

func TestSnapshot(t *testing.T) {
	c := newClock()
	p := copying(c)
	s := p.Snapshot()
	assert.Equal(t, StepCopy, s.Step)
	assert.Equal(t, state.Duration(5*time.Second), s.Elapsed)
	assert.Equal(t, db.Position("a:1-5"), s.Start)
	assert.Equal(t, int64(1_600_700), s.Rows)
	assert.Equal(t, int64(12_000_700), s.Estimate, "a finished table counts what it has, not what was expected")
	assert.Equal(t, int64(120_140), s.Rate, "without the rows of an earlier run")
	assert.Equal(t, 1, s.TablesDone)
	assert.Equal(t, state.Duration(87*time.Second), s.ETA)
	require.Len(t, s.Tables, 4)
	orders := s.Tables[0]
	orders.touched = time.Time{}
	assert.Equal(t, TableProgress{
		Table: "shop.orders", Rows: 1_200_000, Estimate: 2_000_000, Chunks: 2, ChunksDone: 2, Rate: 40_000,
		ETA: state.Duration(20 * time.Second),
	}, orders)
	assert.Equal(t, "copied", s.Tables[2].Step)
	assert.True(t, s.Tables[2].Finished)

	c.tick(20 * time.Second)
	s = p.Snapshot()
	assert.Zero(t, s.Rate)
	assert.Positive(t, s.ETA, "reckoned from the last minute")

	p.Step(StepIndex)
	p.Table(shop("users"), "indexed")
	s = p.Snapshot()
	assert.Equal(t, 1, s.TablesDone)
	assert.Equal(t, int64(1_600_700), s.Rows)
}

func TestVerifyCountsAnew(t *testing.T) {
	c := newClock()
	p := copying(c)
	for range 2 {
		p.Step(StepVerify)
		c.tick(time.Second)
		p.Verify(shop("orders"), 100, 3)
		p.Verify(shop("orders"), 100, -1)
		s := p.Snapshot()
		assert.Equal(t, int64(200), s.Rows)
		assert.Equal(t, int64(2), s.Differing)
		assert.Equal(t, int64(1_200_000), s.Tables[0].Rows)
	}
	p.Step(StepReplay)
	p.Verify(shop("orders"), 1, 0)
	assert.Equal(t, StepVerify, p.Snapshot().Step)
}

func TestReplica(t *testing.T) {
	c := newClock()
	p := NewProgress(Options{Clock: c.read})
	assert.True(t, p.Snapshot().Replica.At.IsZero())
	p.Replica("a:1-7", 0, 0, time.Minute, false)
	c.tick(2 * time.Second)
	p.Replica("a:1-9", 1000, 1500, time.Second, true)
	c.tick(time.Second)
	assert.Equal(t, ReplicaProgress{
		Position: "a:1-9", Rows: 1000, Changes: 1500, Rate: 333, Lag: state.Duration(time.Second), CaughtUp: true,
		At: c.now.Add(-time.Second), Age: state.Duration(time.Second),
	}, p.Snapshot().Replica)
	p.Replica("a:1-9", 20, 30, 0, true)
	assert.Equal(t, int64(340), p.Snapshot().Replica.Rate, "another run counts from 0")
}

func TestMeter(t *testing.T) {
	var m meter
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 300 {
		m.add(began.Add(time.Duration(i)*500*time.Millisecond), 50)
	}
	end := began.Add(150 * time.Second)
	assert.InDelta(t, 100, m.rate(end, rateWindow), 1)
	assert.InDelta(t, 100, m.rate(end, etaWindow), 1)
	assert.InDelta(t, 100, m.average(end), 1)
	assert.InDelta(t, 100, m.rate(began, rateWindow), 1000, "a clock set back does no harm")
	assert.Zero(t, m.rate(end.Add(11*time.Second), rateWindow))
	assert.InDelta(t, 80, m.rate(end.Add(12*time.Second), etaWindow), 3)
	assert.Zero(t, m.rate(end.Add(1000*time.Hour), etaWindow))
}

func TestLogLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := NewProgress(Options{Log: zerolog.New(&out)})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { p.Run(ctx); close(ended) }()
		time.Sleep(31 * time.Second)
		synctest.Wait()
		assert.Empty(t, out.String(), "nothing is known yet")

		p.Expect(shop("orders"), 1000)
		p.Step(StepCopy)
		time.Sleep(10 * time.Second)
		p.Chunk(shop("orders"), db.Loaded{}, false)
		p.Chunk(shop("orders"), db.Loaded{Rows: 400, Bytes: 1}, true)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		p.Table(shop("orders"), "copied")
		p.Step(StepReplay)
		p.Note("waiting")
		p.Replica("a:1-9", 5, 6, 2*time.Second, false)
		cancel()
		<-ended
		assert.Equal(t, strings.Join([]string{
			`{"level":"info","step":"copy","tables_done":0,"tables":1,"rows":400,"rows_estimate":1000,"percent":40,` +
				`"rows_per_second":0,"eta":"44s","message":"progress"}`,
			`{"level":"info","step":"replay","position":"a:1-9","rows_applied":5,"changes":6,` +
				`"rows_applied_per_second":5,"lag_seconds":2,"caught_up":false,"note":"waiting","message":"progress"}`,
			``,
		}, "\n"), out.String())
	})
}

func TestManyAtOnce(t *testing.T) {
	p := NewProgress(Options{Out: io.Discard, Terminal: true, Every: time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	var running, telling sync.WaitGroup
	running.Go(func() { p.Run(ctx) })
	log := zerolog.New(p.Writer())
	for i := range 8 {
		telling.Go(func() {
			for n := range 200 {
				name := shop(fmt.Sprint(n % 20))
				p.Step([]string{StepCopy, StepVerify, StepIndex, StepReplay}[n%4])
				p.Expect(name, 1000)
				p.Chunk(name, db.Loaded{}, false)
				p.Chunk(name, db.Loaded{Rows: 1, Bytes: 1}, true)
				p.Positions("a", "b")
				p.Table(name, "copied")
				p.Replica("a", int64(n), int64(n), 0, n%2 == 0)
				p.Verify(name, 1, 1)
				p.Note(fmt.Sprint(i))
				_ = p.Snapshot()
				p.screen.draw(p.style().block(p.Snapshot()))
				log.Info().Msg("line")
			}
		})
	}
	telling.Wait()
	cancel()
	running.Wait()
	assert.Equal(t, int64(1600), func() (n int64) {
		for _, t := range p.Snapshot().Tables {
			n += t.Rows
		}
		return n
	}())
}

// TestPercentages: a share is only told while it can be right.
func TestPercentages(t *testing.T) {
	now := at(0)
	p := NewProgress(Options{Clock: func() time.Time { return now }})
	p.Expect(shop("orders"), 1000)
	p.Expect(shop("empty"), 0)
	p.Step(StepCopy)
	copied := func(rows int64) Snapshot {
		now = now.Add(time.Second)
		p.Chunk(shop("orders"), db.Loaded{Rows: rows, Bytes: rows}, true)
		return p.Snapshot()
	}
	s := copied(400)
	assert.InDelta(t, 0.4, s.part(), 0.001)
	assert.NotZero(t, s.ETA)
	s = copied(590)
	assert.InDelta(t, 0.99, s.part(), 0.001)
	for _, more := range []int64{10, 1, 5000} {
		s = copied(more)
		assert.Negative(t, s.part(), "%d rows of 1000", s.Rows)
		assert.Zero(t, s.ETA, "nobody knows how long it takes")
		assert.NotContains(t, strings.Join(style{width: 80, lines: 9}.block(s), "\n"), "%")
	}
	p.Table(shop("orders"), "copied")
	p.Table(shop("empty"), "copied")
	s = p.Snapshot()
	assert.InDelta(t, 1, s.part(), 0, "every table says that it is done")

	p.Expect(shop("filtered"), -1)
	s = p.Snapshot()
	assert.Negative(t, s.part(), "nobody knows how many rows of it move")
	p.Table(shop("filtered"), "copied")
	s = p.Snapshot()
	assert.InDelta(t, 1, s.part(), 0)
}
