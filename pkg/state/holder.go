package state

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// holder is who holds a lock, as the first line of the lock file says: `phase pid host`.
type holder struct {
	phase string
	pid   int
	host  string
}

func self(phase string) holder {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	return holder{phase: phase, pid: os.Getpid(), host: host}
}

func (h holder) String() string { return fmt.Sprintf("%s %d %s", h.phase, h.pid, h.host) }

func parseHolder(text string) (holder, bool) {
	line, _, ok := strings.Cut(text, "\n")
	parts := strings.Fields(line)
	if !ok || len(parts) != 3 {
		return holder{}, false
	}
	pid, err := strconv.Atoi(parts[1])
	return holder{phase: parts[0], pid: pid, host: parts[2]}, err == nil && pid > 0
}

// dead is true if the holder surely no longer runs, so that its line was left behind by a crash.
func (h holder) dead() bool {
	return h.host == self("").host && errors.Is(unix.Kill(h.pid, 0), unix.ESRCH)
}

// letsOthersBeside is true while changes are being applied, which verify and cutover need.
func (h holder) letsOthersBeside() bool {
	return plain(h.phase) == PhaseStartReplica
}

// maxHolderLine is more than a phase, a pid and a host name (255 bytes at most) need.
const maxHolderLine = 512

func readHolder(f *os.File) (holder, bool) {
	buf := make([]byte, maxHolderLine)
	n, _ := f.ReadAt(buf, 0) // io.EOF is normal, anything else reads as no holder
	return parseHolder(string(buf[:n]))
}

// writeHolder writes first and cuts afterwards, so that a reader always finds a whole first line.
func writeHolder(f *os.File, h holder) error {
	line := h.String() + "\n"
	if _, err := f.WriteAt([]byte(line), 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(line)))
}
