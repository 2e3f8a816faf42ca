package moves

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unitFile is the systemd unit.
const unitFile = "../../scripts/wherry@.service"

// unit returns a setting of the unit for an instance, with every absolute path below root.
func unit(t *testing.T, key, instance, root string) string {
	t.Helper()
	text, err := os.ReadFile(unitFile)
	require.NoError(t, err)
	m := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindStringSubmatch(string(text))
	require.NotNil(t, m, key)
	return regexp.MustCompile(`(^| )/`).ReplaceAllString(strings.ReplaceAll(m[1], "%i", instance), "${1}"+root+"/")
}

// asService makes of a move one of the service: its configuration is where the unit looks for it, without a path for
// the state, and its commands run in the folder that the unit makes.
func (m *move) asService(t *testing.T, root string) *move {
	t.Helper()
	other := *m
	content, err := os.ReadFile(m.config)
	require.NoError(t, err)
	other.config = filepath.Join(root, "etc/wherry", m.name+".yaml")
	require.NoError(t, os.MkdirAll(filepath.Dir(other.config), 0o700))
	require.NoError(t, os.WriteFile(other.config, []byte(strings.Replace(string(content), "state: "+m.state+"\n", "",
		1)), 0o600))
	other.folder = unit(t, "WorkingDirectory", m.name, root)
	require.Equal(t, filepath.Join(root, "var/lib", unit(t, "StateDirectory", m.name, root)), other.folder,
		"the folder that systemd makes")
	require.NoError(t, os.MkdirAll(other.folder, 0o750))
	return &other
}

// TestService runs two instances of the unit side by side, after their tables were copied in another folder, and the
// commands that the README gives beside it.
func TestService(t *testing.T) {
	p, root := mysqlPair(t), t.TempDir()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	command := regexp.MustCompile(`(?m)^    sudo -u wherry wherry (\S+) --config /etc/wherry/shop\.yaml(.*)$`)
	commands := command.FindAllStringSubmatch(string(readme), -1)
	require.Len(t, commands, 3)
	var moves []*move
	var running []*proc
	for range 2 {
		m := newMove(t, p, settings{})
		m.fill(t, 300)
		m.must(t, "init-schema")
		m.must(t, "init-copy")
		s := m.asService(t, root)
		line := strings.Fields(unit(t, "ExecStart", m.name, root))
		require.Equal(t, []string{"start-replica", "--config", s.config}, line[1:])
		moves, running = append(moves, s), append(running, s.start(t, line[1]))
	}
	for i, s := range moves {
		s.caughtUp(t, running[i])
		s.source.exec(t, "DELETE FROM "+quote(s.name)+".ints ORDER BY id LIMIT 7")
	}
	for i, s := range moves {
		for _, c := range commands {
			r := s.run(t, c[1], strings.Fields(strings.ReplaceAll(c[2], "shop", s.name))...)
			require.Equal(t, done, r.code, "%s: %s", c[1], r)
		}
		require.Equal(t, done, running[i].wait(t).code)
		s.equal(t)
		_, err := os.Stat(filepath.Join(s.folder, "wherry-state.yaml"))
		assert.NoError(t, err, "the state file is in the instance's folder")
		require.NoError(t, s.source.writable(t.Context()))
	}
}

// TestUnitVerifies has systemd look at the unit, where there is one.
func TestUnitVerifies(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("SKIPPED: no systemd-analyze")
	}
	content, err := os.ReadFile(unitFile)
	require.NoError(t, err)
	// systemd only asks whether the program is there, so this test's own program will do. wherry itself is built only
	// where there are servers.
	program, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "wherry@.service")
	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(content), "/usr/local/bin/wherry", program)),
		0o600))
	out, err := exec.Command(tool, "verify", "--man=no", path).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		assert.NotContains(t, line, "wherry@", line)
	}
	if err != nil && !strings.Contains(string(out), "wherry@") {
		t.Skip("SKIPPED: systemd-analyze cannot run here: ", string(out))
	}
	require.NoError(t, err, string(out))
}
