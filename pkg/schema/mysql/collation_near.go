package mysql

import "strings"

// nearest returns the collation of the same character set that orders and compares most like the given one on this
// server, or "" when none is close enough. A server that has the collation gets that. For a column of a key the
// stand-in must distinguish all values that the given one distinguishes, or two rows would become one.
func (c Collations) nearest(collation string, key bool) string {
	if c.knows(collation) {
		return collation
	}
	charset, rest, _ := strings.Cut(collation, "_")
	candidates := similar(charset, rest)
	if key && unpadded(rest) {
		candidates = append(candidates, "nopad_bin", "0900_bin")
	} else if key {
		candidates = append(candidates, "bin")
	}
	for _, candidate := range candidates {
		if c.knows(charset+"_"+candidate) && (!key || keepsApart(rest, candidate)) {
			return charset + "_" + candidate
		}
	}
	return ""
}

// keepsApart returns whether a stand-in for a collation distinguishes all values that the collation distinguishes; both
// names are without the character set. Binary collations do, unless they pad and the other does not. Of the rest only
// the plain ones of the Unicode algorithm are compared, in whose versions only letters differ that one of them does not
// know yet. The rules of languages are not the same in both families: utf8mb4_uca1400_swedish_ai_ci distinguishes th
// from þ, utf8mb4_sv_0900_ai_ci does not.
func keepsApart(from, to string) bool {
	if unpadded(from) && !unpadded(to) {
		return false
	}
	if strings.HasSuffix(to, "bin") {
		return true
	}
	if strings.HasPrefix(from, "unicode_520") {
		return false
	}
	fromStrength, known := plainStrength(from)
	toStrength, modern := plainStrength(to)
	accents := strings.HasPrefix(toStrength, "as") || strings.HasPrefix(fromStrength, "ai")
	cases := strings.HasSuffix(toStrength, "_cs") || strings.HasSuffix(fromStrength, "_ci")
	return known && modern && accents && cases
}

// unpadded returns whether trailing spaces count under a collation: 'a' and 'a ' are two values then.
func unpadded(rest string) bool {
	return strings.HasPrefix(rest, "0900_") || strings.Contains(rest, "_0900_") || strings.Contains(rest, "nopad_")
}

// plainStrength returns the strength of a collation of the Unicode algorithm without the rules of a language: "as_ci"
// (accents count, case does not) of 0900_as_ci. Version 5.2 may stand in for others, but differs from later ones in
// what it ignores. Older ones call all emoji equal, so they are not plain.
func plainStrength(rest string) (strength string, ok bool) {
	switch rest = strings.Replace(rest, "nopad_", "", 1); rest {
	case "unicode_520_ci":
		return "ai_ci", true
	case "0900_ai_ci", "0900_as_ci", "0900_as_cs":
		return strings.TrimPrefix(rest, "0900_"), true
	case "uca1400_ai_ci", "uca1400_ai_cs", "uca1400_as_ci", "uca1400_as_cs":
		return strings.TrimPrefix(rest, "uca1400_"), true
	default:
		return "", false
	}
}

// sameCollation returns whether two names stand for one order: that of the code points, without padding.
func sameCollation(a, b string) bool {
	return a == "utf8mb4_0900_bin" && b == "utf8mb4_nopad_bin" || a == "utf8mb4_nopad_bin" && b == "utf8mb4_0900_bin"
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

// similar lists stand-ins for a collation, the closest first, all without the character set's prefix. As far as there
// is a choice, a stand-in does not call more values equal than the collation does, so that unique keys still hold.
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
	var unpadded []string
	if sensitive {
		strength = "as_cs"
	}
	for _, pair := range collationLanguages {
		if pair[1] == language {
			unpadded = append(unpadded, pair[0]+"_0900_"+strength, pair[0]+"_0900_as_cs")
		}
	}
	unpadded = append(unpadded, "0900_"+strength)
	var padded []string
	switch {
	case sensitive:
		padded = append(padded, "bin")
	case language != "":
		padded = append(padded, language+"_ci")
	}
	if !sensitive {
		padded = append(padded, "unicode_520_ci")
	}
	switch {
	case charset != "utf8mb4":
		return padded
	case nopad, strength == "as_ci": // in no collation that pads accents count and case does not
		return append(unpadded, padded...)
	default:
		return append(padded, unpadded...)
	}
}
