package binlog

import (
	"context"
	"sync"

	"wherry/pkg/db"
)

// streamMark moves a position on, past the end of a transaction or past something that is no transaction.
type streamMark struct {
	replace bool  // the transactions known so far become set, then run is added
	set     GTIDs // nil: they are unknown from here on
	more    GTIDs // transactions passed over before run
	run     GTIDRun
	hasRun  bool
	file    string // empty: file and offset stay
	offset  uint64

	sessions  bool // temporary tells what is at this place
	temporary temporaries
}

// merge makes m move as far as m and then n. A million small transactions of other tables become one run of numbers, at
// no cost in memory.
func (m *streamMark) merge(n *streamMark) {
	if n.replace {
		m.replace, m.set, m.more, m.hasRun = true, n.set, nil, false
	}
	switch {
	case !n.hasRun:
	case !m.hasRun:
		m.run, m.hasRun = n.run, true
	case m.run.extends(&n.run):
		m.run.Last = n.run.Last
	default:
		if m.more == nil {
			m.more = gtidsLike(&n.run)
		}
		m.more.Add(m.run)
		m.run = n.run
	}
	if n.file != "" {
		m.file, m.offset = n.file, n.offset
	}
	if n.sessions {
		m.sessions, m.temporary = true, n.temporary
	}
}

// gtidsLike returns an empty set of the flavor that the run is of: only MySQL counts transactions with a UUID.
func gtidsLike(run *GTIDRun) GTIDs {
	if run.uuid == [16]byte{} {
		return GTIDList{}
	}
	return NewGTIDSet()
}

// apply moves a position. Transactions are only added to a set that is known to be whole: a set with what came last
// alone would make a server send everything before it once more.
func (m *streamMark) apply(p *Position, server string) {
	if m.replace {
		p.GTIDs = m.set
	}
	if p.GTIDs != nil {
		if m.more != nil {
			m.more.Each(p.GTIDs.Add)
		}
		if m.hasRun {
			p.GTIDs.Add(m.run)
		}
	}
	if m.file != "" {
		p.File, p.Offset, p.Server = m.file, m.offset, server
	}
	if m.sessions {
		p.temporary = m.temporary
	}
}

// streamItem is a part and, when it ends a transaction, how far the log has moved with it, and with what was passed
// over since. The two are kept apart: who reads the log up to a position must be able to tell the part's own end.
type streamItem struct {
	part   *db.Part
	mark   streamMark
	passed streamMark
}

// streamQueue hands parts from the goroutine that decodes to the one that calls Next. It is bounded by bytes: a
// consumer that is slower than the log makes the reader wait, and the server with it. What was passed over costs no
// room: it is merged into what is already queued.
type streamQueue struct {
	server string
	limit  int // bytes of parts; a larger part is alone in the queue

	mu     sync.Mutex
	items  []streamItem
	bytes  int
	at     Position   // as of the last item taken
	passed streamMark // since the last item taken; at moves on when there is no part, or with the next
	text   string     // of at, when known: a set of many origins takes long to print, and a position is asked for often
	err    error      // why no more items come

	ready chan struct{} // holds a token when an item or an error was added
	space chan struct{} // holds a token when an item was taken
}

// newStreamQueue begins at a position. File and offset of another server are forgotten if there are GTIDs: they would
// be taken for a place in this server's files.
func newStreamQueue(from Position, server string, limit int) *streamQueue {
	at := from
	if at.GTIDs != nil {
		at.GTIDs = at.GTIDs.clone()
		if from.Server != server && from.Server != "" && !at.GTIDs.Empty() {
			at.File, at.Offset, at.Server = "", 0, "" // a place in the files of the server that was the source before
		}
	}
	return &streamQueue{server: server, limit: limit, at: at, ready: make(chan struct{}, 1), space: make(chan struct{},
		1)}
}

// push adds a part; mark is nil unless it ends a transaction. It waits for room until ctx ends. The first part is
// always taken: one that is larger than the limit must not wait for ever.
func (q *streamQueue) push(ctx context.Context, part *db.Part, mark *streamMark) error {
	for {
		q.mu.Lock()
		if len(q.items) == 0 || q.bytes+part.Bytes <= q.limit {
			break
		}
		q.mu.Unlock()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-q.space:
		}
	}
	item := streamItem{part: part}
	if mark != nil {
		item.mark = *mark
	}
	q.items = append(q.items, item)
	q.bytes += part.Bytes
	q.mu.Unlock()
	streamSignal(q.ready)
	return nil
}

// pass moves on without a part, between transactions.
func (q *streamQueue) pass(mark *streamMark) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.items); n > 0 {
		q.items[n-1].passed.merge(mark)
		return
	}
	q.passed.merge(mark)
}

// fail makes next return err once the queue is empty.
func (q *streamQueue) fail(err error) {
	q.mu.Lock()
	if q.err == nil {
		q.err = err
	}
	q.mu.Unlock()
	streamSignal(q.ready)
}

// next takes the oldest part, or returns the error that ended the stream, or nil and nil. The position moves first over
// what was passed over before the part, then over the part itself if it ends a transaction. What was passed over behind
// it waits: the position after a part must be the part's own end.
func (q *streamQueue) next() (*db.Part, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return nil, q.err
	}
	item := q.items[0]
	q.items[0] = streamItem{}
	if q.items = q.items[1:]; len(q.items) == 0 {
		q.items = nil
	}
	q.bytes -= item.part.Bytes
	if item.part.End {
		q.move(&q.passed)
		q.move(&item.mark)
		q.passed = item.passed
	}
	streamSignal(q.space)
	return item.part, nil
}

// idle lets the position move on over what was passed over since the last part. It is called when there is no other.
func (q *streamQueue) idle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.move(&q.passed)
	q.passed = streamMark{}
}

func (q *streamQueue) move(mark *streamMark) {
	mark.apply(&q.at, q.server)
	q.text = ""
}

func (q *streamQueue) position() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.text == "" {
		q.text = q.at.String()
	}
	return q.text
}

// streamSignal leaves a token, unless there is one: whoever waits looks at the queue itself, so one is enough.
func streamSignal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
