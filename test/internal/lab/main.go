package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Main builds wherry, sets binary to its path, runs the tests of a package and returns the exit status. Nothing is
// built where there are no servers to test with.
func Main(m interface{ Run() int }, binary *string) int {
	if os.Getenv("WHERRY_TEST_SERVERS") == "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "wherry-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	*binary = filepath.Join(dir, "wherry")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", *binary, "wherry") //nolint:gosec // of this module
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build wherry:", err)
		return 1
	}
	return m.Run()
}
