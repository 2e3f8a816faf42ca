package canon_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/canon"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// textRoute leads columns of text k, n, v and j and a number f from one character set to another; k and n are the key.
func textRoute(t *testing.T, from, into string) *route.Route {
	t.Helper()
	table := func(charset string, j schema.Kind) *schema.Table {
		text := schema.Type{Kind: schema.Varchar, Size: 20, Charset: charset}
		return &schema.Table{
			Name: schema.Name{Database: "shop", Table: "t"}, Primary: &schema.Index{
				Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "k"}, {Column: "n"}},
			},
			Columns: []schema.Column{
				{Name: "v", Type: text, Nullable: true},
				{Name: "k", Type: text},
				{Name: "n", Type: schema.Type{Kind: schema.Integer, Size: 4}},
				{Name: "j", Type: schema.Type{Kind: j, Charset: charset}, Nullable: true},
				{Name: "f", Type: schema.Type{Kind: schema.Double}, Nullable: true},
			},
		}
	}
	r, err := route.New(table(from, schema.Text), table(into, schema.JSON), "")
	require.NoError(t, err)
	r.Allow(map[string][]string{schema.NegativeZero: {"f"}})
	return r
}

func row(values ...string) db.Row {
	out := make(db.Row, len(values))
	for i, v := range values {
		if v != "NULL" {
			out[i] = []byte(v)
		}
	}
	return out
}

// TestReading: rows are read by their rules, and keys are written back.
func TestReading(t *testing.T) {
	for _, c := range []struct {
		from, into string
		own, read  db.Row
	}{
		{
			"latin1", "utf8mb4", row("\xE9\x80", "\xFC", "7", "{\"b\":\"\xE9\", \"a\":1}", "-0"),
			row("é€", "ü", "7", `{"a": 1, "b": "é"}`, "0"),
		},
		{"latin1", "utf8mb4", row("NULL", "", "7", "NULL", "NULL"), row("NULL", "", "7", "NULL", "NULL")},
		{"utf8mb4", "latin1", row("é€", "ü", "7", "NULL", "1"), row("\xE9\x80", "\xFC", "7", "NULL", "1")},
		{"latin2", "cp1250", row("\xB9", "\xB9", "7", "NULL", "1"), row("\x9A", "\x9A", "7", "NULL", "1")},
		{"utf8mb4", "utf8mb4", row("é€", "ü", "7", "NULL", "-0"), row("é€", "ü", "7", "NULL", "0")},
	} {
		rel := &textRoute(t, c.from, c.into).Source
		by, err := canon.NewReading(rel)
		require.NoError(t, err)
		own := c.own.Clone()
		got, err := by.Row(c.own)
		require.NoError(t, err)
		assert.Equal(t, c.read, got)
		key, err := by.Key(c.own.Pick(rel.Key))
		require.NoError(t, err)
		assert.Equal(t, c.read.Pick(rel.Key), key)
		back, ok := by.Own(key)
		assert.True(t, ok)
		assert.Equal(t, c.own.Pick(rel.Key), back)
		only, err := canon.NewReading(rel.KeyOnly())
		require.NoError(t, err)
		got, err = only.Row(c.own.Pick(rel.Key))
		require.NoError(t, err)
		assert.Equal(t, key, got)

		all, err := db.ReadAll(by.Rows(&given{rows: []db.Row{c.own, c.own}}))
		require.NoError(t, err)
		assert.Equal(t, []db.Row{c.read, c.read}, all)
		assert.Equal(t, own, c.own, "what is read stays as it was")
	}
}

