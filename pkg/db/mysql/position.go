package mysql

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// position is a place in a change log: after the transactions of gtid, and after offset in file of the server. Either may be
// absent. A file is only comparable with files of the same server.
type position struct {
	gtid   gtids  // nil when unknown
	file   string // base name of the binary log
	offset uint64
	server string // which server file and offset belong to; empty when a user did not say
}

// IsZero tells whether p is no place.
func (p position) IsZero() bool { return (p.gtid == nil || p.gtid.empty()) && p.file == "" }

// String returns words of the form name=value, which parsePosition reads.
func (p position) String() string {
	var words []string
	if p.gtid != nil && !p.gtid.empty() {
		words = append(words, "gtid="+p.gtid.String())
	}
	if p.file != "" {
		words = append(words, "file="+url.PathEscape(p.file)+":"+strconv.FormatUint(p.offset, 10))
	}
	if p.server != "" && p.file != "" {
		words = append(words, "server="+url.PathEscape(p.server))
	}
	return strings.Join(words, " ")
}

// parsePosition reads what String writes, and what a user may type: a GTID set, a GTID list, or file:offset.
func parsePosition(text string) (position, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return position{}, nil
	}
	if !strings.HasPrefix(text, "gtid=") && !strings.HasPrefix(text, "file=") {
		return parseBarePosition(text)
	}
	var p position
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		var err error
		switch name {
		case "gtid":
			p.gtid, err = parseGTIDs(value)
		case "file":
			p.file, p.offset, err = parseFileOffset(value)
		case "server":
			p.server, err = url.PathUnescape(value)
		default:
			err = fmt.Errorf("no such part %q", name)
		}
		if err != nil {
			return position{}, fmt.Errorf("parse position %q: %w", text, err)
		}
	}
	if p.file == "" && p.server != "" {
		return position{}, fmt.Errorf("parse position %q: a server without a file", text)
	}
	return p, nil
}

func parseBarePosition(text string) (position, error) {
	first, _, _ := strings.Cut(text, ":")
	_, notUUID := gtidParseUUID(strings.TrimSpace(first))
	if strings.Contains(text, ":") && notUUID != nil {
		file, offset, err := parseFileOffset(text)
		if err != nil {
			return position{}, fmt.Errorf("parse position %q: %w", text, err)
		}
		return position{file: file, offset: offset}, nil
	}
	set, err := parseGTIDs(text)
	if err != nil {
		return position{}, fmt.Errorf("parse position %q: neither GTIDs nor file:offset: %w", text, err)
	}
	return position{gtid: set}, nil
}

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

// binlogNumber splits binlog.000042 into its base and 42. Numbers grow beyond six digits.
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

// reached tells whether everything up to goal is contained in at. Places in the files of one server are compared as such,
// for only they count transactions without a GTID; else GTIDs are.
func reached(at, goal position) (bool, error) {
	if at.file != "" && goal.file != "" && (at.server == goal.server || at.server == "" || goal.server == "") {
		atBase, atNumber, ok1 := binlogNumber(at.file)
		goalBase, goalNumber, ok2 := binlogNumber(goal.file)
		if ok1 && ok2 && atBase == goalBase {
			return atNumber > goalNumber || atNumber == goalNumber && at.offset >= goal.offset, nil
		}
	}
	if at.gtid != nil && goal.gtid != nil {
		if yes, ok := at.gtid.contains(goal.gtid); ok {
			return yes, nil
		}
	}
	return false, fmt.Errorf("compare position %q with %q: %w", at, goal, errIncomparable)
}
