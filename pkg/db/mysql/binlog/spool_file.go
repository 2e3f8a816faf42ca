package binlog

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A spool is a copy of the source's log in a local directory: one file for each of the source's, named NUMBER-NAME in
// their order. A file begins with a line of JSON; then come frames of one event each:
//
//	4 bytes  length of the event
//	4 bytes  CRC-32C of what follows
//	8 bytes  offset of the event's end in the source's file
//	         the event as the source sent it
//
// A file is whole up to its last good frame. What follows is a torn tail, for example after a power failure, and is cut
// off. It is read from the source once more. The frame's own checksum covers the offset too, and works where the source
// logs without checksums.

// spoolHead is the first line of a file.
type spoolHead struct {
	Server string `json:"server"` // whose log it is
	File   string `json:"file"`   // of that server
	From   string `json:"from"`   // the position that the spool was begun for
}

// spoolFile is one file of a spool.
type spoolFile struct {
	path string
	head spoolHead
}

const (
	spoolFrame   = 16
	spoolLargest = 1<<31 - 1 // bytes of an event: no server writes larger ones
)

var spoolTable = crc32.MakeTable(crc32.Castagnoli)

// spoolFiles lists the files of a directory in order; none when it does not exist.
func spoolFiles(dir string) ([]spoolFile, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	var files []spoolFile
	for _, e := range entries { // in the order of their names
		f := spoolFile{path: filepath.Join(dir, e.Name())}
		r, err := f.open()
		if errors.Is(err, errSpoolTorn) {
			continue // not even its first line is whole: nothing was in it
		}
		if err != nil {
			return nil, err
		}
		f.head = r.head
		if err := r.Close(); err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// spoolName is the name of the file of a number. The number comes first and has leading zeros, so that the order of
// names is the order of files, whatever the source calls its own.
func spoolName(number int, file string) string {
	return fmt.Sprintf("%08d-%s", number, filepath.Base(file))
}

// number is the file's own.
func (f *spoolFile) number() int {
	digits, _, _ := strings.Cut(filepath.Base(f.path), "-")
	n, _ := strconv.Atoi(digits) // spoolName wrote it
	return n
}

// errSpoolTorn is the end of what is whole in a file.
var errSpoolTorn = errors.New("the spool ends here")

// spoolReader reads a file's frames.
type spoolReader struct {
	file  *os.File
	r     *bufio.Reader
	head  spoolHead
	whole int64 // bytes of the file that are whole
	buf   []byte
}

// open opens a file and reads its first line. A file without one was begun when the power failed; errSpoolTorn.
func (f *spoolFile) open() (_ *spoolReader, err error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	r := &spoolReader{file: file, r: bufio.NewReaderSize(file, 1<<20)}
	line, err := r.r.ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &r.head) != nil {
		return nil, fmt.Errorf("read the spool %s: %w", f.path, errSpoolTorn)
	}
	r.whole = int64(len(line))
	return r, nil
}

func (r *spoolReader) Close() error { return r.file.Close() }

// next returns an event and the offset of its end in the source's file, or errSpoolTorn. The event is valid until the
// next call.
func (r *spoolReader) next() (event []byte, end uint64, err error) {
	var head [spoolFrame]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return nil, 0, spoolEnded(err)
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > spoolLargest || n < eventHeader {
		return nil, 0, errSpoolTorn
	}
	if cap(r.buf) < int(n) {
		r.buf = make([]byte, n)
	}
	event = r.buf[:n]
	if _, err := io.ReadFull(r.r, event); err != nil {
		return nil, 0, spoolEnded(err)
	}
	sum := crc32.Update(crc32.Checksum(head[8:], spoolTable), spoolTable, event)
	if sum != binary.LittleEndian.Uint32(head[4:]) {
		return nil, 0, errSpoolTorn
	}
	r.whole += spoolFrame + int64(n)
	return event, binary.LittleEndian.Uint64(head[8:]), nil
}

// complete tells whether nothing but whole frames is in the file.
func (r *spoolReader) complete() (bool, error) {
	info, err := r.file.Stat()
	return err == nil && info.Size() == r.whole, err
}

// spoolEnded tells a file that ends within a frame, which is a torn tail, from one that cannot be read.
func spoolEnded(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errSpoolTorn
	}
	return fmt.Errorf("read the spool: %w", err)
}

// end returns the offset in the source's file up to which the file has it, 4 for nothing, and how many bytes of it
// are whole. It reads the whole file: only checksums tell what is whole after a power failure.
func (f *spoolFile) end() (offset uint64, whole int64, err error) {
	r, err := f.open()
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	offset = 4
	for {
		_, at, err := r.next()
		if errors.Is(err, errSpoolTorn) {
			return offset, r.whole, nil
		}
		if err != nil {
			return 0, 0, err
		}
		offset = at
	}
}

// spoolIndex finds the file of a position of the server, or -1. A position that has GTIDs only is found if the spool
// was begun for just that position: where else it may be in the files, only reading them would tell.
func spoolIndex(files []spoolFile, p Position, server string) int {
	if len(files) == 0 || files[0].head.Server != server {
		return -1
	}
	if p.File == "" || p.Server != "" && p.Server != server {
		// Its transactions alone tell where it is: on another server, for example after a failover.
		if files[0].head.From == p.String() && files[0].number() == 1 {
			return 0
		}
		return -1 // it was begun elsewhere
	}
	if p.Server != server {
		return -1
	}
	return slices.IndexFunc(files, func(f spoolFile) bool { return f.head.File == p.File })
}

// SpoolEnd returns the name of the server's file that a spool ends in, or "" when the spool does not have the position.
func SpoolEnd(dir string, p Position, server string) (file string, err error) {
	files, err := spoolFiles(dir)
	if err != nil || spoolIndex(files, p, server) < 0 {
		return "", err
	}
	return files[len(files)-1].head.File, nil
}

// SpoolSize is how many bytes a spool takes on disk, 0 where there is none. It is for display, so errors count as 0.
func SpoolSize(dir string) (size int64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			size += info.Size()
		}
	}
	return size
}
