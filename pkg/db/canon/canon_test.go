package canon_test

import (
	"encoding/hex"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db/canon"
)

func TestAppendDouble(t *testing.T) {
	for text, want := range map[string]string{ // as printed by MySQL 9.7 and MariaDB 10.11
		"0": "0", "1": "1", "-1.5": "-1.5", "1e14": "100000000000000", "1e15": "1e15",
		"123456789012345":  "123456789012345",
		"1234567890123456": "1.234567890123456e15", "-2.0203037356452028e15": "-2020303735645202.8",
		"4503599627370495.5": "4503599627370495.5",
		"1e-14":              "0.00000000000001", "1e-15": "0.000000000000001", "1e-16": "1e-16",
		"1.2345678901234567e-15": "0.0000000000000012345678901234568",
		"1e308":                  "1e308", "5e-324": "5e-324", "1e22": "1e22", "0.1": "0.1",
		"1.7976931348623157e308": "1.7976931348623157e308", "100": "100",
	} {
		v, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		assert.Equal(t, want, string(canon.AppendDouble(nil, v)), text)
	}
	assert.Equal(t, "NaN", string(canon.AppendDouble(nil, math.NaN())))
	assert.Equal(t, "-0", string(canon.AppendDouble(nil, math.Copysign(0, -1))))
}

func TestAppendINET6(t *testing.T) {
	for text, want := range map[string]string{ // as printed by MariaDB 10.11
		"00000000000000000000000000000000": "::", "00000000000000000000000000000001": "::1",
		"0000000000000000000000000000ffff": "::ffff",
		"00000000000000000000000000020003": "::0.2.0.3", "000000000000000000000000ffff0000": "::255.255.0.0",
		"00000000000000000000ffff01020304": "::ffff:1.2.3.4",
		"00000000000000000000000100000000": "::1:0:0", "00010000000000020000000000000000": "1:0:0:2::",
		"00010000000100000001000000010000": "1::1:0:1:0:1:0",
		"20010db8000000000000ff0000428329": "2001:db8::ff00:42:8329", "0000000000000000000000000000abcd": "::abcd",
		"00000000000000000000ffff00000000": "::ffff:0.0.0.0",
		"ffffffffffffffffffffffffffffffff": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	} {
		var v [16]byte
		_, err := hex.Decode(v[:], []byte(text))
		require.NoError(t, err)
		assert.Equal(t, want, string(canon.AppendINET6(nil, &v)), text)
	}
}
