package mysql

import (
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// An enum may hold the error value 0, which prints as '' though no label is empty (manual, "The ENUM Type"). A strict
// server does not take it. A statement with such values runs without strict mode, and must bring exactly one warning
// for each of them: any other value that is not taken as it is brings one too.

const (
	// looseMode is StrictMode without STRICT_ALL_TABLES. The hint is MySQL's way to set a variable for one statement
	// (8.0.3 and later), the claim is MariaDB's.
	looseMode  = "'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION'"
	looseHint  = " /*+ SET_VAR(sql_mode = " + looseMode + ") */"
	looseClaim = "SET STATEMENT sql_mode = " + looseMode + " FOR "

	maxBlanks = 60000 // of one statement: a server counts up to 65535 warnings
)

// blanks returns the positions of enums without an empty label.
func blanks(rel *route.Relation) (positions []int) {
	for i := range rel.Columns {
		if t := &rel.Column(i).Type; rel.Written(i) && t.Kind == schema.Enum && !slices.Contains(t.Labels, "") {
			positions = append(positions, i)
		}
	}
	return positions
}

// countBlanks returns how many error values a row has.
func countBlanks(positions []int, row db.Row) (n int) {
	for _, i := range positions {
		if row[i] != nil && len(row[i]) == 0 {
			n++
		}
	}
	return n
}

// roomForLoose returns a verb with blanks in it that loosen can write over, and where they are; -1 when the server
// has no way to change the mode of one statement. The head of a statement is built once, before it is known whether a
// batch has error values: blanks keep the buffer's layout the same either way.
func roomForLoose(flavor dialect.Flavor, verb string) (string, int) {
	switch word, rest, _ := strings.Cut(verb, " "); {
	case flavor.Family == schema.MariaDB:
		return strings.Repeat(" ", len(looseClaim)) + verb, 0
	case flavor.HasSetVarHint():
		return word + strings.Repeat(" ", len(looseHint)) + " " + rest, len(word)
	default:
		return verb, -1
	}
}

// loosen takes strict mode off a statement whose verb has room for it at the given place.
func loosen(statement []byte, flavor dialect.Flavor, at int) {
	if flavor.Family == schema.MariaDB {
		copy(statement[at:], looseClaim)
	} else if at >= 0 {
		copy(statement[at:], looseHint)
	}
}

// unexpected returns how many warnings of a statement are not those of its error values: 0 when all is well. Fewer
// warnings than error values are wrong too: then an error value was stored without a warning, perhaps as another
// label.
func unexpected(warnings uint16, expected int) uint16 {
	if n := int(warnings); n < expected {
		return uint16(min(expected-n, 65535)) //nolint:gosec // bounded
	}
	return warnings - uint16(expected) //nolint:gosec // at most warnings
}
