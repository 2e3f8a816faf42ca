package db

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"strconv"
)

// SumRows computes the checksum of rows as an engine's Sum does: per row the first 64 bits of SHA-256 over each value as
// length, colon and bytes, or "~" for NULL; the row hashes are added up. It closes rows.
//
// SHA-256 rather than a CRC: CRC32 is affine, so an even number of equally damaged rows cancels under XOR.
func SumRows(rows Rows) (sum Sum, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	total, carry := uint64(0), uint64(0)
	var buffer []byte
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Sum{}, err
		}
		buffer = buffer[:0]
		for _, v := range row {
			if v == nil {
				buffer = append(buffer, '~')
				continue
			}
			buffer = append(strconv.AppendInt(buffer, int64(len(v)), 10), ':')
			buffer = append(buffer, v...)
		}
		hash := sha256.Sum256(buffer)
		before := total
		if total += binary.BigEndian.Uint64(hash[:8]); total < before {
			carry++
		}
		sum.Rows++
	}
	value := new(big.Int).SetUint64(carry)
	value.Lsh(value, 64)
	sum.Hash = value.Add(value, new(big.Int).SetUint64(total)).String()
	return sum, nil
}
