package ddl

import (
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
	"wherry/pkg/sqltext"
)

// partitioning is how a table is cut into partitions: as a statement gives it, and as a server prints it.
type partitioning struct {
	by     string     // "HASH", "LINEAR KEY", "RANGE", "RANGE COLUMNS", ..
	expr   expression // of HASH, RANGE and LIST
	names  []string   // of KEY and COLUMNS
	count  int        // PARTITIONS n
	subBy  string     // "" without subpartitions
	sub    expression
	subs   []string
	subNum int
	parts  []partition
	unsure string
}

// partition is one partition, in the words of a server's SHOW CREATE TABLE.
type partition struct {
	name   string
	values string // "LESS THAN (5)", "IN (1,2)", or empty
	extra  string // options but the engine
	unsure string
}

// partitioning reads what follows PARTITION BY: HASH (id) PARTITIONS 4, or RANGE (y) (PARTITION p0 VALUES LESS THAN
// (5)).
func (p *parser) partitioning() *partitioning {
	d := &partitioning{}
	d.by, d.expr, d.names = p.partitionBy(d)
	if p.Accept("PARTITIONS") {
		d.count = p.Integer()
	}
	if p.Accept("SUBPARTITION BY") {
		d.subBy, d.sub, d.subs = p.partitionBy(d)
		if p.Accept("SUBPARTITIONS") {
			d.subNum = p.Integer()
		}
	}
	if p.Peek().IsMark("(") {
		d.parts = p.partitions()
	}
	return d
}

// partitionBy reads how rows are assigned to partitions or subpartitions. KEY () means the primary key.
func (p *parser) partitionBy(d *partitioning) (by string, expr expression, names []string) {
	if p.Accept("LINEAR") {
		by = "LINEAR "
	}
	kind := p.acceptAny("HASH", "KEY", "RANGE", "LIST", "SYSTEM_TIME")
	by += kind
	switch kind {
	case "HASH":
		return by, p.parenthesised(), nil
	case "KEY":
		if p.Accept("ALGORITHM") {
			p.AcceptMark("=")
			if p.Integer() == 1 { // the hash of MySQL 5.1; 2 is the default and not printed
				d.unsure = "ALGORITHM of a partition key"
			}
		}
		if p.Ahead(1).IsMark(")") {
			p.ExpectMark("(")
			p.ExpectMark(")")
			return by, nil, nil
		}
		return by, nil, p.names()
	case "RANGE", "LIST":
		if p.Accept("COLUMNS") {
			return by + " COLUMNS", nil, p.names()
		}
		return by, p.parenthesised(), nil
	case "SYSTEM_TIME":
		d.unsure = "partitions by SYSTEM_TIME"
		for p.Peek().Kind != sqltext.End && !p.Peek().IsMark("(") && !p.Peek().Is("PARTITIONS") {
			p.Next()
		}
	default:
		p.Misunderstood()
	}
	return by, nil, nil
}

// partitions reads (PARTITION p .., PARTITION q ..).
func (p *parser) partitions() []partition {
	var parts []partition
	p.ExpectMark("(")
	for {
		p.Expect("PARTITION")
		parts = append(parts, p.partition())
		if !p.AcceptMark(",") {
			break
		}
	}
	p.ExpectMark(")")
	return parts
}

// partition reads one partition from its name on: p0 VALUES LESS THAN (5) COMMENT = 'x'. Its options are kept in the
// order in which servers print them. Named subpartitions and places on disk leave the shape open.
func (p *parser) partition() partition {
	part := partition{name: p.ident()}
	switch {
	case p.Accept("VALUES LESS THAN"):
		if p.Accept("MAXVALUE") {
			part.values = "LESS THAN MAXVALUE"
		} else {
			part.values = "LESS THAN (" + p.partitionValues(&part) + ")"
			if part.values == "LESS THAN (MAXVALUE)" {
				part.values = "LESS THAN MAXVALUE"
			}
		}
	case p.Accept("VALUES IN"):
		part.values = "IN (" + p.partitionValues(&part) + ")"
	case p.Accept("DEFAULT"):
		part.values = "DEFAULT"
	case p.acceptAny("CURRENT", "HISTORY") != "":
		part.unsure = "partitions by SYSTEM_TIME"
	}
	if part.values == "IN (DEFAULT)" { // MariaDB prints both forms as DEFAULT
		part.values = "DEFAULT"
	}
	var comment, most, least string
	for p.Err == nil {
		switch {
		case p.acceptAny("ENGINE", "STORAGE ENGINE") != "":
			p.optionName()
		case p.Accept("COMMENT"):
			p.AcceptMark("=")
			comment = " COMMENT = " + mysql.Literal(basic(p.value()))
		case p.Accept("MAX_ROWS"):
			p.AcceptMark("=")
			most = fmt.Sprintf(" MAX_ROWS = %d", p.Integer())
		case p.Accept("MIN_ROWS"):
			p.AcceptMark("=")
			least = fmt.Sprintf(" MIN_ROWS = %d", p.Integer())
		case p.acceptAny("DATA DIRECTORY", "INDEX DIRECTORY", "TABLESPACE", "NODEGROUP") != "":
			p.AcceptMark("=")
			p.Next()
			part.unsure = "a partition's place"
		case p.Peek().IsMark("("):
			p.Parentheses()
			part.unsure = "named subpartitions"
		default:
			part.extra = most + least + comment
			return part
		}
	}
	return part
}

