package binlog

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"wherry/pkg/schema"
)

// Temporary tables hide others of their names from their session. Sessions that write in ROW format log nothing of
// them. Others log them as if they were real (TRUNCATE TABLE orders), and only what came before in the same session
// tells: CREATE TEMPORARY TABLE. So the names of the move that are temporary tables of a session are kept as the log
// goes on, and stay in the position while there are any. Servers log when a session ends (DROP /*!40005 TEMPORARY */
// TABLE), and when they start, which ends all sessions.

// maxTemporary bounds how many temporary tables with names of the move are kept.
const maxTemporary = 1000

// sessionKey is a session of a server: of the source, or of one that it replicates from.
type sessionKey struct {
	server uint32
	thread uint32
}

// Sessions tells which of a server's sessions began after its log was first read by this process: what those do to
// temporary tables is read from the beginning. It is safe for concurrent use.
type Sessions struct{ last atomic.Uint32 }

// reach is called with the number of a connection that was just opened for reading the log.
func (s *Sessions) reach(id uint32) {
	if s == nil {
		return
	}
	if last := s.last.Load(); last == 0 || id < last { // numbers begin anew when the server is started
		s.last.Store(id)
	}
}

// since returns the number behind which sessions are known.
func (s *Sessions) since() uint32 {
	if s == nil || s.last.Load() == 0 {
		return math.MaxUint32
	}
	return s.last.Load()
}

// temporaries are the names of the move that are temporary tables of sessions, without case. The value is never
// changed: it is in positions.
type temporaries map[sessionKey][]schema.Name

// has tells whether a name is a temporary table of a session. Names are compared without case.
func (t temporaries) has(s sessionKey, n schema.Name) bool {
	return slices.Contains(t[s], queryLower(n))
}

func (t temporaries) count() (n int) {
	for _, names := range t {
		n += len(names)
	}
	return n
}

// with returns the temporary tables after a session has got some (come) and lost others (gone). It makes a copy:
// positions that were handed out share the old one.
func (t temporaries) with(s sessionKey, come, gone []schema.Name) temporaries {
	if len(come) == 0 && len(t[s]) == 0 {
		return t
	}
	next := make(temporaries, len(t)+1)
	for key, names := range t {
		next[key] = names
	}
	names := slices.Clone(t[s])
	for _, n := range gone {
		names = slices.DeleteFunc(names, queryLower(n).Equal)
	}
	for _, n := range come {
		if n = queryLower(n); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if next[s] = names; len(names) == 0 {
		delete(next, s)
	}
	return next
}

// String writes them as one word for a position. Positions are cut at blanks, and a name may hold any character.
func (t temporaries) String() string {
	text := map[string][][2]string{}
	for s, names := range t {
		key := strconv.FormatUint(uint64(s.server), 10) + "/" + strconv.FormatUint(uint64(s.thread), 10)
		for _, n := range names {
			text[key] = append(text[key], [2]string{n.Database, n.Table})
		}
	}
	plain, err := json.Marshal(text) // in the order of the keys
	if err != nil {
		panic(err) // strings
	}
	return base64.RawURLEncoding.EncodeToString(plain)
}

// parseTemporaries reads what String wrote. A damaged list is an error: without it a statement on a temporary table
// would be taken for one on the real table.
func parseTemporaries(word string) (temporaries, error) {
	plain, err := base64.RawURLEncoding.DecodeString(word)
	if err != nil {
		return nil, fmt.Errorf("invalid list of temporary tables: %w", err)
	}
	var text map[string][][2]string
	if err := json.Unmarshal(plain, &text); err != nil {
		return nil, fmt.Errorf("invalid list of temporary tables: %w", err)
	}
	t := make(temporaries, len(text))
	for key, names := range text {
		server, thread, _ := strings.Cut(key, "/")
		s, err1 := strconv.ParseUint(server, 10, 32)
		n, err2 := strconv.ParseUint(thread, 10, 32)
		if err1 != nil || err2 != nil || len(names) == 0 {
			return nil, fmt.Errorf("invalid list of temporary tables: session %q", key)
		}
		for _, name := range names {
			session := sessionKey{uint32(s), uint32(n)}
			t[session] = append(t[session], schema.Name{Database: name[0], Table: name[1]})
		}
	}
	return t, nil
}
