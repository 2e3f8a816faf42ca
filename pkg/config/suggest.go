package config

import "strings"

// nearest returns the known key that an unknown one was probably meant to be, or "". Up to a quarter of its letters may
// be wrong, and two in any case; else the last part must be right, as in workers for copy.workers.
func nearest(key string, known []string) string {
	best, bestDistance := "", 1+max(2, len(key)/4)
	for _, k := range known {
		if d := distance(key, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	if best != "" {
		return best
	}
	for _, k := range known { // right name, wrong section
		if strings.HasSuffix(k, "."+lastPart(key)) {
			return k
		}
	}
	return ""
}

// lastPart is a key without its sections.
func lastPart(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// maxCompared bounds the work of distance: nobody means a known key with a longer text.
const maxCompared = 100

// distance is the number of bytes to insert, delete or replace to make b of a.
func distance(a, b string) int {
	if len(a) > maxCompared || len(b) > maxCompared {
		return maxCompared
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// didYouMean is the end of an error about an unknown key, "" if none is near.
func didYouMean(key string, known []string) string {
	if k := nearest(key, known); k != "" {
		return ", did you mean " + k + "?"
	}
	return ""
}
