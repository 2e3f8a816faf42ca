package hook

import (
	"maps"
	"slices"
	"strings"
)

const prefix = "WHERRY_"

// environ is what the command inherits, without wherry's own settings and without anything named like a secret,
// and the facts.
func environ(inherited []string, facts map[string]string) []string {
	var out []string
	for _, e := range inherited {
		name, _, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, prefix) && !mysqlPassword(name) {
			out = append(out, e)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(facts)) {
		if name := prefix + variable(key); !secret(name) {
			out = append(out, name+"="+strings.ReplaceAll(facts[key], "\x00", ""))
		}
	}
	return out
}

// variable makes a name that a shell can read of a key: capitals, digits and _.
func variable(key string) string {
	return strings.Map(func(r rune) rune {
		if (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') {
			return r
		}
		return '_'
	}, strings.ToUpper(key))
}

// mysqlPassword is the variable that MySQL's clients read.
func mysqlPassword(name string) bool { return name == "MYSQL_PWD" }

func secret(name string) bool {
	return strings.Contains(name, "PASSWORD") || strings.Contains(name, "SECRET") || strings.Contains(name, "TOKEN")
}
