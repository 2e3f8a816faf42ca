package charset

import (
	"maps"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestInverse: of every set, every character is written as it is read, and no two texts are read as one.
func TestInverse(t *testing.T) {
	names := append(slices.Sorted(maps.Keys(tables())),
		"utf8", "utf8mb3", "utf8mb4", "utf16", "utf16le", "ucs2", "utf32")
	for _, name := range names {
		set, ok := Find(name)
		require.True(t, ok, name)
		found := 0
		for r := rune(0); r <= utf8.MaxRune; r++ {
			if r > 0x2FFFF && r%101 != 0 || !utf8.ValidRune(r) {
				continue
			}
			text := utf8.AppendRune(nil, r)
			code, ok := set.Encode(nil, text)
			if !ok {
				continue
			}
			found++
			back, ok := set.Decode(nil, append(code[:len(code):len(code)], code...))
			if !ok || string(back) != string(r)+string(r) {
				t.Errorf("%s: %U is written as %x, and read as %q, %t", name, r, code, back, ok)
			}
		}
		assert.GreaterOrEqual(t, found, 95, name)
	}
	for _, name := range []string{"binary", "", "latin0"} {
		_, ok := Find(name)
		assert.False(t, ok, name)
	}
}

// TestDecode has what is known of some characters, and of texts that are none.
func TestDecode(t *testing.T) {
	for _, c := range []struct{ set, text, want string }{
		{"latin1", "caf\xE9 \x80\x81\x8D\x8F\x90\x9D", "café €\u0081\u008d\u008f\u0090\u009d"},
		{"LATIN1", "", ""},
		{"sjis", "a\\\x95\x5Cb", "a\\表b"},
		{"ujis", "\x8F\xB0\xA1\x8E\xB1", "丂ｱ"},
		{"gb18030", "\xA8\xBC\x81\x35\xF4\x37\x90\x30\x81\x30", "ḿ\ue7c7\U00010000"},
		{"utf16", "\xD8\x3D\xDE\x00", "😀"},
		{"utf16le", "\x3D\xD8\x00\xDE", "😀"},
		{"ucs2", "\x00a\x20\xAC", "a€"},
		{"utf32", "\x00\x01\xF6\x00", "😀"},
		{"swe7", "[]", "ÄÅ"},
	} {
		set, ok := Find(c.set)
		require.True(t, ok)
		got, ok := set.Decode([]byte("+"), []byte(c.text))
		assert.True(t, ok, c.set)
		assert.Equal(t, "+"+c.want, string(got), c.set)
		back, ok := set.Encode([]byte("+"), []byte(c.want))
		assert.True(t, ok, c.set)
		assert.Equal(t, "+"+c.text, string(back), c.set)
	}
	for _, c := range []struct{ set, text string }{
		{"ascii", "\x80"},
		{"cp1250", "a\x81"},
		{"sjis", "\x81\x5F"}, // another form of 5C
		{"cp932", "\x87\x90"},
		{"sjis", "\x95"},
		{"ujis", "\x8F\xB0"},
		{"utf8mb3", "\xF0\x9F\x98\x80"},
		{"utf8mb4", "\xED\xA0\x80"},
		{"utf8mb4", "\xC3"},
		{"utf16", "\xD8\x3D"},
		{"utf16", "\xDE\x00\xD8\x3D"},
		{"utf16", "\x00"},
		{"ucs2", "\xD8\x3D\xDE\x00"},
		{"utf32", "\x00\x11\x00\x00"},
		{"utf32", "\x00\x01\xF6"},
		{"gb18030", "\x81\x30\x81"},
	} {
		set, _ := Find(c.set)
		_, ok := set.Decode(nil, []byte(c.text))
		assert.False(t, ok, "%s %x", c.set, c.text)
	}
	set, _ := Find("latin1")
	for _, text := range []string{"ł", "\xE9", "a\xFF"} {
		_, ok := set.Encode(nil, []byte(text))
		assert.False(t, ok, "%q", text)
	}
}
