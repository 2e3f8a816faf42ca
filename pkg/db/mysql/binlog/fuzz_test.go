package binlog

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"wherry/pkg/db/canon"

	"github.com/stretchr/testify/require"
)

// FuzzJSON renders documents that are encoded here as a server stores them: the text must be JSON and mean the same.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"b": 1, "aa": {"x": [[], {}]}, "a": "\u0001\b\f\n\r\t\"\\/ü😀"}`,
		`[1, 2.0, 1e20, -0.0, 1e-7, true, false, null, ""]`,
		`[18446744073709551615, -9223372036854775808, 65536, -32769, 65535, -1]`, `"text"`, `1.5`, `{"": null}`,
		`["` + strings.Repeat("long ", 30) + `"]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var value any
		if decoder.Decode(&value) != nil || depthOf(value) > 50 {
			return
		}
		for _, wide := range []int{2, 4} {
			kind, data, ok := encodeJSON(value, wide)
			if !ok {
				return // too large for this width, or a number that is neither an integer nor a double
			}
			rendered, err := appendJSON(nil, append([]byte{kind}, data...), false)
			require.NoError(t, err)
			require.True(t, json.Valid(rendered), "%s", rendered)
			again := json.NewDecoder(bytes.NewReader(rendered))
			again.UseNumber()
			var back any
			require.NoError(t, again.Decode(&back))
			require.Equal(t, meaning(value), meaning(back), "%s", rendered)
		}
	})
}

func depthOf(v any) int {
	most := 0
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			most = max(most, depthOf(e))
		}
	case map[string]any:
		for _, e := range v {
			most = max(most, depthOf(e))
		}
	default:
		return 0
	}
	return most + 1
}

// meaning replaces numbers by what tells them apart: integers by their digits, doubles by their bits.
func meaning(v any) any {
	switch v := v.(type) {
	case json.Number:
		if kind, data, ok := encodeNumber(v); ok {
			return fmt.Sprintf("%d %x", kind, data)
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = meaning(v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k := range v {
			out[k] = meaning(v[k])
		}
		return out
	}
	return v
}

func encodeNumber(n json.Number) (kind byte, data []byte, ok bool) {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil && string(n) != "-0" {
		switch {
		case i == int64(int16(i)): //nolint:gosec // that is the question
			return jsonInt16, binary.LittleEndian.AppendUint16(nil, uint16(i)), true //nolint:gosec // bits
		case i == int64(int32(i)): //nolint:gosec // that is the question
			return jsonInt32, binary.LittleEndian.AppendUint32(nil, uint32(i)), true //nolint:gosec // bits
		}
		return jsonInt64, binary.LittleEndian.AppendUint64(nil, uint64(i)), true //nolint:gosec // bits
	}
	if u, err := strconv.ParseUint(string(n), 10, 64); err == nil {
		return jsonUint64, binary.LittleEndian.AppendUint64(nil, u), true
	}
	d, err := n.Float64()
	if err != nil || math.IsInf(d, 0) {
		return 0, nil, false
	}
	return jsonDouble, binary.LittleEndian.AppendUint64(nil, math.Float64bits(d)), true
}

// encodeJSON follows mysql-server sql-common/json_binary.h, with counts and offsets of 2 or 4 bytes.
func encodeJSON(v any, wide int) (kind byte, data []byte, ok bool) {
	switch v := v.(type) {
	case nil:
		return jsonLiteral, []byte{0}, true
	case bool:
		if v {
			return jsonLiteral, []byte{1}, true
		}
		return jsonLiteral, []byte{2}, true
	case string:
		return jsonString, append(appendPacked(nil, len(v)), v...), true
	case json.Number:
		return encodeNumber(v)
	case []any:
		return encodeContainer(nil, v, wide, jsonSmallArray)
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int {
			if len(a) != len(b) {
				return len(a) - len(b)
			}
			return strings.Compare(a, b)
		})
		members := make([]any, len(names))
		for i, name := range names {
			if len(name) > math.MaxUint16 {
				return 0, nil, false
			}
			members[i] = v[name]
		}
		if names == nil {
			names = []string{}
		}
		return encodeContainer(names, members, wide, jsonSmallObject)
	}
	return 0, nil, false
}

func encodeContainer(names []string, members []any, wide int, kind byte) (_ byte, data []byte, ok bool) {
	size := 2*wide + len(members)*(1+wide)
	if kind == jsonSmallObject {
		size += len(members) * (2 + wide)
	}
	put := func(b []byte, n int) []byte {
		return binary.LittleEndian.AppendUint64(b,
			uint64(n))[:len(b)+wide]
	} //nolint:gosec // not negative
	var entries, tail []byte
	for _, name := range names {
		entries = binary.LittleEndian.AppendUint16(put(entries, size+len(tail)),
			uint16(len(name))) //nolint:gosec // bounded
		tail = append(tail, name...)
	}
	for _, member := range members {
		k, value, ok := encodeJSON(member, wide)
		if !ok {
			return 0, nil, false
		}
		entries = append(entries, k)
		if w := jsonWidth(k); w > 0 && w <= wide {
			entries = append(append(entries, value...), make([]byte, wide-len(value))...)
			continue
		}
		entries = put(entries, size+len(tail))
		tail = append(tail, value...)
	}
	whole := size + len(tail)
	if wide == 2 && whole > math.MaxUint16 {
		return 0, nil, false
	}
	data = append(append(put(put(nil, len(members)), whole), entries...), tail...)
	if wide == 4 {
		kind++
	}
	return kind, data, true
}

func appendPacked(b []byte, n int) []byte {
	for ; n > 127; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// FuzzNumbers reads rendered numbers back: a double to the same bits, an integer and a decimal to the same value.
func FuzzNumbers(f *testing.F) {
	for _, bits := range []uint64{
		0, 1 << 63, 1, math.Float64bits(0.1), math.Float64bits(1e15), math.Float64bits(1e14),
		math.MaxUint64,
	} {
		f.Add(bits)
	}
	f.Fuzz(func(t *testing.T, bits uint64) {
		if d := math.Float64frombits(bits); !math.IsNaN(d) && !math.IsInf(d, 0) {
			text := string(canon.AppendDouble(nil, d))
			back, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			require.Equal(t, bits, math.Float64bits(back), text)
		}
		raw := binary.LittleEndian.AppendUint64(nil, bits)
		require.Equal(t, strconv.FormatUint(bits, 10), string(decodeAppendInt(nil, raw, true)))
		require.Equal(t, strconv.FormatInt(int64(bits), 10),
			string(decodeAppendInt(nil, raw, false))) //nolint:gosec // bits
	})
}

// FuzzGTIDSets compares sets with a plain list of every transaction in them.
func FuzzGTIDSets(f *testing.F) {
	f.Add([]byte{1, 5, 7, 9, 3, 4}, []byte{1, 9})
	f.Fuzz(func(t *testing.T, x, y []byte) {
		one, oneAll := setOf(x)
		other, otherAll := setOf(y)
		subset := true
		for gtid := range otherAll {
			subset = subset && oneAll[gtid]
		}
		yes, ok := one.Contains(other)
		require.True(t, ok)
		require.Equal(t, subset, yes, "%s contains %s", one, other)
		if !one.Empty() {
			parsed, err := parseGTIDSet(one.String())
			require.NoError(t, err)
			require.Equal(t, one.String(), parsed.String())
		}
	})
}

// setOf reads pairs of bytes as intervals of one of two servers, one of them with a tag.
func setOf(pairs []byte) (*GTIDSet, map[string]bool) {
	s, all := NewGTIDSet(), map[string]bool{}
	for ; len(pairs) >= 2; pairs = pairs[2:] {
		run := GTIDRun{First: uint64(pairs[0]%50) + 1}
		run.Last = run.First + uint64(pairs[1]%8)
		run.uuid[0] = pairs[0] >> 7
		if pairs[1]>>7 == 1 {
			run.tag = "tag"
		}
		s.Add(run)
		for n := run.First; n <= run.Last; n++ {
			all[fmt.Sprint(run.uuid[0], run.tag, n)] = true
		}
	}
	return s, all
}
