package lab

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseServers(t *testing.T) {
	servers, err := ParseServers("mysql-1=mysql://root@127.0.0.1:3306 mysql-2=mysql://root@127.0.0.1:3307  mariadb-1=mariadb://root@127.0.0.1:3308 ")
	require.NoError(t, err)
	require.Len(t, servers, 3)
	assert.Equal(t, Server{Name: "mysql-2", Flavor: MySQL, Host: "127.0.0.1", Port: 3307}, servers[1])

	for _, c := range []struct{ from, to, source, target string }{
		{MySQL, MySQL, "mysql-1", "mysql-2"},
		{MySQL, MariaDB, "mysql-1", "mariadb-1"},
		{MariaDB, MySQL, "mariadb-1", "mysql-1"},
	} {
		source, target, err := Pair(servers, c.from, c.to)
		require.NoError(t, err)
		assert.Equal(t, c.source, source.Name)
		assert.Equal(t, c.target, target.Name)
	}
	_, _, err = Pair(servers, MariaDB, MariaDB)
	assert.ErrorContains(t, err, "mariadb-2")
	for _, bad := range []string{"mysql-1", "mysql-1=mysql://root@127.0.0.1"} {
		_, err := ParseServers(bad)
		assert.Error(t, err, bad)
	}
}

func TestTSV(t *testing.T) {
	var row TSV
	row.Int(-7)
	row.Cents(-1205)
	row.Null()
	row.Text("a\tb\\c\nd")
	row.Raw([]byte{0, 0xff})
	row.End()
	row.Int(1)
	row.End()
	assert.Equal(t, "-7\t-12.05\t\\N\ta\\\tb\\\\c\\\nd\t\\0\xff\n1\n", string(row.Bytes()))
}

func TestGenerator(t *testing.T) {
	rows := &generator{next: 3, last: 20_003, write: func(row *TSV, i int) {
		row.Int(int64(i))
		row.Text("some text that makes the row long enough for several reads")
	}}
	text, err := io.ReadAll(rows)
	require.NoError(t, err)
	lines := 0
	for _, c := range text {
		if c == '\n' {
			lines++
		}
	}
	assert.Equal(t, 20_000, lines)
	assert.Equal(t, "3\tsome", string(text[:6]))
}

func TestChild(t *testing.T) {
	c, err := Run(t.Context(), nil, nil, "sh", "-c", "echo out; echo in doubt >&2; sleep 0.1; exit 14")
	require.ErrorContains(t, err, "in doubt")
	assert.Equal(t, 14, c.Code)
	assert.Equal(t, "out\n", c.Output())
	assert.Greater(t, c.PeakRSS, int64(0))
	assert.GreaterOrEqual(t, c.Wall, 100*time.Millisecond)

	c, err = Start(t.Context(), nil, nil, "sleep", "60")
	require.NoError(t, err)
	require.NoError(t, c.Signal(os.Interrupt))
	require.Error(t, c.Wait())
	require.NoError(t, c.Signal(os.Interrupt))
}
