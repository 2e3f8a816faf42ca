package mysql

import (
	"bytes"
	"slices"
	"strconv"

	"wherry/pkg/db/canon"
	"wherry/pkg/db/mysql/wire"
)

// MySQL reads a number of JSON text as an integer of 64 bits or as a double, but its documents may also hold
// decimals: 1.50 or 123456789012345678901 would arrive as another number. Such numbers are put into the document by
// JSON_REPLACE, which takes SQL's decimals as they are.

// documentGrowth is about how many bytes an expression has per byte of its document, in the worst case: each number may
// need a path to it that is longer than the number.
const documentGrowth = 16

// documentNumber is where a number that would be read as another one is in a document.
type documentNumber struct {
	path  []byte // such as $[3]."key"
	begin int
	end   int
}

// appendDocument appends the expression of a document. [1, 2.50] becomes
//
//	JSON_REPLACE(_utf8mb4'[1, 2.50]',_utf8mb4'$[1]',2.50)
func appendDocument(b, document []byte) []byte {
	if plainDocument(document) {
		return wire.AppendQuoted(append(b, "_utf8mb4"...), document)
	}
	b = wire.AppendQuoted(append(b, "JSON_REPLACE(_utf8mb4"...), document)
	s := documentScan{document: document, path: []byte("$")}
	s.value()
	for _, n := range s.found {
		b = wire.AppendQuoted(append(b, ",_utf8mb4"...), n.path)
		b = append(append(b, ','), document[n.begin:n.end]...)
	}
	return append(b, ')')
}

// plainDocument tells whether the server reads every number of a document as it is written.
func plainDocument(document []byte) bool {
	for i := 0; i < len(document); {
		switch c := document[i]; {
		case c == '"':
			i = stringEnd(document, i)
		case c == '-' || c >= '0' && c <= '9':
			end := canon.NumberEnd(document, i)
			if !canon.PlainNumber(document[i:end]) {
				return false
			}
			i = end
		default:
			i++
		}
	}
	return true
}

// stringEnd returns where the quoted string that begins at i ends.
func stringEnd(document []byte, i int) int {
	for i++; i < len(document) && document[i] != '"'; i++ {
		if document[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(document))
}

// documentScan walks a document that a server printed and notes the numbers that are not plain.
type documentScan struct {
	document []byte
	at       int
	path     []byte
	found    []documentNumber
}

// value walks over one value.
func (s *documentScan) value() {
	if s.at >= len(s.document) {
		return
	}
	switch c := s.document[s.at]; {
	case c == '[' || c == '{':
		s.members(c == '{')
	case c == '"':
		s.at = stringEnd(s.document, s.at)
	case c == '-' || c >= '0' && c <= '9':
		begin := s.at
		s.at = canon.NumberEnd(s.document, begin)
		if !canon.PlainNumber(s.document[begin:s.at]) {
			s.found = append(s.found, documentNumber{slices.Clone(s.path), begin, s.at})
		}
	default: // true, false, null
		for s.at < len(s.document) && s.document[s.at] >= 'a' && s.document[s.at] <= 'z' {
			s.at++
		}
	}
}

func (s *documentScan) members(object bool) {
	path := len(s.path)
	s.at++
	for i := 0; s.space() && s.document[s.at] != ']' && s.document[s.at] != '}'; i++ {
		begin := s.at
		if object {
			key := s.at
			s.at = stringEnd(s.document, s.at)
			s.path = append(append(s.path[:path], '.'), s.document[key:s.at]...)
		} else {
			s.path = append(strconv.AppendInt(append(s.path[:path], '['), int64(i), 10), ']')
		}
		if s.space() {
			s.value()
		}
		if s.at == begin {
			s.at++ // no document: the server says so
		}
	}
	s.at = min(s.at+1, len(s.document))
	s.path = s.path[:path]
}

// space passes over blanks, commas and colons, and tells whether anything follows.
func (s *documentScan) space() bool {
	for s.at < len(s.document) && bytes.IndexByte([]byte(" \t\r\n,:"), s.document[s.at]) >= 0 {
		s.at++
	}
	return s.at < len(s.document)
}
