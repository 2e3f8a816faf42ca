package mysql

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// TestSystemZone: a schema change under the server's own time zone is made under the same one elsewhere, told by its distance from UTC.
func TestSystemZone(t *testing.T) {
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		opened, err := OpenSource(t.Context(), *s.config)
		require.NoError(t, err)
		defer func() { require.NoError(t, opened.Close()) }()
		at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
		_, offset := at.Local().Zone() // servers of the tests have the machine's
		want := at.In(time.FixedZone("", offset)).Format("-07:00")
		for zone, told := range map[string]string{"SYSTEM": want, "system": want, "+05:30": "+05:30", "Asia/Kolkata": "Asia/Kolkata"} {
			change := &db.DDL{
				Statement: "ALTER TABLE a ADD COLUMN d DATETIME DEFAULT CURRENT_TIMESTAMP", Context: schema.StatementContext{Database: "x"},
				Moment: db.Moment{Time: at, TimeZone: zone},
			}
			_, err := opened.Effects(t.Context(), change, nil)
			require.NoError(t, err)
			assert.Equal(t, told, change.Moment.TimeZone)
		}
	})
}
