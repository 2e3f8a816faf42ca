package config

import (
	"fmt"
	"maps"
	"os"
	"slices"
)

// envWarnings names variables that look like a misspelled key. Others are left alone: a hook's facts and the
// user's own tools use the prefix too.
func envWarnings(known []field, environ []string) []string {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.env()
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(lookup(environ))) {
		if slices.Contains(names, name) {
			continue
		}
		for _, k := range names {
			if distance(name, k) <= 2 {
				out = append(out, fmt.Sprintf("environment variable %s sets nothing, did you mean %s?", name, k))
				break
			}
		}
	}
	return out
}

// fileWarnings names files with a literal password, and password files, that others may read.
func (c *Config) fileWarnings(files []string) []string {
	var out []string
	if c.Source.Password != "" || c.Target.Password != "" {
		for _, name := range files {
			if readableByOthers(name) && holdsPassword(name) {
				out = append(out, fmt.Sprintf("config file %s holds a password and is readable by group or others: "+
					"chmod 600 it, or use password_file", name))
			}
		}
	}
	for _, e := range []*Endpoint{&c.Source.Endpoint, &c.Target} {
		if e.PasswordFile != "" && readableByOthers(e.PasswordFile) {
			out = append(out, fmt.Sprintf("%s %s is readable by group or others: chmod 600 it", e.key("password_file"),
				e.PasswordFile))
		}
	}
	return out
}

// readableByOthers tells whether group or others may read a file; false if that cannot be found out.
func readableByOthers(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().Perm()&0o044 != 0
}

// holdsPassword tells whether this very file sets a password: of several merged files, another one may be the one.
func holdsPassword(name string) bool {
	l := (&reader{problems: &problems{}}).file(name)
	for _, key := range []string{"source.password", "target.password"} {
		if s, ok := l[key].(Secret); ok && s != "" {
			return true
		}
	}
	return false
}

// hookWarnings finds fence commands that will never run: whoever wrote them believes that they stop writes.
func (c *Config) hookWarnings() []string {
	if c.Cutover.Fence != "hook" && (c.Hooks.Fence != "" || c.Hooks.Unfence != "") {
		return []string{fmt.Sprintf("hooks.fence and hooks.unfence only run with cutover.fence: hook, it is %s",
			c.Cutover.Fence)}
	}
	return nil
}
