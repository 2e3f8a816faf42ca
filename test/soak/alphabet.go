package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// alphabets are characters of each character set, as bytes in it: letters that collations take for equal, characters
// whose second byte is a backslash, quotes, blanks, the largest, and zero.
var alphabets = map[string][]string{
	"ascii":    {"a", "A", "b", "0", "'", `\`, " ", "\t", "\x00", "~"},
	"latin1":   {"a", "A", "\xe9", "\xc9", "\xdf", "\x80", "\x9f", "\xff", "'", `\`, " ", "\x00", "\n"},
	"latin2":   {"a", "A", "\xb1", "\xa1", "\xb3", " ", "\xff"},
	"cp1251":   {"a", "A", "\xc0", "\xe0", "\xa8", "\xb8", "\xff", "'"},
	"koi8r":    {"a", "A", "\xc1", "\xe1", "\xa3", "\xb3", "\xff"},
	"greek":    {"a", "\xe1", "\xc1", "\xdc", " "},
	"utf8mb3":  {"a", "A", "é", "É", "ß", "ı", "İ", "中", "\uffff", "'", `\`, " ", "\x00"},
	"utf8mb4":  {"a", "A", "é", "É", "ß", "ſ", "中", "😀", "😁", "\U0010ffff", "'", `\`, " ", "\x00", "\n", "e\u0301"},
	"gbk":      {"a", "A", "\xc4\xe3", "\xba\xc3", "\x81\x5c", "\xb2\x5c", "'", " "},
	"gb18030":  {"a", "A", "\xc4\xe3", "\x81\x5c", "\x81\x30\x81\x30", "\xfe\x39\xfe\x39"},
	"sjis":     {"a", "A", "\x83\x5c", "\x95\x5c", "\xb1", "\x83\x41", " "},
	"cp932":    {"a", "A", "\x83\x5c", "\xfa\x5c", "\xb1", "'"},
	"ujis":     {"a", "A", "\xa4\xa2", "\xa5\xa2", "\x8e\xb1", " "},
	"big5":     {"a", "A", "\xa4\xa4", "\xa5\x5c", "\xb3\x5c", " "},
	"euckr":    {"a", "A", "\xb0\xa1", "\xc8\xfe", " "},
	"utf16":    {"\x00a", "\x00A", "\x00\xe9", "\xd8\x3d\xde\x00", "\x00\\", "\x00'", "\x00 ", "\x5c\x5c"},
	"utf16le":  {"a\x00", "A\x00", "\xe9\x00", "\x3d\xd8\x00\xde", "\\\x00", " \x00"},
	"utf32":    {"\x00\x00\x00a", "\x00\x00\x00A", "\x00\x01\xf6\x00", "\x00\x00\x00 "},
	"ucs2":     {"\x00a", "\x00A", "\x00\xe9", "\x00\\", "\x27\x27", "\x00 "},
	"binary":   {"\x00", "\x00", "a", "A", "\xff", "'", `\`, " ", "\x80"},
	"armscii8": {"a", "A", "\xb2", "\xb3"},
}

// digits of each character set that does not write them as ASCII does.
func digits(charset string, n int) string {
	text := fmt.Sprint(n)
	var b strings.Builder
	for _, c := range []byte(text) {
		switch charset {
		case "utf16", "ucs2":
			b.Write([]byte{0, c})
		case "utf16le":
			b.Write([]byte{c, 0})
		case "utf32":
			b.Write([]byte{0, 0, 0, c})
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// collation is one that a column may have, and where.
type collation struct {
	charset, name string
	only          string // the flavor that alone has it, or ""
}

var collations = func() (all []collation) {
	add := func(only, charset string, names ...string) {
		for _, name := range names {
			all = append(all, collation{charset, charset + "_" + name, only})
		}
	}
	add("", "utf8mb4", "general_ci", "bin", "unicode_ci", "unicode_520_ci", "german2_ci", "swedish_ci", "turkish_ci",
		"spanish_ci")
	add(mysqlOnly, "utf8mb4", "0900_ai_ci", "0900_as_cs", "0900_bin", "de_pb_0900_ai_ci", "ja_0900_as_cs_ks")
	add(mariadbOnly, "utf8mb4", "nopad_bin", "general_nopad_ci", "unicode_nopad_ci", "uca1400_ai_ci", "uca1400_as_cs")
	add("", "utf8mb3", "general_ci", "bin", "unicode_ci")
	add("", "latin1", "swedish_ci", "bin", "general_cs", "german1_ci", "german2_ci")
	add(mariadbOnly, "latin1", "nopad_bin", "swedish_nopad_ci")
	for charset, local := range map[string]string{
		"ascii": "general_ci", "latin2": "general_ci", "cp1251": "general_ci", "koi8r": "general_ci",
		"greek": "general_ci",
		"gbk":   "chinese_ci", "sjis": "japanese_ci", "cp932": "japanese_ci", "ujis": "japanese_ci",
		"big5":  "chinese_ci",
		"euckr": "korean_ci", "utf16": "general_ci", "utf16le": "general_ci", "utf32": "general_ci",
		"ucs2":     "general_ci",
		"armscii8": "general_ci",
	} {
		add("", charset, local, "bin")
	}
	add(mysqlOnly, "gb18030", "chinese_ci", "bin", "unicode_520_ci")
	sortCollations(all) // maps have no order, and a seed must find what it found before
	return all
}()

// text draws a string of at most length characters. Few are drawn often, so that rows meet.
func text(r *rand.Rand, charset string, length int) string {
	var b strings.Builder
	alphabet := alphabets[charset]
	n := r.IntN(min(length, 5) + 1)
	if r.IntN(20) == 0 {
		n = r.IntN(min(length, 300) + 1)
	}
	for range n {
		b.WriteString(alphabet[r.IntN(len(alphabet))])
	}
	if length-n >= 4 && r.IntN(3) > 0 {
		b.WriteString(digits(charset, r.IntN(2000)))
	}
	return b.String()
}

// literal writes bytes as a string of a character set, which no sql_mode reads otherwise.
func literal(charset, s string) string { return fmt.Sprintf("_%s X'%X'", charset, s) }
