package moves

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// packets sets the largest packet of a server for connections to come, and back in the end.
func packets(t *testing.T, s *harness.Server, bytes int) {
	t.Helper()
	before := s.Text(t, "SELECT @@global.max_allowed_packet")
	s.Exec(t, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", bytes))
	t.Cleanup(func() {
		_, err := s.DB.ExecContext(context.WithoutCancel(t.Context()), "SET GLOBAL max_allowed_packet = "+before)
		assert.NoError(t, err)
	})
	s.DB.SetMaxIdleConns(0) // connections keep the packets that they began with
	t.Cleanup(func() { s.DB.SetMaxIdleConns(2) })
}

// digests returns what is in a table of large values: keys, lengths and hashes, read by columns that no packet cuts.
func digests(t *testing.T, s *harness.Server, table string) string {
	t.Helper()
	rows, err := s.DB.QueryContext(t.Context(), "SELECT id, v FROM "+table+" ORDER BY id")
	require.NoError(t, err)
	defer rows.Close()
	out := ""
	for rows.Next() {
		var id int
		var v []byte
		require.NoError(t, rows.Scan(&id, &v))
		sum := sha256.Sum256(v)
		out += fmt.Sprintf("%d:%d:%s\n", id, len(v), hex.EncodeToString(sum[:8]))
	}
	require.NoError(t, rows.Err())
	return out
}

const mib = 1 << 20

// huge is an SQL expression for so many bytes that need escapes, are no text, and hold the ends of fields and lines.
func huge(bytes int) string {
	return fmt.Sprintf("REPEAT(UNHEX('00095C0A27FF41C3'), %d)", bytes/8)
}

// peak returns the most memory, in bytes, that the process had.
func peak(t *testing.T, p *harness.Child) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	require.NoError(t, err)
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, m)
	kb, err := strconv.Atoi(string(m[1]))
	require.NoError(t, err)
	return kb << 10
}

// TestRowLargerThanPacket: rows that no statement can carry to the target, and that are larger than the packets of the
// source by now, are copied, followed, compared and repaired, with memory of a few times the row.
func TestRowLargerThanPacket(t *testing.T) {
	const copied = 6 * mib
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		followed := map[string]int{"mysql": 60 * mib, "mariadb": 20 * mib}[p.source.Flavor]
		packets(t, p.source, 256*mib)
		writer, err := p.source.DB.Conn(t.Context())
		require.NoError(t, err)
		defer func() { assert.NoError(t, writer.Close()) }()
		packets(t, p.source, 4*mib) // a session keeps what it began with
		packets(t, p.target, 4*mib)
		write := func(statement string) {
			_, err := writer.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
		m := newMove(t, p, settings{lines: []string{"copy: {workers: 1}", "verify: {workers: 1}"}})
		blobs := quote(m.Name) + ".blobs"
		write("CREATE TABLE " + blobs + " (id INT NOT NULL PRIMARY KEY, v LONGBLOB NULL, note VARCHAR(20) NULL) " +
			"ENGINE=InnoDB")
		write("CREATE TABLE " + quote(m.Name) + ".marks (id INT NOT NULL PRIMARY KEY) ENGINE=InnoDB")
		write("INSERT INTO " + blobs + " VALUES (1, " + huge(copied) + ", 'huge'), (3, 'x', NULL), (4, NULL, '')")
		m.Phases(t, "init-schema", "init-copy")
		replica := m.Start(t, "start-replica")
		write("INSERT INTO " + blobs + " VALUES (2, " + huge(followed) + ", 'huge')")
		write("UPDATE " + blobs + " SET note = 'small' WHERE id = 3")
		m.Followed(t, replica)
		t.Logf("memory of start-replica: %d MiB for a row of %d", peak(t, replica)/mib, followed/mib)
		assert.Less(t, peak(t, replica), 5*followed+60*mib, "memory of start-replica")
		require.NoError(t, replica.Signal(syscall.SIGTERM))
		replica.Wait(t)
		source := digests(t, p.source, blobs)
		assert.Equal(t, source, digests(t, p.target, blobs))

		p.target.Exec(t, "UPDATE "+blobs+" SET v = 'damaged' WHERE id = 1")
		r := m.Run(t, "verify", "--repair")
		assert.Contains(t, r.Output(), "1 repaired", r)
		assert.Equal(t, source, digests(t, p.target, blobs))
	})
}

