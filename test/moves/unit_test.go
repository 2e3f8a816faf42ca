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

	"wherry/test/internal/harness"
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
	inner, other := *m.Move, *m
	other.Move = &inner
	content, err := os.ReadFile(m.Config)
	require.NoError(t, err)
	other.Config = filepath.Join(root, "etc/wherry", m.Name+".yaml")
	require.NoError(t, os.MkdirAll(filepath.Dir(other.Config), 0o700))
	require.NoError(t, os.WriteFile(other.Config, []byte(strings.Replace(string(content), "state: "+m.State+"\n", "",
		1)), 0o600))
	other.Folder = unit(t, "WorkingDirectory", m.Name, root)
	require.Equal(t, filepath.Join(root, "var/lib", unit(t, "StateDirectory", m.Name, root)), other.Folder,
		"the folder that systemd makes")
	require.NoError(t, os.MkdirAll(other.Folder, 0o750))
	return &other
}

// TestService runs two instances of the unit side by side, after their tables were copied in another folder, and the
// commands that the README gives beside it.
func TestService(t *testing.T) {
	p, root := pairOf(t, harness.MySQL), t.TempDir()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	command := regexp.MustCompile(`(?m)^    sudo -u wherry wherry (\S+) --config /etc/wherry/shop\.yaml(.*)$`)
	commands := command.FindAllStringSubmatch(string(readme), -1)
	require.Len(t, commands, 3)
	var moves []*move
	var running []*harness.Child
	for range 2 {
		m := newMove(t, p, settings{})
		m.fill(t, 300)
		m.Phases(t, "init-schema", "init-copy")
		s := m.asService(t, root)
		line := strings.Fields(unit(t, "ExecStart", m.Name, root))
		require.Equal(t, []string{"start-replica", "--config", s.Config}, line[1:])
		moves, running = append(moves, s), append(running, s.Start(t, line[1]))
	}
	for i, s := range moves {
		s.Followed(t, running[i])
		s.source.Exec(t, "DELETE FROM "+quote(s.Name)+".ints ORDER BY id LIMIT 7")
	}
	for i, s := range moves {
		for _, c := range commands {
			r := s.Run(t, append([]string{c[1]}, strings.Fields(strings.ReplaceAll(c[2], "shop", s.Name))...)...)
			require.Equal(t, harness.Done, r.Code, "%s: %s", c[1], r)
		}
		require.Equal(t, harness.Done, running[i].Wait(t).Code)
		s.equal(t)
		_, err := os.Stat(filepath.Join(s.Folder, "wherry-state.yaml"))
		require.NoError(t, err, "the state file is in the instance's folder")
		s.source.Writable(t)
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
