package dbtest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/charset"
	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// testCharsets moves a table whose text, of the key too, is in latin1. Whatever the target keeps text in, both ends
// must say the same of every row and key, and the log must: else a row would be copied under one key and followed
// under another.
func testCharsets(b *bench) {
	spec := Spec{
		Name: name("latin"), Key: []string{"s", "id"}, Columns: []ColumnSpec{
			{Name: "note", Kind: schema.Varchar, Null: true, Charset: "latin1"},
			{Name: "s", Kind: schema.Varchar, Charset: "latin1"},
			{Name: "id", Kind: schema.Integer},
			{Name: "u", Kind: schema.Varchar, Null: true},
		},
	}
	r := b.move(spec)
	latin1, ok := charset.Find("latin1")
	require.True(b, ok)
	read := func(row db.Row) db.Row { // as both ends have it
		row = row.Clone()
		for i, c := range spec.Columns[:2] {
			at := r.Source.Table.Column(c.Name)
			if r.Source.Table.Columns[at].Type.Charset == "latin1" && r.Source.Rule(at).Charset == "" && row[i] != nil {
				row[i], ok = latin1.Encode([]byte{}, row[i])
				require.True(b, ok)
			}
		}
		return row
	}
	var written, want []db.Row
	for i, text := range []string{"", "a", "Z", "é", "ä", "ÿ", "€uro", "\u0081", "ß", "~", "Žž", "aé", "éa", "zü"} {
		written = append(written, Values(text+"!", text, i, "žluť 🐎"), Values(nil, text, -i-1, nil))
	}
	for _, row := range written {
		want = append(want, read(row))
	}
	from := b.head()
	b.insert(spec.Name, written...)
	absent := read(Values(nil, "é", 4711, nil)).Pick(r.Source.Key)
	if r.Source.Rule(1).Charset != "" {
		absent = Values("ł", 0) // which latin1 lacks
	}
	b.reads(b.src, &r.Source, want, absent)
	chunk := db.Chunk{}
	require.NoError(b, b.tgt.Ledger().Plan(b.ctx, chunk, spec.Name))
	_, err := b.tgt.Load(b.ctx, b.src, r, chunk)
	require.NoError(b, err)
	b.reads(b.tgt, &r.Target, want, absent)

	var inserts []string
	for _, row := range want {
		inserts = append(inserts, "latin - "+show(row))
	}
	assert.Equal(b, [][]string{inserts}, changesOf(b.drain(from, r)))

	from = b.head()
	moved, gone := Values("Ö", "ö", 3, nil), written[6]
	b.write(Write{Table: spec.Name, Before: written[4], After: moved}, Write{Table: spec.Name, Before: gone})
	b.put(db.FactPosition, "p0")
	a := b.applier(b.tgt)
	st := b.open(from, r)
	for changes := 0; changes < 2; {
		part, err := st.Next(b.ctx, patience)
		require.NoError(b, err)
		require.NotNil(b, part)
		for _, change := range part.Changes {
			changes++
			b.apply(a, deletes(r, change.Before.Pick(r.Source.Key)))
			if change.After != nil {
				b.apply(a, upserts(r, change.After))
			}
		}
	}
	require.NoError(b, a.Commit(b.ctx, "p1"))
	want[4] = read(moved)
	want = append(want[:6], want[7:]...)
	b.holds(b.src, &r.Source, want...)
	b.holds(b.tgt, &r.Target, want...)
}