// TestPacketsRefused: what cannot be written is found by check, and stops the copy with what to set; then it goes on.
func TestPacketsRefused(t *testing.T) {
	p := pairOf(t, harness.MySQL) // MariaDB's JSON is text, which is streamed
	packets(t, p.source, 64*mib)
	before := p.target.Text(t, "SELECT @@global.max_allowed_packet")
	packets(t, p.target, mib)
	m := newMove(t, p, settings{})
	docs := quote(m.Name) + ".docs"
	p.source.Exec(t, "CREATE TABLE "+docs+" (id INT NOT NULL PRIMARY KEY, v JSON NULL) ENGINE=InnoDB",
		"INSERT INTO "+docs+` VALUES (1, CONCAT('["', REPEAT('a', 3000000), '"]'))`)
	r := m.Run(t, "check")
	assert.Equal(t, harness.Refused, r.Code, r)
	assert.Contains(t, r.Output(), "row_size (move) "+m.Name+".docs")
	assert.Contains(t, r.Output(), "SET GLOBAL max_allowed_packet = 67108864 on the target")
	r = m.Run(t, "init-schema")
	assert.Equal(t, harness.Refused, r.Code, r)
	p.target.Exec(t, "SET GLOBAL max_allowed_packet = "+before)
	m.Must(t, "init-schema")
	p.target.Exec(t, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", mib))
	r = m.Run(t, "init-copy")
	assert.Equal(t, harness.Refused, r.Code, r)
	assert.Contains(t, r.Stderr(), m.Name+".docs")
	assert.Contains(t, r.Stderr(), "raise max_allowed_packet")
	p.target.Exec(t, "SET GLOBAL max_allowed_packet = "+before)
	m.Must(t, "init-copy")
	assert.Equal(t, digests(t, p.source, docs), digests(t, p.target, docs))
}

// TestRowLargerThanPacketWithoutStream: without LOAD DATA LOCAL the same rows are refused, by check and by the copy.
func TestRowLargerThanPacketWithoutStream(t *testing.T) {
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		packets(t, p.source, 64*mib)
		packets(t, p.target, mib)
		m := newMove(t, p, settings{lines: []string{"copy: {load: insert}"}})
		blobs := quote(m.Name) + ".blobs"
		p.source.Exec(t, "CREATE TABLE "+blobs+" (id INT NOT NULL PRIMARY KEY, v LONGBLOB NULL) ENGINE=InnoDB",
			"INSERT INTO "+blobs+" VALUES (1, "+huge(2*mib)+")")
		r := m.Run(t, "check")
		assert.Equal(t, harness.Refused, r.Code, r)
		assert.Contains(t, r.Output(), "row_size (move) "+m.Name+".blobs")
		r = m.Run(t, "init-schema")
		assert.Equal(t, harness.Refused, r.Code, r)
		p.target.Exec(t, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", 64*mib))
		m.Must(t, "init-schema")
		p.target.Exec(t, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", mib))
		r = m.Run(t, "init-copy")
		assert.Equal(t, harness.Refused, r.Code, r)
		assert.Contains(t, r.Stderr(), "SET GLOBAL max_allowed_packet = ")
		assert.Equal(t, "0", p.target.Text(t, "SELECT COUNT(*) FROM "+blobs))
	})
}

// TestWideTransaction: a statement of many wide rows, far larger than a batch, passes through little memory.
func TestWideTransaction(t *testing.T) {
	pairs(t, harness.Alike, func(t *testing.T, p pair) {
		const limit = 300 * mib
		rows := map[string]int{"mysql": 300, "mariadb": 120}[p.source.Flavor]
		m := newMove(t, p, settings{lines: []string{"replicate: {batch_bytes: 4MiB}"}})
		blobs := quote(m.Name) + ".blobs"
		p.source.Exec(t, "CREATE TABLE "+blobs+" (id INT NOT NULL PRIMARY KEY, v MEDIUMBLOB NULL) ENGINE=InnoDB",
			"CREATE TABLE "+quote(m.Name)+".marks (id INT NOT NULL PRIMARY KEY) ENGINE=InnoDB")
		m.Phases(t, "init-schema", "init-copy")
		p.source.Exec(t, fmt.Sprintf("INSERT INTO %s SELECT n, REPEAT(CHAR(97 + n %% 26), %d) FROM %s", blobs, mib,
			numbers(rows)))
		replica := m.Start(t, "start-replica")
		m.Followed(t, replica)
		peak := peak(t, replica)
		require.NoError(t, replica.Signal(syscall.SIGTERM))
		replica.Wait(t)
		t.Logf("memory of start-replica: %d MiB for %d MiB of rows", peak/mib, rows)
		assert.Less(t, peak, limit)
		const sum = "SELECT CONCAT_WS(' ', COUNT(*), SUM(LENGTH(v)), SUM(CRC32(v)), MIN(id), MAX(id)) FROM "
		assert.Equal(t, p.source.Text(t, sum+blobs), p.target.Text(t, sum+blobs))
		assert.Equal(t, fmt.Sprint(rows), p.target.Text(t, "SELECT COUNT(*) FROM "+blobs))
	})
}
