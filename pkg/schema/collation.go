package schema

import "strings"

// Collations is what a server knows of character sets. Its engine fills it from
// information_schema.COLLATION_CHARACTER_SET_APPLICABILITY and COLLATIONS. Names may be old (utf8_bin) or new (utf8mb3_bin).
type Collations struct {
	Known   map[string]string // collation -> character set
	Default map[string]string // character set -> its default collation
}

// modernCharset returns utf8mb3 for utf8, as both families call it since 2022.
func modernCharset(name string) string {
	name = strings.ToLower(name)
	if name == "utf8" {
		return "utf8mb3"
	}
	return name
}

// modernCollation returns utf8mb3_x for utf8_x.
func modernCollation(name string) string {
	name = strings.ToLower(name)
	if rest, ok := strings.CutPrefix(name, "utf8_"); ok {
		return "utf8mb3_" + rest
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

// charset returns the character set of a collation: as the server says, else by the collation's name.
func (c Collations) charset(collation string) string {
	for _, name := range []string{collation, oldCollation(collation)} {
		if charset := c.Known[name]; charset != "" {
			return modernCharset(charset)
		}
	}
	charset, _, _ := strings.Cut(collation, "_")
	return modernCharset(charset)
}

// standard returns the default collation of a character set, or "" when unknown.
func (c Collations) standard(charset string) string {
	if charset == "binary" {
		return "binary"
	}
	if name := c.Default[charset]; name != "" {
		return modernCollation(name)
	}
	if charset == "utf8mb3" {
		return modernCollation(c.Default["utf8"])
	}
	return ""
}

// knows tells whether the server has the collation; nothing is known of a server without a list, so all is assumed.
func (c Collations) knows(collation string) bool {
	if len(c.Known) == 0 || collation == "" {
		return true
	}
	_, modern := c.Known[collation]
	_, old := c.Known[oldCollation(collation)]
	return modern || old
}
