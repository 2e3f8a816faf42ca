package ddl

import (
	"encoding/hex"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
	"wherry/pkg/sqltext"
)

// expression is the tokens of an expression, without parentheses around it. Nothing here understands expressions: they
// are written as they came, and whatever servers print in other words is reported by unsure.
type expression []sqltext.Token

// sql writes the expression with the default quoting and with names of columns in backticks, as servers print them:
// `"a" + B` under ANSI_QUOTES becomes `a` + `b` if the table has the columns a and b.
func (e expression) sql(columns []schema.Column) string {
	words := make([]string, 0, len(e))
	for i, t := range e {
		switch t.Kind {
		case sqltext.Name:
			words = append(words, mysql.Quote(t.Text))
		case sqltext.String:
			words = append(words, mysql.Literal(t.Text))
		case sqltext.Bits:
			words = append(words, "b'"+t.Text+"'")
		case sqltext.Bytes:
			words = append(words, "0x"+hex.EncodeToString([]byte(t.Text)))
		case sqltext.Word:
			// A word may be a column, a function or a unit: hour(at), or INTERVAL 1 HOUR.
			call := i+1 < len(e) && e[i+1].IsMark("(")
			if at := position(columns, t.Text); at >= 0 && !call && !exprUnits[strings.ToLower(t.Text)] {
				words = append(words, mysql.Quote(columns[at].Name))
			} else {
				words = append(words, t.Text)
			}
		default:
			words = append(words, t.Text)
		}
	}
	return strings.Join(words, " ")
}

// position returns the position of a column by its name, or -1.
func position(columns []schema.Column, name string) int {
	for i := range columns {
		if strings.EqualFold(columns[i].Name, name) {
			return i
		}
	}
	return -1
}

// unsure returns the first word of an expression that servers may print differently from how it was written, or "".
// They rewrite a lot: NOT a > 0 becomes a <= 0, casts get character sets, constants get types. Words that are accepted
// here were seen to come back unchanged from both families, apart from what does not count when tables are compared
// (blanks, parentheses, case).
func (e expression) unsure(columns []schema.Column) string {
	for i, t := range e {
		var before, after sqltext.Token
		if i > 0 {
			before = e[i-1]
		}
		if i+1 < len(e) {
			after = e[i+1]
		}
		var known bool
		switch t.Kind {
		case sqltext.Name:
			known = !after.IsMark("(")
		case sqltext.Number:
			known = !strings.HasPrefix(t.Text, ".") && !strings.HasSuffix(t.Text, ".") &&
				!strings.ContainsAny(t.Text, "eE") && !leadingZero(t.Text)
		case sqltext.String:
			known = after.Kind != sqltext.String && before.Kind != sqltext.String && shown(t.Text)
		case sqltext.Mark:
			known = exprMarks[t.Text]
		case sqltext.Word:
			known = knownWord(t, before, after, columns)
		default:
			known = false
		}
		if !known {
			return t.Text
		}
	}
	return ""
}

// constant returns whether the expression is nothing but a literal, perhaps with a sign. MariaDB prints DEFAULT (5) as
// DEFAULT 5.
func (e expression) constant() bool {
	for _, t := range e {
		if t.Kind != sqltext.String && t.Kind != sqltext.Number && t.Kind != sqltext.Mark {
			return false
		}
	}
	return len(e) <= 2
}

// leadingZero returns whether digits begin with a zero that servers do not print: 007.
func leadingZero(digits string) bool {
	return len(digits) > 1 && digits[0] == '0' && digits[1] != '.'
}

// knownWord returns whether servers print a word of an expression as it is: a known function, operator or unit, or the
// name of a column.
func knownWord(t, before, after sqltext.Token, columns []schema.Column) bool {
	lower := strings.ToLower(t.Text)
	switch {
	case after.IsMark("("):
		return exprFunctions[lower] || exprOperators[lower]
	case lower == "not": // IS NOT NULL stays; NOT before a condition is worked into it
		return before.Is("is") && after.Is("null")
	case exprOperators[lower], exprUnits[lower] && before.Kind != sqltext.Mark:
		return true
	default:
		return position(columns, t.Text) >= 0
	}
}

