package binlog

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/replication"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

func TestInflateColumn(t *testing.T) {
	z := &inflater{}
	for packed, want := range map[string]string{ // from the log of MariaDB 10.11
		"": "", "00616263": "abc", "8a012caba81805c40200": strings.Repeat("x", 300),
		"8964abaaa23d0000": strings.Repeat("z", 100),
	} {
		raw, err := hex.DecodeString(packed)
		require.NoError(t, err)
		got, err := z.append([]byte("before"), raw)
		require.NoError(t, err)
		assert.Equal(t, "before"+want, string(got))
	}
	for _, damaged := range []string{
		"10616263", "80", "8a01", "8a012daba81805c40200", "8a012baba81805c40200", "8a012cab",
		"88ffffffff", "8cffffffff",
	} {
		raw, err := hex.DecodeString(damaged)
		require.NoError(t, err)
		_, err = z.append(nil, raw)
		require.ErrorIs(t, err, errImage, damaged)
	}
}

func TestJSONPath(t *testing.T) {
	legs, ok := jsonPath([]byte(`$.a[3]."b \"c".d[0][1]`))
	require.True(t, ok)
	assert.Equal(t, []jsonLeg{
		{key: []byte("a")},
		{index: 3},
		{key: []byte(`b "c`)},
		{key: []byte("d")},
		{index: 0},
		{index: 1},
	}, legs)
	for _, bad := range []string{"", "a", "$a", "$.", "$[", "$[x]", `$."a`, "$[-1]"} {
		_, ok := jsonPath([]byte(bad))
		assert.False(t, ok, bad)
	}
}

// FuzzRow feeds damaged images to a decoder of every kind of column: it must return an error or a row, never fault.
func FuzzRow(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, []byte{2, 1, 0, 1, 0, 1, 'a', 2})
	f.Add([]byte{0}, []byte{0, 1, 0, 12, 0, 11, 0, 1, 0, 5, 1, 0, 'k'})
	f.Fuzz(func(t *testing.T, image, document []byte) {
		table := &decodeTable{kept: int(decodeTimestamp2) + 1, estimate: 16}
		for kind := decodeInt; kind <= decodeTimestamp2; kind++ {
			c := decodeColumn{
				out: int(kind), kind: kind, width: 4, prefix: 2, size: 9, scale: 0, document: -1,
				labels: [][]byte{[]byte("a")}, inflater: &inflater{},
			}
			switch kind {
			case decodeDate, decodeTime, decodeTime2:
				c.width = 3
			case decodeYear:
				c.width = 1
			case decodeDouble, decodeDatetime:
				c.width = 8
			case decodeDatetime2:
				c.width = 5
			default:
			}
			table.columns = append(table.columns, c)
		}
		_, _, _ = table.image(&decoder{}, image, nil, nil, 3)
		_, _ = appendJSON(nil, document, len(image) > 9)
		_, _ = (&inflater{}).append(nil, document)
		_, _ = appendJSONDiff(nil, document, image)
		_, _ = decodeGTIDSet(image)
		if m, ok := parseTableMap(image, 6); ok {
			_, _ = m.columns()
		}
		if e, ok := parseEventHeader(image); ok {
			_, _ = parseQueryEvent(&e)
		}
	})
}

// benchmarkTable is a sysbench table: two integers and two strings.
func benchmarkTable() (*route.Route, *decodeTable, []byte) {
	table := &schema.Table{Name: schema.Name{Database: "sbtest", Table: "sbtest1"}, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.Integer, Size: 4}},
		{Name: "k", Type: schema.Type{Kind: schema.Integer, Size: 4}},
		{Name: "c", Type: schema.Type{Kind: schema.Char, Charset: "utf8mb4", Size: 120}},
		{Name: "pad", Type: schema.Type{Kind: schema.Char, Size: 60}},
		{Name: "d", Type: schema.Type{Kind: schema.Decimal, Precision: 10, Scale: 2}},
		{Name: "at", Type: schema.Type{Kind: schema.Datetime, Scale: 6}},
	}}
	r := &route.Route{Source: route.Relation{Table: table, Columns: []int{0, 1, 2, 3, 4, 5}}}
	rest := []byte{6, 3, 3, 254, 254, 246, 18, 7, 0xee, 224, 254, 240, 10, 2, 6, 0}
	decoder, err := newDecodeTable(r, &tableMap{rest: rest})
	if err != nil {
		panic(err)
	}
	row := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8}
	row = append(binary.LittleEndian.AppendUint16(row, 119), make([]byte, 119)...)
	row = append(append(row, 59), make([]byte, 59)...)
	row = append(row, 0x80, 0, 0x30, 0x39, 67, 0x99, 0xb2, 0xd8, 0xc8, 0xb5, 1, 0xe2, 0x40)[:len(row)+13]
	return r, decoder, row
}

func BenchmarkDecodeRows(b *testing.B) {
	r, table, row := benchmarkTable()
	var images []byte
	for range 40 {
		images = append(images, row...)
	}
	queue := newStreamQueue(Position{File: "b.000001", Offset: 4}, "", 1<<30)
	a := newAssembler(context.Background(), &Config{Routes: []*route.Route{r}, maxPart: streamPart}, queue)
	a.group.open = true
	b.ReportAllocs()
	b.SetBytes(int64(len(row)))
	for n := 0; n < b.N; n += 40 {
		if err := a.decode(table, rowsEvent{after: true, images: images}); err != nil {
			b.Fatal(err)
		}
		if part, _ := queue.next(); part != nil {
			a.part = nil
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func TestAdvanceWithoutOffsets(t *testing.T) {
	maria := dialect.Flavor{Family: schema.MariaDB}
	a := newAssembler(t.Context(), &Config{Flavor: maria}, newStreamQueue(Position{}, "", 1))
	a.at = place{"b.000001", 1000}
	a.advance(&logEvent{kind: replication.XID_EVENT, size: 31})
	assert.Equal(t, uint64(1031), a.at.offset)
	a.advance(&logEvent{kind: replication.XID_EVENT, size: 31, next: 5000})
	assert.Equal(t, uint64(5000), a.at.offset)
	a.advance(&logEvent{kind: replication.ROTATE_EVENT, size: 31, flags: replication.LOG_EVENT_ARTIFICIAL_F})
	assert.Equal(t, uint64(5000), a.at.offset)
}
