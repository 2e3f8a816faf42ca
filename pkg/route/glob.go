package route

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// glob matches names of tables, each half on its own: a * in the database half never reaches into the table's name.
type glob struct{ database, table string }

// parseGlob reads db.table, in which both halves may have wildcards.
func parseGlob(text string) (glob, error) {
	name, ok := schema.ParseName(text)
	if !ok {
		return glob{}, fmt.Errorf("invalid name %q, not db.table", text)
	}
	return glob{name.Database, name.Table}, nil
}

func (g glob) match(name schema.Name) bool {
	return wild(g.database, name.Database) && wild(g.table, name.Table)
}

// weight orders globs by how specific they are, the most specific highest: shop.orders before shop.o*, that before
// shop.*, and that before *.orders. See Rules.
func (g glob) weight() int {
	literals := len(g.database) + len(g.table) - strings.Count(g.database, "*") - strings.Count(g.table, "*") -
		strings.Count(g.database, "?") - strings.Count(g.table, "?")
	// A class outweighs any number of characters: each half has far fewer than this.
	const class = 1 << 20
	switch {
	case !strings.ContainsAny(g.database+g.table, "*?"):
		return 2*class + literals
	case !strings.ContainsAny(g.database, "*?"):
		return class + literals
	default:
		return literals
	}
}

// wild returns whether s matches the pattern. On a mismatch it goes back to the last * only, and lets that match one
// character more. Going back further cannot help, so it takes at most len(pattern)*len(s) steps.
func wild(pattern, s string) bool {
	p, runes := []rune(pattern), []rune(s)
	at, star, resume := 0, -1, 0
	for i := 0; i < len(runes); {
		switch {
		case at < len(p) && p[at] == '*':
			star, resume = at, i
			at++
		case at < len(p) && (p[at] == '?' || p[at] == runes[i]):
			at++
			i++
		case star >= 0:
			resume++
			at, i = star+1, resume
		default:
			return false
		}
	}
	for at < len(p) && p[at] == '*' {
		at++
	}
	return at == len(p)
}

// substitute returns the target's half of a name: to, with its * replaced by what the * of from matched in name. From
// "log_*", to "old_*" it makes old_2024 of log_2024. Where from has no *, the * stands for the whole name.
func substitute(from, to, name string) string {
	if !strings.Contains(to, "*") {
		return to
	}
	matched := name
	if before, after, ok := strings.Cut(from, "*"); ok {
		runes := []rune(name)
		matched = string(runes[len([]rune(before)) : len(runes)-len([]rune(after))])
	}
	return strings.Replace(to, "*", matched, 1)
}
