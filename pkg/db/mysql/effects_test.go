package mysql

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire/wiretest"
	"wherry/pkg/schema"
)

// TestSystemZone: a schema change under the server's own time zone is made under the same one elsewhere, told by its
// distance from UTC.
func TestSystemZone(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		opened, err := OpenSource(t.Context(), configOf(s))
		require.NoError(t, err)
		defer func() { require.NoError(t, opened.Close()) }()
		at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
		_, offset := at.Local().Zone() // servers of the tests have the machine's
		want := at.In(time.FixedZone("", offset)).Format("-07:00")
		for zone, told := range map[string]string{
			"SYSTEM": want, "system": want, "+05:30": "+05:30",
			"Asia/Kolkata": "Asia/Kolkata",
		} {
			change := &db.DDL{
				Statement: "ALTER TABLE a ADD COLUMN d DATETIME DEFAULT CURRENT_TIMESTAMP",
				Context:   schema.StatementContext{Database: "x"},
				Moment:    db.Moment{Time: at, StatementSession: schema.StatementSession{TimeZone: zone}},
			}
			_, err := opened.Effects(t.Context(), change, nil)
			require.NoError(t, err)
			assert.Equal(t, told, change.Moment.TimeZone)
		}
	})
}

// TestEffectsHaveLabels: the log has labels as numbers, so a table that is known from statements alone has them in
// its own character set, also after it was converted.
func TestEffectsHaveLabels(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		opened, err := OpenSource(t.Context(), configOf(s))
		require.NoError(t, err)
		defer func() { require.NoError(t, opened.Close()) }()
		var known []*schema.Table
		for _, step := range []struct {
			statement string
			want      [][]byte
		}{
			{
				"CREATE TABLE x.a (id INT PRIMARY KEY, e ENUM('a','ü') CHARACTER SET latin1) CHARACTER SET utf8mb4",
				[][]byte{{'a'}, {0xfc}, {','}},
			},
			{"ALTER TABLE x.a ADD COLUMN n INT", [][]byte{{'a'}, {0xfc}, {','}}},
			{"ALTER TABLE x.a MODIFY e ENUM('ü') CHARACTER SET utf16", [][]byte{{0, 0xfc}, {0, ','}}},
			{"ALTER TABLE x.a CONVERT TO CHARACTER SET latin1", [][]byte{{0xfc}, {','}}},
			{"ALTER TABLE x.a CONVERT TO CHARACTER SET utf8mb4", nil},
		} {
			effects, err := opened.Effects(t.Context(), &db.DDL{
				Statement: step.statement,
				Context:   schema.StatementContext{Database: "x"},
			}, known)
			require.NoError(t, err, step.statement)
			require.Len(t, effects, 1)
			known = []*schema.Table{effects[0].After}
			assert.Equal(t, step.want, known[0].Columns[known[0].Column("e")].Type.Encoded, step.statement)
		}
	})
}
