package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is an amount of memory or data, written as 4096, 16MiB (1024 based) or 16MB (1000 based).
type Bytes int64

// The binary units.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
	TiB Bytes = 1 << 40
)

// ParseBytes reads a whole number and an optional unit: B, KB, MB, GB, TB, KiB, MiB, GiB, TiB, in any case.
func ParseBytes(text string) (Bytes, error) {
	trimmed := strings.TrimSpace(text)
	digits := strings.TrimLeft(trimmed, "0123456789")
	number, unit := trimmed[:len(trimmed)-len(digits)], strings.TrimSpace(digits)
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("invalid size %q", text)
	}
	factor, ok := unitFactor(unit)
	if !ok {
		return 0, fmt.Errorf("invalid size %q: unknown unit %q", text, unit)
	}
	// Before the product: past the largest int64 it would become negative, and pass as a tiny size.
	if n > math.MaxInt64/factor {
		return 0, fmt.Errorf("invalid size %q: too large", text)
	}
	return Bytes(n * factor), nil
}

// unitFactor returns how many bytes a unit has; false if it is none. An upper or lower case letter makes no difference:
// nobody means bits in a size of memory.
func unitFactor(unit string) (int64, bool) {
	switch strings.ToLower(unit) {
	case "", "b":
		return 1, true
	case "kb":
		return 1e3, true
	case "mb":
		return 1e6, true
	case "gb":
		return 1e9, true
	case "tb":
		return 1e12, true
	case "kib":
		return int64(KiB), true
	case "mib":
		return int64(MiB), true
	case "gib":
		return int64(GiB), true
	case "tib":
		return int64(TiB), true
	}
	return 0, false
}

// String writes the size with the largest binary unit that divides it, so that ParseBytes gives it back.
func (b Bytes) String() string {
	units := []struct {
		size Bytes
		name string
	}{{TiB, "TiB"}, {GiB, "GiB"}, {MiB, "MiB"}, {KiB, "KiB"}}
	for _, u := range units {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// MarshalText writes what String does.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads what ParseBytes does.
func (b *Bytes) UnmarshalText(text []byte) error {
	n, err := ParseBytes(string(text))
	if err != nil {
		return err
	}
	*b = n
	return nil
}
