package mysql

import (
	"math/big"
	"slices"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// synonyms are functions and operators that have several names, by the name that comparing uses: MySQL prints now(),
// MariaDB current_timestamp().
var synonyms = map[string]string{
	"now": "current_timestamp", "localtime": "current_timestamp", "localtimestamp": "current_timestamp",
	"current_date": "curdate", "current_time": "curtime", "day": "dayofmonth", "substring": "substr", "mid": "substr",
	"lcase": "lower", "ucase": "upper", "character_length": "char_length", "octet_length": "length", "power": "pow",
	"ceiling": "ceil", "sha": "sha1", "geometryfromtext": "st_geomfromtext", "mod": "%", "!=": "<>", "&&": "and",
	"||": "or",
}

// expressionWords returns an expression as words that do not depend on how a server prints it: without blanks,
// parentheses, character set introducers and the case of keywords. (`a` > _utf8mb4'x') and `A`>'x' are the same three
// words. Parentheses are left out because servers add and remove them; that a*(b+c) then equals a*b+c is accepted,
// since both sides come from one definition.
func expressionWords(expr string) []string {
	tokens, err := sqltext.Lex(expr, printed)
	if err != nil {
		return []string{strings.TrimSpace(expr)}
	}
	words := make([]string, 0, len(tokens))
	for i, t := range tokens {
		switch t.Kind {
		case sqltext.End:
		case sqltext.String:
			words = append(words, Literal(t.Text))
		case sqltext.Bits, sqltext.Bytes:
			words = append(words, "#"+t.Text)
		case sqltext.Name:
			words = append(words, "`"+strings.ToLower(t.Text))
		case sqltext.Word:
			if introduces(tokens, i) {
				continue
			}
			words = append(words, synonym(t.Text))
		case sqltext.Number:
			words = append(words, t.Text)
		case sqltext.Mark:
			if t.Text != "(" && t.Text != ")" {
				words = append(words, synonym(t.Text))
			}
		}
	}
	return words
}

// introduces returns whether token i is a character set introducer such as _utf8mb4 before a string.
func introduces(tokens []sqltext.Token, i int) bool {
	return strings.HasPrefix(tokens[i].Text, "_") && i+1 < len(tokens) && tokens[i+1].Kind == sqltext.String
}

// synonym returns the name of a word that comparing uses, in lower case.
func synonym(word string) string {
	word = strings.ToLower(word)
	if other := synonyms[word]; other != "" {
		return other
	}
	return word
}

// sameExpression returns whether two servers mean the same by what they print. An empty text is no expression.
func sameExpression(a, b string) bool {
	return a == b || slices.Equal(expressionWords(a), expressionWords(b))
}

// sameDefault compares defaults of a column: 0, '0' and 0.00 are one number, and a literal is the same as an
// expression that is nothing but that literal.
func sameDefault(t schema.Type, a, b *schema.Default) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Null || b.Null {
		return a.Null == b.Null
	}
	if a.Literal && b.Literal {
		return a.Text == b.Text || t.IsNumber() && sameNumber(a.Text, b.Text)
	}
	return sameExpression(defaultExpression(t, a), defaultExpression(t, b))
}

// defaultExpression returns the default as an expression.
func defaultExpression(t schema.Type, d *schema.Default) string {
	if !d.Literal || t.IsNumber() && isNumber(d.Text) {
		return d.Text
	}
	return Literal(d.Text)
}

// sameNumber compares numbers exactly: 1e2 is 100.
func sameNumber(a, b string) bool {
	if !isNumber(a) || !isNumber(b) {
		return false
	}
	x, okA := new(big.Rat).SetString(a)
	y, okB := new(big.Rat).SetString(b)
	return okA && okB && x.Cmp(y) == 0
}

// isNumber returns whether s is a number that may stand in SQL without quotes, of a size that a server prints.
func isNumber(s string) bool {
	tokens, err := sqltext.Lex(strings.TrimLeft(s, "-"), printed)
	if err != nil || len(s) > 400 || len(s) > 1 && s[1] == '-' {
		return false
	}
	_, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	return len(tokens) == 2 && tokens[0].Kind == sqltext.Number && len(exponent) <= 4
}

