package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/config"
	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/initschema"
	"wherry/pkg/monitor"
	"wherry/pkg/move"
	"wherry/pkg/state"
	"wherry/pkg/verify"
)

func TestExitCode(t *testing.T) {
	assert.Equal(t, 0, exitCode(nil))
	for _, c := range []struct {
		err  error
		code int
	}{
		{errors.New("anything"), 1},
		{db.ErrConnection, 1},
		{db.ErrRetry, 1},
		{db.ErrChunkDone, 1},
		{cutover.ErrTimeout, 1},
		{cutover.ErrLeaks, 1},
		{cutover.ErrNotLifted, 1},
		{verify.ErrBehind, 1},
		{verify.ErrNothingCompared, 1},
		{move.ErrDifferences, 3},
		{state.ErrOtherMove, 10},
		{state.ErrNewer, 10},
		{state.ErrDamaged, 10},
		{state.ErrLocked, 11},
		{&state.HeldError{Phase: "verify"}, 11},
		{db.ErrLocked, 11},
		{move.ErrRefused, 12},
		{initschema.ErrRefused, 12},
		{cutover.ErrRefused, 12},
		{state.ErrOutOfOrder, 12},
		{state.ErrOver, 12},
		{verify.ErrSchemaChange, 12},
		{db.ErrUnsupported, 12},
		{db.ErrSealed, 12},
		{db.ErrPositionGone, 13},
		{cutover.ErrOutcomeUnknown, 14},
		{cutover.ErrUnfinished, 15},
		{db.ErrAccess, 78},
		{db.ErrSetup, 78},
		{db.ErrSpace, 78},
		{state.ErrUnwritable, 78},
		{syscall.ENOSPC, 78},
		{syscall.EROFS, 78},
		{fs.ErrPermission, 1}, // not of the disk by itself
		{&os.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, 78},
		{usageError{errors.New("no such flag"), "wherry check"}, 64},
		{move.OptionError{Phase: state.PhaseVerify, Err: errors.New("no such table")}, 64},
		{errors.New(`unknown command "chekc" for "wherry"`), 64},
		{config.ErrInvalid, 78},
		{move.ErrInterrupted, 130},
	} {
		assert.Equal(t, c.code, exitCode(c.err), "%v", c.err)
		if strings.HasPrefix(c.err.Error(), "unknown command") {
			continue // told by how it begins
		}
		assert.Equal(t, c.code, exitCode(fmt.Errorf("init-copy: %w", fmt.Errorf("copy chunk: %w", c.err))),
			"wrapped: %v", c.err)
		assert.Equal(t, c.code, exitCode(errors.Join(c.err, errors.New("close: broken pipe"))), "joined: %v", c.err)
		assert.Equal(t, c.code, exitCode(errors.Join(errors.New("close: broken pipe"), fmt.Errorf("x: %w", c.err))),
			"joined last: %v", c.err)
		assert.Equal(t, c.code, exitCode(advised{c.err, "do it"}), "advised: %v", c.err)
	}
}

// TestExitCodeOfSeveral: of several kinds the one counts that asks most of whoever reads it.
func TestExitCodeOfSeveral(t *testing.T) {
	for _, c := range []struct {
		errs []error
		code int
	}{
		{[]error{move.ErrInterrupted, cutover.ErrOutcomeUnknown}, 14},
		{[]error{move.ErrInterrupted, db.ErrConnection}, 130},
		{[]error{move.ErrInterrupted, db.ErrSealed}, 130},
		{[]error{db.ErrConnection, db.ErrPositionGone}, 13},
		{[]error{move.ErrDifferences, db.ErrConnection}, 3},
		{[]error{state.ErrDamaged, config.ErrInvalid}, 78},
		{[]error{cutover.ErrUnfinished, move.ErrInterrupted}, 15},
		{[]error{cutover.ErrUnfinished, db.ErrConnection}, 15},
		{[]error{cutover.ErrUnfinished, db.ErrAccess}, 15},
		{[]error{cutover.ErrOutcomeUnknown, db.ErrAccess}, 14},
		{[]error{db.ErrUnsupported, db.ErrSpace}, 78},
		{[]error{move.ErrInterrupted, db.ErrSpace}, 130},
	} {
		assert.Equal(t, c.code, exitCode(errors.Join(c.errs...)), "%v", c.errs)
		assert.Equal(t, c.code, exitCode(fmt.Errorf("%w: %w", c.errs[1], c.errs[0])), "%v", c.errs)
	}
}

// run is wherry in an empty directory.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	return runHere(t.Context(), args...)
}

