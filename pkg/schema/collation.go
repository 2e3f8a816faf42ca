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

// nearest returns the collation of the same character set that orders and compares most like the given one on this
// server, or "" when there is none that is close enough to try.
func (c Collations) nearest(collation string) string {
	if c.knows(collation) {
		return collation
	}
	charset, rest, _ := strings.Cut(collation, "_")
	for _, candidate := range similar(charset, rest) {
		if c.knows(charset + "_" + candidate) {
			return charset + "_" + candidate
		}
	}
	return ""
}

// collationLanguages pairs MySQL's language codes in 0900 collations with MariaDB's names in uca1400 collations.
var collationLanguages = [][2]string{
	{"cs", "czech"},
	{"da", "danish"},
	{"de_pb", "german2"},
	{"eo", "esperanto"},
	{"es", "spanish"},
	{"es_trad", "spanish2"},
	{"et", "estonian"},
	{"hr", "croatian"},
	{"hu", "hungarian"},
	{"is", "icelandic"},
	{"la", "roman"},
	{"lt", "lithuanian"},
	{"lv", "latvian"},
	{"pl", "polish"},
	{"ro", "romanian"},
	{"sk", "slovak"},
	{"sl", "slovenian"},
	{"sv", "swedish"},
	{"tr", "turkish"},
	{"vi", "vietnamese"},
}

// similar lists stand-ins for a collation, the closest first, all without the character set's prefix. A stand-in never
// compares more values equal than the collation does, as far as there is a choice, so unique keys keep holding.
func similar(charset, rest string) []string {
	switch {
	case rest == "0900_bin":
		return []string{"nopad_bin", "bin"}
	case rest == "nopad_bin":
		return []string{"0900_bin", "bin"}
	case strings.Contains(rest, "0900_"):
		return similarTo0900(rest)
	case strings.HasPrefix(rest, "uca1400_"):
		return similarToUCA1400(charset, strings.TrimPrefix(rest, "uca1400_"))
	case strings.HasSuffix(rest, "_nopad_ci"):
		return []string{"0900_ai_ci", strings.TrimSuffix(rest, "_nopad_ci") + "_ci", "unicode_520_ci", "general_ci"}
	case strings.HasSuffix(rest, "_cs"):
		return []string{"bin"}
	case strings.HasSuffix(rest, "_ci"):
		return []string{strings.Replace(rest, "_mysql561", "", 1), "unicode_520_ci", "general_ci"}
	}
	return nil
}

// similarTo0900 translates [language_]0900_(ai|as)_(ci|cs)[_ks] of MySQL, which do not pad.
func similarTo0900(rest string) []string {
	at := strings.Index(rest, "0900_")
	language, strength := strings.TrimSuffix(rest[:at], "_"), strings.TrimSuffix(rest[at+len("0900_"):], "_ks")
	var out []string
	for _, pair := range collationLanguages {
		if pair[0] == language {
			out = append(out, "uca1400_"+pair[1]+"_nopad_"+strength)
		}
	}
	out = append(out, "uca1400_nopad_"+strength)
	if strings.HasSuffix(strength, "_cs") {
		return append(out, "nopad_bin", "bin")
	}
	return append(out, "unicode_520_nopad_ci", "unicode_520_ci")
}

// similarToUCA1400 translates [language_][nopad_](ai|as)_(ci|cs) of MariaDB.
func similarToUCA1400(charset, rest string) []string {
	at := max(strings.LastIndex(rest, "ai_c"), strings.LastIndex(rest, "as_c"), 0)
	strength, language := rest[at:], strings.TrimSuffix(rest[:at], "_")
	language, nopad := strings.CutSuffix(language, "nopad")
	language = strings.TrimSuffix(language, "_")
	sensitive := strings.HasSuffix(strength, "_cs")
	var out []string
	if nopad && charset == "utf8mb4" {
		if sensitive {
			strength = "as_cs"
		}
		for _, pair := range collationLanguages {
			if pair[1] == language {
				out = append(out, pair[0]+"_0900_"+strength, pair[0]+"_0900_as_cs")
			}
		}
		out = append(out, "0900_"+strength)
	}
	if sensitive {
		return append(out, "bin")
	}
	if language != "" {
		out = append(out, language+"_ci")
	}
	return append(out, "unicode_520_ci")
}
