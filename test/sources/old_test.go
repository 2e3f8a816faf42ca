package sources

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/lab"
)

// TestOldFormats moves from servers that write as earlier versions did: temporal columns of the format before MySQL
// 5.6.4, events without checksums, TIMESTAMP columns with defaults that nothing says, another character set, and on
// MySQL no GTIDs.
func TestOldFormats(t *testing.T) {
	flavors(t, func(t *testing.T, flavor string) {
		settings := []string{
			"binlog_checksum=NONE", "explicit_defaults_for_timestamp=OFF",
			"character_set_server=latin1",
		}
		if flavor == lab.MariaDB {
			settings = append(settings, "mysql56_temporal_format=OFF", "log_bin_compress=ON",
				"log_bin_compress_min_len=10")
		} else {
			settings = append(settings, "gtid_mode=OFF", "enforce_gtid_consistency=OFF")
		}
		from := fleet(t, flavor, 1, settings...)[0]
		m := newMove(t, "ws_old", from, from.Server.Server, target(t, flavor), "copy: {chunk_rows: 500}")
		from.Exec(t, "CREATE TABLE ws_old.times (id INT PRIMARY KEY, t TIME NULL, d DATETIME NULL, s TIMESTAMP NULL, "+
			"y YEAR, a DATE)",
			"INSERT INTO ws_old.times VALUES (1, '-838:59:59', '9999-12-31 23:59:59', '2038-01-19 03:14:07', 1901, "+
				"'1000-01-01'), "+
				"(2, '12:34:56', '2024-02-29 00:00:00', '1970-01-01 00:00:01', 2155, '2024-02-29'), (3, NULL, NULL, "+
				"NULL, NULL, NULL)")
		l := startLoad(t, m.Name, from)
		m.Phases(t, "init-schema", "init-copy")
		from.Exec(t, "FLUSH BINARY LOGS", "INSERT INTO ws_old.times SELECT id + 10, t, d, s, y, a FROM ws_old.times",
			"UPDATE ws_old.times SET t = '-00:00:01', d = '0001-01-01 01:01:01', s = '2024-06-01 12:00:00' "+
				"WHERE id = 2")
		following := m.Start(t, "start-replica")
		m.followed(t, from, following)
		m.Must(t, "verify")
		l.Stop(t)
		m.followed(t, from, following)
		m.equal(t, from)
		times := "SELECT GROUP_CONCAT(CONCAT_WS('|', id, COALESCE(t, '-'), COALESCE(d, '-'), COALESCE(s, '-'), " +
			"COALESCE(y, '-'), COALESCE(a, '-')) ORDER BY id) FROM ws_old.times"
		want := from.text(t, times)
		require.NotEmpty(t, want)
		assert.Equal(t, want, m.to.text(t, times))
	})
}
