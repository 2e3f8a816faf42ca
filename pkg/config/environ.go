package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

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

func lookup(environ []string) map[string]string {
	out := map[string]string{}
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok && strings.HasPrefix(name, envPrefix) {
			out[name] = value
		}
	}
	return out
}

// takePasswords keeps the variables apart from the password keys: they win over password_file and
// password_command, which a password from a file may not stand beside.
func takePasswords(env layer) map[string]Secret {
	out := map[string]Secret{}
	for _, key := range []string{"source.password", "target.password"} {
		if s, ok := env[key].(Secret); ok {
			out[key] = s
			delete(env, key)
		}
	}
	return out
}

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
