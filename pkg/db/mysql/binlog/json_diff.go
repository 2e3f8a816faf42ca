package binlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"wherry/pkg/db/canon"
)

// With binlog_row_value_options=PARTIAL_JSON an update's after image may hold, in place of a document, how it differs
// from the before image's (mysql-server sql-common/json_diff.h). Documents are unpacked only along the paths that
// change.

// jsonNode is a value of a document. Members are unpacked when a path leads into it; all others are printed from
// their bytes.
type jsonNode struct {
	kind   byte
	data   []byte // the value, with what follows it
	open   bool   // keys and kids hold the value, not data
	object bool
	keys   [][]byte // sorted by length, then by bytes, as the binary format has them
	kids   []*jsonNode
}

// errJSONDiff is a difference that does not fit its document.
var errJSONDiff = errors.New("invalid JSON difference in the row image")

// Operations of a difference.
const (
	jsonReplace = 0
	jsonInsert  = 1
	jsonRemove  = 2
)

// appendJSONDiff writes the text of a document after differences are applied to it.
func appendJSONDiff(dst, document, diffs []byte) ([]byte, error) {
	root := &jsonNode{kind: jsonLiteral, data: []byte{0}}
	if len(document) > 0 {
		root = &jsonNode{kind: document[0], data: document[1:]}
	}
	r := logReader{data: diffs}
	for len(r.data) > 0 {
		op, path := r.uint(1), r.packedBytes()
		var value *jsonNode
		if op != jsonRemove {
			raw := r.packedBytes()
			if r.bad || len(raw) == 0 {
				return nil, errJSONDiff
			}
			value = &jsonNode{kind: raw[0], data: raw[1:]}
		}
		legs, ok := jsonPath(path)
		if r.bad || !ok {
			return nil, fmt.Errorf("%w: path %q", errJSONDiff, path)
		}
		if len(legs) == 0 {
			if op != jsonReplace {
				return nil, errJSONDiff
			}
			root = value
			continue
		}
		if !root.change(op, legs, value) {
			return nil, fmt.Errorf("%w: operation %d at %q", errJSONDiff, op, path)
		}
	}
	return root.append(dst, 0)
}

// change applies an operation to the member that legs lead to. It is false when there is no such member, or there is
// one already: then the difference is of another document, and the row must not be written.
func (n *jsonNode) change(op uint64, legs []jsonLeg, value *jsonNode) bool {
	for ; len(legs) > 1; legs = legs[1:] {
		if !n.unpack() {
			return false
		}
		at, found := n.find(legs[0])
		if !found {
			return false
		}
		n = n.kids[at]
	}
	if !n.unpack() || n.object != (legs[0].key != nil) {
		return false
	}
	at, found := n.find(legs[0])
	switch {
	case op == jsonReplace && found:
		n.kids[at] = value
	case op == jsonRemove && found:
		n.kids = slices.Delete(n.kids, at, at+1)
		if n.object {
			n.keys = slices.Delete(n.keys, at, at+1)
		}
	case op == jsonInsert && !n.object:
		n.kids = slices.Insert(n.kids, at, value)
	case op == jsonInsert && !found:
		n.kids = slices.Insert(n.kids, at, value)
		n.keys = slices.Insert(n.keys, at, legs[0].key)
	default:
		return false
	}
	return true
}

// find returns where a member is, or where it would be inserted.
func (n *jsonNode) find(leg jsonLeg) (at int, found bool) {
	if !n.object {
		return min(leg.index, len(n.kids)), leg.key == nil && leg.index < len(n.kids)
	}
	return slices.BinarySearchFunc(n.keys, leg.key, func(a, b []byte) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return bytes.Compare(a, b)
	})
}

// unpack reads the members of an object or array, one level deep. A document of many megabytes of which one number
// changed costs no more than the levels above that number.
func (n *jsonNode) unpack() bool {
	if n.open {
		return true
	}
	if n.kind > jsonLargeArray {
		return false
	}
	c, ok := jsonOpen(n.kind, n.data)
	if !ok {
		return false
	}
	n.open, n.object = true, c.object
	for i := range c.count {
		if c.object {
			key, ok := c.key(i)
			if !ok {
				return false
			}
			n.keys = append(n.keys, key)
		}
		kind, data, ok := c.value(i)
		if !ok {
			return false
		}
		n.kids = append(n.kids, &jsonNode{kind: kind, data: data})
	}
	return true
}

func (n *jsonNode) append(dst []byte, depth int) (_ []byte, err error) {
	if !n.open {
		return jsonAppend(dst, n.kind, n.data, false, depth) // differences are logged since MySQL 8.0.3
	}
	brackets := "[]"
	if n.object {
		brackets = "{}"
	}
	dst = append(dst, brackets[0])
	for i, kid := range n.kids {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if n.object {
			dst = append(canon.AppendJSONString(dst, n.keys[i]), ": "...)
		}
		if dst, err = kid.append(dst, depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, brackets[1]), nil
}

// jsonLeg is one step of a path: a key, or an index when key is nil.
type jsonLeg struct {
	key   []byte
	index int
}

// jsonPath reads $.key."quoted key"[3], the form in which servers write paths.
func jsonPath(path []byte) (legs []jsonLeg, ok bool) {
	if len(path) == 0 || path[0] != '$' {
		return nil, false
	}
	for path = path[1:]; len(path) > 0; {
		switch {
		case path[0] == '[':
			end := bytes.IndexByte(path, ']')
			if end < 0 {
				return nil, false
			}
			index, err := strconv.ParseUint(string(path[1:end]), 10, 31)
			if err != nil {
				return nil, false
			}
			legs, path = append(legs, jsonLeg{index: int(index)}), path[end+1:] //nolint:gosec // 31 bits
		case path[0] != '.' || len(path) == 1:
			return nil, false
		case path[1] == '"':
			end := 2
			for end < len(path) && path[end] != '"' {
				if path[end] == '\\' {
					end++
				}
				end++
			}
			var key string
			if end >= len(path) || json.Unmarshal(path[1:end+1], &key) != nil {
				return nil, false
			}
			legs, path = append(legs, jsonLeg{key: []byte(key)}), path[end+1:]
		default:
			end := 1
			for end < len(path) && path[end] != '.' && path[end] != '[' {
				end++
			}
			legs, path = append(legs, jsonLeg{key: path[1:end:end]}), path[end:]
		}
	}
	return legs, true
}
