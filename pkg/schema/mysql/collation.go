package mysql

import (
	"maps"
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// Collations is what a server knows of character sets. Its engine fills it from
// information_schema.COLLATION_CHARACTER_SET_APPLICABILITY and COLLATIONS. Names may be old (utf8_bin) or new
// (utf8mb3_bin).
type Collations struct {
	Known   map[string]string // collation -> character set
	Default map[string]string // character set -> its default collation
	Numbers map[int]string    // collation by the number that the server's log has for it
}

// Within returns the collations as of a session in which character sets have other defaults. numbers are those
// collations, as the log has them. On MySQL 8 utf8mb4 defaults to utf8mb4_0900_ai_ci, but a client may have set
// another.
func (c Collations) Within(numbers []int) Collations {
	if len(numbers) == 0 {
		return c
	}
	c.Default = maps.Clone(c.Default)
	for _, n := range numbers {
		if charset := c.Known[c.Numbers[n]]; charset != "" {
			c.Default[charset] = c.Numbers[n]
		}
	}
	return c
}

// Modern returns the name of a character set or collation in lower case, and utf8mb3 for utf8, as both families call
// it since 2022.
func Modern(name string) string {
	name = strings.ToLower(name)
	if rest, ok := strings.CutPrefix(name, "utf8_"); ok {
		return "utf8mb3_" + rest
	}
	if name == "utf8" {
		return "utf8mb3"
	}
	return name
}

// oldCollation returns utf8_x for utf8mb3_x.
func oldCollation(name string) string {
	if rest, ok := strings.CutPrefix(name, "utf8mb3_"); ok {
		return "utf8_" + rest
	}
	return name
}

// Charset returns the character set of a collation: as the server says, else by the collation's name, of which the
// character set is the first word.
func (c Collations) Charset(collation string) string {
	for _, name := range []string{collation, oldCollation(collation)} {
		if charset := c.Known[name]; charset != "" {
			return Modern(charset)
		}
	}
	charset, _, _ := strings.Cut(collation, "_")
	return Modern(charset)
}

// Standard returns the default collation of a character set, or "" when unknown.
func (c Collations) Standard(charset string) string {
	if charset == "binary" {
		return "binary"
	}
	if name := c.Default[charset]; name != "" {
		return Modern(name)
	}
	if charset == "utf8mb3" {
		return Modern(c.Default["utf8"])
	}
	return ""
}

// knows returns whether the server has the collation. Without a list, as in tests and for a server that was not asked,
// every collation counts as known.
func (c Collations) knows(collation string) bool {
	if len(c.Known) == 0 || collation == "" {
		return true
	}
	_, modern := c.Known[collation]
	_, old := c.Known[oldCollation(collation)]
	return modern || old
}

// SharedCollations returns the names, sorted, of the collations that order values alike on both families and call the
// same values equal. Others of one name do not, or nobody has measured them.
func SharedCollations() []string { return slices.Sorted(maps.Keys(sharedCollations)) }

// SharesCollation returns whether servers of two families are known to order text alike under a collation, and to call
// the same texts equal.
func SharesCollation(a, b schema.Family, collation string) bool {
	return !a.Across(b) || schema.Measured(a, b) && sharedCollations[Modern(collation)]
}
