package verify

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// appendValues writes each value as length, colon and bytes, or "~" for NULL, so that no two rows have the same text.
func appendValues(b []byte, row db.Row) []byte {
	for _, v := range row {
		if v == nil {
			b = append(b, '~')
			continue
		}
		b = append(strconv.AppendInt(b, int64(len(v)), 10), ':')
		b = append(b, v...)
	}
	return b
}

// render writes a key as a person would in SQL: numbers bare, text quoted, bytes in hexadecimal.
func render(rel *route.Relation, key db.Row) string {
	parts := make([]string, len(key))
	for i, v := range key {
		parts[i] = renderValue(&rel.Column(rel.Key[i]).Type, v)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

const (
	shownBytes = 40  // of a value of a row
	shownRow   = 300 // of a row
)

// renderRow writes a row as render does, but for the ends of long values and of long rows.
func renderRow(rel *route.Relation, row db.Row) string {
	var parts []string
	size := 0
	for i, v := range row {
		tail := ""
		kind := &rel.Column(i).Type
		if len(v) > shownBytes {
			tail = "... of " + strconv.Itoa(len(v)) + " bytes"
			n := shownBytes
			for !kind.IsBytes() && n > shownBytes-utf8.UTFMax && !utf8.RuneStart(v[n]) {
				n--
			}
			v = v[:n]
		}
		text := renderValue(kind, v) + tail
		if size += len(text); size > shownRow {
			parts = append(parts, "... of "+strconv.Itoa(len(row))+" values")
			break
		}
		parts = append(parts, text)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func renderValue(kind *schema.Type, v []byte) string {
	switch {
	case v == nil:
		return "NULL"
	case kind.IsNumber():
		return string(v)
	case kind.IsBytes() || !utf8.Valid(v):
		return "0x" + hex.EncodeToString(v)
	default:
		return quote(string(v))
	}
}

// quote escapes control characters, so that a key stays on its line and within its quotes.
func quote(s string) string {
	quoted := strconv.Quote(s)
	return "'" + strings.ReplaceAll(strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`), "'", `\'`) + "'"
}
