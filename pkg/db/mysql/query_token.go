package mysql

import "strings"

// queryToken is a word, a quoted name, or a mark of a statement. Strings, numbers and comments are left out.
type queryToken struct {
	text   string
	quoted bool
}

// is tells whether the token is a keyword.
func (t queryToken) is(keyword string) bool { return !t.quoted && strings.EqualFold(t.text, keyword) }

// queryTokens cuts a statement into at most limit tokens. What is in /*! */ and /*M! */ comments counts, as servers run it.
func queryTokens(s string, sqlMode uint64, limit int) []queryToken {
	var tokens []queryToken
	for i := 0; i < len(s) && len(tokens) < limit; {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f':
			i++
		case c == '#', c == '-' && strings.HasPrefix(s[i:], "--") && (i+2 == len(s) || s[i+2] <= ' '):
			if i = queryAfter(s, i, "\n"); i < 0 {
				return tokens
			}
		case strings.HasPrefix(s[i:], "/*!"), strings.HasPrefix(s[i:], "/*M!"):
			i += strings.IndexByte(s[i:], '!') + 1
			for i < len(s) && s[i] >= '0' && s[i] <= '9' {
				i++
			}
		case strings.HasPrefix(s[i:], "*/"):
			i += 2
		case strings.HasPrefix(s[i:], "/*"):
			if i = queryAfter(s, i+2, "*/"); i < 0 {
				return tokens
			}
		case c == '`' || c == '"' && sqlMode&modeANSIQuotes != 0:
			text, next := queryQuoted(s, i, true)
			tokens, i = append(tokens, queryToken{text, true}), next
		case c == '\'' || c == '"':
			_, i = queryQuoted(s, i, sqlMode&modeNoBackslashEscapes != 0)
		case queryWord(c):
			from := i
			for i < len(s) && queryWord(s[i]) {
				i++
			}
			tokens = append(tokens, queryToken{text: s[from:i]})
		default:
			tokens, i = append(tokens, queryToken{text: s[i : i+1]}), i+1
		}
	}
	return tokens
}

func queryWord(c byte) bool {
	return c >= 0x80 || c == '_' || c == '$' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// queryAfter returns the place after the next end mark, or -1.
func queryAfter(s string, from int, end string) int {
	at := strings.Index(s[from:], end)
	if at < 0 {
		return -1
	}
	return from + at + len(end)
}

// queryQuoted reads a quoted text at i. A doubled quote stands for itself; plain means that a backslash does too.
func queryQuoted(s string, i int, plain bool) (text string, next int) {
	quote := s[i]
	var b strings.Builder
	for i++; i < len(s); i++ {
		switch {
		case s[i] == quote && i+1 < len(s) && s[i+1] == quote:
			i++
		case s[i] == quote:
			return b.String(), i + 1
		case s[i] == '\\' && !plain && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), len(s)
}
