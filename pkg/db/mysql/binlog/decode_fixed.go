package binlog

import (
	"encoding/hex"
	"strconv"
)

// appendFixed writes a uuid, inet4 or inet6 of MariaDB. The log has their bytes in the order in which they are
// written, without trailing zeros, also where the table keeps those of a uuid in another order (MDEV-29959).
func (c *decodeColumn) appendFixed(dst, value []byte) ([]byte, error) {
	var whole [16]byte
	if len(value) > c.size || c.size > len(whole) {
		return nil, errImage
	}
	copy(whole[:], value)
	switch c.kind {
	case decodeUUID:
		return appendUUID(dst, &whole), nil
	case decodeINET4:
		return appendINET4(dst, whole[:4]), nil
	default:
		return appendINET6(dst, &whole), nil
	}
}

func appendUUID(dst []byte, v *[16]byte) []byte {
	from := 0
	for _, upto := range [...]int{4, 6, 8, 10, 16} {
		if from > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, v[from:upto])
		from = upto
	}
	return dst
}

func appendINET4(dst, v []byte) []byte {
	for i, b := range v {
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = strconv.AppendUint(dst, uint64(b), 10)
	}
	return dst
}

// appendINET6 writes as MariaDB prints (Inet6::to_string): the first of the longest runs of zero groups, also a run
// of one, becomes "::", and what follows six zero groups, or five and ffff, is written like an inet4.
func appendINET6(dst []byte, v *[16]byte) []byte {
	group := func(i int) uint64 { return uint64(v[2*i])<<8 | uint64(v[2*i+1]) }
	gap, length := -1, 0
	for i := 0; i < 8; i++ {
		n := 0
		for i+n < 8 && group(i+n) == 0 {
			n++
		}
		if n > length {
			gap, length = i, n
		}
		i += n
	}
	for i := 0; i < 8; i++ {
		switch {
		case i == gap:
			if i == 0 {
				dst = append(dst, ':')
			}
			dst = append(dst, ':')
			i += length - 1
		case i == 6 && gap == 0 && (length == 6 || length == 5 && group(5) == 0xffff):
			return appendINET4(dst, v[12:])
		default:
			dst = strconv.AppendUint(dst, group(i), 16)
			if i < 7 {
				dst = append(dst, ':')
			}
		}
	}
	return dst
}
