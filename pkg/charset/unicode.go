package charset

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// unicode8 is UTF-8; a short one has characters of 3 bytes at most.
type unicode8 struct{ short bool }

func (unicode8) plain() bool { return true }

func (u unicode8) decode(text []byte) (rune, int) {
	r, size := utf8.DecodeRune(text)
	if r == utf8.RuneError && size < 2 || u.short && size > 3 {
		return 0, 0
	}
	return r, size
}

func (u unicode8) encode(dst []byte, r rune) ([]byte, bool) {
	if u.short && r > 0xFFFF {
		return dst, false
	}
	return utf8.AppendRune(dst, r), true
}

// unicode16 is UTF-16, high byte first unless it is little; a short one has no pairs (UCS-2).
type unicode16 struct{ little, short bool }

func (unicode16) plain() bool { return false }

func (u unicode16) order() binary.AppendByteOrder {
	if u.little {
		return binary.LittleEndian
	}
	return binary.BigEndian
}

func (u unicode16) unit(text []byte) rune {
	if u.little {
		return rune(binary.LittleEndian.Uint16(text))
	}
	return rune(binary.BigEndian.Uint16(text))
}

func (u unicode16) decode(text []byte) (rune, int) {
	if len(text) < 2 {
		return 0, 0
	}
	r := u.unit(text)
	if !utf16.IsSurrogate(r) {
		return r, 2
	}
	if u.short || len(text) < 4 {
		return 0, 0
	}
	if r = utf16.DecodeRune(r, u.unit(text[2:])); r == utf8.RuneError {
		return 0, 0
	}
	return r, 4
}

func (u unicode16) encode(dst []byte, r rune) ([]byte, bool) {
	if r <= 0xFFFF {
		return u.order().AppendUint16(dst, uint16(r)), true //nolint:gosec // 16 bits
	}
	if u.short {
		return dst, false
	}
	high, low := utf16.EncodeRune(r)
	dst = u.order().AppendUint16(dst, uint16(high))       //nolint:gosec // 16 bits
	return u.order().AppendUint16(dst, uint16(low)), true //nolint:gosec // 16 bits
}

// unicode32 is UTF-32, high byte first.
type unicode32 struct{}

func (unicode32) plain() bool { return false }

func (unicode32) decode(text []byte) (rune, int) {
	if len(text) < 4 {
		return 0, 0
	}
	v := binary.BigEndian.Uint32(text)
	if v > utf8.MaxRune || !utf8.ValidRune(rune(v)) {
		return 0, 0
	}
	return rune(v), 4
}

func (unicode32) encode(dst []byte, r rune) ([]byte, bool) {
	return binary.BigEndian.AppendUint32(dst, uint32(r)), true //nolint:gosec // a character is not negative
}
