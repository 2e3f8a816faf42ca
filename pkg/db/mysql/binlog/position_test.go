package binlog

import (
	"testing"

	"wherry/pkg/db"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	uuidA = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	uuidB = "4350f323-7565-4e59-8763-4b1b83a0ce0e"
)

func TestPositionText(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"binlog.000004:1547":                 "file=binlog.000004:1547",
		"file=binlog.000004:1547":            "file=binlog.000004:1547",
		"0-1-100":                            "gtid=0-1-100",
		"2-1-5, 0-1-100":                     "gtid=0-1-100,2-1-5",
		uuidA + ":1-5":                       "gtid=" + uuidA + ":1-5",
		uuidB + ":3,\n" + uuidA + ":2:1:7-9": "gtid=" + uuidA + ":1-2:7-9," + uuidB + ":3",
		"gtid=" + uuidA + ":1-5 file=binlog.1000004:99999999999 server=" + uuidB: "gtid=" + uuidA +
			":1-5 file=binlog.1000004:99999999999 server=" + uuidB,
		"3E11FA47-71CA-11E1-9E33-C80AA9429562:Tag_1:1-3:9:1:tag_0:4": "gtid=" + uuidA + ":tag_0:4:tag_1:1-3:9",
	} {
		p, err := ParsePosition(db.Position(text))
		require.NoError(t, err, text)
		assert.Equal(t, want, p.String())
		assert.Equal(t, text == "", p.IsZero())
	}
}

func TestPositionRefuses(t *testing.T) {
	for _, text := range []string{
		"file=my%20log.000001:4", "nonsense", "binlog.000004", "binlog.x:4", "binlog.000004:-1", uuidA, uuidA + ":0",
		uuidA +
			":5-1", uuidA + ":x y", uuidA + ":9223372036854775807",
		"0-1", "0-1-2,0-2-3", "4294967296-1-1", "gtid=", "file=binlog.000004:4 other=1", "server=x",
		"gtid=0-1-1 server=x",
	} {
		_, err := ParsePosition(db.Position(text))
		assert.Error(t, err, text)
	}
}

func TestReached(t *testing.T) {
	for _, c := range []struct {
		at, goal string
		want     bool
	}{
		{"file=b.000002:4 server=s", "file=b.000001:900 server=s", true},
		{"file=b.000010:4 server=s", "file=b.000009:900 server=s", true},
		{"file=b.1000000:4 server=s", "file=b.999999:900 server=s", true},
		{"file=b.000001:899 server=s", "file=b.000001:900 server=s", false},
		{"file=b.000001:900 server=s", "b.000001:900", true},
		{"gtid=" + uuidA + ":1-9 file=b.000001:4 server=s", "gtid=" + uuidA + ":1-5 file=b.000002:4 server=s", false},
		{
			"gtid=" + uuidA + ":1-9 file=b.000001:4 server=s", "gtid=" + uuidA + ":1-5 file=b.000002:4 server=other",
			true,
		},
		{"gtid=" + uuidA + ":1-9:11", uuidA + ":1-5:11", true},
		{"gtid=" + uuidA + ":1-9:11", uuidA + ":10", false},
		{"gtid=" + uuidA + ":1-9:11", uuidA + ":9-11", false},
		{"gtid=" + uuidA + ":1-9", uuidA + ":t:1", false},
		{"gtid=" + uuidA + ":1-9", uuidB + ":1", false},
		{"0-1-10,1-1-3", "0-2-10", true},
		{"0-1-10", "0-1-9,1-1-1", false},
	} {
		at, err := ParsePosition(db.Position(c.at))
		require.NoError(t, err)
		goal, err := ParsePosition(db.Position(c.goal))
		require.NoError(t, err)
		got, err := reached(at, goal)
		require.NoError(t, err)
		assert.Equal(t, c.want, got, "%s reached %s", c.at, c.goal)
	}
	for _, pair := range [][2]string{
		{"file=b.000001:4 server=s", "file=b.000001:4 server=other"},
		{"file=b.000001:4 server=s", uuidA + ":1"},
		{"0-1-1", uuidA + ":1"},
		{"0-1-1", ""},
	} {
		at, _ := ParsePosition(db.Position(pair[0]))
		goal, _ := ParsePosition(db.Position(pair[1]))
		_, err := reached(at, goal)
		require.ErrorIs(t, err, errIncomparable)
	}
}

func TestGTIDSetAdd(t *testing.T) {
	s := NewGTIDSet()
	uuid, err := gtidParseUUID(uuidA)
	require.NoError(t, err)
	for _, run := range [][2]uint64{
		{5, 5},
		{1, 1},
		{6, 6},
		{3, 3},
		{2, 2},
		{20, 30},
		{10, 12},
		{4, 25},
		{40, 40},
		{41, 41},
		{1, 2},
	} {
		s.Add(GTIDRun{uuid: uuid, First: run[0], Last: run[1]})
	}
	assert.Equal(t, uuidA+":1-30:40-41", s.String())
	again, err := decodeGTIDSet(s.encode())
	require.NoError(t, err)
	assert.Equal(t, s.String(), again.String())
	s.Add(GTIDRun{uuid: uuid, tag: "a", First: 1, Last: 4})
	again, err = decodeGTIDSet(s.encode())
	require.NoError(t, err)
	assert.Equal(t, uuidA+":1-30:40-41:a:1-4", again.String())
}

func TestExtendOffset(t *testing.T) {
	assert.Equal(t, uint64(500), extendOffset(4, 500))
	assert.Equal(t, uint64(1<<32+7), extendOffset(1<<32-100, 7))
	assert.Equal(t, uint64(3<<32+7), extendOffset(3<<32-100, 7))
	assert.Equal(t, uint64(1<<32+1000), extendOffset(1<<32+1000, 900), "a repeated offset does not wrap")
}

func FuzzPosition(f *testing.F) {
	for _, seed := range []string{
		"binlog.000004:1547", "0-1-100,1-2-3", uuidA + ":1-5:7:tag:1",
		"gtid=0-1-1 file=b.01:4 server=x", "file=%41.1:4",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePosition(db.Position(text))
		if err != nil {
			return
		}
		again, err := ParsePosition(db.Position(p.String()))
		require.NoError(t, err, p.String())
		require.Equal(t, p.String(), again.String())
		require.Equal(t, p.IsZero(), again.IsZero())
		if !p.IsZero() {
			yes, err := reached(p, again)
			require.NoError(t, err)
			require.True(t, yes)
		}
	})
}

func FuzzGTIDSet(f *testing.F) {
	f.Add(uuidA + ":1-5:7," + uuidB + ":t:9-11")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseGTIDSet(text)
		if err != nil {
			return
		}
		again, err := decodeGTIDSet(s.encode())
		require.NoError(t, err)
		require.Equal(t, s.String(), again.String())
		yes, ok := s.Contains(again)
		require.True(t, yes && ok)
	})
}
