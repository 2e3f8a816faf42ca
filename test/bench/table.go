package main

import (
	"math/rand/v2"
	"strconv"

	"wherry/test/internal/lab"
)

// The table is sysbench's: about 195 bytes a row, most of them digits.
const (
	lenC   = 119
	lenPad = 59
)

var columns = []string{"id", "k", "c", "pad"}

// The secondary indexes that tables are measured with.
const (
	noIndexes  = ""
	oneIndex   = ", KEY k (k)"
	twoIndexes = ", KEY k (k), KEY c (c(24))"
	addIndexes = "ADD KEY k (k), ADD KEY c (c(24))" // twoIndexes, to a table that is there
)

func createTable(name, indexes string) string {
	return "CREATE TABLE " + name + " (id INT NOT NULL AUTO_INCREMENT, k INT NOT NULL DEFAULT 0, c CHAR(120) NOT " +
		"NULL DEFAULT ''," +
		" pad CHAR(60) NOT NULL DEFAULT '', PRIMARY KEY (id)" + indexes + ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 " +
		"COLLATE=utf8mb4_general_ci"
}

// row is row number i, from 0.
func row(out *lab.TSV, i int) {
	pcg := rand.NewPCG(1, uint64(i))
	out.Int(int64(i + 1))
	out.Int(int64(pcg.Uint64() >> 33))
	var text [lenC + 13]byte
	out.Raw(digits(text[:0], pcg, lenC))
	out.Raw(digits(text[:0], pcg, lenPad))
}

// digits is n characters: digits in groups of 11, as sysbench writes them.
func digits(buf []byte, pcg *rand.PCG, n int) []byte {
	for len(buf) < n {
		group := strconv.AppendUint(buf, 10_000_000_000+pcg.Uint64()%90_000_000_000, 10)
		buf = append(group, '-')
	}
	return buf[:n]
}
