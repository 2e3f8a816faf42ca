package db_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// TestRecords: what is written is what is read, whatever bytes a definition holds.
func TestRecords(t *testing.T) {
	srid := uint32(0)
	r := db.Record{
		Source: schema.Name{Database: "shop", Table: "base64:or\xffders"}, Target: schema.Name{
			Database: "new",
			Table:    "o",
		}, Since: "mem:4", Copy: true,
		Shape: &schema.Table{
			Name: schema.Name{Database: "shop", Table: "o"}, Definition: "CREATE TABLE `o` (\xfe)",
			AutoIncrement: 1<<64 - 1,
			Primary: &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{
				Column: "a", Prefix: 3,
				Desc: true,
			}}},
			Columns: []schema.Column{
				{
					Name: "a", Type: schema.Type{Kind: schema.Binary, Size: 2, Encoded: [][]byte{{0xff}, {}}},
					Default: &schema.Default{Literal: true, Text: "\x00\xff"},
				},
				{
					Name: "g", Type: schema.Type{Kind: schema.Geometry, SRID: &srid},
					Default: &schema.Default{Null: true},
					Extra:   []string{"base64:x"},
				},
			},
			ForeignKeys: []schema.ForeignKey{{Name: "f", Columns: []string{"a"}, Parent: schema.Name{
				Database: "x",
				Table:    "y",
			}}},
		},
	}
	text, err := db.EncodeRecord(r)
	require.NoError(t, err)
	got, err := db.DecodeRecord(text)
	require.NoError(t, err)
	assert.Equal(t, r, got)
	_, err = db.DecodeRecord("{")
	require.Error(t, err)
}
