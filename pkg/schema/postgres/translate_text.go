package postgres

import (
	"strconv"
	"strings"
)

// textFunctions compute with texts and bytes.
var textFunctions = map[string]function{
	"concat": {1, 99, func(t *translator, args []value) value {
		texts := make([]value, len(args))
		for i, arg := range args {
			texts[i] = t.text(arg)
		}
		texts, out := t.together(texts)
		parts := make([]string, len(texts))
		for i, text := range texts {
			parts[i] = text.sql
		}
		out.sql = "(" + strings.Join(parts, " || ") + ")"
		return out
	}},
	"left":             {2, 2, func(t *translator, args []value) value { return t.cut(`"left"`, args) }},
	"right":            {2, 2, func(t *translator, args []value) value { return t.cut(`"right"`, args) }},
	"substr":           {2, 3, (*translator).substring},
	"substring":        {2, 3, (*translator).substring},
	"mid":              {3, 3, (*translator).substring},
	"ltrim":            {1, 1, onText("ltrim", ", ' '")},
	"rtrim":            {1, 1, onText("rtrim", ", ' '")},
	"reverse":          {1, 1, onText("reverse", "")},
	"lower":            {1, 1, (*translator).lower},
	"lcase":            {1, 1, (*translator).lower},
	"upper":            {1, 1, (*translator).upper},
	"ucase":            {1, 1, (*translator).upper},
	"char_length":      {1, 1, (*translator).charLength},
	"character_length": {1, 1, (*translator).charLength},
	"length":           {1, 1, (*translator).octetLength},
	"octet_length":     {1, 1, (*translator).octetLength},
	"hex":              {1, 1, (*translator).hex},
	"md5":              {1, 1, (*translator).md5},
	"replace": {3, 3, func(t *translator, args []value) value {
		v, from, to := t.text(args[0]), t.text(args[1]), t.text(args[2])
		v.sql, v.literal, v.labels = `replace(`+v.sql+`, `+from.sql+`, `+to.sql+`)`, false, nil
		return v
	}},
	"instr": {2, 2, func(t *translator, args []value) value { return t.position(args[0], args[1]) }},
	"locate": {2, 2, func(t *translator, args []value) value {
		return t.position(args[1], args[0])
	}},
}

// text returns a value as text, where both servers print it alike. Dates have no form here that no session changes.
func (t *translator) text(v value) value {
	v = plain(v)
	switch v.class {
	case characters:
		return v
	case anything:
		v.sql += "::text"
	case whole, exact:
		if v.literal {
			return stringValue(v.text)
		}
		v.sql = v.sql + "::text"
	default:
		t.fail("the text of %s", v.sql)
	}
	return value{sql: v.sql, class: characters, bytewise: true, unicode: true, ascii: true}
}

func onText(name, more string) func(*translator, []value) value {
	return func(t *translator, args []value) value {
		v := t.text(args[0])
		v.sql, v.literal, v.labels = name+"("+v.sql+more+")", false, nil
		return v
	}
}

// digits returns a literal that is a number from least on.
func (t *translator) digits(v value, least int) string {
	n, err := strconv.Atoi(v.text)
	if !v.literal || v.class != whole || err != nil || n < least || n > 1<<30 {
		t.fail("a place in a text that is %s", v.sql)
	}
	return v.text
}

// cut writes LEFT and RIGHT.
func (t *translator) cut(name string, args []value) value {
	v := t.text(args[0])
	v.sql, v.literal, v.labels = name+"("+v.sql+", "+t.digits(args[1], 0)+")", false, nil
	return v
}

// substring writes SUBSTR from a place on that is counted from the beginning.
func (t *translator) substring(args []value) value {
	v := t.text(args[0])
	text := "substr(" + v.sql + ", " + t.digits(args[1], 1)
	if len(args) > 2 {
		text += ", " + t.digits(args[2], 0)
	}
	v.sql, v.literal, v.labels = text+")", false, nil
	return v
}

func (t *translator) lower(args []value) value { return t.cased("lower", args[0]) }
func (t *translator) upper(args []value) value { return t.cased("upper", args[0]) }

// cased writes LOWER and UPPER of ASCII. Of other letters the servers' tables differ.
func (t *translator) cased(name string, arg value) value {
	v := t.text(arg)
	if !v.ascii {
		t.fail("%s of letters beyond ASCII", name)
	}
	v.sql, v.literal, v.labels = name+"("+v.sql+` COLLATE "C")`, false, nil
	return v
}

func (t *translator) charLength(args []value) value {
	return value{sql: "char_length(" + t.text(args[0]).sql + ")", class: whole}
}

func (t *translator) octetLength(args []value) value {
	v := args[0]
	if v.class != octets {
		if v = t.text(v); !v.unicode {
			t.fail("the bytes of a text that is not in UTF-8 on the source")
		}
	}
	return value{sql: "octet_length(" + v.sql + ")", class: whole}
}

// hex writes HEX of bytes.
func (t *translator) hex(args []value) value {
	if args[0].class != octets {
		t.fail("HEX of others than bytes")
	}
	return value{
		sql: "upper(encode(" + args[0].sql + `, 'hex') COLLATE "C")`, class: characters, bytewise: true, unicode: true,
		ascii: true,
	}
}

func (t *translator) md5(args []value) value {
	v := args[0]
	if v.class != octets {
		if v = t.text(v); !v.unicode {
			t.fail("MD5 of a text that is not in UTF-8 on the source")
		}
	}
	return value{sql: "md5(" + v.sql + ")", class: characters, bytewise: true, unicode: true, ascii: true}
}

// position writes INSTR and LOCATE of texts that are compared by code points.
func (t *translator) position(text, part value) value {
	text, part = t.text(text), t.text(part)
	if !text.bytewise || !part.bytewise || text.labels != nil || part.labels != nil {
		t.fail("a search by a collation")
	}
	return value{sql: `strpos(` + text.sql + `, ` + part.sql + `)`, class: whole}
}
