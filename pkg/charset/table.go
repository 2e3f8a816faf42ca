package charset

import (
	_ "embed"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// text has lines of four words: a set, the bytes before the last one of some characters ("-": none), the last byte of
// the first of them, and the characters, quoted. U+FFFD stands where there is none.
//
//go:embed tables.txt
var text string

// table is a set whose characters are listed.
type table struct {
	first [256]rune         // characters of one byte
	next  [256]*table       // of more: by the first byte what follows
	codes map[rune]string   // the bytes of a character
	ascii bool              // see codec
	far   encoding.Encoding // characters of four bytes, which are not listed; nil: there are none
}

// none stands where there is no character.
const none = utf8.RuneError

var tables = sync.OnceValue(func() map[string]*table {
	all := map[string]*table{}
	for line := range strings.Lines(text) {
		words := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
		name, before, last := words[0], words[1], words[2]
		if all[name] == nil {
			all[name] = newTable()
		}
		prefix, _ := hex.DecodeString(strings.TrimPrefix(before, "-"))
		at, _ := strconv.ParseUint(last, 16, 8)
		characters, err := strconv.Unquote(words[3])
		if err != nil {
			panic(err) // the list is part of the program
		}
		for _, r := range characters {
			if r != none {
				all[name].add(append(prefix[:len(prefix):len(prefix)], byte(at)), r)
			}
			at++
		}
	}
	for name, t := range all {
		t.ascii = true
		for b := range rune(utf8.RuneSelf) {
			t.ascii = t.ascii && t.first[b] == b
		}
		if name == "gb18030" {
			t.far = simplifiedchinese.GB18030
		}
	}
	return all
})

func newTable() *table {
	t := &table{codes: map[rune]string{}}
	for i := range t.first {
		t.first[i] = none
	}
	return t
}

func (t *table) add(code []byte, r rune) {
	t.codes[r] = string(code)
	for ; len(code) > 1; code = code[1:] {
		if t.next[code[0]] == nil {
			t.next[code[0]] = newTable()
		}
		t = t.next[code[0]]
	}
	t.first[code[0]] = r
}

func (t *table) plain() bool { return t.ascii }

func (t *table) decode(text []byte) (rune, int) {
	for at, of := 0, t; at < len(text); at++ {
		if r := of.first[text[at]]; r != none {
			return r, at + 1
		}
		if of = of.next[text[at]]; of == nil {
			break
		}
	}
	if t.far == nil || len(text) < 4 {
		return 0, 0
	}
	return t.decodeFar(text[:4])
}

func (t *table) encode(dst []byte, r rune) ([]byte, bool) {
	if code, ok := t.codes[r]; ok {
		return append(dst, code...), true
	}
	if t.far == nil {
		return dst, false
	}
	code, err := t.far.NewEncoder().Bytes(utf8.AppendRune(nil, r))
	if back, size := t.decodeFar(code); err != nil || size == 0 || back != r {
		return dst, false
	}
	return append(dst, code...), true
}

// decodeFar reads a character of four bytes. One that is listed has another form.
func (t *table) decodeFar(code []byte) (rune, int) {
	if len(code) != 4 {
		return 0, 0
	}
	out, err := t.far.NewDecoder().Bytes(code)
	r, size := utf8.DecodeRune(out)
	if _, listed := t.codes[r]; err != nil || size != len(out) || r == none || listed {
		return 0, 0
	}
	return r, 4
}