// portable returns the expression as the other family reads it: the names behind COLLATE translated, quotes in strings
// doubled, and introducers of UTF-8 left out. MariaDB 10.11 prints a string with an introducer and a quote in a form
// that it cannot read back.
func portable(expr string, collation func(string) string) string {
	tokens, err := sqltext.Lex(expr, printed)
	if err != nil {
		return expr
	}
	var b strings.Builder
	done := 0
	replace := func(t sqltext.Token, text string) {
		b.WriteString(expr[done:t.From] + text)
		done = t.To
	}
	for i, t := range tokens {
		switch {
		case t.Kind == sqltext.String:
			replace(t, Literal(t.Text))
		case t.Kind == sqltext.Word && introduces(tokens, i) && strings.HasPrefix(strings.ToLower(t.Text), "_utf8"):
			replace(t, "")
		case i > 0 && tokens[i-1].Is("COLLATE") && (t.Kind == sqltext.Word || t.Kind == sqltext.Name):
			replace(t, collation(Modern(t.Text)))
		}
	}
	return b.String() + expr[done:]
}

// sharedFunctions are the functions and keywords before a parenthesis that mean the same on both families, as
// measured (test: TestExpressions). Left out are functions that read documents or dates in unusual forms
// differently, and functions whose last digit differs.
var sharedFunctions = wordSet(`and or not xor in between like as is when then else case interval div mod regexp
	rlike binary collate exists any char decimal signed unsigned date datetime time year double float nchar
	varchar abs acos adddate ascii asin atan atan2 bin bit_count bit_length cast ceil ceiling char_length
	character_length coalesce concat concat_ws conv convert convert_tz cos cot crc32 curdate current_date
	current_time current_timestamp curtime date_add date_format date_sub datediff day dayname dayofmonth
	dayofweek dayofyear degrees elt exp export_set extract field find_in_set floor format from_base64
	from_unixtime get_format greatest hex hour if ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa insert instr
	isnull json_array json_contains_path json_depth json_extract json_keys json_length json_overlaps json_quote
	json_search json_type json_unquote json_valid last_day lcase least left length linestring ln localtime
	localtimestamp locate log log10 lower lpad ltrim make_set makedate maketime md5 microsecond mid minute month
	monthname now nullif oct octet_length ord period_add period_diff pi point polygon position pow power quarter
	quote radians rand random_bytes repeat replace reverse right round rpad rtrim sec_to_time second sha sha1
	sha2 sign sin soundex space sqrt st_dimension st_endpoint st_exteriorring st_geometrytype st_geomfromtext
	st_geomfromwkb st_isempty st_numpoints st_pointfromtext st_srid st_startpoint st_x st_y str_to_date strcmp
	subdate substr substring substring_index sysdate tan time_format timestamp timestampadd timestampdiff
	to_base64 to_days to_seconds trim truncate ucase unhex upper utc_date utc_time utc_timestamp uuid uuid_short
	week weekday weekofyear yearweek`)

// sharedWhenEmpty are functions that mean the same without arguments only: with a text that is no date the results
// differ.
var sharedWhenEmpty = wordSet("unix_timestamp")

// classicHashes are functions that not every server has, see Flavor.HasClassicHashes.
var classicHashes = wordSet("md5 sha sha1")

// wordSet makes a set of words that are separated by blanks.
func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}

// foreignFunction returns the first function of an expression that is not known to mean the same on both families, or
// that the target does not have; "" when there is none. A quoted name before a parenthesis is a stored function, which
// is never known.
func foreignFunction(expr string, target Flavor) string {
	tokens, err := sqltext.Lex(expr, printed)
	if err != nil {
		return expr
	}
	for i, t := range tokens {
		if i+1 == len(tokens) || !tokens[i+1].IsMark("(") {
			continue
		}
		name := strings.ToLower(t.Text)
		known := sharedFunctions[name] || sharedWhenEmpty[name] && tokens[i+2].IsMark(")")
		if classicHashes[name] && !target.HasClassicHashes() {
			known = false
		}
		if t.Kind == sqltext.Name || t.Kind == sqltext.Word && !known {
			return t.Text
		}
	}
	for i, t := range tokens[1:] {
		switch {
		case t.Is("OF") && tokens[i].Is("MEMBER"):
			return "MEMBER OF"
		case t.Is("JSON") && tokens[i].Is("AS"):
			return "CAST AS JSON"
		}
	}
	return ""
}
