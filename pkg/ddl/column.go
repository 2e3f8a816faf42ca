package ddl

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// nowWith writes CURRENT_TIMESTAMP with its digits, as schema.Column has it: CURRENT_TIMESTAMP(3), and none for 0.
func nowWith(digits int) string {
	if digits == 0 {
		return "CURRENT_TIMESTAMP"
	}
	return fmt.Sprintf("CURRENT_TIMESTAMP(%d)", digits)
}

// column returns what a server makes of a column's definition in a table with the given character set, and what of it
// is unknown, or "". For example `n INT` becomes a column that may be NULL, with DEFAULT NULL. Expressions are left
// out: they may name columns that come later, see expressions.
func (w *world) column(d *columnDef, t *schema.Table) (c schema.Column, unsure string) {
	c = schema.Column{
		Name: d.name, AutoIncrement: d.auto, OnUpdate: d.onUpdate, Invisible: d.invisible,
		Comment: d.comment, Extra: d.extra,
	}
	c.Type, unsure = w.columnType(d, t)
	if unsure == "" {
		unsure = d.unsure
	}
	c.Type.SRID = d.srid
	// A column that counts is NOT NULL by itself, as is one of the primary key, see demand.
	c.Nullable = !d.notNull && (!d.auto || d.null)
	switch {
	case d.null && (d.notNull || d.auto):
		unsure = "NULL beside NOT NULL"
	case d.generated != 0: // it has no default
		c.Generated = map[int]schema.Generation{virtual: schema.Virtual, stored: schema.Stored}[d.generated]
		return c, unsure
	// explicit_defaults_for_timestamp is off: TIMESTAMP is NOT NULL unless NULL is written.
	case c.Type.Kind == schema.Timestamp && w.ctx.ImplicitTimestamps && !d.null:
		c.Nullable = false
		if d.def == nil && d.onUpdate == "" {
			unsure = implicitDefault
		}
	}
	switch {
	case d.def != nil && d.def.expr == nil:
		var what string
		if c.Default, what = w.value(d.def, &c.Type); what != "" {
			unsure = what
		}
	case c.Nullable && !d.auto:
		c.Default = &schema.Default{Null: true}
	}
	if d.auto && d.def != nil {
		unsure = "the default of a counter"
	}
	return c, cmp.Or(unsure, w.precision(&c))
}

// precision gives CURRENT_TIMESTAMP as many digits as the column has, as MariaDB does: DATETIME(3) DEFAULT NOW() is
// printed with current_timestamp(3). MySQL refuses digits that are not the column's.
func (w *world) precision(c *schema.Column) (unsure string) {
	if c.Type.Kind != schema.Datetime && c.Type.Kind != schema.Timestamp {
		return ""
	}
	own := nowWith(c.Type.Scale)
	fit := func(now string) string {
		if now != nowWith(0) && now != own {
			unsure = "the digits of CURRENT_TIMESTAMP"
		}
		return own
	}
	if c.Default != nil && !c.Default.Null && !c.Default.Literal {
		c.Default.Text = fit(c.Default.Text)
	}
	if c.OnUpdate != "" {
		c.OnUpdate = fit(c.OnUpdate)
	}
	return unsure
}

// implicitDefault is unknown while a TIMESTAMP column is read, if explicit_defaults_for_timestamp is off: the default
// depends on whether another TIMESTAMP comes before it. In CREATE TABLE firstTimestamp finds it; in ALTER TABLE it
// stays unknown.
const implicitDefault = "the default of a TIMESTAMP column (explicit_defaults_for_timestamp)"

// columnType returns the type that a server makes of a definition's, in a table with the given character set.
func (w *world) columnType(d *columnDef, t *schema.Table) (typ schema.Type, unsure string) {
	spec := d.typ
	charset, collation, unsure := w.charset(&spec, t.Charset, t.Collation)
	if charset == "binary" {
		spec.bytes()
	}
	if what := spec.measure(charset); what != "" && unsure == "" {
		unsure = what
	}
	typ, err := mysql.ParseType(spec.text())
	if err != nil {
		return typ, "a type: " + err.Error()
	}
	// SHOW CREATE TABLE prints a label with an emoji as '?', so nobody can compare it.
	if !shown(strings.Join(typ.Labels, "")) {
		unsure = "labels that the server cannot print"
	}
	if typ.IsText() {
		typ.Charset, typ.Collation = charset, collation
		if collation == "" {
			unsure = "a character set"
		}
	}
	return typ, unsure
}

// charset returns a column's character set and collation, by what its type says and the table's defaults. BINARY behind
// a type means the character set's _bin collation.
func (w *world) charset(spec *typeSpec, charset, collation string) (set, order, unsure string) {
	switch {
	case spec.json:
		if spec.charset != "" || spec.collation != "" || spec.binary {
			unsure = "the character set of a JSON column"
		}
		return "utf8mb4", "utf8mb4_bin", unsure
	case spec.national:
		spec.charset = "utf8mb3"
	}
	set, order = spec.charset, spec.collation
	switch {
	case spec.binary && order == "":
		if set == "" {
			set = charset
		}
		return set, strings.TrimPrefix(set+"_bin", "binary_"), ""
	case set == "" && order == "":
		return charset, collation, ""
	}
	return w.complete(set, order, charset)
}

