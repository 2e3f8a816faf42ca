package mysql

import (
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// ParseCreate reads what SHOW CREATE TABLE of the given server printed for the named table, under the default quoting
// (no ANSI_QUOTES, no NO_BACKSLASH_ESCAPES, no NO_TABLE_OPTIONS). Anything that it does not understand is an error that
// shows where: a table is understood completely or not at all.
func ParseCreate(create string, name schema.Name, flavor Flavor, collations Collations) (*schema.Table, error) {
	p := &parser{Cursor: sqltext.NewCursor(create, printed), collations: collations}
	if p.Err != nil {
		return nil, fmt.Errorf("parse definition of %s: %w of SHOW CREATE TABLE", name, p.Err)
	}
	p.table = &schema.Table{Name: name, Definition: create, Flavor: schema.Flavor(flavor)}
	p.create()
	if lost := (*sqltext.MisunderstoodError)(nil); errors.As(p.Err, &lost) {
		return nil, fmt.Errorf("parse definition of %s: %w of SHOW CREATE TABLE", name, p.Err)
	}
	if p.Err != nil {
		return nil, fmt.Errorf("parse definition of %s: %w", name, p.Err)
	}
	return p.table, nil
}

// parser reads one CREATE TABLE.
type parser struct {
	sqltext.Cursor
	table      *schema.Table
	collations Collations
	pending    []pendingCharset // per column: the table's default, which may apply, comes after the columns
}

// pendingCharset is what a column's own definition says about its character set; "" is nothing.
type pendingCharset struct{ charset, collation string }

// create reads the whole statement. What a server leaves out because it is the default is filled in at the end.
func (p *parser) create() {
	p.Expect("CREATE")
	p.Accept("TEMPORARY")
	p.Expect("TABLE")
	if name := p.ident(); p.Err == nil && !strings.EqualFold(name, p.table.Name.Table) {
		p.Fail("no definition of this table but of %s", Quote(name))
	}
	p.ExpectMark("(")
	for {
		p.element()
		if !p.AcceptMark(",") {
			break
		}
	}
	p.ExpectMark(")")
	p.options()
	if p.Err == nil && p.Peek().Kind != sqltext.End {
		p.Misunderstood()
	}
	p.resolve()
}

// element reads a column, an index or a constraint.
func (p *parser) element() {
	t := p.Peek()
	switch {
	case t.Kind == sqltext.Name:
		p.column()
	case p.Accept("PRIMARY KEY"):
		index := p.index("PRIMARY", schema.BTree, true)
		p.table.Primary = &index
	case p.Accept("UNIQUE KEY"):
		p.secondary(schema.BTree, true)
	case p.Accept("KEY"):
		p.secondary(schema.BTree, false)
	case p.Accept("FULLTEXT KEY"):
		p.secondary(schema.Fulltext, false)
	case p.Accept("SPATIAL KEY"):
		p.secondary(schema.Spatial, false)
	case p.Accept("VECTOR KEY"):
		p.secondary(schema.VectorIndex, false)
	case p.Accept("CONSTRAINT"):
		p.constraint(p.ident())
	case t.Is("FOREIGN"), t.Is("CHECK"):
		p.constraint("")
	case p.Accept("PERIOD FOR"):
		p.period()
	default:
		p.Misunderstood()
	}
}

// period reads PERIOD FOR name (start, end), which is kept among the options.
func (p *parser) period() {
	name := "SYSTEM_TIME"
	if !p.Accept("SYSTEM_TIME") {
		name = Quote(p.ident())
	}
	p.table.Options = append(p.table.Options, periodOption+name+" ("+quoteAll(p.columnNames())+")")
}

// periodOption begins the entries of Table.Options that stand among the columns.
const periodOption = "PERIOD FOR "

// constraint reads a foreign key or a check behind its name.
func (p *parser) constraint(name string) {
	switch {
	case p.Accept("FOREIGN KEY"):
		p.foreignKey(name)
	case p.Accept("CHECK"):
		check := schema.Check{Name: name, Expr: p.parenthesised()}
		check.NotEnforced = p.Accept("NOT ENFORCED")
		p.table.Checks = append(p.table.Checks, check)
	default:
		p.Misunderstood()
	}
}

// foreignKey reads a foreign key behind these words. A parent without a database is in the table's own.
func (p *parser) foreignKey(name string) {
	key := schema.ForeignKey{Name: name, Columns: p.columnNames()}
	p.Expect("REFERENCES")
	key.Parent = schema.Name{Database: p.table.Name.Database, Table: p.ident()}
	if p.AcceptMark(".") {
		key.Parent = schema.Name{Database: key.Parent.Table, Table: p.ident()}
	}
	key.ParentColumns = p.columnNames()
	for {
		switch {
		case p.Accept("ON DELETE"):
			key.OnDelete = p.action()
		case p.Accept("ON UPDATE"):
			key.OnUpdate = p.action()
		default:
			p.table.ForeignKeys = append(p.table.ForeignKeys, key)
			return
		}
	}
}

// action reads what a foreign key does.
func (p *parser) action() string {
	for _, action := range []string{"CASCADE", "RESTRICT", "NO ACTION", "SET NULL", "SET DEFAULT"} {
		if p.Accept(action) {
			return action
		}
	}
	p.Misunderstood()
	return ""
}

// columnNames reads (`a`,`b`).
func (p *parser) columnNames() []string {
	p.ExpectMark("(")
	names := []string{p.ident()}
	for p.AcceptMark(",") {
		names = append(names, p.ident())
	}
	p.ExpectMark(")")
	return names
}
