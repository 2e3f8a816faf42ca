package mysql

import (
	"encoding/hex"
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// column writes a column's definition in the order that both grammars want. A character set is written only where it is
// not the table's.
func (d dialect) column(t *schema.Table, c *schema.Column) string {
	var b strings.Builder
	b.WriteString(Quote(c.Name) + " " + c.Type.Text)
	write := func(text string) { b.WriteString(" " + text) }
	for _, extra := range c.Extra {
		if strings.HasPrefix(extra, compressedColumn) || strings.HasPrefix(extra, "REF_SYSTEM_ID") {
			write(extra)
		}
	}
	if c.Type.IsText() && c.Type.Collation != t.Collation {
		write("CHARACTER SET " + d.charsetName(c.Type.Charset) + " COLLATE " + d.collationName(c.Type.Collation))
	}
	if c.Type.SRID != nil {
		write(fmt.Sprintf("SRID %d", *c.Type.SRID))
	}
	d.generation(c, write)
	if c.Invisible {
		write("INVISIBLE")
	}
	if c.Default != nil {
		write("DEFAULT " + d.defaultValue(c))
	}
	if c.OnUpdate != "" {
		write("ON UPDATE " + c.OnUpdate)
	}
	if c.AutoIncrement {
		write("AUTO_INCREMENT")
	}
	if c.Comment != "" {
		write("COMMENT " + Literal(c.Comment))
	}
	for _, extra := range c.Extra {
		if !strings.HasPrefix(extra, compressedColumn) && !strings.HasPrefix(extra, "REF_SYSTEM_ID") {
			write(extra)
		}
	}
	if c.Check != "" {
		write("CHECK (" + c.Check + ")")
	}
	return b.String()
}

// generation writes how a generated column is computed, and whether a column may be NULL. NULL is written out because a
// TIMESTAMP without it may be NOT NULL (explicit_defaults_for_timestamp).
func (d dialect) generation(c *schema.Column, write func(string)) {
	switch {
	case c.Generated == schema.Virtual:
		write("GENERATED ALWAYS AS (" + c.Expr + ") VIRTUAL")
	case strings.HasPrefix(c.Expr, "ROW "):
		write("GENERATED ALWAYS AS " + c.Expr)
	case c.Generated == schema.Stored:
		write("GENERATED ALWAYS AS (" + c.Expr + ") STORED")
	}
	switch {
	case !c.Nullable && (c.Generated == schema.NotGenerated || d.flavor.HasNotNullGenerated()):
		write("NOT NULL")
	case c.Nullable && c.Generated == schema.NotGenerated:
		write("NULL")
	}
}

// defaultValue writes a default. Bytes that are not printable go in hexadecimal digits: a server would read them in the
// connection's character set.
func (d dialect) defaultValue(c *schema.Column) string {
	text := c.Default.Text
	switch {
	case c.Default.Null:
		return "NULL"
	case !c.Default.Literal && strings.HasPrefix(text, currentTimestamp):
		return text
	case !c.Default.Literal:
		return "(" + text + ")"
	case c.Type.Kind == schema.Bit && strings.Trim(text, "01") == "":
		return "b'" + text + "'"
	case c.Type.IsBytes() && !printable(text):
		return "0x" + hex.EncodeToString([]byte(text))
	case c.Type.IsNumber() && isNumber(text):
		return text
	default:
		return Literal(text)
	}
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// index writes an index's definition as it stands in CREATE TABLE and behind ALTER TABLE .. ADD.
func (d dialect) index(index *schema.Index) string {
	var b strings.Builder
	switch {
	case index.Name == "PRIMARY":
		b.WriteString("PRIMARY KEY (")
	case index.Unique:
		b.WriteString("UNIQUE KEY " + Quote(index.Name) + " (")
	default:
		b.WriteString(map[schema.IndexKind]string{
			schema.Fulltext: "FULLTEXT ", schema.Spatial: "SPATIAL ",
			schema.VectorIndex: "VECTOR ",
		}[index.Kind])
		b.WriteString("KEY " + Quote(index.Name) + " (")
	}
	for i, part := range index.Parts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(partText(part))
	}
	for _, extra := range index.Extra {
		if extra == schema.WithoutOverlaps {
			b.WriteString(" " + extra)
		}
	}
	b.WriteByte(')')
	if index.Using != "" {
		b.WriteString(" USING " + index.Using)
	}
	for _, extra := range index.Extra {
		if extra != schema.WithoutOverlaps {
			b.WriteString(" " + extra)
		}
	}
	if index.Comment != "" {
		b.WriteString(" COMMENT " + Literal(index.Comment))
	}
	if index.Invisible {
		b.WriteString(map[bool]string{false: " INVISIBLE", true: " IGNORED"}[d.flavor.Family == schema.MariaDB])
	}
	return b.String()
}

func partText(p schema.Part) string {
	text := Quote(p.Column)
	if p.Expr != "" {
		text = "(" + p.Expr + ")"
	}
	if p.Prefix != 0 {
		text += fmt.Sprintf("(%d)", p.Prefix)
	}
	if p.Desc {
		text += " DESC"
	}
	return text
}

func (d dialect) check(check schema.Check) string {
	text := "CHECK (" + check.Expr + ")"
	if check.Name != "" {
		text = "CONSTRAINT " + Quote(check.Name) + " " + text
	}
	if check.NotEnforced {
		text += " NOT ENFORCED"
	}
	return text
}

// tableOptions writes what follows the closing parenthesis. AUTO_INCREMENT is left out: rows move it, and
// SetAutoIncrement sets it in the end.
func (d dialect) tableOptions(t *schema.Table) string {
	var b strings.Builder
	if t.Engine != "" {
		b.WriteString(" ENGINE=" + t.Engine)
	}
	if t.Charset != "" {
		b.WriteString(" DEFAULT CHARSET=" + d.charsetName(t.Charset))
	}
	if t.Collation != "" {
		b.WriteString(" COLLATE=" + d.collationName(t.Collation))
	}
	if t.RowFormat != "" {
		b.WriteString(" ROW_FORMAT=" + t.RowFormat)
	}
	for _, option := range t.Options {
		if !strings.HasPrefix(option, periodOption) {
			b.WriteString(" " + option)
		}
	}
	if t.Comment != "" {
		b.WriteString(" COMMENT=" + Literal(t.Comment))
	}
	if t.Partition != "" {
		b.WriteString("\n" + t.Partition)
	}
	return b.String()
}

// charsetName returns a character set's name on the server.
func (d dialect) charsetName(name string) string {
	if name == "utf8mb3" && !d.flavor.HasUtf8mb3Names() {
		return "utf8"
	}
	return name
}

// collationName returns a collation's name on the server.
func (d dialect) collationName(name string) string {
	if !d.flavor.HasUtf8mb3Names() {
		return oldCollation(name)
	}
	return name
}
