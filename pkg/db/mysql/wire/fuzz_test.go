package wire

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzLiterals reads what is written for a server as the server reads it: strings, hexadecimal numbers and fields of
// LOAD DATA all give their bytes back.
func FuzzLiterals(f *testing.F) {
	f.Add([]byte("it's \\ \x00\n\r\t\x1a\"N"), []byte{})
	f.Add([]byte(`\N`), []byte{0xff})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, v := range [][]byte{a, b} {
			require.Equal(t, string(v), readLiteral(t, AppendQuoted(nil, v)))
			field := appendField(nil, v)
			require.Equal(t, string(v), unescape(string(field)))
			require.NotEqual(t, `\N`, string(field), "that would be NULL")
			require.NotContains(t, unescaped(field), "\n")
			require.NotContains(t, unescaped(field), "\t")
			if len(v) > 0 {
				hexadecimal := string(AppendHex(nil, v))
				require.Equal(t, fmt.Sprintf("X'%X'", v), hexadecimal)
			}
		}
	})
}

// readLiteral reads a string literal (manual, "String Literals").
func readLiteral(t *testing.T, literal []byte) string {
	require.GreaterOrEqual(t, len(literal), 2)
	inner := string(literal[1 : len(literal)-1])
	require.NotContains(t, unescaped([]byte(inner)), "'")
	return unescape(inner)
}

// unescape resolves backslash escapes.
func unescape(s string) string {
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		i++
		switch s[i] {
		case '0':
			out = append(out, 0)
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 'Z':
			out = append(out, 0x1a)
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}

// unescaped returns the bytes that no backslash precedes.
func unescaped(b []byte) string {
	var out []byte
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' {
			i++
			continue
		}
		out = append(out, b[i])
	}
	return string(out)
}
