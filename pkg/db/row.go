// Package db is the contract for both ends of a move: what a phase may ask of a source and of a target.
//
// Its one invariant: a value is nil (NULL) or its canonical bytes, MySQL's own text form (integers and decimals as
// digits, floats as the shortest digits that read back to the same number, temporal values as MySQL prints them, enum
// and set as labels, JSON as MySQL prints it, characters in the column's own character set; binary, bit and spatial
// values raw). A source's values are read by the rules of their relation at its door, so that all rows, keys and bounds
// beyond it are what the target has (see route.Rule and package canon). It holds no engine: those are the folders below
// it.
//
// For example, the row (7, 'Anna', NULL) is Row{[]byte("7"), []byte("Anna"), nil}, whether it was read by SELECT, from
// the change log, or back from a target. So two rows are equal if their bytes are.
package db

import "io"

// Row is the canonical bytes of a row's values, in the order of a relation's columns. A nil element is NULL, an empty
// one is the empty string.
type Row [][]byte

// Clone copies the row and its bytes, so that it outlives the buffer that it was read from.
func (r Row) Clone() Row {
	if r == nil {
		return nil
	}
	size := 0
	for _, v := range r {
		size += len(v)
	}
	buffer, out := make([]byte, 0, size), make(Row, len(r))
	for i, v := range r {
		if v == nil {
			continue
		}
		at := len(buffer)
		buffer = append(buffer, v...)
		out[i] = buffer[at:len(buffer):len(buffer)]
	}
	return out
}

// Pick returns the values at the given positions, sharing their bytes.
func (r Row) Pick(positions []int) Row {
	out := make(Row, len(positions))
	for i, p := range positions {
		out[i] = r[p]
	}
	return out
}

// Size returns the bytes of all values.
func (r Row) Size() int {
	size := 0
	for _, v := range r {
		size += len(v)
	}
	return size
}

// Rows streams rows. It is used by one goroutine and must be closed, also after an error.
type Rows interface {
	// Next returns the next row, which is valid until the following call, or io.EOF after the last.
	Next() (Row, error)
	Close() error
}

// Range is the keys k with After < k <= Upto in the server's own key order; a nil bound is open.
type Range struct {
	After Row
	Upto  Row
}

// Sum is the checksum of a range: the number of rows, and the sum of a 64-bit prefix of SHA-256 over the canonical
// bytes of each, as decimal digits. Two ends that hold equal rows give equal sums.
type Sum struct {
	Rows int64
	Hash string
}

// ReadAll drains rows into memory, for ranges known to be small, and closes them.
func ReadAll(rows Rows) (all []Row, err error) {
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	for {
		row, err := rows.Next()
		if err == io.EOF { //nolint:errorlint // Next returns io.EOF itself, by contract
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, row.Clone())
	}
}
