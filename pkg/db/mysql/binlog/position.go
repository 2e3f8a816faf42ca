package binlog

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"wherry/pkg/db"
)

// Position is a place in a change log: after the transactions of GTIDs, and after Offset in File of Server. Either may
// be absent. A file is only comparable with files of the same server.
type Position struct {
	GTIDs  GTIDs  // nil when unknown
	File   string // base name of the binary log
	Offset uint64
	Server string // which server File and Offset belong to; empty when a user did not say

	temporary temporaries // of sessions that were open there
}

// IsZero tells whether p is no place.
func (p Position) IsZero() bool { return (p.GTIDs == nil || p.GTIDs.Empty()) && p.File == "" }

// String returns words of the form name=value, which ParsePosition reads.
func (p Position) String() string {
	var words []string
	if p.GTIDs != nil && !p.GTIDs.Empty() {
		words = append(words, "gtid="+p.GTIDs.String())
	}
	if p.File != "" {
		words = append(words, "file="+url.PathEscape(p.File)+":"+strconv.FormatUint(p.Offset, 10))
	}
	if p.Server != "" && p.File != "" {
		words = append(words, "server="+url.PathEscape(p.Server))
	}
	if len(p.temporary) > 0 && len(words) > 0 {
		words = append(words, "temporary="+p.temporary.String())
	}
	return strings.Join(words, " ")
}

// ParsePosition reads what String writes, and what a user may type: a GTID set, a GTID list, or file:offset.
func ParsePosition(pos db.Position) (Position, error) {
	text := strings.TrimSpace(string(pos))
	if text == "" {
		return Position{}, nil
	}
	if !strings.HasPrefix(text, "gtid=") && !strings.HasPrefix(text, "file=") {
		return parseBarePosition(text)
	}
	var p Position
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		var err error
		switch name {
		case "gtid":
			p.GTIDs, err = ParseGTIDs(value)
		case "file":
			p.File, p.Offset, err = parseFileOffset(value)
		case "server":
			p.Server, err = url.PathUnescape(value)
		case "temporary":
			p.temporary, err = parseTemporaries(value)
		default:
			err = fmt.Errorf("no such part %q", name)
		}
		if err != nil {
			return Position{}, fmt.Errorf("parse position %q: %w", text, err)
		}
	}
	if p.File == "" && p.Server != "" {
		return Position{}, fmt.Errorf("parse position %q: a server without a file", text)
	}
	return p, nil
}

// parseBarePosition reads what a user may type. A colon also stands in a GTID set, so the text before it decides: a
// UUID, or else a file.
func parseBarePosition(text string) (Position, error) {
	first, _, _ := strings.Cut(text, ":")
	_, notUUID := gtidParseUUID(strings.TrimSpace(first))
	if strings.Contains(text, ":") && notUUID != nil {
		file, offset, err := parseFileOffset(text)
		if err != nil {
			return Position{}, fmt.Errorf("parse position %q: %w", text, err)
		}
		return Position{File: file, Offset: offset}, nil
	}
	set, err := ParseGTIDs(text)
	if err != nil {
		return Position{}, fmt.Errorf("parse position %q: neither GTIDs nor file:offset: %w", text, err)
	}
	return Position{GTIDs: set}, nil
}

// parseFileOffset reads binlog.000042:1234. The name must end in a number, for positions are compared by it.
func parseFileOffset(text string) (file string, offset uint64, err error) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return "", 0, fmt.Errorf("invalid file and offset %q", text)
	}
	if offset, err = strconv.ParseUint(text[colon+1:], 10, 64); err != nil {
		return "", 0, fmt.Errorf("invalid offset %q", text[colon+1:])
	}
	if file, err = url.PathUnescape(text[:colon]); err != nil || file == "" || strings.ContainsAny(file, " \t\r\n") {
		return "", 0, fmt.Errorf("invalid file %q", text[:colon])
	}
	if _, _, ok := binlogNumber(file); !ok {
		return "", 0, fmt.Errorf("invalid file %q: no number at its end", file)
	}
	return file, offset, nil
}

// binlogNumber splits binlog.000042 into its base and 42. Numbers grow beyond six digits, so names cannot be compared
// as texts: binlog.1000000 comes after binlog.999999.
func binlogNumber(file string) (base string, number uint64, ok bool) {
	dot := strings.LastIndexByte(file, '.')
	if dot < 0 {
		return "", 0, false
	}
	number, err := strconv.ParseUint(file[dot+1:], 10, 63)
	return file[:dot], number, err == nil
}

// errIncomparable is two positions that have no common measure.
var errIncomparable = errors.New("positions have neither GTIDs nor files of one server in common")

// Reached tells whether everything up to goal is contained in at.
func Reached(at, goal db.Position) (bool, error) {
	a, err := ParsePosition(at)
	if err != nil {
		return false, err
	}
	g, err := ParsePosition(goal)
	if err != nil {
		return false, err
	}
	if a.File == "" && g.GTIDs == nil {
		return false, nil // a start position by GTID only; the log's first event tells where that is
	}
	return reached(a, g)
}

// reached tells whether everything up to goal is contained in at. Places in files of one server are compared first:
// only they count transactions without a GTID. Otherwise GTIDs are compared. Two positions with neither in common are
// an error, and not "no": the caller would wait for ever.
func reached(at, goal Position) (bool, error) {
	if at.File != "" && goal.File != "" && (at.Server == goal.Server || at.Server == "" || goal.Server == "") {
		atBase, atNumber, ok1 := binlogNumber(at.File)
		goalBase, goalNumber, ok2 := binlogNumber(goal.File)
		if ok1 && ok2 && atBase == goalBase {
			return atNumber > goalNumber || atNumber == goalNumber && at.Offset >= goal.Offset, nil
		}
	}
	if at.GTIDs != nil && goal.GTIDs != nil {
		if yes, ok := at.GTIDs.Contains(goal.GTIDs); ok {
			return yes, nil
		}
	}
	return false, fmt.Errorf("compare position %q with %q: %w", at, goal, errIncomparable)
}

// FormatPosition writes a position as ParsePosition reads it, from texts as a server gives them: MySQL breaks GTID
// sets into lines.
func FormatPosition(gtid, file string, offset uint64, tag string) db.Position {
	var parts []string
	if gtid != "" {
		parts = append(parts, "gtid="+strings.NewReplacer("\n", "", " ", "").Replace(gtid))
	}
	if file != "" {
		parts = append(parts, fmt.Sprintf("file=%s:%d", file, offset), "server="+tag)
	}
	return db.Position(strings.Join(parts, " "))
}
