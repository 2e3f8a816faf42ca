package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// The journal is what the writer remembers outside of both servers: a line when a transaction begins and one when
// its end is known.
//
//	I 17 order 1234      transaction 17, an order, begun 1234 µs after the journal was opened
//	A 17 2345            its commit was acknowledged
//	R 17 2345            it was rolled back, or refused by the server
//
// A transaction without a second line is in doubt: its commit was sent and no answer came.
type journal struct {
	began time.Time
	mu    sync.Mutex
	file  *os.File
	out   *bufio.Writer
	next  int64
}

func createJournal(path string) (*journal, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create journal: %w", err)
	}
	return &journal{began: time.Now(), file: file, out: bufio.NewWriter(file)}, nil
}

// intend records that a transaction begins, and returns its number.
func (j *journal) intend(kind string) (int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.next++
	return j.next, j.write("I %d %s %d\n", j.next, kind, time.Since(j.began).Microseconds())
}

// acknowledge records that the server confirmed the commit.
func (j *journal) acknowledge(tx int64) error { return j.end("A", tx) }

// abandon records that the server has not committed the transaction and never will.
func (j *journal) abandon(tx int64) error { return j.end("R", tx) }

func (j *journal) end(mark string, tx int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.write("%s %d %d\n", mark, tx, time.Since(j.began).Microseconds())
}

// write leaves nothing in memory: a line that is written survives the death of this program.
func (j *journal) write(format string, args ...any) error {
	fmt.Fprintf(j.out, format, args...)
	if err := j.out.Flush(); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

func (j *journal) close() error {
	if err := j.file.Close(); err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

// record is what the journal says about one transaction. Times count from the journal's opening.
type record struct {
	kind    string
	begun   time.Duration
	ended   time.Duration // 0 if in doubt
	outcome outcome
}

type outcome byte

// What is known about the end of a transaction.
const (
	doubtful outcome = iota
	acknowledged
	abandoned
)

// readJournal returns the transactions by number. A last line without an end is left out: the writer died there.
func readJournal(in io.Reader) (map[int64]record, error) {
	records := make(map[int64]record)
	lines := bufio.NewReader(in)
	for number := 1; ; number++ {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return records, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		if err := readLine(records, line); err != nil {
			return nil, fmt.Errorf("read journal, line %d: %w", number, err)
		}
	}
}

func readLine(records map[int64]record, line string) error {
	var tx, at int64
	var kind string
	if _, err := fmt.Sscanf(line, "I %d %s %d\n", &tx, &kind, &at); err == nil {
		if _, double := records[tx]; double {
			return fmt.Errorf("transaction %d begins twice", tx)
		}
		records[tx] = record{kind: kind, begun: time.Duration(at) * time.Microsecond}
		return nil
	}
	var mark string
	if _, err := fmt.Sscanf(line, "%1s %d %d\n", &mark, &tx, &at); err != nil || (mark != "A" && mark != "R") {
		return fmt.Errorf("invalid line %q", line)
	}
	r, known := records[tx]
	switch {
	case !known:
		return fmt.Errorf("transaction %d ends and never began", tx)
	case r.outcome != doubtful:
		return fmt.Errorf("transaction %d ends twice", tx)
	}
	r.ended, r.outcome = time.Duration(at)*time.Microsecond, acknowledged
	if mark == "R" {
		r.outcome = abandoned
	}
	records[tx] = r
	return nil
}

// longestGap returns the longest time between two acknowledgements of which the later one came after from.
func longestGap(records map[int64]record, from time.Duration) (gap time.Duration) {
	ends := make([]time.Duration, 0, len(records))
	for _, r := range records {
		if r.outcome == acknowledged {
			ends = append(ends, r.ended)
		}
	}
	slices.Sort(ends)
	for i := 1; i < len(ends); i++ {
		if ends[i] >= from {
			gap = max(gap, ends[i]-ends[i-1])
		}
	}
	return gap
}
