package test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBehaviours checks docs/behaviours.md: every line names a test, and every test that it names exists. A cell reads
// "folder: TestName, TestName/subtest; folder: TestName".
func TestBehaviours(t *testing.T) {
	text, err := os.ReadFile("../docs/behaviours.md")
	require.NoError(t, err)
	lines := 0
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(strings.ReplaceAll(line, `\|`, ""), "|")
		if len(cells) != 4 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[2]) == "held by" {
			continue
		}
		lines++
		behaviour, held := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		if !assert.NotEmpty(t, held, "no test holds: %s", behaviour) {
			continue
		}
		for _, part := range strings.Split(held, ";") {
			folder, tests, ok := strings.Cut(strings.TrimSpace(part), ": ")
			if !assert.True(t, ok, "%s: %q is not folder: tests", behaviour, part) {
				continue
			}
			for _, name := range strings.Split(tests, ",") {
				name, _, _ = strings.Cut(strings.TrimSpace(name), "/")
				assert.True(t, hasTest(t, filepath.Join("..", folder), name), "%s: no %s in %s", behaviour, name,
					folder)
			}
		}
	}
	assert.Greater(t, lines, 50)
}

// hasTest tells whether a package has a test function, or a fuzz target.
func hasTest(t *testing.T, folder, name string) bool {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	require.NoError(t, err)
	function := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(name) + `\(\w+ \*testing\.[TF]\)`)
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file) //nolint:gosec // of this repository
		require.NoError(t, err)
		return function.Match(text)
	})
}
