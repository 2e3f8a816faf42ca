package ddl

import (
	"encoding/hex"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
	"wherry/pkg/sqltext"
)

// expression is the tokens of an expression, without parentheses around it.
type expression []sqltext.Token

// sql writes the expression for the default quoting: names of columns in backticks, as servers print them.
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

// position returns the place of a column by its name, or -1.
func position(columns []schema.Column, name string) int {
	for i := range columns {
		if strings.EqualFold(columns[i].Name, name) {
			return i
		}
	}
	return -1
}

// unsure tells what of an expression servers may print otherwise than it was written, or "". They rewrite much: NOT,
// casts, constants. What is let pass here was seen to come back as it was on both families, but for what comparing
// looks past.
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

// constant tells whether the expression is nothing but a literal.
func (e expression) constant() bool {
	for _, t := range e {
		if t.Kind != sqltext.String && t.Kind != sqltext.Number && t.Kind != sqltext.Mark {
			return false
		}
	}
	return len(e) <= 2
}

func leadingZero(digits string) bool {
	return len(digits) > 1 && digits[0] == '0' && digits[1] != '.'
}

// knownWord tells whether servers print a word of an expression as it is.
func knownWord(t, before, after sqltext.Token, columns []schema.Column) bool {
	lower := strings.ToLower(t.Text)
	switch {
	case after.IsMark("("):
		return exprFunctions[lower] || exprOperators[lower]
	case lower == "not":
		return before.Is("is") && after.Is("null")
	case exprOperators[lower], exprUnits[lower] && before.Kind != sqltext.Mark:
		return true
	default:
		return position(columns, t.Text) >= 0
	}
}

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
		left right replace reverse lpad rpad cast abs floor ceil ceiling sqrt pow power sign greatest least
		coalesce ifnull nullif if json_extract json_unquote json_valid json_length json_array json_object uuid
		now current_timestamp curdate md5 sha1 sha2 hex crc32 year month dayofmonth hour minute second rand
		quarter dayofweek dayofyear to_days concat_ws ascii`)
)

// volatile are the functions whose value for a row another server, or another moment, need not repeat.
var volatile = set(`rand uuid uuid_short sys_guid connection_id nextval lastval user current_user session_user
	system_user version sysdate database schema last_insert_id row_count found_rows sleep get_lock release_lock
	is_free_lock is_used_lock benchmark load_file current_role random_bytes ps_current_thread_id ps_thread_id
	icu_version utc_timestamp utc_date utc_time uuid_v4 uuid_v7`)

// volatile returns the first function of the expression whose value cannot be repeated, or "". The session's clock can.
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

// rewrites tells whether servers may print an expression otherwise at any time: constants beside columns of times
// become values of their types, and texts of one character set beside those of another are converted.
func rewrites(expr string, columns []schema.Column) bool {
	tokens, err := lex(expr, schema.Flavor{})
	if err != nil {
		return true
	}
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

// renamed returns a printed expression with columns renamed, and whether it has any of them.
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

// mentions returns the columns that a printed expression has, in lower case.
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
