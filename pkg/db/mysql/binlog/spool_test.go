package binlog

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

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
