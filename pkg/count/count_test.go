package count

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOf(t *testing.T) {
	assert.Equal(t, "0 rows", Of(0, "row"))
	assert.Equal(t, "1 row", Of(int64(1), "row"))
	assert.Equal(t, "2 rows", Of(2, "row"))
	assert.Equal(t, "-1 rows", Of(-1, "row"))
}

// TestNoOtherPlurals looks for texts that would say "1 tables".
func TestNoOtherPlurals(t *testing.T) {
	number := regexp.MustCompile(`%d (more )?(rows|tables|chunks|changes|warnings|objects|views|triggers|` +
		`transactions|statements|reasons|problems|steps|failures|differences|names)\b`)
	found := 0
	for _, root := range []string{"../../cmd", "../../pkg"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				strings.Contains(path, "dbtest") {
				return err
			}
			found++
			text, err := os.ReadFile(path) //nolint:gosec // of this repository
			for _, line := range strings.Split(string(text), "\n") {
				if code, _, _ := strings.Cut(line, "// "); number.MatchString(code) {
					t.Errorf("%s: use count.Of: %s", path, strings.TrimSpace(line))
				}
			}
			return err
		}))
	}
	assert.Greater(t, found, 100)
}
