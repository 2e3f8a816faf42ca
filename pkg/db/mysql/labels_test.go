package mysql

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db/mysql/wire/wiretest"
	"wherry/pkg/schema"
)

// TestLabels looks at labels that SHOW CREATE TABLE does not tell, or tells of in another character set.
func TestLabels(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		c.Database("binlog_t_labels")
		c.Exec("SET NAMES utf8mb4",
			`CREATE TABLE l (id int PRIMARY KEY, plain enum('?','ü'), sjis enum('ソ','表') CHARACTER SET sjis,
				yen enum('a','\\') CHARACTER SET sjis,
			emoji set('a','😀'), wide enum('x') CHARACTER SET utf16, raw enum(x'ff','a') CHARACTER SET binary)`)
		opened, err := OpenSource(t.Context(), configOf(s))
		require.NoError(t, err)
		defer func() { require.NoError(t, opened.Close()) }()
		tables, err := opened.Tables(t.Context(), func(n schema.Name) bool { return n.Database == "binlog_t_labels" })
		require.NoError(t, err)
		require.Len(t, tables, 1)
		got := map[string]schema.Type{}
		for _, column := range tables[0].Columns {
			got[column.Name] = column.Type
		}
		assert.Equal(t, map[string]bool{
			"id": false, "plain": false, "sjis": false, "yen": true, "emoji": s.MariaDB,
			"wide": false, "raw": s.MariaDB,
		}, map[string]bool{
			"id": got["id"].Unclear, "plain": got["plain"].Unclear, "sjis": got["sjis"].Unclear,
			"yen": got["yen"].Unclear, "emoji": got["emoji"].Unclear,
			"wide": got["wide"].Unclear, "raw": got["raw"].Unclear,
		})
		assert.Equal(t, [][]byte{[]byte("\x83\x5c"), []byte("\x95\x5c"), []byte(",")}, got["sjis"].Encoded)
		assert.Equal(t, [][]byte{[]byte("\x00x"), []byte("\x00,")}, got["wide"].Encoded)
		assert.Nil(t, got["plain"].Encoded)
	})
}
