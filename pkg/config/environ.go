package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// readEnviron reads the variables of all keys. An empty one counts as not set, because `WHERRY_STATE= wherry status`
// is how a shell takes a variable away for one command.
func readEnviron(found *problems, known []field, environ []string) layer {
	out := layer{}
	values := lookup(environ)
	for _, f := range known {
		if text := values[f.env()]; text != "" {
			r := &reader{problems: found, origin: f.env()}
			r.setText(f, text, out)
		}
	}
	return out
}

// lookup returns the variables that begin with WHERRY_, by their names.
func lookup(environ []string) map[string]string {
	out := map[string]string{}
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok && strings.HasPrefix(name, envPrefix) {
			out[name] = value
		}
	}
	return out
}

// splitPasswords takes the passwords out of the environment's layer. They win over password_file and password_command.
// Merged like other keys, such a password would stand beside password_file, which check refuses as a contradiction.
func splitPasswords(env layer) map[string]Secret {
	out := map[string]Secret{}
	for _, key := range []string{"source.password", "target.password"} {
		if s, ok := env[key].(Secret); ok {
			out[key] = s
			delete(env, key)
		}
	}
	return out
}

// readFlags reads the flags that were given. A value has the type of its key, or is text to be read like a variable.
// A password is refused: other users see the arguments of a process.
func readFlags(found *problems, known []field, flags map[string]any) layer {
	out := layer{}
	r := &reader{problems: found, origin: "flag"}
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		i := slices.IndexFunc(known, func(f field) bool { return f.key == key })
		if i < 0 {
			found.addf("flag: %s: unknown key%s", key, didYouMean(key, keyNames(known)))
			continue
		}
		f, value := known[i], flags[key]
		switch {
		case f.typ == reflect.TypeFor[Secret]():
			found.addf("flag: %s: a password is never a flag, set %s", key, f.env())
		case reflect.TypeOf(value) == f.typ:
			out[key] = value
		default:
			r.setText(f, fmt.Sprint(value), out)
		}
	}
	return out
}
