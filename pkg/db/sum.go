package db

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"strconv"
)

// Summer computes the checksum of rows as an engine's Sum does: per row the first 64 bits of SHA-256 over each value as
// length, colon and bytes, or "~" for NULL; the row hashes are added up. The zero value is the sum of no rows.
//
// SHA-256 rather than a CRC: CRC32 is affine, so an even number of equally damaged rows cancels under XOR.
type Summer struct {
	rows       int64
	low, carry uint64
	buffer     []byte
}

// Add adds a row. Equal rows count as often as they are added.
func (s *Summer) Add(row Row) {
	var digest [sha256.Size]byte
	digest, s.buffer = row.Digest(s.buffer)
	before := s.low
	if s.low += binary.BigEndian.Uint64(digest[:8]); s.low < before {
		s.carry++
	}
	s.rows++
}

// Sum returns the checksum of what was added so far.
func (s *Summer) Sum() Sum {
	value := new(big.Int).SetUint64(s.carry)
	value.Lsh(value, 64)
	return Sum{Rows: s.rows, Hash: value.Add(value, new(big.Int).SetUint64(s.low)).String()}
}

// Digest returns what tells a row from every other: SHA-256 over each value as length, colon and bytes, or "~" for
// NULL. The lengths keep ("ab", "c") and ("a", "bc") apart. The buffer is scratch space; it is returned for reuse.
func (r Row) Digest(buffer []byte) (digest [sha256.Size]byte, used []byte) {
	buffer = buffer[:0]
	for _, v := range r {
		if v == nil {
			buffer = append(buffer, '~')
			continue
		}
		buffer = append(strconv.AppendInt(buffer, int64(len(v)), 10), ':')
		buffer = append(buffer, v...)
	}
	return sha256.Sum256(buffer), buffer
}

// Plus returns the checksum of both's rows together. Sums are not cut at any number of bits, so it is exact.
func (s Sum) Plus(o Sum) Sum {
	total := new(big.Int)
	for _, hash := range []string{s.Hash, o.Hash} {
		if n, ok := new(big.Int).SetString(hash, 10); ok {
			total.Add(total, n)
		}
	}
	return Sum{Rows: s.Rows + o.Rows, Hash: total.String()}
}

// SumRows computes the checksum of rows and closes them.
func SumRows(rows Rows) (sum Sum, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	var s Summer
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return s.Sum(), nil
		}
		if err != nil {
			return Sum{}, err
		}
		s.Add(row)
	}
}
