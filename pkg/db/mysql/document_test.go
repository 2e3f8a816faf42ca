package mysql

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAppendDocument(t *testing.T) {
	for document, want := range map[string]string{
		`{"a": [1, -2, 1.5, 1e20, "1.50", "\" 2.50"], "b": null}`: `_utf8mb4'{"a": [1, -2, 1.5, 1e20, "1.50", "\\" ` +
			`2.50"], "b": null}'`,
		`[18446744073709551615, -9223372036854775808, -0.0, 7.0]`: `_utf8mb4'[18446744073709551615, ` +
			`-9223372036854775808, -0.0, 7.0]'`,
		`[18446744073709551616, -9223372036854775809]`: `JSON_REPLACE(_utf8mb4'[18446744073709551616, ` +
			`-9223372036854775809]'` +
			`,_utf8mb4'$[0]',18446744073709551616,_utf8mb4'$[1]',-9223372036854775809)`,
		`1.50`:                `JSON_REPLACE(_utf8mb4'1.50',_utf8mb4'$',1.50)`,
		`{"it's": {"": 0.0}}`: `_utf8mb4'{"it\'s": {"": 0.0}}'`,
		`{"it's": {"": [0, {"q\"\\": 0.000}, [], {}, true]}, "z": 2.0}`: `JSON_REPLACE(_utf8mb4'{"it\'s": {"": [0, ` +
			`{"q\\"\\\\": 0.000}, [], {}, true]}, "z": 2.0}'` +
			`,_utf8mb4'$."it\'s".""[1]."q\\"\\\\"',0.000)`,
		`{"a": {"b": 1.10}, "c": [1.20]}`: `JSON_REPLACE(_utf8mb4'{"a": {"b": 1.10}, "c": ` +
			`[1.20]}',_utf8mb4'$."a"."b"',1.10,_utf8mb4'$."c"[0]',1.20)`,
		`123456789.1234567890123456789`: `JSON_REPLACE(_utf8mb4'123456789.1234567890123456789',_utf8mb4'$',` +
			`123456789.1234567890123456789)`,
		// no document: the server refuses it
		`[1.50, {`: `JSON_REPLACE(_utf8mb4'[1.50, {',_utf8mb4'$[0]',1.50)`,
		`"`:        `_utf8mb4'"'`,
		``:         `_utf8mb4''`,
	} {
		assert.Equal(t, want, string(appendDocument(nil, []byte(document))), document)
	}
	long := strings.Repeat("[", 100) + "1.50" + strings.Repeat("]", 100)
	assert.Contains(t, string(appendDocument(nil, []byte(long))), "'$"+strings.Repeat("[0]", 100)+"',1.50)")
}

// FuzzDocument looks for texts that the walk over a document does not end on.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(`[1.50, {"a": 2.50}, "x`))
	f.Add([]byte(`{1.50]:,`))
	f.Fuzz(func(_ *testing.T, document []byte) {
		if len(document) < 1000 {
			_ = appendDocument(nil, document)
		}
	})
}

func TestPlainDocumentAllocatesNothing(t *testing.T) {
	document := []byte(`{"a": [1, -2, 1.5, 1e20, "1.50"], "b": 123456.789, "c": -0.0, "d": 18446744073709551615}`)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if !plainDocument(document) {
			t.Fatal("not plain")
		}
	}))
}
