package postgres

import (
	"regexp"
	"strings"
)

// simplePath is a path of JSON whose steps are plain keys. A step that is a number would be a place in an array here.
var simplePath = regexp.MustCompile(`^\$(\.[A-Za-z_][A-Za-z0-9_]*)+$`)

// extract writes -> and ->> of a document and a literal path. Where the value is JSON's null, ->> is the text null on
// MySQL.
func (t *translator) extract(document_, path value, unquote bool) value {
	if document_.class != document || !path.literal || !simplePath.MatchString(path.text) {
		t.fail("a part of JSON by the path %s", path.sql)
		return value{}
	}
	keys := Literal("{"+strings.ReplaceAll(path.text[2:], ".", ",")+"}") + "::text[]"
	if !unquote {
		return value{sql: wrap(document_.sql, "#>", keys), class: document}
	}
	return value{
		sql: "(CASE WHEN jsonb_typeof(" + wrap(document_.sql, "#>", keys) + ") = 'null' THEN 'null' ELSE " +
			wrap(document_.sql, "#>>", keys) + " END)", class: characters, bytewise: true, unicode: true,
	}
}

// jsonFunctions are the functions that -> and ->> stand for.
var jsonFunctions = map[string]function{
	"json_extract": {2, 2, func(t *translator, args []value) value { return t.extract(args[0], args[1], false) }},
	"json_unquote": {1, 1, func(t *translator, args []value) value { return t.unquoted(args[0]) }},
}

// unquoted writes JSON_UNQUOTE of an extracted part.
func (t *translator) unquoted(v value) value {
	inner := strings.TrimSuffix(strings.TrimPrefix(v.sql, "("), ")")
	document_, keys, ok := strings.Cut(inner, " #> ")
	if v.class != document || !ok {
		t.fail("JSON_UNQUOTE of others than a part of a document")
		return value{}
	}
	part := wrap(document_, "#>", keys)
	return value{
		sql: "(CASE WHEN jsonb_typeof(" + part + ") = 'null' THEN 'null' ELSE " + wrap(document_, "#>>", keys) +
			" END)",
		class: characters, bytewise: true, unicode: true,
	}
}
