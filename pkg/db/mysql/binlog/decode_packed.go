package binlog

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"fmt"
	"io"
	"slices"
)

// inflater undoes the compression of MariaDB's columns with the attribute COMPRESSED. It keeps its buffers from value
// to value.
type inflater struct {
	from bytes.Reader
	raw  io.ReadCloser // with flate.Resetter
	zlib io.ReadCloser // with zlib.Resetter
}

// inflateStep bounds, in bytes, how much memory is reserved before as much has been decompressed: the length in a
// damaged log may say 4 GiB.
const inflateStep = 1 << 20

// append writes the value whose compressed form is given (mariadb-server sql/field.cc, compress_zlib): nothing when
// that is empty; else a byte before says how. 0 is not at all. 0x80 is zlib, with 8 added when its header and
// checksum are left out; the low three bits are the number of bytes, high byte first, of the value's length, which
// come next.
func (z *inflater) append(dst, packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return dst, nil
	}
	method, packed := packed[0], packed[1:]
	size := int(method & 7)
	switch {
	case method == 0:
		return append(dst, packed...), nil
	case method&0xf0 != 0x80 || size == 0 || size > 4 || len(packed) < size:
		return nil, fmt.Errorf("%w: compression %#x", errImage, method)
	}
	length := int(decodeBig(packed[:size])) //nolint:gosec // 4 bytes
	z.from.Reset(packed[size:])
	source, err := z.open(method&8 != 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errImage, err)
	}
	for length > 0 {
		n := min(length, inflateStep)
		dst = slices.Grow(dst, n)
		at := len(dst)
		if _, err := io.ReadFull(source, dst[at:at+n]); err != nil {
			return nil, fmt.Errorf("%w: %w", errImage, err)
		}
		dst, length = dst[:at+n], length-n
	}
	var more [1]byte
	if n, err := source.Read(more[:]); n != 0 || err != io.EOF {
		return nil, fmt.Errorf("%w: a compressed value is longer than it says: %w", errImage, err)
	}
	return dst, nil
}

// open returns a reader that decompresses what from holds. The readers are reused: a new one would allocate about 40
// KB for each value.
func (z *inflater) open(raw bool) (_ io.Reader, err error) {
	switch {
	case raw && z.raw != nil:
		return z.raw, z.raw.(flate.Resetter).Reset(&z.from, nil) //nolint:forcetypeassert // documented
	case raw:
		z.raw = flate.NewReader(&z.from)
		return z.raw, nil
	case z.zlib != nil:
		return z.zlib, z.zlib.(zlib.Resetter).Reset(&z.from, nil) //nolint:forcetypeassert // documented
	}
	z.zlib, err = zlib.NewReader(&z.from)
	return z.zlib, err
}
