package postgres

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// jsonLiteral returns a document as JSONB prints it: keys by length, then by bytes, with one blank behind each colon
// and comma.
func jsonLiteral(text string) (string, bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil || decoder.More() {
		return "", false
	}
	var b bytes.Buffer
	writeJSON(&b, document)
	return b.String(), !strings.Contains(b.String(), `\u0000`)
}

func writeJSON(b *bytes.Buffer, value any) {
	switch v := value.(type) {
	case map[string]any:
		keys := slices.SortedFunc(maps.Keys(v), func(x, y string) int {
			return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
		})
		b.WriteByte('{')
		for i, key := range keys {
			if i > 0 {
				b.WriteString(", ")
			}
			writeJSON(b, key)
			b.WriteString(": ")
			writeJSON(b, v[key])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeJSON(b, element)
		}
		b.WriteByte(']')
	default:
		encoder := json.NewEncoder(b)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(value) // a scalar that was decoded
		b.Truncate(b.Len() - 1)   // the end of the line
	}
}
