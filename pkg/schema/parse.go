package schema

import (
	"fmt"
	"strings"
)

// ParseCreate reads what SHOW CREATE TABLE of the given server printed for the named table, under the default quoting
// (no ANSI_QUOTES, no NO_BACKSLASH_ESCAPES, no NO_TABLE_OPTIONS). Anything that it does not understand is an error that
// shows where: a table is understood completely or not at all.
func ParseCreate(create string, name Name, flavor Flavor, collations Collations) (*Table, error) {
	tokens, err := lex(create)
	if err != nil {
		return nil, fmt.Errorf("parse definition of %s: %w of SHOW CREATE TABLE", name, err)
	}
	p := &parser{src: create, tokens: tokens, collations: collations}
	p.table = &Table{Name: name, Definition: create, Flavor: flavor}
	p.create()
	if p.err != nil {
		return nil, fmt.Errorf("parse definition of %s: %w", name, p.err)
	}
	return p.table, nil
}

// parser walks the tokens of one CREATE TABLE. After the first error every token reads as the end, so that all loops
// end by themselves and only the caller needs to look at err.
type parser struct {
	src        string
	tokens     []token
	at         int
	err        error
	table      *Table
	collations Collations
	pending    []pendingCharset // per column: the table's default comes after the columns
}

// pendingCharset is what a column says of its character set.
type pendingCharset struct{ charset, collation string }

func (p *parser) create() {
	p.expect("CREATE")
	p.accept("TEMPORARY")
	p.expect("TABLE")
	if name := p.ident(); p.err == nil && !strings.EqualFold(name, p.table.Name.Table) {
		p.fail(fmt.Errorf("no definition of this table but of %s", Quote(name)))
	}
	p.expectPunct("(")
	for {
		p.element()
		if !p.acceptPunct(",") {
			break
		}
	}
	p.expectPunct(")")
	p.options()
	if p.err == nil && p.peek().kind != tokenEnd {
		p.misunderstood()
	}
	p.resolve()
}

// element reads a column, an index or a constraint.
func (p *parser) element() {
	t := p.peek()
	switch {
	case t.kind == tokenIdent:
		p.column()
	case p.accept("PRIMARY", "KEY"):
		index := p.index("PRIMARY", BTree, true)
		p.table.Primary = &index
	case p.accept("UNIQUE", "KEY"):
		p.secondary(BTree, true)
	case p.accept("KEY"):
		p.secondary(BTree, false)
	case p.accept("FULLTEXT", "KEY"):
		p.secondary(Fulltext, false)
	case p.accept("SPATIAL", "KEY"):
		p.secondary(Spatial, false)
	case p.accept("VECTOR", "KEY"):
		p.secondary(VectorIndex, false)
	case p.accept("CONSTRAINT"):
		p.constraint(p.ident())
	case t.is("FOREIGN"), t.is("CHECK"):
		p.constraint("")
	case p.accept("PERIOD", "FOR"):
		p.period()
	default:
		p.misunderstood()
	}
}

// period reads PERIOD FOR name (start, end), which is kept among the options.
func (p *parser) period() {
	name := "SYSTEM_TIME"
	if !p.accept("SYSTEM_TIME") {
		name = Quote(p.ident())
	}
	p.table.Options = append(p.table.Options, periodOption+name+" ("+quoteAll(p.columnNames())+")")
}

// periodOption begins the entries of Table.Options that stand among the columns.
const periodOption = "PERIOD FOR "

func (p *parser) constraint(name string) {
	switch {
	case p.accept("FOREIGN", "KEY"):
		p.foreignKey(name)
	case p.accept("CHECK"):
		check := Check{Name: name, Expr: p.parenthesised()}
		check.NotEnforced = p.accept("NOT", "ENFORCED")
		p.table.Checks = append(p.table.Checks, check)
	default:
		p.misunderstood()
	}
}

func (p *parser) foreignKey(name string) {
	key := ForeignKey{Name: name, Columns: p.columnNames()}
	p.expect("REFERENCES")
	key.Parent = Name{p.table.Name.Database, p.ident()}
	if p.acceptPunct(".") {
		key.Parent = Name{key.Parent.Table, p.ident()}
	}
	key.ParentColumns = p.columnNames()
	for {
		switch {
		case p.accept("ON", "DELETE"):
			key.OnDelete = p.action()
		case p.accept("ON", "UPDATE"):
			key.OnUpdate = p.action()
		default:
			p.table.ForeignKeys = append(p.table.ForeignKeys, key)
			return
		}
	}
}

func (p *parser) action() string {
	for _, action := range []string{"CASCADE", "RESTRICT", "NO ACTION", "SET NULL", "SET DEFAULT"} {
		if p.accept(strings.Fields(action)...) {
			return action
		}
	}
	p.misunderstood()
	return ""
}

// columnNames reads (`a`,`b`).
func (p *parser) columnNames() []string {
	p.expectPunct("(")
	names := []string{p.ident()}
	for p.acceptPunct(",") {
		names = append(names, p.ident())
	}
	p.expectPunct(")")
	return names
}
