package state

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestAmend: comparisons of some tables, after one of all or before.
func TestAmend(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	all := func(clean bool, tables ...VerifyTable) Verify {
		return Verify{Mode: VerifyFull, Position: "p", Started: at, Finished: at, Clean: clean, Tables: tables}
	}
	some := func(clean bool, tables ...VerifyTable) Verify {
		return Verify{
			Mode: "", Position: "q", Started: at.Add(time.Hour), Finished: at.Add(time.Hour), Clean: clean,
			Tables: tables,
		}
	}
	equal := func(name string) VerifyTable { return VerifyTable{Table: name, Rows: 7} }
	unequal := func(name string) VerifyTable { return VerifyTable{Table: name, Rows: 7, Missing: 1} }
	tables := func(v Verify) Verify { v.Mode = VerifyTables; return v }
	for _, c := range []struct {
		title               string
		before, later, want Verify
	}{
		{
			"the only one that differed is mended", all(false, unequal("a"), equal("b")), some(true, equal("a")),
			all(true, equal("a"), equal("b")),
		},
		{
			"another one still differs", all(false, unequal("a"), unequal("b")), some(true, equal("a")),
			all(false, equal("a"), unequal("b")),
		},
		{
			"one that was equal no longer is", all(true, equal("a"), equal("b")), some(false, unequal("b")),
			all(false, equal("a"), unequal("b")),
		},
		{"one that is new and equal", all(true, equal("a")), some(true, equal("b")), all(true, equal("a"), equal("b"))},
		{"one that is new and not", all(true, equal("a")), some(false, unequal("b")), all(false, equal("a"),
			unequal("b"))},
		{"equal before all were compared", Verify{}, some(true, equal("a")), Verify{}},
		{"unequal before all were compared", Verify{}, some(false, unequal("a")), tables(some(false, unequal("a")))},
		{"that one is mended", tables(some(false, unequal("a"))), some(true, equal("a")), Verify{}},
		{
			"one of two is mended", tables(some(false, unequal("a"), unequal("b"))), some(true, equal("a")),
			tables(some(false, equal("a"), unequal("b"))),
		},
	} {
		t.Run(c.title, func(t *testing.T) {
			got := c.before
			got.Amend(c.later)
			assert.Equal(t, c.want, got)
		})
	}
}
