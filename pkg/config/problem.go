package config

import (
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/count"
)

// ErrInvalid is matched by every error of Load: the configuration must be changed before anything can run.
var ErrInvalid = errors.New("invalid config")

// problems is everything that is wrong, found in one pass.
type problems struct{ list []error }

// addf notes a problem. Its text begins with the place: file:line and key, or the key alone.
func (p *problems) addf(format string, args ...any) {
	p.list = append(p.list, fmt.Errorf(format, args...))
}

// err is nil when there is no problem.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &invalidError{list: p.list}
}

// invalidError is all problems as one error: one line for a single problem, else a list.
type invalidError struct{ list []error }

func (e *invalidError) Error() string {
	if len(e.list) == 1 {
		return ErrInvalid.Error() + ": " + e.list[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v: %s:", ErrInvalid, count.Of(len(e.list), "problem"))
	for _, p := range e.list {
		b.WriteString("\n  " + p.Error())
	}
	return b.String()
}

func (e *invalidError) Unwrap() []error { return append([]error{ErrInvalid}, e.list...) }
