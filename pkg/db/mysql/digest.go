package mysql

import (
	"slices"
	"strings"

	"wherry/pkg/charset"

	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// digest returns the expression of a row's SHA-256 in hexadecimal: it is the rule of db.Row.Digest in SQL, per value
// its length, a colon and its canonical bytes, or "~" for NULL. The digest is NULL when the row is larger than
// max_allowed_packet.
//
// The first argument makes CONCAT work on bytes. A binary string with the coercibility of a column makes the server
// take all others as the bytes that they are, whatever their character sets (MySQL manual, "Collation Coercibility in
// Expressions"). A literal would not do: its coercibility is weaker, and the columns' character sets would decide.
//
// For example, the row (7, NULL) of two columns is SHA2(CONCAT(CAST(” AS BINARY), '1', ':', '7', '~'), 256).
func digest(rel *route.Relation) string { return digestOf(rel, appendDigested) }

// digestOf is digest with another way to write value i.
func digestOf(rel *route.Relation, value func(parts []string, rel *route.Relation, i int) []string) string {
	parts := []string{"CAST('' AS BINARY)"}
	for i := range rel.Columns {
		parts = value(parts, rel, i)
	}
	return "SHA2(CONCAT(" + strings.Join(parts, ", ") + "), 256)"
}

// appendDigested adds value i's part of a digest. The expression is as short as the type allows: the server evaluates
// it for every row. A conversion may return NULL for a value beyond max_allowed_packet. Such a value must not count as
// NULL, so there the column itself is tested.
func appendDigested(parts []string, rel *route.Relation, i int) []string {
	c, value := rel.Column(i), canonical(rel, i)
	switch {
	case rel.Rule(i).Charset != "" && !schema.IsUTF8(rel.Rule(i).Charset):
		value = readText(rel.Rule(i).Charset, value)
	case parsed(&c.Type):
		value = "CONVERT(" + value + " USING utf8mb4)"
	case c.Type.Kind == schema.Float || c.Type.Kind == schema.Double:
		value = printedReal(dialect.Flavor(rel.Table.Flavor), value)
	case c.Type.IsText() || c.Type.IsNumber() || c.Type.Kind == schema.Binary || c.Type.Kind == schema.Varbinary ||
		c.Type.Kind == schema.Blob:
		if !c.Nullable {
			break
		}
		return append(parts, "COALESCE(CONCAT(LENGTH("+value+"), ':'), '~')", "COALESCE("+value+", '')")
	default:
		value = "CAST(" + value + " AS BINARY)"
	}
	if !c.Nullable {
		return append(parts, "LENGTH("+value+")", "':'", value)
	}
	null := dialect.Quote(c.Name) + " IS NULL"
	return append(parts, "IF("+null+", '~', CONCAT(LENGTH("+value+"), ':'))", "IF("+null+", '', "+value+")")
}

// readsOtherwise returns whether the server converts a text to and fro that package charset refuses: in sjis it writes
// a backslash as 81 5F, where everybody else has 5C, and half of a pair in ucs2 is a character to MariaDB.
func readsOtherwise(rel *route.Relation) bool {
	return slices.ContainsFunc(rel.Rules, func(rule route.Rule) bool {
		return rule.Charset == "sjis" || rule.Charset == "ucs2"
	})
}

// readText returns the expression of a text in UTF-8, as package canon reads it. The server puts a question mark in the
// place of what it cannot convert, or what UTF-8 has another form for. Such a value is NULL here: then there is no
// digest, the rows are read, and the row is named.
func readText(from, value string) string {
	read := "CONVERT(" + value + " USING utf8mb4)"
	if set, ok := charset.Find(from); ok && set.Total() {
		return read
	}
	return "IF(CAST(CONVERT(" + read + " USING " + from + ") AS BINARY) = CAST(" + value + " AS BINARY), " + read +
		", NULL)"
}

// printedReal returns the expression for the text that SELECT prints of a number. Where a string is asked for, MySQL
// cuts that text to 24 characters, by an exponent or by digits; in a JSON document it does not, but marks whole
// numbers by ".0".
func printedReal(flavor dialect.Flavor, value string) string {
	if flavor.Family == schema.MariaDB || !flavor.HasJSONType() {
		return value
	}
	return "TRIM(TRAILING '.0' FROM TRIM(LEADING '[' FROM TRIM(TRAILING ']' FROM JSON_ARRAY(" + value + "))))"
}
