package moves

import (
	"strings"
	"sync"
)

// moment is when a command is struck.
type moment int

const (
	beforeIt moment = iota // the server never gets it
	sent                   // the server has it, and may or may not carry it out
	answered               // the server has carried it out, and nobody hears of it
	moments
)

func (m moment) String() string { return [...]string{"before", "sent", "answered"}[m] }

// steps counts the commands that pass through proxies, and strikes at one of them: what dies then, strike says.
type steps struct {
	mu     sync.Mutex
	count  int
	at     int // the number of the command to strike at, from 1; 0 is none
	when   moment
	strike func()
	hold   func(text string) // is called before a command is counted, and may take its time
	struck string            // the command
	texts  []string          // of statements
}

// aim begins to count anew.
func (s *steps) aim(at int, when moment, strike func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count, s.at, s.when, s.strike, s.struck, s.texts = 0, at, when, strike, "", nil
}

// counted returns the number of commands so far, and the one that was struck at, "" for none.
func (s *steps) counted() (int, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count, s.struck
}

// containing returns how many statements had this text in them.
func (s *steps) containing(text string) (n int) {
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
func (s *steps) command(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
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
	if s.hold != nil {
		s.hold(string(first[1:]))
	}
	if !s.command(string(first[1:])) {
		return nil, nil
	}
	switch s.when {
	case beforeIt:
		return s.strike, nil
	case sent:
		return nil, s.strike
	default:
		l.p.set(func() { l.struck = s.strike })
		return nil, nil
	}
}
