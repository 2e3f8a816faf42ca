package mysql

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// imageHash returns the expression for the SHA-256 of a row's canonical bytes, in hexadecimal digits: rows of a table
// without a key are found by it, because = on the columns is a matter of collations ('a' = 'A'), loses NULLs and
// takes -0 for 0. The bytes are those of digest, but long values are hashed by themselves: CONCAT yields NULL beyond
// max_allowed_packet.
func imageHash(rel *route.Relation) string {
	return digestOf(rel, func(parts []string, rel *route.Relation, i int) []string {
		c := rel.Column(i)
		if !isLong(c) {
			return appendDigested(parts, rel, i)
		}
		value := dialect.Quote(c.Name)
		if c.Type.Kind == schema.JSON {
			value = "CONVERT(" + value + " USING utf8mb4)"
		}
		return append(parts, "IF("+dialect.Quote(c.Name)+" IS NULL, '~', SHA2("+value+", 256))")
	})
}

// isLong tells whether values may be longer than a row of other types can be, 64 KiB.
func isLong(c *schema.Column) bool {
	switch c.Type.Kind {
	case schema.Text, schema.Blob, schema.JSON, schema.Geometry:
		return true
	default:
		return false
	}
}

// hashImage returns what imageHash yields for a row. buffer is reused.
func hashImage(rel *route.Relation, row db.Row, buffer []byte) (hash string, _ []byte) {
	buffer = buffer[:0]
	for i, v := range row {
		switch {
		case v == nil:
			buffer = append(buffer, '~')
		case isLong(rel.Column(i)):
			sum := sha256.Sum256(v)
			buffer = hex.AppendEncode(buffer, sum[:])
		default:
			buffer = append(strconv.AppendInt(buffer, int64(len(v)), 10), ':')
			buffer = append(buffer, v...)
		}
	}
	sum := sha256.Sum256(buffer)
	return hex.EncodeToString(sum[:]), buffer
}

// indexedColumns returns the values by which an index of the table may find a row: columns that come first in an index.
// They only narrow the search, the hash decides. So a type must not lose a row: equal bytes must compare as equal.
// FLOAT, for example, is left out, because its literal may not equal the stored number.
func indexedColumns(rel *route.Relation) (positions []int) {
	for i := range rel.Columns {
		c := rel.Column(i)
		switch c.Type.Kind {
		case schema.Integer, schema.Decimal, schema.Char, schema.Varchar, schema.Binary, schema.Varbinary,
			schema.Date, schema.Datetime, schema.Timestamp:
		default:
			continue
		}
		if slices.ContainsFunc(rel.Table.Indexes, func(x schema.Index) bool {
			return x.Kind == schema.BTree && !x.Invisible && len(x.Parts) > 0 &&
				strings.EqualFold(x.Parts[0].Column, c.Name)
		}) {
			positions = append(positions, i)
		}
	}
	return positions
}

// appendLookup appends a condition that holds for every row equal to one of images, and for which an index may be
// used. <=> and not =, because a row may hold NULL there.
func appendLookup(b []byte, rel *route.Relation, indexed []int, images []image) []byte {
	for i := range images {
		if i > 0 {
			b = append(b, " OR "...)
		}
		b = append(b, '(')
		for j, p := range indexed {
			if j > 0 {
				b = append(b, " AND "...)
			}
			b = append(append(b, dialect.Quote(rel.Column(p).Name)...), " <=> "...)
			b = appendKey(b, literalType(rel, p), images[i].row[p])
		}
		b = append(b, ')')
	}
	return b
}

// appendHashes appends the list of the images' hashes.
func appendHashes(b []byte, images []image) []byte {
	for i := range images {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '\''), images[i].hash...), '\'')
	}
	return b
}
