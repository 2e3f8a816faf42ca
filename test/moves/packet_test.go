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
)

// packets sets the largest packet of a server for connections to come, and back in the end.
func (s *server) packets(t *testing.T, bytes int) {
	t.Helper()
	before := s.text(t, "SELECT @@global.max_allowed_packet")
	s.exec(t, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", bytes))
	t.Cleanup(func() {
		_, err := s.db.ExecContext(context.WithoutCancel(t.Context()), "SET GLOBAL max_allowed_packet = "+before)
		assert.NoError(t, err)
	})
	s.db.SetMaxIdleConns(0) // connections keep the packets that they began with
	t.Cleanup(func() { s.db.SetMaxIdleConns(2) })
}

// digests returns what is in a table of large values: keys, lengths and hashes, read by columns that no packet cuts.
func (s *server) digests(t *testing.T, table string) string {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), "SELECT id, v FROM "+table+" ORDER BY id")
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
func (p *proc) peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
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
	likePair(t, func(t *testing.T, p pair) {
		followed := map[string]int{"mysql": 60 * mib, "mariadb": 20 * mib}[p.source.flavor]
		p.source.packets(t, 256*mib)
		writer, err := p.source.db.Conn(t.Context())
		require.NoError(t, err)
		defer func() { assert.NoError(t, writer.Close()) }()
		p.source.packets(t, 4*mib) // a session keeps what it began with
		p.target.packets(t, 4*mib)
		write := func(statement string) {
			_, err := writer.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
		m := newMove(t, p, settings{lines: []string{"copy: {workers: 1}", "verify: {workers: 1}"}})
		blobs := quote(m.name) + ".blobs"
		write("CREATE TABLE " + blobs + " (id INT NOT NULL PRIMARY KEY, v LONGBLOB NULL, note VARCHAR(20) NULL) " +
			"ENGINE=InnoDB")
		write("CREATE TABLE " + quote(m.name) + ".marks (mark VARCHAR(20) NOT NULL PRIMARY KEY) ENGINE=InnoDB")
		write("INSERT INTO " + blobs + " VALUES (1, " + huge(copied) + ", 'huge'), (3, 'x', NULL), (4, NULL, '')")
		m.must(t, "init-schema")
		m.must(t, "init-copy")
		replica := m.start(t, "start-replica")
		write("INSERT INTO " + blobs + " VALUES (2, " + huge(followed) + ", 'huge')")
		write("UPDATE " + blobs + " SET note = 'small' WHERE id = 3")
		m.caughtUp(t, replica)
		t.Logf("memory of start-replica: %d MiB for a row of %d", replica.peak(t)/mib, followed/mib)
		assert.Less(t, replica.peak(t), 5*followed+60*mib, "memory of start-replica")
		replica.signal(t, syscall.SIGTERM)
		replica.wait(t)
		source := p.source.digests(t, blobs)
		assert.Equal(t, source, p.target.digests(t, blobs))

		p.target.exec(t, "UPDATE "+blobs+" SET v = 'damaged' WHERE id = 1")
		r := m.run(t, "verify", "--repair")
		assert.Contains(t, r.stdout, "1 repaired", r)
		assert.Equal(t, source, p.target.digests(t, blobs))
	})
}

