// Command tally reads what "go test -json" prints and prints what go test itself would: a line per package, and all
// that a test has said that failed. It writes the time of each test to a file, for who wants to know the slowest.
//
//	go test -json ./... | tally times
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is a line of go test -json, see "go doc test2json". Output of the compiler comes without a package.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

// tally keeps what each running test has said.
type tally struct {
	out, times io.Writer
	said       map[[2]string]*strings.Builder // by package and top-level test; "" for the package itself
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) (err error) {
	if len(args) != 1 {
		return errors.New("usage: go test -json ./... | tally FILE")
	}
	file, err := os.OpenFile(args[0], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return (&tally{out: out, times: file, said: map[[2]string]*strings.Builder{}}).read(in)
}

// read reads all events. A line that is none is printed as it is.
func (t *tally) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
				e = event{Action: "build-output", Output: line}
			}
			t.take(e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *tally) take(e event) {
	top, _, _ := strings.Cut(e.Test, "/")
	key := [2]string{e.Package, top}
	switch e.Action {
	case "build-output":
		fmt.Fprint(t.out, e.Output)
	case "output":
		if t.said[key] == nil {
			t.said[key] = &strings.Builder{}
		}
		t.said[key].WriteString(e.Output)
	case "pass", "fail", "skip":
		if e.Test == top && top != "" {
			fmt.Fprintf(t.times, "%.2f %s %s\n", e.Elapsed, e.Package, e.Test)
		}
		if e.Test == top {
			t.tell(key, e.Action)
		}
	}
}

// tell prints what a test has said if it has failed, and what a package has said in any case. A package that fails
// while tests run, in a panic for example, has said in their names why.
func (t *tally) tell(key [2]string, action string) {
	if key[1] == "" && action == "fail" {
		for running, said := range t.said {
			if running[0] == key[0] && running[1] != "" {
				fmt.Fprint(t.out, said)
				delete(t.said, running)
			}
		}
	}
	if said := t.said[key]; said != nil && (key[1] == "" || action == "fail") {
		fmt.Fprint(t.out, without(said.String()))
	}
	delete(t.said, key)
}

// without is a text without the lines that only say that a test goes on, and without the PASS that the line of the
// package says.
func without(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		switch word, _, _ := strings.Cut(strings.TrimSpace(line), "  "); word {
		case "PASS", "=== RUN", "=== PAUSE", "=== CONT", "=== NAME":
		default:
			kept.WriteString(line)
		}
	}
	return kept.String()
}
