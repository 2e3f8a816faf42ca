// Package count writes numbers of things for people: 1 row, 2 rows.
//
// Its one invariant: it is the only place that makes plurals, so that nobody reads of "1 tables". It knows no words: a
// noun forms its plural with an s, and verbs are kept out of what is said.
package count

import "strconv"

// Of writes a number of things.
func Of[N int | int64 | uint16](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatInt(int64(n), 10) + " " + noun + "s"
}
