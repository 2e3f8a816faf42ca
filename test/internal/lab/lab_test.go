package lab

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/config"
)

func TestParseServers(t *testing.T) {
	servers, err := ParseServers("mysql-1=mysql://root@127.0.0.1:3306 mysql-2=mysql://root@127.0.0.1:3307  " +
		"mariadb-1=mariadb://root@127.0.0.1:3308 ")
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
	require.ErrorContains(t, err, "mariadb-2")
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
	assert.Positive(t, c.PeakRSS)
	assert.GreaterOrEqual(t, c.Wall, 100*time.Millisecond)

	c, err = Start(t.Context(), nil, nil, "sleep", "60")
	require.NoError(t, err)
	require.NoError(t, c.Signal(os.Interrupt))
	require.Error(t, c.Wait())
	require.NoError(t, c.Signal(os.Interrupt))
}

func TestSummary(t *testing.T) {
	s, err := ParseSummary(`{"type":"table","rows":3}` + "\n" +
		`{"type":"summary","rows":12,"blocked":"1.5s","took":0.25,"detail":"fine"}` + "\n")
	require.NoError(t, err)
	assert.InDelta(t, 12, s.Number("rows"), 0)
	assert.Equal(t, 1500*time.Millisecond, s.Duration("blocked"))
	assert.Equal(t, 250*time.Millisecond, s.Duration("took"))
	assert.Equal(t, "fine", s.Text("detail"))
	assert.Zero(t, s.Number("absent"))
	for _, bad := range []string{"", "text", `{"type":"error","code":12}`} {
		_, err := ParseSummary(bad)
		assert.Error(t, err, bad)
	}
}

func TestMove(t *testing.T) {
	source, target := Server{Host: "127.0.0.1", Port: 3306}, Server{Host: "127.0.0.1", Port: 3307}
	m := Move{
		Name: "shop", State: t.TempDir() + "/state.json", Source: source, Target: target, Include: "shop.*",
		Extra: []string{"copy: {workers: 2}"},
	}
	w, err := m.Write("bin/wherry", t.TempDir()+"/wherry.yaml")
	require.NoError(t, err)
	cfg, err := config.Load(config.Options{Files: []string{w.Config}})
	require.NoError(t, err)
	assert.Equal(t, 2, cfg.Copy.Workers)
	assert.Equal(t, "bin/wherry cutover --config "+w.Config+" --json --confirm=shop",
		w.Line("cutover", "--confirm=shop"))
}

func TestVersions(t *testing.T) {
	servers, err := ParseServers("mysql-1=mysql://root@h:1 mariadb-1=mariadb://root@h:2 mariadb-2=mariadb://root@h:3 " +
		"mariadb118-1=mariadb://root@h:4 mariadb105-1=mariadb://root@h:5 mariadb105-2=mariadb://root@h:6 " +
		"postgres-1=postgres://postgres@h:7")
	require.NoError(t, err)
	var names []string
	for _, p := range versions(servers) {
		names = append(names, p.Name)
	}
	assert.Equal(t, []string{
		"mysql to mariadb118", "mysql to mariadb105", "mariadb to mariadb118", "mariadb to mariadb105",
		"mariadb118 to mysql", "mariadb118 to mariadb",
		"mariadb118 to mariadb105", "mariadb105 to mysql", "mariadb105 to mariadb", "mariadb105 to mariadb118",
		"mariadb105 to mariadb105",
	}, names)
	assert.Empty(t, versions(servers[:3]))
}
