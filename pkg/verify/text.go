package verify

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"wherry/pkg/db"
	"wherry/pkg/route"
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
		kind := rel.Column(rel.Key[i]).Type
		switch {
		case v == nil:
			parts[i] = "NULL"
		case kind.IsNumber():
			parts[i] = string(v)
		case kind.IsBytes() || !utf8.Valid(v):
			parts[i] = "0x" + hex.EncodeToString(v)
		default:
			parts[i] = quote(string(v))
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// quote escapes control characters, so that a key stays on its line and within its quotes.
func quote(s string) string {
	quoted := strconv.Quote(s)
	return "'" + strings.ReplaceAll(strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`), "'", `\'`) + "'"
}