func runHere(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Execute(ctx, args, strings.NewReader(""), &out, &errs, nil)
	return code, out.String(), errs.String()
}

func TestUsageErrors(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"chekc", `unknown command "chekc"`},
		{"check extra", `unknown command "extra"`},
		{"check --no-such", "see wherry check --help"},
		{"--no-such", "see wherry --help"},
		{"init-copy --dry-run=perhaps", "see wherry init-copy --help"},
		{"status --every soon", "see wherry status --help"},
		{"start-replica --until x:4 --until-caught-up", "exclude each other"},
		{"version extra", `unknown command "extra"`},
	} {
		code, stdout, stderr := run(t, strings.Fields(c.args)...)
		assert.Equal(t, monitor.CodeUsage, code, c.args)
		assert.Empty(t, stdout, c.args)
		assert.Contains(t, stderr, c.says, c.args)
		assert.NotContains(t, stderr, "run the same command again", c.args)
		for line := range strings.Lines(stderr) {
			assert.True(t, strings.HasPrefix(line, "wherry: "), "%s: %q", c.args, line)
		}
	}
}

func TestConfigurationErrors(t *testing.T) {
	for _, command := range []string{
		"check", "init-schema", "init-copy", "start-replica", "verify", "cutover",
		"status", "run",
	} {
		code, _, stderr := run(t, command)
		assert.Equal(t, monitor.CodeConfig, code, command)
		assert.Contains(t, stderr, "wherry: ", command)
		code, _, _ = run(t, command, "--config", "absent.yaml")
		assert.Equal(t, monitor.CodeConfig, code, command)
		t.Chdir(t.TempDir())
		require.NoError(t, os.WriteFile("bad.yaml", []byte("move: shop\nsorce: {host: a}\n"), 0o600))
		code, stdout, stderr := runHere(t.Context(), command, "--config", filepath.Join(".", "bad.yaml"))
		assert.Equal(t, monitor.CodeConfig, code, command)
		assert.Empty(t, stdout, command)
		assert.Contains(t, stderr, "sorce", command)
	}
}

func commands() []*cobra.Command {
	root := newRootCmd(&app{})
	return append([]*cobra.Command{root}, root.Commands()...)
}

func TestHelp(t *testing.T) {
	for _, c := range commands() {
		args := strings.Fields(c.CommandPath())[1:]
		code, stdout, stderr := run(t, append(args, "--help")...)
		assert.Equal(t, monitor.CodeDone, code, c.CommandPath())
		assert.Empty(t, stderr, c.CommandPath())
		at := -1
		for _, heading := range []string{
			"\nUSAGE\n", "\nEXAMPLES\n", "\nFLAGS\n", "\nGLOBAL FLAGS\n",
			"\nEXIT STATUS\n",
		} {
			next := strings.Index(stdout, heading)
			if next < 0 && strings.Contains(heading, "FLAGS") && (heading == "\nFLAGS\n" || !c.HasParent()) {
				continue // not every command has both
			}
			assert.Greater(t, next, at, "%s: %q is missing or too early", c.CommandPath(), heading)
			at = next
		}
		assert.Equal(t, 1, strings.Count(stdout, "EXIT STATUS"), c.CommandPath())
		assert.True(t, strings.HasSuffix(stdout, exitStatus), "%s: the exit status comes last", c.CommandPath())
		assert.NotContains(t, stdout, "<no value>", c.CommandPath())
		assert.NotEmpty(t, c.Short, c.CommandPath())
		assert.NotEmpty(t, c.Long, c.CommandPath())
		for line := range strings.Lines(c.Example) {
			assert.Contains(t, line, "wherry", "%s: examples can be pasted: %q", c.CommandPath(), line)
		}
		for line := range strings.Lines(stdout) {
			assert.LessOrEqual(t, len(line), 170, "%s: %q", c.CommandPath(), line)
		}
	}
}

// TestExitStatusIsWhole compares the codes that are told with those that there are.
func TestExitStatusIsWhole(t *testing.T) {
	for _, code := range []int{
		monitor.CodeDone, monitor.CodeFailed, monitor.CodeDifferences, monitor.CodeState, monitor.CodeLocked,
		monitor.CodeRefused, monitor.CodeGone, monitor.CodeUnknown, monitor.CodeUnfinished, monitor.CodeUsage,
		monitor.CodeConfig, monitor.CodeInterrupted,
	} {
		assert.Contains(t, exitStatus, fmt.Sprintf("\n  %-4d ", code))
	}
	assert.Len(t, helpStatuses(), 12)
}