// complete derives a character set from its collation, or a collation as the default of its character set; "" or
// "default" is one that was not given. MariaDB takes collations without a character set, such as uca1400_ai_ci: these
// get the character set fallback.
func (w *world) complete(set, order, fallback string) (charset, collation, unsure string) {
	if order == "default" {
		order = ""
	}
	if set == "default" || order == "" && set == "" {
		return "", "", "the default character set"
	}
	if order == "" {
		if order = w.cat.Collations.Standard(set); order == "" {
			unsure = "the default collation of " + set
		}
		return set, order, unsure
	}
	// A name that is no collation by itself may be one without its character set.
	known := w.cat.Collations.Known
	if len(known) > 0 && known[order] == "" && known[strings.Replace(order, "utf8mb3_", "utf8_", 1)] == "" {
		if set == "" {
			set = fallback
		}
		if order = set + "_" + order; known[order] == "" {
			unsure = "the collation " + order
		}
	}
	if set == "" {
		set = w.cat.Collations.Charset(order)
	}
	return set, order, unsure
}

// bytes makes the type what it is in character set binary: VARCHAR(9) becomes VARBINARY(9).
func (s *typeSpec) bytes() {
	switch s.name {
	case "char":
		s.name = "binary"
	case "varchar":
		s.name = "varbinary"
	case "tinytext", "text", "mediumtext", "longtext":
		s.name = strings.Replace(s.name, "text", "blob", 1)
	}
}

// width returns the most bytes of a character. A character set that is not listed has one.
func width(charset string) int {
	switch charset {
	case "utf8mb4", "utf16", "utf16le", "utf32", "gb18030":
		return 4
	case "utf8mb3", "ujis", "eucjpms":
		return 3
	case "ucs2", "gbk", "big5", "sjis", "cp932", "euckr", "gb2312":
		return 2
	}
	return 1
}

// measure replaces what follows from a type's length or width, and returns what is unknown, or "". TEXT(300) in utf8mb4
// needs 1200 bytes and is TEXT; TEXT(50) is TINYTEXT; FLOAT(30) is DOUBLE. A VARCHAR that is too long becomes a TEXT or
// an error, by sql_mode.
func (s *typeSpec) measure(charset string) (unsure string) {
	arg := 0
	if len(s.args) > 0 && s.name != "enum" && s.name != "set" {
		arg, _ = strconv.Atoi(s.args[0])
	}
	switch s.name {
	case "text", "blob":
		bytes := arg
		if s.name == "text" {
			bytes *= width(charset)
		}
		if len(s.args) > 0 {
			s.name, s.args = sized(s.name, bytes), nil
		}
	case "varchar", "varbinary":
		if len(s.args) == 0 || arg*map[bool]int{true: width(charset), false: 1}[s.name == "varchar"] > 65535 {
			return "a column that is longer than its type may be"
		}
	case "char", "binary":
		if arg > 255 {
			return "a column that is longer than its type may be"
		}
	case "float": // FLOAT(p) only chooses between the two types; p is not kept
		if len(s.args) == 1 {
			if s.args = nil; arg > 24 {
				s.name = "double"
			}
		}
	case "vector":
		if len(s.args) == 0 {
			s.args = []string{"2048"}
		}
	case "decimal":
		if len(s.args) > 0 && arg == 0 {
			return "a decimal of no digits"
		}
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		// The width that values are filled to is the one of the largest value.
		if s.zerofill && len(s.args) == 0 {
			s.args = []string{map[string]string{
				"tinyint": "3", "smallint": "5", "mediumint": "8", "int": "10",
				"bigint": "20",
			}[s.name]}
		}
	}
	return ""
}

// sized returns the smallest of the four types of text or blob that holds a number of bytes. 0 is no number: TEXT(0) is
// TEXT.
func sized(kind string, bytes int) string {
	switch {
	case bytes == 0:
		return kind
	case bytes < 1<<8:
		return "tiny" + kind
	case bytes < 1<<16:
		return kind
	case bytes < 1<<24:
		return "medium" + kind
	}
	return "long" + kind
}

// text writes the type as SHOW CREATE TABLE does, so that the parser of printed tables can read it: one place knows
// what a printed type means.
func (s *typeSpec) text() string {
	args := s.args
	if s.name == "enum" || s.name == "set" {
		args = make([]string, len(s.args))
		for i, label := range s.args {
			args[i] = mysql.Literal(label)
		}
	}
	t := s.name
	if len(args) > 0 {
		t += "(" + strings.Join(args, ",") + ")"
	}
	if s.unsigned {
		t += " unsigned"
	}
	if s.zerofill {
		t += " zerofill"
	}
	return t
}

// expressions fills in what of a column is an expression, now that all columns are known, and returns what is unknown,
// or "". MariaDB keeps a column's own check with the column, and gives one to JSON, its alias of LONGTEXT. MySQL makes
// every check one of the table.
func (w *world) expressions(d *columnDef, c *schema.Column, columns []schema.Column) (unsure string) {
	printed := func(e expression) string {
		if what := e.unsure(columns); what != "" && unsure == "" {
			unsure = "how the server prints " + what
		}
		return e.sql(columns)
	}
	if d.generated != 0 {
		c.Expr = printed(d.expr)
	}
	if d.def != nil && d.def.expr != nil {
		c.Default = &schema.Default{Text: printed(d.def.expr)}
		if d.def.expr.constant() && w.ctx.Flavor.Family == schema.MariaDB {
			unsure = "how the server prints a literal in parentheses"
		}
	}
	if w.ctx.Flavor.Family == schema.MySQL {
		return unsure
	}
	for _, check := range d.checks {
		if c.Check != "" || check.name != "" {
			unsure = "several checks of a column"
		}
		c.Check = printed(check.expr)
	}
	if d.typ.json && c.Check == "" {
		c.Check = "json_valid(" + mysql.Quote(c.Name) + ")"
	}
	return unsure
}
