package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"wherry/pkg/schema"
)

// Identifiers is the rule by which names of the source become names on PostgreSQL. They are always quoted, so that
// "keep" is possible; people who write SQL without quotes want one of the others.
type Identifiers string

// The rules. The zero value is Keep.
const (
	Keep  Identifiers = "keep"  // as they are
	Lower Identifiers = "lower" // OrderID becomes orderid
	Snake Identifiers = "snake" // OrderID becomes order_id
)

// ParseIdentifiers reads a rule; an empty text is Keep.
func ParseIdentifiers(text string) (Identifiers, error) {
	switch rule := Identifiers(text); rule {
	case "":
		return Keep, nil
	case Keep, Lower, Snake:
		return rule, nil
	default:
		return "", fmt.Errorf("invalid rule for identifiers %q, not keep, lower or snake", text)
	}
}

// MaxIdentifier is the most bytes that a name may have. PostgreSQL cuts longer ones without a word (manual 4.1.1).
const MaxIdentifier = 63

// Apply returns the name that an identifier of the source has on PostgreSQL. Applied to its own result it changes
// nothing.
func (i Identifiers) Apply(name string) string {
	switch i {
	case Lower:
		name = strings.ToLower(name)
	case Snake:
		name = snake(name)
	default:
	}
	return shorten(name)
}

// Name applies the rule to both halves of a table's name.
func (i Identifiers) Name(n schema.Name) schema.Name {
	return schema.Name{Database: i.Apply(n.Database), Table: i.Apply(n.Table)}
}

// snake puts an underscore before each capital that begins a word: HTTPServerID2 becomes http_server_id2. Blanks and
// hyphens become underscores too.
func snake(name string) string {
	runes := []rune(name)
	var b strings.Builder
	for i, r := range runes {
		switch {
		case r == ' ' || r == '-':
			b.WriteByte('_')
			continue
		case unicode.IsUpper(r) && i > 0 && startsWord(runes, i):
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// startsWord tells whether the capital at a place begins a word: what is before it is a small letter or a digit, or it
// is the last capital of several and a small letter follows.
func startsWord(runes []rune, at int) bool {
	before := runes[at-1]
	if unicode.IsLower(before) || unicode.IsDigit(before) {
		return true
	}
	return unicode.IsUpper(before) && at+1 < len(runes) && unicode.IsLower(runes[at+1])
}

// shorten returns a name of at most MaxIdentifier bytes. One that is longer is cut between characters and ends in a
// hash of the whole: the same name becomes the same, and two that begin alike stay two.
func shorten(name string) string {
	if len(name) <= MaxIdentifier {
		return name
	}
	return hashed(name, name)
}

// hashed returns a name with a hash of another text behind it, cut to what fits.
func hashed(name, of string) string {
	sum := sha256.Sum256([]byte(of))
	suffix := "_" + hex.EncodeToString(sum[:4])
	end := min(len(name), MaxIdentifier-len(suffix))
	for end > 0 && end < len(name) && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end] + suffix
}

// indexName returns the name of an index. PostgreSQL keeps the names of indexes and tables of a schema in one place,
// MySQL those of indexes per table: so the table's name stands before the index's. Where that is what a table, or
// another index, is called it ends in a hash.
func (d Dialect) indexName(table schema.Name, index string) string {
	name := plainIndexName(table, index)
	if d.known != nil && d.known.named[schema.Name{Database: table.Database, Table: name}] > 1 {
		return hashed(name, table.Table+"\x00"+index)
	}
	return name
}

func plainIndexName(table schema.Name, index string) string {
	return shorten(table.Table + "_" + index)
}
