package mysql

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"wherry/pkg/charset"
	"wherry/pkg/db/mysql/wire/wiretest"
)

// go test ./pkg/db/mysql -run TestCharacters -charsets writes the table anew, from what servers tell.
var writeCharsets = flag.Bool("charsets", false, "write pkg/charset/tables.txt")

// character is what a server knows of a code in a character set.
type character struct {
	code []byte
	utf8 []byte // CONVERT(code USING utf8mb4)
	back []byte // and that back again
}

// TestCharacters asks servers for every character of every character set, and compares what they convert it to with
// what package charset reads. Of pairs of surrogates and of characters of four bytes it asks for some.
func TestCharacters(t *testing.T) {
	tables := map[string]map[rune][]byte{}
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := newCharacters(t, s)
		for _, name := range c.sets() {
			codes := slices.Collect(codesOf(name))
			known := c.ask(name, codes)
			if *writeCharsets {
				tables[name] = canonicalCodes(known)
				continue
			}
			compareCharacters(t, name, codes, known)
		}
	})
	if *writeCharsets {
		require.NoError(t, os.WriteFile("../../charset/tables.txt", writeTables(tables), 0o600))
	}
}

// compareCharacters looks at all codes: at those that the server knows as one character, and at all others.
func compareCharacters(t *testing.T, name string, codes [][]byte, known map[string]character) {
	set, ok := charset.Find(name)
	require.True(t, ok, name)
	read := 0
	for _, code := range codes {
		c, isOne := known[string(code)]
		text, ok := set.Decode(nil, code)
		if !ok {
			// it is none, or it is another form of one
			canonical, other := set.Encode(nil, c.utf8)
			fine := !isOne || !utf8.Valid(c.utf8) || string(c.utf8) == "\uFFFD" || !bytes.Equal(c.back, code) ||
				other && !bytes.Equal(canonical, code)
			assert.True(t, fine, "%s %x is %q to the server", name, code, c.utf8)
			continue
		}
		if utf8.RuneCount(text) != 1 {
			continue // characters by themselves
		}
		read++
		if !assert.True(t, isOne, "%s %x is read as %q, and is none to the server", name, code, text) {
			continue
		}
		assert.Equal(t, string(c.utf8), string(text), "%s %x", name, code)
		again, ok := set.Encode(nil, text)
		assert.True(t, ok && bytes.Equal(again, code), "%s %x: %q is written as %x", name, code, text, again)
	}
	assert.Greater(t, read, 90, name)
}

// canonicalCodes chooses the form of each character: a byte that is ASCII, or what the server writes.
func canonicalCodes(known map[string]character) map[rune][]byte {
	codes := map[rune][]byte{}
	for _, code := range slices.Sorted(maps.Keys(known)) {
		c := known[code]
		r, size := utf8.DecodeRune(c.utf8)
		ascii := code == string(c.utf8) && r < utf8.RuneSelf
		if size != len(c.utf8) || r == utf8.RuneError || codes[r] != nil || !ascii && !bytes.Equal(c.back, c.code) {
			continue
		}
		codes[r] = c.code
	}
	return codes
}

// writeTables is the text of package charset, see there.
func writeTables(tables map[string]map[rune][]byte) []byte {
	type run struct {
		before string
		last   int
		text   []rune
	}
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		if strings.HasPrefix(name, "u") && name != "ujis" { // Unicode is calculated
			continue
		}
		characters := map[string]rune{}
		for r, code := range tables[name] {
			far, err := simplifiedchinese.GB18030.NewDecoder().Bytes(code)
			if len(code) < 4 || err == nil && string(far) != string(r) {
				characters[string(code)] = r
			}
		}
		var runs []run
		codes := slices.SortedFunc(maps.Keys(characters), func(a, b string) int {
			return cmp.Or(len(a)-len(b), strings.Compare(a, b))
		})
		for _, code := range codes {
			before, last := code[:len(code)-1], int(code[len(code)-1])
			var end *run
			if len(runs) > 0 {
				end = &runs[len(runs)-1]
			}
			if end == nil || end.before != before || last-end.last-len(end.text) > 32 {
				runs = append(runs, run{before: before, last: last})
				end = &runs[len(runs)-1]
			}
			for end.last+len(end.text) < last {
				end.text = append(end.text, utf8.RuneError)
			}
			end.text = append(end.text, characters[code])
		}
		for _, r := range runs {
			fmt.Fprintf(&b, "%s %s %02x %s\n", name, cmp.Or(hex.EncodeToString([]byte(r.before)), "-"), r.last,
				strconv.Quote(string(r.text)))
		}
	}
	return b.Bytes()
}

