package monitor

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1 k", 1234: "1.2 k", 9950: "9.9 k", 9999: "10 k", 12_345: "12.3 k",
		99_949: "99.9 k",
		99_950: "100 k", 118_400: "118 k", 999_499: "999 k", 999_500: "1 M", 1_200_000: "1.2 M", 30_000_000: "30 M",
		5e12: "5 T", math.MaxInt64: "9223372 T", -1500: "-1.5 k",
	} {
		assert.Equal(t, want, Count(n), n)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Microsecond: "<1ms", 350 * time.Millisecond: "350ms", time.Second: "1s",
		1290 * time.Millisecond: "1.2s",
		9990 * time.Millisecond: "9.9s", 42*time.Second + 1: "42s", 200 * time.Second: "3m20s", time.Minute: "1m00s",
		125 * time.Minute: "2h05m",
		76 * time.Hour:    "3d04h", -time.Minute: "-1m00s",
	} {
		assert.Equal(t, want, Span(d), d)
	}
}
