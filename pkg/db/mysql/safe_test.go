package mysql

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"wherry/pkg/db/mysql/binlog"
	"wherry/pkg/db/mysql/wire/wiretest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSafePositionHasAPlace reads safe positions while others write. By GTIDs alone a server reads its log from the
// start of a file to find the position, which takes most of a second in a large one; so each must have a place in the
// log too.
func TestSafePositionHasAPlace(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		const database = "wherry_safe_place"
		c := s.Connect(t)
		c.Database(database)
		c.Exec("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, n INT)")
		source, err := OpenSource(t.Context(), configOf(s))
		require.NoError(t, err)
		t.Cleanup(func() { _ = source.Close() })
		writing, stop := context.WithCancel(t.Context())
		var writers sync.WaitGroup
		for range 3 {
			writer := s.Connect(t)
			writers.Go(func() {
				for writing.Err() == nil {
					if writer.Try("INSERT INTO wherry_safe_place.t (n) VALUES (1)") != nil {
						return
					}
				}
			})
		}
		for range 50 {
			pos, err := source.SafePosition(t.Context())
			require.NoError(t, err)
			at, err := binlog.ParsePosition(pos)
			require.NoError(t, err)
			assert.NotEmpty(t, at.File, pos)
			assert.NotNil(t, at.GTIDs, pos)
		}
		stop()
		writers.Wait()
		if s.MariaDB {
			return
		}
		// A transaction that owns its GTID for long, as on a replica: it is not waited for, and the position does not
		// hold it.
		uuid := string(c.Rows("SELECT UUID()")[0][0])
		owner := s.Connect(t)
		owner.Exec("USE "+database, "SET gtid_next = '"+uuid+":1'", "BEGIN", "INSERT INTO t (n) VALUES (2)")
		began := time.Now()
		pos, err := source.SafePosition(t.Context())
		require.NoError(t, err)
		assert.Less(t, time.Since(began), 5*time.Second)
		assert.NotContains(t, string(pos), uuid)
		assert.NotContains(t, string(pos), "file=", "the log may hold it before that place")
		owner.Exec("COMMIT", "SET gtid_next = AUTOMATIC")
		pos, err = source.SafePosition(t.Context())
		require.NoError(t, err)
		assert.True(t, strings.Contains(string(pos), uuid) && strings.Contains(string(pos), "file="), pos)
	})
}
