package cli

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

var nextLine = regexp.MustCompile(`(?m)^next: (.*)$`)

// agree runs a command and looks whether standard output, standard error and status advise the same.
func (b *begun) agree(code int, command string) call {
	b.Helper()
	c := b.run(code, command)
	s := b.document(0)
	if m := nextLine.FindStringSubmatch(c.stdout); m != nil {
		assert.Equal(b.T, s.Next, m[1], "%s: standard output, and status", command)
	} else {
		assert.True(b.T, s.Next == "" || code != 0 || strings.Contains(command, "--"),
			"%s: no next command on standard output, %q by status", command, s.Next)
	}
	for line := range strings.Lines(c.stderr) {
		if _, advised, ok := strings.Cut(line, ": wherry "); ok && strings.HasPrefix(line, "wherry: ") {
			assert.Equal(b.T, s.Next, "wherry "+strings.TrimSpace(advised), "%s: standard error, and status", command)
		}
	}
	assert.NotRegexp(b.T, `\b1 (rows|tables|statements|changes|steps|reasons|problems)\b`, c.all(), command)
	return c
}

// TestAdviceAgrees: after every outcome of every command of a move, standard output, standard error and status say
// the same.
func TestAdviceAgrees(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		t.Cleanup(func() {
			if source.Flavor == "mysql" {
				source.Exec(t, "SET GLOBAL super_read_only = 0")
			}
			source.Exec(t, "SET GLOBAL read_only = 0")
		})
		b := begin(t, source, target)
		b.set("tables.include", []string{database + ".u"})
		b.run(0, "check") // which keeps no record, so status knows nothing of it
		b.run(3, "init-schema --dry-run")
		b.agree(0, "init-schema")
		b.agree(0, "init-schema")
		b.agree(12, "start-replica")
		b.agree(0, "init-copy")
		b.agree(0, "start-replica --until-caught-up")
		b.agree(0, "verify")
		target.Exec(t, "DELETE FROM "+database+".u")
		c := b.agree(3, "verify")
		assert.Contains(t, c.stderr, "differences remain: 1 row\n")
		c = b.agree(12, "cutover --confirm="+database)
		assert.Contains(t, c.stderr, "found differences")
		b.agree(0, "verify --repair")
		b.agree(0, "verify --table "+database+".u")

		c = b.agree(3, "cutover --dry-run")
		assert.NotContains(t, c.all(), "differences remain")
		assert.Contains(t, c.stderr, "nothing was changed, a dry run: ")
		c = b.agree(0, "cutover --abort")
		assert.NotContains(t, c.stdout, "is lifted", "there was no fence")
		assert.Contains(t, c.stdout, "nothing to lift")
		b.agree(0, "cutover --rehearse --confirm="+database)

		cmd := exec.Command(binary, "start-replica", "--config", b.path)
		var out bytes.Buffer
		cmd.Stdout, cmd.Dir = &out, b.dir
		require.NoError(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		b.until("ready")
		b.agree(0, "cutover --confirm="+database)
		select {
		case err := <-ended:
			require.NoError(t, err)
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			t.Fatal("start-replica did not end after the takeover")
		}
		assert.Contains(t, out.String(), "the target has taken over")
		assert.NotContains(t, out.String(), "wherry cutover", "it has taken over already")
		b.agree(0, "cutover --confirm="+database)
		b.agree(0, "start-replica")
	})
}