// codesOf is what to ask for in a character set: all bytes, all pairs of bytes, and what of longer ones is likely.
func codesOf(name string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		put := func(code ...byte) bool { return yield(bytes.Clone(code)) }
		for v := range 1 << 16 {
			if v < 256 {
				put(byte(v))
			}
			put(byte(v>>8), byte(v))
		}
		big := binary.BigEndian
		switch name {
		case "ujis", "eucjpms":
			for v := range 1 << 16 {
				put(0x8F, byte(v>>8), byte(v))
			}
		case "utf8mb3", "utf8mb4":
			for v := range 1 << 16 {
				put(0xE0|byte(v>>12), 0x80|byte(v>>6)&0x3F, 0x80|byte(v)&0x3F)
			}
			for r := rune(0x10000); r <= utf8.MaxRune; r += 997 {
				put(utf8.AppendRune(nil, r)...)
			}
		case "utf16", "utf16le":
			for v := range 1 << 20 {
				if v%997 == 0 {
					high, low := uint16(0xD800+v>>10), uint16(0xDC00+v&0x3FF) //nolint:gosec // 16 bits
					put(big.AppendUint16(big.AppendUint16(nil, high), low)...)
					little := binary.LittleEndian
					put(little.AppendUint16(little.AppendUint16(nil, high), low)...)
				}
			}
		case "utf32":
			for v := range uint32(0x11_0100) {
				if v < 0x1_0000 || v%997 == 0 || v >= 0x10_FFF0 {
					put(big.AppendUint32(nil, v)...)
				}
			}
		case "gb18030":
			for v := range 126 * 10 * 126 * 10 {
				if v < 40_000 || v%997 == 0 {
					put(0x81+byte(v/12600), 0x30+byte(v/1260%10), 0x81+byte(v/10%126), 0x30+byte(v%10))
				}
			}
		}
	}
}

// characters asks a server.
type characters struct {
	t *testing.T
	c *sql.Conn
}

func newCharacters(t *testing.T, s *wiretest.Server) *characters {
	c, err := plainReader(t, s).Conn(t.Context())
	require.NoError(t, err)
	all := &characters{t, c}
	all.exec("DROP DATABASE IF EXISTS characters")
	all.exec("CREATE DATABASE characters")
	all.exec("USE characters")
	t.Cleanup(func() { _, _ = c.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE characters") })
	return all
}

func (c *characters) exec(statement string) {
	c.t.Helper()
	_, err := c.c.ExecContext(c.t.Context(), statement)
	require.NoError(c.t, err, statement[:min(len(statement), 100)])
}

func (c *characters) sets() (names []string) {
	rows, err := c.c.QueryContext(c.t.Context(), "SELECT CHARACTER_SET_NAME FROM information_schema.CHARACTER_SETS "+
		"WHERE CHARACTER_SET_NAME <> 'binary'")
	require.NoError(c.t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		require.NoError(c.t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(c.t, rows.Err())
	return names
}

// ask returns the codes that are one character each.
func (c *characters) ask(name string, codes [][]byte) map[string]character {
	c.exec("DROP TABLE IF EXISTS codes")
	c.exec("CREATE TABLE codes (c VARBINARY(4), x VARCHAR(4) CHARACTER SET " + name + ")")
	for part := range slices.Chunk(codes, 20_000) {
		var b strings.Builder
		for _, code := range part {
			text := hex.EncodeToString(code)
			fmt.Fprintf(&b, ",(X'%s',X'%s')", text, text)
		}
		c.exec("INSERT IGNORE INTO codes VALUES " + b.String()[1:])
	}
	rows, err := c.c.QueryContext(c.t.Context(), "SELECT c, HEX(CONVERT(x USING utf8mb4)), "+
		"HEX(CONVERT(CONVERT(x USING utf8mb4) USING "+name+")) FROM codes "+
		"WHERE CAST(x AS BINARY) = c AND CHAR_LENGTH(x) = 1")
	require.NoError(c.t, err)
	defer rows.Close()
	known := map[string]character{}
	for rows.Next() {
		var code []byte
		var text, back sql.NullString
		require.NoError(c.t, rows.Scan(&code, &text, &back))
		one := character{code: bytes.Clone(code)}
		one.utf8, _ = hex.DecodeString(text.String)
		one.back, _ = hex.DecodeString(back.String)
		known[string(code)] = one
	}
	require.NoError(c.t, rows.Err())
	return known
}
