package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// results is everything that a run has measured; it is the content of the JSON file.
type results struct {
	Source   string     `json:"source"`
	Target   string     `json:"target"`
	Rows     int        `json:"rows"`
	Rounds   int        `json:"rounds"`
	CPUs     int        `json:"cpus"`
	Load     float64    `json:"load_before"`
	Sections []*section `json:"sections"`

	out io.Writer
}

// section is one comparison.
type section struct {
	Title   string    `json:"title"`
	Figures []*figure `json:"figures"`

	out io.Writer
}

// figure is one thing that was measured in every round.
type figure struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Values []float64 `json:"values"`
	Median float64   `json:"median"`
	Note   string    `json:"note,omitempty"`
}

func (r *results) section(format string, args ...any) *section {
	s := &section{Title: fmt.Sprintf(format, args...), out: r.out}
	r.Sections = append(r.Sections, s)
	return s
}

func (s *section) figure(name string) *figure {
	for _, f := range s.Figures {
		if f.Name == name {
			return f
		}
	}
	f := &figure{Name: name}
	s.Figures = append(s.Figures, f)
	return f
}

// add adds the value of one round.
func (s *section) add(name, unit string, value float64) {
	f := s.figure(name)
	f.Unit = unit
	f.Values = append(f.Values, value)
	f.Median = median(f.Values)
}

// ratio adds how many times as large a is as b, round by round.
func (s *section) ratio(a, b, note string) {
	name := a + " / " + b
	for i, value := range s.figure(a).Values {
		s.add(name, "", value/s.figure(b).Values[i])
	}
	s.figure(name).Note = note
}

// median is the middle of the values, or the mean of the two in the middle.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// print writes the section as a table: medians, and all values if there are several.
func (s *section) print() {
	fmt.Fprintf(s.out, "\n%s\n", s.Title)
	for _, f := range s.Figures {
		line := fmt.Sprintf("  %-46s %11s %-20s", f.Name, digitsOf(f.Median), f.Unit)
		if len(f.Values) > 1 {
			all := make([]string, len(f.Values))
			for i, v := range f.Values {
				all[i] = digitsOf(v)
			}
			line += " (" + strings.Join(all, ", ") + ")"
		}
		if f.Note != "" {
			line += " " + f.Note
		}
		fmt.Fprintln(s.out, strings.TrimRight(line, " "))
	}
}

// digitsOf writes a value with the digits that matter.
func digitsOf(v float64) string {
	switch {
	case v >= 1000:
		return thousands(int(v))
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func (r *results) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode figures: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	return nil
}
