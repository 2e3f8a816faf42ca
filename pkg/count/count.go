// Package count writes numbers of things for people: 1 row, 2 rows.
//
// Its one invariant: it is the only place that makes plurals, so that nobody reads "1 tables". It knows no words: a
// noun gets an s, so Of(2, "row") is "2 rows"; nouns such as index, and verbs, are kept out of such texts. A test
// searches the code for other plurals.
package count

import "strconv"

// Of writes a number of things.
func Of[N int | int64 | uint16](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatInt(int64(n), 10) + " " + noun + "s"
}
