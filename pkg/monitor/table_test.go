package monitor

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/state"
)

func TestWriteTable(t *testing.T) {
	var b strings.Builder
	require.NoError(t, WriteTable(&b, []string{"TABLE", "ROWS", "NOTE"}, [][]string{
		{"shop.orders", "12", "a\nb"},
		{"注文.x", "-", "", "more"},
		{"short", "1.2 M"},
	}))
	assert.Equal(t, `
TABLE         ROWS  NOTE
shop.orders     12  a b
注文.x           -        more
short        1.2 M
`, "\n"+b.String())
	require.EqualError(t, WriteTable(broken{}, nil, nil), "gone")
}

func findings() []db.Finding {
	return []db.Finding{
		{Check: "version", End: "source", Level: db.OK, What: "MySQL 9.7.4"},
		{
			Check: "primary_key", End: "source", Level: db.Warn, Subject: "shop.log",
			What: "no key: its changes are matched on all columns", Fix: "add a primary key",
		},
		{
			Check: "binlog_format", End: "source", Level: db.Fail,
			What: "binlog_format is STATEMENT, so the log tells statements and not rows",
			Fix: "SET GLOBAL binlog_format = ROW, and let every application connect again, for a session keeps the " +
				"format it began with",
		},
		{
			Check: "grants", End: "target", Level: db.OK,
			What: "the user has every privilege that later phases will need",
		},
	}
}

func TestWriteFindings(t *testing.T) {
	var b strings.Builder
	require.NoError(t, WriteFindings(&b, findings(), 60, false))
	assert.Equal(t, `
FAIL  binlog_format (source)
      binlog_format is STATEMENT, so the log tells
      statements and not rows
      fix: SET GLOBAL binlog_format = ROW, and let every
           application connect again, for a session keeps
           the format it began with
WARN  primary_key (source) shop.log
      no key: its changes are matched on all columns
      fix: add a primary key

`, "\n"+b.String())

	b.Reset()
	require.NoError(t, WriteFindings(&b, findings(), 60, true))
	assert.Contains(t, b.String(), `
ok    version (source): MySQL 9.7.4
ok    grants (target)
      the user has every privilege that later phases will
      need
`)
	assert.Equal(t, "1 failed, 1 warning, 2 ok", Tally(findings()))

	b.Reset()
	require.NoError(t, WriteFindings(&b, findings(), 0, true))
	assert.Contains(t, b.String(),
		"\nok    grants (target): the user has every privilege that later phases will need\n")

	b.Reset()
	require.NoError(t, WriteFindings(&b, nil, 0, true))
	assert.Empty(t, b.String())
	assert.Equal(t, "0 failed, 0 warnings, 0 ok", Tally(nil))
}

func TestWriteVerify(t *testing.T) {
	v := state.Verify{Finished: time.Unix(1, 0), Tables: []state.VerifyTable{
		{Table: "shop.orders", Rows: 1_200_000, Differing: 2, Missing: 1},
		{Table: "shop.items", Rows: 9},
	}}
	var b strings.Builder
	require.NoError(t, WriteVerify(&b, v, false))
	assert.Equal(t, `
TABLE           ROWS  DIFFERING  MISSING  EXTRA
shop.orders  1200000          2        1      0

2 tables with 1200009 rows compared: 2 differing, 1 missing, 0 extra, in 1 table
`, "\n"+b.String())
	v.Tables = v.Tables[1:]
	for want, change := range map[string]func(*state.Verify){
		"1 table with 9 rows compared, all equal\n":                           func(v *state.Verify) { v.Clean = true },
		"1 table with 9 rows compared, nothing found, yet not proved equal\n": func(*state.Verify) {},
		"1 table with 9 rows compared, not finished\n": func(v *state.Verify) {
			v.Finished = time.Time{}
		},
	} {
		b.Reset()
		v := v
		change(&v)
		require.NoError(t, WriteVerify(&b, v, false))
		assert.Equal(t, want, b.String())
	}
	require.Error(t, WriteVerify(broken{}, v, true))
}
