package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// rowsOf returns the rows of a table in TSV form.
func rowsOf(t *testing.T, s sizes, name string, seed uint64) []string {
	t.Helper()
	r := newRandom(s, seed)
	for n, table := range shop() {
		if table.name != name {
			continue
		}
		var rows []string
		var out lab.TSV
		for i := range s.rows(name) {
			out.Reset()
			r.begin(n, i)
			table.row(r, &out, i)
			rows = append(rows, string(out.Bytes()))
		}
		return rows
	}
	require.Fail(t, "no table", name)
	return nil
}

func TestRowsDependOnSeedAndNumberOnly(t *testing.T) {
	s := newSizes(3000)
	for _, table := range shop() {
		if table.row == nil {
			continue
		}
		rows := rowsOf(t, s, table.name, 1)
		assert.Equal(t, rows, rowsOf(t, s, table.name, 1), table.name)
		assert.NotEqual(t, rows, rowsOf(t, s, table.name, 2), table.name)
		for _, row := range rows {
			plain := strings.NewReplacer(`\\`, "", "\\\t", "").Replace(row)
			require.Len(t, strings.Split(plain, "\t"), len(table.columns), "%s: %q", table.name, row)
		}
	}
}

func TestSizesAndKeys(t *testing.T) {
	for _, rows := range []int{1, 300, 3000, 30_000} {
		s := newSizes(rows)
		assert.Equal(t, max(rows, unit), s.total(shop()))
		for _, table := range shop() {
			if table.row == nil {
				continue
			}
			seen := make(map[string]bool)
			for _, row := range rowsOf(t, s, table.name, 1) {
				key := strings.Join(strings.Split(row, "\t")[:len(table.key)], " ")
				require.False(t, seen[key], "%s has key %s twice", table.name, key)
				seen[key] = true
			}
		}
		assertReferences(t, s, "addresses", 0, s.customers)
		assertReferences(t, s, "order_lines", 0, s.orders)
		assertReferences(t, s, "order_lines", 2, s.products)
		assertReferences(t, s, "payments", 1, s.orders)
		assertReferences(t, s, "cart_items", 0, s.carts)
		assertReferences(t, s, "reviews", 1, s.customers)
	}
}

func assertReferences(t *testing.T, s sizes, name string, column, limit int) {
	t.Helper()
	for _, row := range rowsOf(t, s, name, 1) {
		var n int
		for _, c := range strings.Split(row, "\t")[column] {
			n = n*10 + int(c-'0')
		}
		require.True(t, 1 <= n && n <= limit, "%s refers to %d of %d", name, n, limit)
	}
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, err := createJournal(path)
	require.NoError(t, err)
	for _, end := range []func(int64) error{j.acknowledge, j.abandon, func(int64) error { return nil }} {
		tx, err := j.intend(kindOrder)
		require.NoError(t, err)
		require.NoError(t, end(tx))
	}
	require.NoError(t, j.close())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	records, err := readJournal(strings.NewReader(string(text) + "I 4 ord")) // it died while writing
	require.NoError(t, err)
	require.Len(t, records, 3)
	assert.Equal(t, acknowledged, records[1].outcome)
	assert.Equal(t, abandoned, records[2].outcome)
	assert.Equal(t, doubtful, records[3].outcome)
	assert.Equal(t, kindOrder, records[1].kind)

	for _, bad := range []string{
		"A 1 5\n", "I 1 order 5\nI 1 order 6\n", "I 1 order 5\nA 1 6\nA 1 7\n",
		"I 1 order 5\nX 1 6\n", "\n",
	} {
		_, err := readJournal(strings.NewReader(bad))
		assert.Error(t, err, bad)
	}
}

func FuzzReadJournal(f *testing.F) {
	f.Add("I 1 order 5\nA 1 6\nI 2 pay 7\nR 2 8\n")
	f.Fuzz(func(t *testing.T, text string) {
		records, err := readJournal(strings.NewReader(text))
		if err == nil && len(records) > strings.Count(text, "\n") {
			t.Fatalf("%d transactions of %q", len(records), text)
		}
	})
}

func TestTally(t *testing.T) {
	records := map[int64]record{
		1: {outcome: acknowledged}, 2: {outcome: acknowledged}, 3: {outcome: acknowledged}, 4: {outcome: abandoned},
		5: {outcome: abandoned},
		6: {outcome: doubtful}, 7: {outcome: doubtful}, 8: {outcome: doubtful},
	}
	all := tallyUp(records, map[int64]int{1: 1, 2: 1, 3: 1, 6: 1})
	assert.Equal(t, tally{acknowledged: 3, refused: 2, doubtful: 3}, all)
	assert.True(t, all.proved())

	bad := tallyUp(records, map[int64]int{1: 1, 2: 2, 5: 1, 7: 2, 99: 1})
	assert.Equal(t, tally{acknowledged: 3, refused: 2, doubtful: 3, lost: 1, doubled: 2, ghosts: 2}, bad)
	assert.False(t, bad.proved())
	assert.False(t, tallyUp(nil, nil).proved(), "nothing compared is no proof")
}

func TestLongestGap(t *testing.T) {
	at := func(ms int, o outcome) record { return record{ended: time.Duration(ms) * time.Millisecond, outcome: o} }
	records := map[int64]record{
		1: at(0, acknowledged), 2: at(900, acknowledged), 3: at(1000, acknowledged), 4: at(1200, abandoned),
		5: at(1500, acknowledged), 6: at(1600, acknowledged),
	}
	assert.Equal(t, 500*time.Millisecond, longestGap(records, 950*time.Millisecond))
	assert.Equal(t, 900*time.Millisecond, longestGap(records, 0))
}

func TestCount(t *testing.T) {
	for n, text := range map[int]string{
		0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -123: "-123",
		-123456: "-123,456",
	} {
		assert.Equal(t, text, count(n))
	}
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
		require.ErrorContains(t, run(t.Context(), options{
			from: lab.MySQL, to: lab.MariaDB, rows: 1000, rate: 1,
			dir: c.dir,
		}), says)
	}
}