// set makes a set of words that are separated by blanks.
func set(words string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(words) {
		all[word] = true
	}
	return all
}

var (
	exprMarks     = set("( ) , + * / % < > = <= >= <> != && - <=>")
	exprOperators = set("and or is null in between like case when then else end interval as signed unsigned")
	exprUnits     = set("second minute hour day month year week quarter")
	exprFunctions = set(`concat lower upper lcase ucase length char_length character_length substr substring
		left right replace reverse lpad rpad ltrim rtrim cast abs floor ceil ceiling sqrt pow power sign greatest least
		coalesce ifnull nullif if json_extract json_unquote json_valid json_length json_array json_object uuid
		now current_timestamp curdate md5 sha1 sha2 hex crc32 year month dayofmonth hour minute second rand
		quarter dayofweek dayofyear to_days concat_ws ascii`)
)

// volatile are the functions whose value for a row another server, or another moment, need not repeat. NOW() is none of
// them: the target's session gets the time of the source's statement.
var volatile = set(`rand uuid uuid_short sys_guid connection_id nextval lastval user current_user session_user
	system_user version sysdate database schema last_insert_id row_count found_rows sleep get_lock release_lock
	is_free_lock is_used_lock benchmark load_file current_role random_bytes ps_current_thread_id ps_thread_id
	icu_version utc_timestamp utc_date utc_time uuid_v4 uuid_v7`)

// volatile returns the first function of the expression whose value cannot be repeated, or "". Variables (@x) and
// sequences cannot be repeated either.
func (e expression) volatile() string {
	for i, t := range e {
		lower := strings.ToLower(t.Text)
		if t.Kind == sqltext.Word && volatile[lower] &&
			(i+1 < len(e) && e[i+1].IsMark("(") || strings.HasPrefix(lower, "current_")) {
			return t.Text
		}
		if t.IsMark("@") || t.Is("NEXT") {
			return t.Text
		}
	}
	return ""
}

// rewrites returns whether a server may print an expression differently each time that the table is made anew. In
// `at > '2024-01-01'` the constant becomes a value of the type of at, and beside texts of two character sets one is
// converted.
func rewrites(expr string, columns []schema.Column) bool {
	tokens, err := lex(expr, schema.Flavor{})
	if err != nil {
		return true
	}
	// Which constant stands beside which column is not worked out: any of both is enough.
	times, constants, charset := false, false, ""
	for _, t := range tokens {
		constants = constants || t.Kind == sqltext.Number || t.Kind == sqltext.String
		if at := position(columns, t.Text); at >= 0 && (t.Kind == sqltext.Name || t.Kind == sqltext.Word) {
			switch columns[at].Type.Kind {
			case schema.Year, schema.Date, schema.Time, schema.Datetime, schema.Timestamp:
				times = true
			default:
			}
			if set := columns[at].Type.Charset; set != "" && charset != "" && set != charset {
				return true
			} else if set != "" {
				charset = set
			}
		}
	}
	return times && constants
}

// renamed returns a printed expression with columns renamed, and whether it has any of them. Servers print names of
// columns in backticks, so only such names are renamed. names has the new names by the old ones in lower case.
func renamed(expr string, ctx Context, names map[string]string) (string, bool) {
	tokens, err := lex(expr, ctx.Flavor)
	if err != nil {
		return expr, false
	}
	var b strings.Builder
	done, found := 0, false
	for _, t := range tokens {
		if to, ok := names[strings.ToLower(t.Text)]; ok && t.Kind == sqltext.Name {
			b.WriteString(expr[done:t.From] + mysql.Quote(to))
			done, found = t.To, true
		}
	}
	return b.String() + expr[done:], found
}

// mentions returns all words of a printed expression in lower case, columns among them. One that cannot be read has
// none.
func mentions(expr string, ctx Context) map[string]bool {
	found := map[string]bool{}
	tokens, err := lex(expr, ctx.Flavor)
	if err != nil {
		return found
	}
	for _, t := range tokens {
		if t.Kind == sqltext.Name || t.Kind == sqltext.Word {
			found[strings.ToLower(t.Text)] = true
		}
	}
	return found
}
