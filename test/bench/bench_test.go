package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

func TestRow(t *testing.T) {
	var a, b lab.TSV
	row(&a, 41)
	row(&b, 41)
	assert.Equal(t, a.Bytes(), b.Bytes())
	fields := strings.Split(string(a.Bytes()), "\t")
	require.Len(t, fields, 4)
	assert.Equal(t, "42", fields[0])
	assert.Len(t, fields[2], lenC)
	assert.Len(t, fields[3], lenPad)
}

func TestEncodeRowsCoversAllOnce(t *testing.T) {
	next := 1
	for _, chunks := range encodeRows(100_001) {
		for _, chunk := range chunks {
			lines := bytes.Split(bytes.TrimSuffix(chunk, []byte("\n")), []byte("\n"))
			require.LessOrEqual(t, len(lines), perStatement)
			for _, line := range lines {
				id, _, _ := strings.Cut(string(line), "\t")
				require.Equal(t, strings.ReplaceAll(thousands(next), ",", ""), id)
				next++
			}
		}
	}
	assert.Equal(t, 100_002, next)
}

// TestChangesAlwaysHit plays changes against a set of rows.
func TestChangesAlwaysHit(t *testing.T) {
	const rows = 500
	g, again := newGenerator(rows, 3), newGenerator(rows, 3)
	changes := g.random(3000)
	assert.Equal(t, changes, again.random(3000))
	there := make(map[int]bool)
	for i := range rows {
		there[i+1] = true
	}
	for _, c := range append(changes, g.oltp(500)...) {
		require.Equal(t, c.kind != 'i', there[c.id], "%c %d", c.kind, c.id)
		there[c.id] = c.kind != 'd'
	}
}

func TestPackets(t *testing.T) {
	changes := newGenerator(100, 1).oltp(5)
	text := strings.Join(packets(changes, "x.t", 4), "")
	assert.Equal(t, 5, strings.Count(text, "BEGIN;"))
	assert.Equal(t, 5, strings.Count(text, "COMMIT;"))
	assert.Equal(t, 10, strings.Count(text, "UPDATE x.t SET k = "))
	assert.Equal(t, 5, strings.Count(text, "DELETE FROM x.t WHERE id = "))
	assert.Greater(t, len(packets(newGenerator(1000, 1).random(9000), "x.t", 1000)), 2)
}

func TestResults(t *testing.T) {
	var out bytes.Buffer
	r := results{Source: "mysql 9.7.4", out: &out}
	s := r.section("copy, %d rows", 5)
	for _, v := range []float64{120_000, 100_000, 110_000} {
		s.add("wherry", "rows/s", v)
		s.add("bare", "rows/s", 2*v)
	}
	s.ratio("wherry", "bare", "goal 0.85")
	s.print()
	assert.Contains(t, out.String(), "110,000 rows/s")
	assert.Contains(t, out.String(), "(120,000, 100,000, 110,000)")
	assert.Regexp(t, `wherry / bare +0\.50 .* goal 0\.85`, out.String())
	assert.InDelta(t, 2.5, median([]float64{4, 1, 2, 3}), 0)
	assert.Zero(t, median(nil))

	path := filepath.Join(t.TempDir(), "bench.json")
	require.NoError(t, r.write(path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"median": 110000`)
}

// TestStartFails: what cannot start says why, and leaves nothing open.
func TestStartFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	unreachable, err := lab.Unreachable()
	require.NoError(t, err)
	for says, c := range map[string]struct{ servers, dir string }{
		"no server mysql-1":               {"", t.TempDir()},
		"make folder":                     {unreachable, filepath.Join(file, "below")},
		"mysql-1: read version: dial tcp": {unreachable, t.TempDir()},
	} {
		t.Setenv("WHERRY_TEST_SERVERS", c.servers)
		require.ErrorContains(t, run(t.Context(), options{from: lab.MySQL, to: lab.MariaDB, rounds: 1, dir: c.dir},
			nil), says)
	}
}
