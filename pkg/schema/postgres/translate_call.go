package postgres

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"wherry/pkg/sqltext"
)

// function writes the call of one function, if it takes so many arguments of such classes.
type function struct {
	least, most int // arguments
	write       func(t *translator, args []value) value
}

// functions is the closed list of functions.
var functions = joined(choiceFunctions, numberFunctions, textFunctions, dateFunctions, jsonFunctions)

func joined(lists ...map[string]function) map[string]function {
	all := map[string]function{}
	for _, list := range lists {
		maps.Copy(all, list)
	}
	return all
}

// Functions returns the names of the functions that are translated, sorted.
func Functions() []string { return slices.Sorted(maps.Keys(functions)) }

// call reads a function's name and its arguments.
func (t *translator) call() value {
	name := strings.ToLower(t.Next().Text)
	t.ExpectMark("(")
	if t.calls != nil {
		if v, ok := t.calls(name); ok {
			return v
		}
	}
	switch name {
	case "cast":
		return t.cast()
	case "extract":
		return t.extractField()
	case "trim":
		return t.trim()
	case "convert":
		return t.convert()
	}
	args := t.list()
	f, ok := functions[name]
	if !ok || len(args) < f.least || len(args) > f.most {
		t.fail("function %s", name)
	}
	if t.Err != nil {
		return value{}
	}
	return f.write(t, args)
}

// cast reads the rest of CAST(x AS ..).
func (t *translator) cast() value {
	v := t.expression(0)
	t.Expect("AS")
	to := t.Next()
	number := plain(v)
	switch {
	case to.Is("SIGNED"):
		t.Accept("INTEGER")
		if number.class != whole || number.big {
			t.fail("CAST AS SIGNED of others than integers")
		}
		v = t.number(number)
	case to.Is("CHAR") && !t.Peek().IsMark("("):
		t.Accept("CHARSET UTF8MB4")
		v = t.text(v)
	case to.Is("DATE"):
		v = t.date(v)
	default:
		t.fail("CAST AS %s", to.Text)
	}
	t.ExpectMark(")")
	return v
}

// convert reads the rest of CONVERT(x USING utf8mb4), which MariaDB writes where it turns a text into another character
// set. All texts are in UTF-8 here. How the source compares the result is not looked into.
func (t *translator) convert() value {
	v := t.text(t.expression(0))
	t.Expect("USING")
	if to := t.Next(); !to.Is("utf8mb4") {
		t.fail("CONVERT to %s", to.Text)
	}
	t.ExpectMark(")")
	v.unicode, v.bytewise, v.literal, v.labels = true, false, false, nil
	return v
}

// extractField reads the rest of EXTRACT(field FROM x).
func (t *translator) extractField() value {
	field := strings.ToLower(t.Read(sqltext.Word))
	t.Expect("FROM")
	v := t.expression(0)
	t.ExpectMark(")")
	f, ok := dateFunctions[field]
	if !ok || field == "date" {
		t.fail("EXTRACT of %s", field)
		return v
	}
	return f.write(t, []value{v})
}

// trim reads the rest of TRIM(x). Blanks are the only characters that it takes away.
func (t *translator) trim() value {
	if next := t.Peek(); next.Is("BOTH") || next.Is("LEADING") || next.Is("TRAILING") {
		t.fail("TRIM of others than blanks on both sides")
	}
	v := t.text(t.expression(0))
	t.ExpectMark(")")
	v.sql, v.literal, v.labels = "btrim("+v.sql+", ' ')", false, nil
	return v
}

// choiceFunctions take one of several values.
var choiceFunctions = map[string]function{
	"coalesce": {1, 99, (*translator).coalesce},
	"ifnull":   {2, 2, (*translator).coalesce},
	"if": {3, 3, func(t *translator, args []value) value {
		return t.chosen([]string{t.condition(args[0])}, args[1:])
	}},
	"nullif": {2, 2, func(t *translator, args []value) value {
		v := plain(args[0])
		same := t.compare("=", args[0], args[1])
		v.sql, v.literal = "(CASE WHEN "+same.sql+" THEN NULL ELSE "+v.sql+" END)", false
		return v
	}},
	"isnull": {1, 1, func(_ *translator, args []value) value {
		return value{sql: wrap(args[0].sql, "IS NULL"), class: truth}
	}},
}

func (t *translator) coalesce(args []value) value {
	args, out := t.together(args)
	out.sql = "COALESCE(" + joinValues(args) + ")"
	return out
}

func joinValues(args []value) string {
	texts := make([]string, len(args))
	for i, arg := range args {
		texts[i] = arg.sql
	}
	return strings.Join(texts, ", ")
}

// numberFunctions compute numbers of numbers.
var numberFunctions = map[string]function{
	"abs":     {1, 1, sameNumber("abs")},
	"ceil":    {1, 1, wholeNumber("ceil")},
	"ceiling": {1, 1, wholeNumber("ceil")},
	"floor":   {1, 1, wholeNumber("floor")},
	"mod": {2, 2, func(t *translator, args []value) value {
		return t.arithmetic("%", args[0], args[1])
	}},
	"round": {1, 2, func(t *translator, args []value) value { return t.rounded("round", args) }},
	"sign": {1, 1, func(t *translator, args []value) value {
		n := t.exactly(args[0])
		return value{sql: "sign(" + n.sql + "::numeric)::bigint", class: whole}
	}},
	"truncate": {2, 2, func(t *translator, args []value) value { return t.rounded("trunc", args) }},
}

// exactly returns an integer or a decimal.
func (t *translator) exactly(v value) value {
	n := t.number(v)
	if n.class != whole && n.class != exact {
		t.fail("%s, which is floating point", v.sql)
	}
	return n
}

func sameNumber(name string) func(*translator, []value) value {
	return func(t *translator, args []value) value {
		n := t.number(args[0])
		n.sql = name + "(" + n.sql + ")"
		return n
	}
}

func wholeNumber(name string) func(*translator, []value) value {
	return func(t *translator, args []value) value {
		n := t.number(args[0])
		n.sql = name + "(" + n.sql + ")"
		if n.class == exact {
			n.class, n.big = whole, true
		}
		return n
	}
}

// rounded writes ROUND and TRUNCATE of a decimal to a number of digits that is a literal.
func (t *translator) rounded(name string, args []value) value {
	n, digits := t.exactly(args[0]), "0"
	if len(args) > 1 {
		if digits = args[1].text; !args[1].literal || args[1].class != whole {
			t.fail("%s to %s digits", name, args[1].sql)
		}
	}
	places, err := strconv.Atoi(digits)
	if err != nil || places < 0 || places > 30 {
		t.fail("%s to %s digits", name, digits)
	}
	return value{sql: name + "(" + n.sql + "::numeric, " + digits + ")", class: n.class, big: n.class == whole}
}