// helpStatuses returns the meaning of each exit status as the help has it, without line breaks.
func helpStatuses() map[string]string {
	meanings, last := map[string]string{}, ""
	for _, line := range strings.Split(strings.TrimSpace(exitStatus), "\n")[1:] {
		if status, meaning, _ := strings.Cut(line[2:], " "); status != "" {
			last, meanings[status] = status, strings.TrimSpace(meaning)
			continue
		}
		meanings[last] += " " + strings.TrimSpace(line)
	}
	return meanings
}

// TestExitStatusInREADME: the help and README say the same of every exit status.
func TestExitStatusInREADME(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(readme), "\n## Exit status\n")
	table, _, _ = strings.Cut(table, "\n## ")
	meanings := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| (.*) \|$`).FindAllStringSubmatch(table, -1) {
		meanings[row[1]] = strings.ReplaceAll(row[2], "`", "")
	}
	assert.Equal(t, meanings, helpStatuses())
}

func TestReport(t *testing.T) {
	interrupted, cancel := context.WithCancelCause(t.Context())
	cause := fmt.Errorf("%w by terminated", move.ErrInterrupted)
	cancel(cause)
	for _, c := range []struct {
		title string
		ctx   context.Context
		err   error
		code  int
		says  string
	}{
		{"done", t.Context(), nil, 0, ""},
		{"done although interrupted", interrupted, nil, 0, ""},
		{"failed", t.Context(), errors.New("disk full"), 1, "wherry: disk full\nwherry: progress is saved: run the " +
			"same command again to continue\n"},
		{
			"differences are a result", t.Context(), fmt.Errorf("%w: 3 rows", move.ErrDifferences), 3,
			"wherry: differences remain: 3 rows\nwherry: write the rows that differ anew from the source, and " +
				"compare them again: wherry verify --repair\n",
		},
		{
			"outcome unknown", interrupted, cutover.ErrOutcomeUnknown, 14,
			"wherry: outcome unknown\nwherry: writes may be blocked: look at the target as is said above, then run " +
				"the cutover again, which looks first\n",
		},
		{
			"interrupted", interrupted, cause, 130,
			"wherry: interrupted by terminated\nwherry: progress is saved: run the same command again to continue\n",
		},
		{
			"interrupted within a phase", interrupted, fmt.Errorf("init-copy: %w", cause), 130,
			"wherry: init-copy: interrupted by terminated\nwherry: progress is saved: run the same command again to " +
				"continue\n",
		},
		{
			"an error that the interruption led to", interrupted, fmt.Errorf("read rows: %w", context.Canceled), 130,
			"wherry: interrupted by terminated: read rows: context canceled\nwherry: progress is saved: run the same " +
				"command again to continue\n",
		},
		{
			"usage", t.Context(),
			usageError{errors.New("bad flag"), "wherry run"},
			64,
			"wherry: bad flag\nwherry: see wherry run --help\n",
		},
		{
			"an option of a phase", t.Context(),
			move.OptionError{Phase: "verify", Err: errors.New("no such table")},
			64,
			"wherry: no such table\nwherry: see wherry verify --help\n",
		},
		{"locked", t.Context(), db.ErrLocked, 11, "wherry: " + db.ErrLocked.Error() + "\nwherry: wait for the other " +
			"wherry, or stop it: wherry status --watch\n"},
	} {
		var stdout, stderr bytes.Buffer
		a := &app{stdout: &stdout, stderr: &stderr}
		assert.Equal(t, c.code, a.report(c.ctx, c.err), c.title)
		assert.Equal(t, c.says, stderr.String(), c.title)
		assert.Empty(t, stdout.String(), c.title)

		a.json = monitor.NewStream(&stdout)
		stderr.Reset()
		assert.Equal(t, c.code, a.report(c.ctx, c.err), c.title)
		if c.err == nil {
			assert.Empty(t, stdout.String(), c.title)
			continue
		}
		assert.Equal(t, 1, strings.Count(stdout.String(), "\n"), "%s: one line", c.title)
		assert.Contains(t, stdout.String(), fmt.Sprintf(`%d`, c.code), c.title)
		if words := a.advice(c.code, c.err).Text; words != "" {
			assert.Contains(t, stdout.String(), words, c.title)
		}
	}
}

func TestVersion(t *testing.T) {
	code, stdout, stderr := run(t, "version")
	assert.Zero(t, code)
	assert.Empty(t, stderr)
	assert.True(t, strings.HasPrefix(stdout, "wherry "), stdout)
	code, stdout, _ = run(t, "version", "--json")
	assert.Zero(t, code)
	assert.Contains(t, stdout, `"version"`)
}
