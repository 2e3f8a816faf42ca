package postgres

import (
	"fmt"
	"slices"
	"strings"
)

// arithmetic writes + - * / % DIV MOD of numbers.
func (t *translator) arithmetic(operator string, left, right value) value {
	a, b := t.number(left), t.number(right)
	out := value{class: max(a.class, b.class), big: a.big || b.big}
	if out.class == double {
		a.sql, b.sql = doubled(a), doubled(b)
	}
	switch operator {
	case "+", "-", "*":
	case "/":
		if out.class != double {
			t.fail("%s / %s, whose digits depend on the session", left.sql, right.sql)
		}
		b.sql = "NULLIF(" + b.sql + ", '0'::double precision)"
	case "%", "MOD":
		if operator = "%"; out.class == double {
			t.fail("the remainder of floating point")
		}
		b.sql = "NULLIF(" + b.sql + ", 0)"
	case "DIV":
		if out.class != whole {
			t.fail("DIV of others than integers")
		}
		b.sql = "NULLIF(" + b.sql + ", 0)"
		if out.big {
			out.sql = "div(" + a.sql + ", " + b.sql + ")"
			return out
		}
		operator = "/"
	default:
		t.fail("operator %s", operator)
	}
	out.sql = wrap(a.sql, operator, b.sql)
	return out
}

func doubled(v value) string {
	if v.class == double {
		return v.sql
	}
	return v.sql + "::double precision"
}

// compare writes a comparison.
func (t *translator) compare(operator string, left, right value) value {
	left, right = t.comparable(plain(left), plain(right), operator)
	switch operator {
	case "<=>":
		return value{sql: wrap("NOT", wrap(left.sql, "IS DISTINCT FROM", right.sql)), class: truth}
	case "!=":
		operator = "<>"
	}
	return value{sql: wrap(left.sql, operator, right.sql), class: truth}
}

// comparable returns two values as they are compared, if both servers compare them alike.
func (t *translator) comparable(a, b value, operator string) (value, value) {
	switch {
	case a.class == unknown || b.class == unknown:
		t.fail("a comparison of %s with %s", a.sql, b.sql)
	case a.class == anything || b.class == anything:
	case numeric(a.class) && numeric(b.class):
		if a.class == exact && b.class == double || a.class == double && b.class == exact {
			t.fail("a comparison of decimals with floating point")
		}
	case a.class == octets && b.literal && b.class == characters:
		b = bytesOf(b)
	case b.class == octets && a.literal && a.class == characters:
		a = bytesOf(a)
	case a.class == characters && b.class == characters:
		a, b = t.comparableText(a, b, operator)
	case b.literal && b.class == characters && (a.class == day || a.class == moment):
		b = t.dated(b, a.class)
	case a.literal && a.class == characters && (b.class == day || b.class == moment):
		a = t.dated(a, b.class)
	case isDay(a.class) && isDay(b.class):
	case a.class != b.class, a.class == document:
		t.fail("a comparison of %s with %s", a.sql, b.sql)
	}
	return a, b
}

func isDay(c class) bool { return c == day || c == moment }

// bytesOf returns the bytes of a literal.
func bytesOf(v value) value {
	return value{sql: Literal(fmt.Sprintf(`\x%x`, v.text)) + "::bytea", class: octets, literal: true, text: v.text}
}

// comparableText returns texts as they are compared. An ENUM is equal to one of its labels if it is that label, in
// whatever collation: no two labels are equal in it.
func (t *translator) comparableText(a, b value, operator string) (value, value) {
	equality := slices.Contains([]string{"=", "<>", "!=", "<=>"}, operator)
	switch {
	case equality && a.labels != nil && b.literal && slices.Contains(a.labels, b.text),
		equality && b.labels != nil && a.literal && slices.Contains(b.labels, a.text):
		return a, b
	case !a.bytewise || !b.bytewise, a.labels != nil, b.labels != nil, a.literal && b.literal:
		t.fail("a comparison of texts that are equal by a collation")
	case !a.padded && !b.padded && a.unicode && b.unicode, !a.padded && !b.padded && equality:
	case equality:
		a.sql, b.sql = "rtrim("+a.sql+", ' ')", "rtrim("+b.sql+", ' ')"
	default:
		t.fail("an order of texts that are filled with blanks")
	}
	a.sql, b.sql = a.sql+` COLLATE "C"`, b.sql+` COLLATE "C"`
	return a, b
}

// dated makes a date or time of a literal that is one plainly.
func (t *translator) dated(v value, as class) value {
	text := v.text
	ok := len(text) >= 10 && strings.Trim(text, "0123456789-: .") == "" && text[4] == '-' && text[7] == '-' &&
		text[:4] != "0000" && text[5:7] != "00" && text[8:10] != "00"
	switch {
	case ok && len(text) == 10 && as == day:
		v.sql, v.class = Literal(text)+"::date", day
	case ok && (len(text) == 10 || len(text) >= 19 && len(text) <= 26 && text[10] == ' '):
		if len(text) == 10 {
			text += " 00:00:00"
		}
		v.sql, v.class = Literal(clockLiteral(text))+"::timestamp", moment
	default:
		t.fail("the text %q as a date", text)
	}
	return v
}

// matched reads IN, BETWEEN or LIKE and what follows.
func (t *translator) matched(left value) value {
	switch {
	case t.Accept("IN"):
		t.ExpectMark("(")
		return t.among(left, t.list())
	case t.Accept("BETWEEN"):
		low := t.expression(levelBits)
		t.Expect("AND")
		high := t.expression(levelBits)
		return t.both("AND", t.compare(">=", left, low), t.compare("<=", left, high))
	default:
		t.Expect("LIKE")
		return t.like(left, t.expression(levelBits))
	}
}

// among writes IN as a chain of comparisons: the values may be of several types.
func (t *translator) among(left value, values []value) value {
	out := value{}
	for i, v := range values {
		equal := t.compare("=", left, v)
		if i == 0 {
			out = equal
			continue
		}
		out = t.both("OR", out, equal)
	}
	return out
}

// list reads values up to the closing parenthesis.
func (t *translator) list() (values []value) {
	for t.Err == nil && !t.AcceptMark(")") {
		if len(values) > 0 {
			t.ExpectMark(",")
		}
		values = append(values, t.expression(0))
	}
	return values
}

// like writes LIKE with a literal, which compares single characters. Both servers take the backslash for the escape.
func (t *translator) like(left, pattern value) value {
	if t.Accept("ESCAPE") {
		t.fail("LIKE with an escape of its own")
	}
	if left.class != characters || !left.bytewise || left.labels != nil || !pattern.literal ||
		pattern.class != characters || strings.Contains(pattern.text, `\`) {
		t.fail("LIKE over a text that is matched by a collation")
	}
	return value{sql: wrap(left.sql, "~~", pattern.sql), class: truth}
}