// TestPacketsRefused: what cannot be written is found by check, and stops the copy with what to set; then it goes on.
func TestPacketsRefused(t *testing.T) {
	p := mysqlPair(t) // MariaDB's JSON is text, which is streamed
	p.source.packets(t, 64*mib)
	before := p.target.text(t, "SELECT @@global.max_allowed_packet")
	p.target.packets(t, mib)
	m := newMove(t, p, settings{})
	docs := quote(m.name) + ".docs"
	p.source.exec(t, "CREATE TABLE "+docs+" (id INT NOT NULL PRIMARY KEY, v JSON NULL) ENGINE=InnoDB",
		"INSERT INTO "+docs+` VALUES (1, CONCAT('["', REPEAT('a', 3000000), '"]'))`)
	r := m.run(t, "check")
	assert.Equal(t, refused, r.code, r)
	assert.Contains(t, r.stdout, "row_size (move) "+m.name+".docs")
	assert.Contains(t, r.stdout, "SET GLOBAL max_allowed_packet = 67108864 on the target")
	r = m.run(t, "init-schema")
	assert.Equal(t, refused, r.code, r)
	p.target.exec(t, "SET GLOBAL max_allowed_packet = "+before)
	m.must(t, "init-schema")
	p.target.exec(t, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", mib))
	r = m.run(t, "init-copy")
	assert.Equal(t, refused, r.code, r)
	assert.Contains(t, r.stderr, m.name+".docs")
	assert.Contains(t, r.stderr, "raise max_allowed_packet")
	p.target.exec(t, "SET GLOBAL max_allowed_packet = "+before)
	m.must(t, "init-copy")
	assert.Equal(t, p.source.digests(t, docs), p.target.digests(t, docs))
}

// TestRowLargerThanPacketWithoutStream: without LOAD DATA LOCAL the same rows are refused, by check and by the copy.
func TestRowLargerThanPacketWithoutStream(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		p.source.packets(t, 64*mib)
		p.target.packets(t, mib)
		m := newMove(t, p, settings{lines: []string{"copy: {load: insert}"}})
		blobs := quote(m.name) + ".blobs"
		p.source.exec(t, "CREATE TABLE "+blobs+" (id INT NOT NULL PRIMARY KEY, v LONGBLOB NULL) ENGINE=InnoDB",
			"INSERT INTO "+blobs+" VALUES (1, "+huge(2*mib)+")")
		r := m.run(t, "check")
		assert.Equal(t, refused, r.code, r)
		assert.Contains(t, r.stdout, "row_size (move) "+m.name+".blobs")
		r = m.run(t, "init-schema")
		assert.Equal(t, refused, r.code, r)
		p.target.exec(t, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", 64*mib))
		m.must(t, "init-schema")
		p.target.exec(t, fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", mib))
		r = m.run(t, "init-copy")
		assert.Equal(t, refused, r.code, r)
		assert.Contains(t, r.stderr, "SET GLOBAL max_allowed_packet = ")
		assert.Equal(t, "0", p.target.text(t, "SELECT COUNT(*) FROM "+blobs))
	})
}

// TestWideTransaction: a statement of many wide rows, far larger than a batch, passes through little memory.
func TestWideTransaction(t *testing.T) {
	likePair(t, func(t *testing.T, p pair) {
		const limit = 300 * mib
		rows := map[string]int{"mysql": 300, "mariadb": 120}[p.source.flavor]
		m := newMove(t, p, settings{lines: []string{"replicate: {batch_bytes: 4MiB}"}})
		blobs := quote(m.name) + ".blobs"
		p.source.exec(t, "CREATE TABLE "+blobs+" (id INT NOT NULL PRIMARY KEY, v MEDIUMBLOB NULL) ENGINE=InnoDB",
			"CREATE TABLE "+quote(m.name)+".marks (mark VARCHAR(20) NOT NULL PRIMARY KEY) ENGINE=InnoDB")
		m.must(t, "init-schema")
		m.must(t, "init-copy")
		p.source.exec(t, fmt.Sprintf("INSERT INTO %s SELECT n, REPEAT(CHAR(97 + n %% 26), %d) FROM %s", blobs, mib,
			numbers(rows)))
		replica := m.start(t, "start-replica")
		m.caughtUp(t, replica)
		peak := replica.peak(t)
		replica.signal(t, syscall.SIGTERM)
		replica.wait(t)
		t.Logf("memory of start-replica: %d MiB for %d MiB of rows", peak/mib, rows)
		assert.Less(t, peak, limit)
		const sum = "SELECT CONCAT_WS(' ', COUNT(*), SUM(LENGTH(v)), SUM(CRC32(v)), MIN(id), MAX(id)) FROM "
		assert.Equal(t, p.source.text(t, sum+blobs), p.target.text(t, sum+blobs))
		assert.Equal(t, fmt.Sprint(rows), p.target.text(t, "SELECT COUNT(*) FROM "+blobs))
	})
}
