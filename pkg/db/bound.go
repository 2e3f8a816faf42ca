package db

import (
	"fmt"
	"strconv"
)

// EncodeKey writes the bound of a chunk for a ledger to keep: each value as length, colon, bytes; no bound is nil. For
// example ("7", "a:b") is "1:73:a:b".
// Values may be any bytes, which is why no separator would do.
func EncodeKey(key Row) []byte {
	if key == nil {
		return nil
	}
	out := []byte{}
	for _, v := range key {
		out = append(strconv.AppendInt(out, int64(len(v)), 10), ':')
		out = append(out, v...)
	}
	return out
}

// DecodeKey reads what EncodeKey has written. A damaged text is an error, and never a shorter key: a chunk with wrong
// bounds would lose rows.
func DecodeKey(b []byte) (Row, error) {
	if b == nil {
		return nil, nil
	}
	key := Row{}
	for at := 0; at < len(b); {
		colon := at
		for colon < len(b) && b[colon] != ':' {
			colon++
		}
		n, err := strconv.Atoi(string(b[at:colon]))
		if err != nil || n < 0 || colon+1+n > len(b) {
			return nil, fmt.Errorf("invalid key bound %q", b)
		}
		at = colon + 1 + n
		key = append(key, b[colon+1:at])
	}
	return key, nil
}