// partitionValues reads (1, 'x', (2, NULL)) and writes it as servers print it: 1,'x',(2,NULL). The server computes
// functions once and prints the number. TO_DAYS('2024-01-01') is computed here as well; all others are unknown.
func (p *parser) partitionValues(part *partition) string {
	e := p.parenthesised()
	var b strings.Builder
	for i := 0; i < len(e); i++ {
		switch t := e[i]; {
		case t.Kind == sqltext.Number && !strings.ContainsAny(t.Text, ".eE"), t.IsMark("("), t.IsMark(")"),
			t.IsMark(","), t.IsMark("-"):
			b.WriteString(t.Text)
		case t.Kind == sqltext.String:
			b.WriteString(mysql.Literal(t.Text))
		case t.Is("MAXVALUE"), t.Is("NULL"), t.Is("DEFAULT"):
			b.WriteString(strings.ToUpper(t.Text))
		case t.Is("TO_DAYS") && i+3 < len(e) && e[i+1].IsMark("(") && e[i+2].Kind == sqltext.String &&
			e[i+3].IsMark(")") && toDays(e[i+2].Text) > 0:
			fmt.Fprint(&b, toDays(e[i+2].Text))
			i += 3
		default:
			part.unsure = "the values of a partition"
		}
		if e[i].Is("NULL") && i > 0 {
			part.unsure = "the order of a partition's values" // servers print NULL first
		}
	}
	return b.String()
}

// text writes the clause as a server of the table's flavor prints it. Blanks and line ends do not matter: they do not
// count when tables are compared.
func (d *partitioning) text(t *schema.Table) string {
	quote := func(names []string) string {
		quoted := make([]string, len(names))
		for i, n := range names {
			if at := t.Column(n); at >= 0 {
				n = t.Columns[at].Name
			}
			quoted[i] = partitionName(n, t.Flavor)
		}
		return strings.Join(quoted, ",")
	}
	by := func(by string, expr expression, names []string) string {
		if expr != nil {
			return by + " (" + expr.sql(t.Columns) + ")"
		}
		return by + " (" + quote(names) + ")"
	}
	var b strings.Builder
	b.WriteString("PARTITION BY " + by(d.by, d.expr, d.names))
	if d.subBy != "" {
		b.WriteString("\nSUBPARTITION BY " + by(d.subBy, d.sub, d.subs))
		if d.subNum > 0 {
			fmt.Fprintf(&b, "\nSUBPARTITIONS %d", d.subNum)
		}
	}
	if len(d.parts) == 0 {
		fmt.Fprintf(&b, "\nPARTITIONS %d", max(d.count, 1))
		return b.String()
	}
	parts := make([]string, len(d.parts))
	for i, part := range d.parts {
		parts[i] = "PARTITION " + partitionName(part.name, t.Flavor)
		if part.values == "DEFAULT" {
			parts[i] += " DEFAULT"
		} else if part.values != "" {
			parts[i] += " VALUES " + part.values
		}
		parts[i] += part.extra + " ENGINE = " + t.Engine
	}
	return b.String() + "\n(" + strings.Join(parts, ",\n ") + ")"
}

// partitionName quotes a name as servers do in a partition clause: MariaDB always, MySQL only if the name needs it.
func partitionName(name string, flavor schema.Flavor) string {
	plain := strings.IndexFunc(name, func(r rune) bool { return r >= 0x80 || !sqltext.WordByte(byte(r)) }) < 0 &&
		strings.Trim(name, "0123456789") != ""
	if flavor.Family == schema.MariaDB || !plain {
		return mysql.Quote(name)
	}
	return name
}

// all returns the names of all partitions; those without names are p0, p1, ..
func (d *partitioning) all() []string {
	var names []string
	for _, part := range d.parts {
		names = append(names, part.name)
	}
	if len(names) == 0 {
		for i := range max(d.count, 1) {
			names = append(names, fmt.Sprintf("p%d", i))
		}
	}
	return names
}

// find returns the position of a partition by its name, or -1.
func (d *partitioning) find(name string) int {
	return slices.IndexFunc(d.parts, func(p partition) bool { return strings.EqualFold(p.name, name) })
}

// unknown returns what of the clause is unknown, or "".
func (d *partitioning) unknown(t *schema.Table) string {
	if d.unsure != "" {
		return d.unsure
	}
	for _, e := range []expression{d.expr, d.sub} {
		if what := e.unsure(t.Columns); what != "" {
			return "how the server prints " + what
		}
	}
	for _, part := range d.parts {
		if part.unsure != "" {
			return part.unsure
		}
	}
	return ""
}
