package monitor

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"wherry/pkg/count"
	"wherry/pkg/state"
)

// WriteVerify writes the outcome of a comparison, table by table, and a line that sums up. Without all, only the
// tables that differ are listed.
func WriteVerify(w io.Writer, v state.Verify, all bool) error {
	var rows [][]string
	for _, t := range v.Tables {
		if all || differs(t) {
			rows = append(rows, []string{
				t.Table, digits(t.Rows), digits(t.Differing), digits(t.Missing),
				digits(t.Extra),
			})
		}
	}
	var b strings.Builder
	if len(rows) > 0 {
		_ = WriteTable(&b, []string{"TABLE", "ROWS", "DIFFERING", "MISSING", "EXTRA"}, rows) // into memory
		b.WriteString("\n")
	}
	b.WriteString(sumVerify(v) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// differs tells whether a table has rows that are not equal. Repaired rows and rows in flux do not count.
func differs(t state.VerifyTable) bool { return t.Differing != 0 || t.Missing != 0 || t.Extra != 0 }

// digits writes a number in full: of rows that differ, every one matters.
func digits(n int64) string { return strconv.FormatInt(n, 10) }

// sumVerify says in one line what a comparison found. Without a difference it is still not "all equal" if it did not
// finish, or covered only some tables.
func sumVerify(v state.Verify) string {
	var rows, differing, missing, extra int64
	tables := 0
	for _, t := range v.Tables {
		rows += t.Rows
		differing += t.Differing
		missing += t.Missing
		extra += t.Extra
		if differs(t) {
			tables++
		}
	}
	what := fmt.Sprintf("%s with %s compared", count.Of(len(v.Tables), "table"), count.Of(rows, "row"))
	switch {
	case tables > 0:
		return fmt.Sprintf("%s: %d differing, %d missing, %d extra, in %s", what, differing, missing, extra,
			count.Of(tables, "table"))
	case v.Finished.IsZero():
		return what + ", not finished"
	case !v.Clean:
		return what + ", nothing found, yet not proved equal"
	}
	return what + ", all equal"
}
