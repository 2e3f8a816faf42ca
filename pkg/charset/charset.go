// Package charset reads and writes the character sets of MySQL and MariaDB.
//
// Its one invariant: of every set it knows characters by one form only, so reading and writing are each other's
// inverse, and two different texts never become one. A text that has another form for a character, or something that
// is none, is refused as a whole: nothing is replaced. It talks to no server: what servers make of their characters was
// asked of them once, and a test asks again.
package charset

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Set is a character set. It never changes, and may be used by several goroutines.
type Set struct{ code codec }

// codec reads and writes one character. They return 0 bytes for what is none.
type codec interface {
	// decode reads the character at the start of text, which is not empty.
	decode(text []byte) (r rune, size int)
	// encode appends a character.
	encode(dst []byte, r rune) (_ []byte, ok bool)
	// plain tells whether a byte below 0x80 is the ASCII character of that number, wherever a character begins.
	plain() bool
}

// Find returns the set that the servers have under a name, such as "latin1", "utf8mb3" or "cp932". ok is false for
// "binary", which has bytes and no characters, and for a name that is not known.
func Find(name string) (s *Set, ok bool) {
	name = strings.ToLower(name)
	switch name {
	case "utf8mb4", "utf8mb3", "utf8":
		return &Set{unicode8{short: name != "utf8mb4"}}, true
	case "utf16":
		return &Set{unicode16{}}, true
	case "utf16le":
		return &Set{unicode16{little: true}}, true
	case "ucs2":
		return &Set{unicode16{short: true}}, true
	case "utf32":
		return &Set{unicode32{}}, true
	}
	t := tables()[name]
	if t == nil {
		return nil, false
	}
	return &Set{t}, true
}

// Total tells whether every byte is a character, each of them another one.
func (s *Set) Total() bool {
	t, ok := s.code.(*table)
	return ok && len(t.codes) == 256 && !slices.Contains(t.first[:], none)
}

// Decode appends to dst what a text is in UTF-8. ok is false when the text has bytes that are no character, or not the
// form by which the set has it.
func (s *Set) Decode(dst, text []byte) (_ []byte, ok bool) {
	for plain := s.code.plain(); len(text) > 0; {
		n := 0
		for plain && n < len(text) && text[n] < utf8.RuneSelf {
			n++
		}
		if dst, text = append(dst, text[:n]...), text[n:]; len(text) == 0 {
			break
		}
		r, size := s.code.decode(text)
		if size == 0 {
			return dst, false
		}
		dst, text = utf8.AppendRune(dst, r), text[size:]
	}
	return dst, true
}

// Encode appends to dst what a text in UTF-8 is in the set. ok is false when the set lacks a character, or the text is
// no UTF-8.
func (s *Set) Encode(dst, text []byte) (_ []byte, ok bool) {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			return dst, false
		}
		if dst, ok = s.code.encode(dst, r); !ok {
			return dst, false
		}
		text = text[size:]
	}
	return dst, true
}