// TestReadingRefuses: what cannot be read names its row, and what the source cannot have is not asked for.
func TestReadingRefuses(t *testing.T) {
	rel := &textRoute(t, "cp1250", "utf8mb4").Source
	by, err := canon.NewReading(rel)
	require.NoError(t, err)
	bad := row("a\x81", "k\xE9y", "7", "NULL", "1")
	_, err = by.Row(bad)
	require.ErrorIs(t, err, db.ErrUnsupported)
	for _, part := range []string{"column v of shop.t", `k = "k\xe9y", n = "7"`, `"a\x81"`, "cp1250"} {
		require.ErrorContains(t, err, part)
	}
	_, err = db.ReadAll(by.Rows(&given{rows: []db.Row{bad}}))
	require.ErrorContains(t, err, "column v of shop.t")
	_, err = by.Key(row("\x81", "7"))
	require.ErrorContains(t, err, "column k of shop.t")

	asked := by.OwnKeys([]db.Row{row("é", "1"), row("я", "1"), row("\xE9", "1"), row("a", "2")})
	assert.Equal(t, []db.Row{row("\xE9", "1"), row("a", "2")}, asked)
	_, err = by.OwnRange(db.Range{After: row("я", "1")})
	require.ErrorIs(t, err, db.ErrUnsupported)
	own, err := by.OwnRange(db.Range{Upto: row("é", "1")})
	require.NoError(t, err)
	assert.Equal(t, db.Range{Upto: row("\xE9", "1")}, own)

	_, err = canon.NewReading(&textRoute(t, "klingon", "utf8mb4").Source)
	require.ErrorIs(t, err, db.ErrUnsupported)
	require.ErrorContains(t, err, "klingon")
}

type given struct{ rows []db.Row }

func (g *given) Next() (db.Row, error) {
	if len(g.rows) == 0 {
		return nil, io.EOF
	}
	next := g.rows[0]
	g.rows = g.rows[1:]
	return next, nil
}

func (g *given) Close() error { return nil }

// TestAllowedLosses: dates that no calendar has are read as NULL and 0x00 is taken out of text, where that was allowed,
// and never of a key.
func TestAllowedLosses(t *testing.T) {
	table := func() *schema.Table {
		text := schema.Type{Kind: schema.Varchar, Size: 20, Charset: "utf8mb4"}
		return &schema.Table{
			Name: schema.Name{Database: "shop", Table: "t"}, Primary: &schema.Index{
				Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "k"}, {Column: "d"}},
			},
			Columns: []schema.Column{
				{Name: "k", Type: text},
				{Name: "d", Type: schema.Type{Kind: schema.Date}},
				{Name: "v", Type: text, Nullable: true},
				{Name: "at", Type: schema.Type{Kind: schema.Datetime}, Nullable: true},
			},
		}
	}
	r, err := route.New(table(), table(), "")
	require.NoError(t, err)
	r.Allow(map[string][]string{schema.ZeroDate: {"D", "at"}, schema.ZeroByte: {"k", "v"}})
	assert.True(t, r.Source.Formed(), "no server sums such rows as the other does")
	reading, err := canon.NewReading(&r.Source)
	require.NoError(t, err)
	for _, c := range []struct{ own, read db.Row }{
		{row("a\x00b", "0000-00-00", "a\x00\x00b", "0000-00-00 00:00:00"), row("a\x00b", "0000-00-00", "ab", "NULL")},
		{row("a", "2024-00-00", "\x00", "2024-02-30 10:00:00"), row("a", "2024-00-00", "", "NULL")},
		{row("a", "2024-01-01", "NULL", "2024-02-29 10:00:00"), row("a", "2024-01-01", "NULL", "2024-02-29 10:00:00")},
		{row("a", "2024-01-01", "b", "NULL"), row("a", "2024-01-01", "b", "NULL")},
		{row("a", "2024-01-01", "b", "0000-01-01 00:00:00"), row("a", "2024-01-01", "b", "NULL")},
	} {
		read, err := reading.Row(c.own)
		require.NoError(t, err)
		assert.Equal(t, c.read, read)
		streamed, err := reading.Rows(&oneRow{row: c.own}).Next()
		require.NoError(t, err)
		assert.Equal(t, c.read, streamed)
	}
	key := row("a\x00b", "0000-00-00")
	read, err := reading.Key(key)
	require.NoError(t, err)
	assert.Equal(t, key, read)
}

type oneRow struct{ row db.Row }

func (r *oneRow) Next() (db.Row, error) { return r.row, nil }
func (r *oneRow) Close() error          { return nil }
