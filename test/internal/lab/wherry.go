package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// Wherry is one move: a program and its configuration.
type Wherry struct {
	Binary string
	Config string
	Stderr io.Writer // gets what commands log; may be nil
	Folder string    // in which commands run; "": where this process does
	Text   bool      // commands print for people, not JSON
}

// Move is what a configuration says. Hooks and keys beyond these keep their defaults.
type Move struct {
	Name           string
	State          string
	Source, Target Server
	Include        string   // globs on db.table, separated by commas
	Extra          []string // whole lines, such as "copy: {workers: 2}"
	End            string   // more keys of both ends, such as "connect_timeout: 1s"
}

// YAML is the configuration file.
func (m Move) YAML() string {
	end := func(s Server) string {
		engine, more := "", ""
		if s.Flavor == Postgres {
			engine = "engine: postgres, database: " + PostgresDatabase + ", "
		}
		if m.End != "" {
			more = ", " + m.End
		}
		return fmt.Sprintf("{%shost: %s, port: %d, user: %s, password: %s, tls: {mode: disabled}%s}", engine, s.Host,
			s.Port, User, Password, more)
	}
	lines := []string{
		"move: " + m.Name,
		"state: " + m.State,
		"source: " + end(m.Source),
		"target: " + end(m.Target),
		`tables: {include: ["` + strings.ReplaceAll(m.Include, ",", `", "`) + `"]}`,
	}
	return strings.Join(append(lines, m.Extra...), "\n") + "\n"
}

// Write writes the configuration file and returns the move of that configuration. An old state file is removed.
func (m Move) Write(binary, path string) (*Wherry, error) {
	if err := os.Remove(m.State); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("remove old state: %w", err)
	}
	if err := os.WriteFile(path, []byte(m.YAML()), 0o600); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return &Wherry{Binary: binary, Config: path}, nil
}

// With is the same move with another program.
func (w *Wherry) With(binary string) *Wherry {
	other := *w
	other.Binary = binary
	return &other
}

// Line is the command as one types it.
func (w *Wherry) Line(args ...string) string {
	return strings.Join(append([]string{w.Binary}, w.args(args)...), " ")
}

func (w *Wherry) args(args []string) []string {
	flags := []string{"--config", w.Config}
	if !w.Text {
		flags = append(flags, "--json")
	}
	return append(args[:1:1], append(flags, args[1:]...)...)
}

// Start starts a command; args begin with its name.
func (w *Wherry) Start(ctx context.Context, args ...string) (*Child, error) {
	return StartIn(ctx, w.Folder, nil, w.Stderr, w.Binary, w.args(args)...)
}

// Run runs a command to its end. An exit code other than 0 is an error, and so is a command that stands still.
func (w *Wherry) Run(ctx context.Context, args ...string) (*Child, Summary, error) {
	c, err := w.Start(ctx, args...)
	if err != nil {
		return nil, nil, err
	}
	moved := c.Ended()
	if err := c.Wait(); err != nil {
		if !moved {
			err = fmt.Errorf("stood still for %s: %w", Patience, err)
		}
		return c, nil, err
	}
	summary, err := ParseSummary(c.Output())
	return c, summary, err
}

// Summary is the last line of a command's JSON output.
type Summary map[string]any

// ParseSummary finds the summary at the end of JSON lines.
func ParseSummary(output string) (Summary, error) {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	last := lines[len(lines)-1]
	var s Summary
	if err := json.Unmarshal([]byte(last), &s); err != nil {
		return nil, fmt.Errorf("read summary %.80q: %w", last, err)
	}
	if s["type"] != "summary" {
		return nil, fmt.Errorf("no summary but %.200q", last)
	}
	return s, nil
}

// Text is a fact as text, "" if it is absent.
func (s Summary) Text(name string) string {
	if value, ok := s[name].(string); ok {
		return value
	}
	return ""
}

// Number is a fact that is a number, 0 if it is absent.
func (s Summary) Number(name string) float64 {
	switch value := s[name].(type) {
	case float64:
		return value
	case string:
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			return n
		}
	}
	return 0
}

// Duration is a fact that is a time: text such as 1.5s, or a number of seconds. It is 0 if the fact is absent.
func (s Summary) Duration(name string) time.Duration {
	if d, err := time.ParseDuration(s.Text(name)); err == nil {
		return d
	}
	return time.Duration(s.Number(name) * float64(time.Second))
}
