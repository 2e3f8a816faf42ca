package binlog

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
)

// TestStreamQueueEnds holds that a part that ends a transaction comes with that transaction's own end, whatever was
// passed over behind it: a comparison up to a position would else leave out the last transaction before it.
func TestStreamQueueEnds(t *testing.T) {
	q := newStreamQueue(Position{File: "b.000001", Offset: 4}, "s", 1<<20)
	mark := func(offset uint64) *streamMark { return &streamMark{file: "b.000001", offset: offset} }
	at := func(offset string) {
		t.Helper()
		assert.Equal(t, "file=b.000001:"+offset+" server=s", q.position())
	}
	require.NoError(t, q.push(t.Context(), &db.Part{End: true}, mark(10)))
	q.pass(mark(20))
	q.pass(mark(30))
	require.NoError(t, q.push(t.Context(), &db.Part{}, nil))
	require.NoError(t, q.push(t.Context(), &db.Part{End: true}, mark(50)))
	for _, end := range []string{"10", "10", "50"} { // the second part is within its transaction
		part, err := q.next()
		require.NoError(t, err)
		require.NotNil(t, part)
		at(end)
	}
	q.pass(mark(60))
	q.pass(mark(70))
	at("50")
	s := &stream{queue: q}
	part, err := s.Next(t.Context(), 0)
	require.NoError(t, err)
	assert.Nil(t, part)
	at("70")
}

// TestStreamQueueOfAnotherServer holds that a log which goes on with another server's history does not stand at a
// place in that server's files: nothing could be compared with it until the first event.
func TestStreamQueueOfAnotherServer(t *testing.T) {
	from, err := ParsePosition("gtid=0-1-351 file=b.000001:3615 server=old")
	require.NoError(t, err)
	goal := db.Position("file=b.000002:1062 server=new") // taken while the log moved on: without GTIDs
	at := newStreamQueue(from, "new", 1<<20).position()
	assert.Equal(t, "gtid=0-1-351", at)
	reached, err := Reached(db.Position(at), goal)
	require.NoError(t, err)
	assert.False(t, reached)
	assert.Equal(t, "gtid=0-1-351 file=b.000001:3615 server=old", newStreamQueue(from, "old", 1<<20).position())
}
