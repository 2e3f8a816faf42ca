package lab

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Patience is how long a test waits for something while nothing moves. A busy machine makes things slow, so what
// bounds a wait is progress and not a clock: see Until.
const Patience = 3 * time.Minute

// Progress is a value that changes while the thing that is waited for comes nearer.
type Progress func() int64

// Until polls done until it returns true. It returns false when done did not, and none of the progress values has
// changed for the time of Patience; without such a value it waits for that time.
func Until(done func() bool, progress ...Progress) bool {
	began := time.Now()
	still := standstill{progress: progress, limit: Patience}
	for !done() {
		if still.reached() {
			return false
		}
		if time.Since(began) < time.Second { // some wait for a moment that is soon over
			time.Sleep(2 * time.Millisecond)
		} else {
			time.Sleep(20 * time.Millisecond)
		}
	}
	return true
}

// standstill tells when nothing has moved for a time. Its values are read once a second.
type standstill struct {
	progress []Progress
	limit    time.Duration

	values         []int64
	looked, change time.Time
}

func (s *standstill) reached() bool {
	now := time.Now()
	if s.values == nil {
		s.values, s.change = make([]int64, len(s.progress)), now
	}
	if now.Sub(s.looked) < min(time.Second, s.limit/4) {
		return false
	}
	s.looked = now
	for i, progress := range s.progress {
		if value := progress(); value != s.values[i] {
			s.values[i], s.change = value, now
		}
	}
	return now.Sub(s.change) > s.limit
}

// Ended waits for the end of the child, for as long as the child or one of the values moves, and returns true. A
// child that stands still is made to show where by SIGQUIT, which ends it, and the result is false.
func (c *Child) Ended(progress ...Progress) bool {
	if Until(func() bool {
		select {
		case <-c.done:
			return true
		default:
			return false
		}
	}, append(progress, c.Progress)...) {
		return true
	}
	_ = c.Signal(syscall.SIGQUIT) // it may have ended by itself
	<-c.done
	return false
}

// Progress changes while the child works.
func (c *Child) Progress() int64 { return Works(c.cmd.Process.Pid)() }

// Works changes with every second of processor time that a process uses and with every 256 KiB that it reads and
// writes, connections included. What a process does that waits, such as heartbeats, is far less than that in the time
// of Patience.
func Works(pid int) Progress {
	return func() int64 {
		read, write := ioOf(pid)
		return cpuOf(pid) + (read+write)/(256<<10)
	}
}

// ioOf reads rchar and wchar of a process: bytes; 0 if it is gone.
func ioOf(pid int) (read, written int64) {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/io")
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("rchar: ")); ok {
			read = number(rest)
		}
		if rest, ok := bytes.CutPrefix(line, []byte("wchar: ")); ok {
			written = number(rest)
		}
	}
	return read, written
}

// cpuOf reads the processor time that a process has used, in whole seconds; 0 if it is gone. See proc(5): fields 14
// and 15 are in hundredths of a second, and the second field is a name in brackets that may contain anything.
func cpuOf(pid int) int64 {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	return (number(fields[11]) + number(fields[12])) / 100
}

func number(text []byte) int64 {
	n, _ := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	return n
}
