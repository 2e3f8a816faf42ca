package between

import (
	"strings"
	"sync"
)

// Moment is when a command is struck.
type Moment int

// The moments.
const (
	Before   Moment = iota // the server never gets it
	Sent                   // the server has it, and may or may not carry it out
	Answered               // the server has carried it out, and nobody hears of it
	Moments                // how many there are
)

func (m Moment) String() string { return [...]string{"before", "sent", "answered"}[m] }

// Steps counts the commands that pass through proxies, and strikes at one of them: what dies then, strike says.
type Steps struct {
	Hold func(text string) // is called before a command is counted, and may take its time

	mu     sync.Mutex
	among  func(text string) bool // which commands are counted; nil: all
	count  int
	at     int // the number of the command to strike at, from 1; 0 is none
	when   Moment
	strike func()
	struck string   // the command
	texts  []string // of statements
}

// Aim begins to count anew.
func (s *Steps) Aim(at int, when Moment, strike func()) { s.AimAmong(nil, at, when, strike) }

// AimAmong begins to count anew, but only commands that match.
func (s *Steps) AimAmong(match func(text string) bool, at int, when Moment, strike func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.among, s.count, s.at, s.when, s.strike, s.struck, s.texts = match, 0, at, when, strike, "", nil
}

// Counted returns the number of commands so far, and the one that was struck at, "" for none.
func (s *Steps) Counted() (int, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count, s.struck
}

// Containing returns how many statements had this text in them.
func (s *Steps) Containing(text string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.texts {
		if strings.Contains(t, text) {
			n++
		}
	}
	return n
}

// command counts one, and tells whether it is the one to strike at.
func (s *Steps) command(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.among != nil && !s.among(text) {
		return false
	}
	s.count++
	s.texts = append(s.texts, text)
	if s.count == s.at {
		s.struck = text
		return true
	}
	return false
}

// Commands besides statements that are steps: COM_BINLOG_DUMP and COM_BINLOG_DUMP_GTID.
const (
	comDump     = 0x12
	comDumpGTID = 0x1e
)

// step returns what is to be done before the command is forwarded, and after.
func (l *link) step(command bool, first []byte) (before, after func()) {
	s := l.p.steps
	if s == nil || !command || first[0] != comQuery && first[0] != comDump && first[0] != comDumpGTID {
		return nil, nil
	}
	if s.Hold != nil {
		s.Hold(string(first[1:]))
	}
	if !s.command(string(first[1:])) {
		return nil, nil
	}
	switch s.when {
	case Before:
		return s.strike, nil
	case Sent:
		return nil, s.strike
	default:
		l.p.set(func() { l.struck = s.strike })
		return nil, nil
	}
}
