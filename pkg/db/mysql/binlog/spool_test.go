package binlog

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-mysql-org/go-mysql/replication"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSpoolTorn cuts a spool's file off at every byte, and flips a bit of every byte: what is read is whole events
// from the start, and writing goes on after the last of them.
func TestSpoolTorn(t *testing.T) {
	dir := t.TempDir()
	sp := &spooler{
		dir: dir, server: "here", from: Position{File: "binlog.000007", Offset: 4, Server: "here"},
		at: place{"binlog.000007", 4},
	}
	require.NoError(t, sp.create())
	var ends []int64 // bytes of the file after each event
	for i := range 5 {
		event := bytes.Repeat([]byte{byte(i)}, eventHeader+i*7)
		binary.LittleEndian.PutUint32(event[9:], uint32(len(event)))
		sp.at.offset += uint64(len(event))
		require.NoError(t, sp.write(event))
		require.NoError(t, sp.w.Flush())
		info, err := sp.file.Stat()
		require.NoError(t, err)
		ends = append(ends, info.Size())
	}
	require.NoError(t, sp.close())
	path := filepath.Join(dir, spoolName(1, "binlog.000007"))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	head := int64(bytes.IndexByte(whole, '\n') + 1)
	events := func(upto int64) (n int) {
		for _, end := range ends {
			if end <= upto {
				n++
			}
		}
		return n
	}
	look := func(content []byte, damaged int64) {
		require.NoError(t, os.WriteFile(path, content, 0o600))
		f := spoolFile{path: path}
		_, size, err := f.end()
		require.NoError(t, err)
		want := head
		if n := events(damaged); n > 0 {
			want = ends[n-1]
		}
		assert.Equal(t, want, size, "damaged at %d", damaged)
	}
	for cut := head; cut <= int64(len(whole)); cut++ {
		look(whole[:cut], cut)
	}
	for at := head; at < int64(len(whole)); at++ {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 4
		look(damaged, at)
	}
	look(whole[:ends[2]+5], ends[2]+5)
	again := &spooler{dir: dir, server: "here", from: sp.from}
	at, number, err := again.resume()
	require.NoError(t, err)
	assert.Equal(t, 1, number)
	assert.Equal(t, place{"binlog.000007", 4 + 3*eventHeader + 7 + 14}, at)
	require.NoError(t, again.close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, ends[2], info.Size(), "the torn tail is cut off")
	other := &spooler{dir: dir, server: "there", from: sp.from}
	at, _, err = other.resume()
	require.NoError(t, err)
	assert.Zero(t, at, "of another server")
	assert.Zero(t, SpoolSize(dir))
}

// TestSpoolOfAnotherServer: a position that another server gave is found in a spool of MariaDB by its transactions. The
// order of the log counts, not the numbers.
func TestSpoolOfAnotherServer(t *testing.T) {
	transaction := func(domain uint32, number uint64) logEvent {
		body := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(nil, number), domain)
		return logEvent{kind: replication.MARIADB_GTID_EVENT, body: append(body, 0)}
	}
	list := func(members ...[3]uint64) logEvent {
		body := binary.LittleEndian.AppendUint32(nil, uint32(len(members))|1<<28)
		for _, m := range members {
			body = binary.LittleEndian.AppendUint32(body, uint32(m[0]))
			body = binary.LittleEndian.AppendUint32(body, uint32(m[1]))
			body = binary.LittleEndian.AppendUint64(body, m[2])
		}
		return logEvent{kind: replication.MARIADB_GTID_LIST_EVENT, body: body}
	}
	rows := logEvent{kind: replication.WRITE_ROWS_EVENTv1}
	for _, c := range []struct {
		name   string
		at     string
		events []logEvent
		kept   []bool
	}{
		{
			"transactions up to the position are dropped with their rows", "0-1-7",
			[]logEvent{list(), transaction(0, 6), rows, transaction(0, 7), rows, transaction(0, 8), rows},
			[]bool{true, false, false, false, false, true, true},
		},
		{
			"a lower number behind the position is kept", "0-1-7",
			[]logEvent{transaction(0, 7), transaction(0, 3), rows, transaction(0, 8)},
			[]bool{false, true, true, true},
		},
		{
			"the file begins at the position", "0-2-7",
			[]logEvent{list([3]uint64{0, 1, 4}, [3]uint64{0, 2, 7}), transaction(0, 3), transaction(0, 8)},
			[]bool{true, true, true},
		},
		{
			"the position's own transaction is not in this log", "0-1-7",
			[]logEvent{transaction(0, 6), transaction(0, 8), transaction(0, 9)},
			[]bool{false, true, true},
		},
		{
			"domains are apart, and one that the position does not have is kept", "0-1-7,1-1-2",
			[]logEvent{transaction(0, 7), transaction(1, 1), transaction(2, 1), transaction(1, 2), transaction(1, 3)},
			[]bool{false, false, true, false, true},
		},
	} {
		have, err := ParseGTIDs(c.at)
		require.NoError(t, err)
		d := &spoolDrop{have: have, byGTID: true}
		for i := range c.events {
			assert.Equal(t, c.kept[i], !d.drops(&c.events[i]), "%s: event %d", c.name, i)
		}
	}
}

// TestNewestGTIDs reads what MariaDB says at the start of a file.
func TestNewestGTIDs(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "0-1-351": "0-1-351", "0-1-351,0-2-360,1-1-7": "0-2-360,1-1-7", "0-2-360,0-1-351": "0-2-360",
	} {
		got, err := NewestGTIDs(text)
		require.NoError(t, err)
		assert.Equal(t, want, got.String())
	}
	_, err := NewestGTIDs("0-1")
	require.Error(t, err)
}
