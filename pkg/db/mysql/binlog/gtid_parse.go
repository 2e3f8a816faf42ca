package binlog

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// ParseGTIDs reads a MySQL GTID set or a MariaDB GTID list, whichever the text is. White space is ignored, as servers
// break long sets into lines.
func ParseGTIDs(text string) (GTIDs, error) {
	bare := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	if strings.Contains(bare, ":") {
		return parseGTIDSet(bare)
	}
	return ParseGTIDList(bare)
}

// parseGTIDSet reads a set such as 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7:tag:1-3. A tag holds for the intervals
// behind it, up to the next tag or UUID. An empty set is an error: it would be no place in the log.
func parseGTIDSet(text string) (*GTIDSet, error) {
	s := NewGTIDSet()
	for _, member := range strings.Split(text, ",") {
		if member == "" { // servers accept empty members
			continue
		}
		parts := strings.Split(member, ":")
		var run GTIDRun
		var err error
		if run.uuid, err = gtidParseUUID(parts[0]); err != nil {
			return nil, fmt.Errorf("parse GTID set %q: %w", text, err)
		}
		if len(parts) == 1 {
			return nil, fmt.Errorf("parse GTID set %q: no transaction number after %s", text, parts[0])
		}
		for _, part := range parts[1:] {
			if gtidIsTag(part) {
				run.tag = strings.ToLower(part)
				continue
			}
			if run.First, run.Last, err = gtidParseInterval(part); err != nil {
				return nil, fmt.Errorf("parse GTID set %q: %w", text, err)
			}
			s.Add(run)
		}
	}
	if s.Empty() {
		return nil, fmt.Errorf("parse GTID set %q: no transaction in it", text)
	}
	return s, nil
}

// gtidIsTag follows the manual, "GTID Format": a letter or underscore, then up to 31 letters, digits, underscores.
func gtidIsTag(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if s[i] != '_' && (c < 'a' || c > 'z') && (i == 0 || s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// gtidParseInterval reads 5 or 1-5. Numbers begin at 1.
func gtidParseInterval(s string) (first, last uint64, err error) {
	from, upto, isRange := strings.Cut(s, "-")
	if first, err = strconv.ParseUint(from, 10, 63); err == nil {
		last = first
		if isRange {
			last, err = strconv.ParseUint(upto, 10, 63)
		}
	}
	if err != nil || first == 0 || last < first || last > gtidMaxNumber {
		return 0, 0, fmt.Errorf("invalid transaction number %q", s)
	}
	return first, last, nil
}

// gtidParseUUID reads a server's UUID, in the one form in which servers print it.
func gtidParseUUID(s string) (uuid [16]byte, err error) {
	digits := strings.ReplaceAll(s, "-", "")
	if len(s) != 36 || len(digits) != 32 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return uuid, fmt.Errorf("invalid server UUID %q", s)
	}
	if _, err := hex.Decode(uuid[:], []byte(digits)); err != nil {
		return uuid, fmt.Errorf("invalid server UUID %q", s)
	}
	return uuid, nil
}
