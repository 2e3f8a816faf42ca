package ddl

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
)

// Change is one schema-change statement.
type Change struct {
	statement statement
	ctx       Context
}

// statement is what a kind of statement knows of itself.
type statement interface {
	// tables returns the base tables that the statement may change.
	tables() []schema.Name
	// apply returns what it does to them.
	apply(w *world) ([]Effect, error)
}

// Parse reads exactly one statement. One that it cannot read is ErrUnknown, with the reason.
func Parse(text string, c Context) (*Change, error) {
	tokens, err := lex(text, c)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	p := &parser{src: text, tokens: tokens, ctx: c}
	statement := p.statement()
	for p.acceptMark(";") {
	}
	if p.err == nil && p.peek().kind != end {
		p.misunderstood()
	}
	if p.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknown, p.err)
	}
	return &Change{statement: statement, ctx: c}, nil
}

// Tables returns every base table whose rows, shape or name the statement may change, in the order of the statement: both names of a
// rename, the table that CREATE makes, the other table of EXCHANGE PARTITION. A temporary table is none of them.
func (c *Change) Tables() []schema.Name {
	var unique []schema.Name
	seen := map[schema.Name]bool{}
	for _, n := range c.statement.tables() {
		if !seen[n] {
			seen[n] = true
			unique = append(unique, n)
		}
	}
	return unique
}

// Database returns the database that the statement drops with all that is in it, or "".
func (c *Change) Database() string {
	if d, ok := c.statement.(*dropDatabase); ok {
		return d.name
	}
	return ""
}

// Apply returns what the statement does to the tables of the catalog, in order. An error means that it contradicts the catalog.
func (c *Change) Apply(cat Catalog) ([]Effect, error) {
	effects, err := c.statement.apply(newWorld(c.ctx, cat))
	if err != nil {
		return nil, fmt.Errorf("apply schema change: %w", err)
	}
	return effects, nil
}

// statement reads a statement by its first words.
func (p *parser) statement() statement {
	if p.accept("SET STATEMENT") { // MariaDB: SET STATEMENT variable = value, .. FOR statement
		for p.peek().kind != end && !p.accept("FOR") {
			p.next()
		}
	}
	switch p.acceptAny("CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE") {
	case "CREATE":
		return p.createStatement()
	case "ALTER":
		return p.alterStatement()
	case "DROP":
		return p.dropStatement()
	case "RENAME":
		return p.renameStatement()
	case "TRUNCATE":
		p.accept("TABLE")
		s := &truncateTable{name: p.table()}
		p.wait()
		return s
	}
	p.misunderstood()
	return nil
}

// wait passes WAIT n and NOWAIT (MariaDB).
func (p *parser) wait() {
	if p.accept("WAIT") {
		p.integer()
	} else {
		p.accept("NOWAIT")
	}
}

func (p *parser) createStatement() statement {
	replace := p.accept("OR REPLACE")
	switch {
	case p.accept("TEMPORARY TABLE"):
		for p.next().kind != end {
		}
		return nothing{}
	case p.accept("TABLE"):
		return p.createTable(replace)
	case p.acceptAny("DATABASE", "SCHEMA") != "":
		p.ifNotExists()
		name := p.ident()
		for p.next().kind != end {
		}
		if replace {
			return &dropDatabase{name: name}
		}
		return nothing{}
	}
	return p.createIndex(replace)
}

// createIndex reads CREATE [UNIQUE] INDEX, which is ALTER TABLE with one clause.
func (p *parser) createIndex(replace bool) statement {
	var def indexDef
	p.acceptAny("ONLINE", "OFFLINE")
	switch p.acceptAny("UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR") {
	case "UNIQUE":
		def.unique = true
	case "FULLTEXT":
		def.kind = schema.Fulltext
	case "SPATIAL":
		def.kind = schema.Spatial
	case "VECTOR":
		def.kind = schema.VectorIndex
	}
	p.expect("INDEX")
	def.optional = p.ifNotExists()
	def.name = p.ident()
	p.indexType(&def)
	p.expect("ON")
	s := &alterTable{name: p.table()}
	p.wait()
	p.indexParts(&def)
	for p.alterHint() || p.indexOption(&def) {
	}
	if replace {
		s.drops = append(s.drops, drop{what: dropIndex, name: def.name, optional: true})
	}
	s.addIndex(def)
	return s
}

func (p *parser) dropStatement() statement {
	if p.accept("TEMPORARY") {
		for p.next().kind != end {
		}
		return nothing{}
	}
	switch {
	case p.acceptAny("DATABASE", "SCHEMA") != "":
		p.accept("IF EXISTS")
		return &dropDatabase{name: p.ident()}
	case p.acceptAny("TABLE", "TABLES") != "":
		s := &dropTable{}
		p.accept("IF EXISTS")
		s.names = append(s.names, p.table())
		for p.acceptMark(",") {
			s.names = append(s.names, p.table())
		}
		p.wait()
		p.acceptAny("RESTRICT", "CASCADE")
		return s
	}
	p.acceptAny("ONLINE", "OFFLINE")
	p.expect("INDEX")
	d := drop{what: dropIndex, optional: p.accept("IF EXISTS")}
	d.name = p.ident()
	p.expect("ON")
	s := &alterTable{name: p.table()}
	p.wait()
	for p.alterHint() {
	}
	if strings.EqualFold(d.name, "PRIMARY") {
		d.what = dropPrimary
	}
	s.drops = append(s.drops, d)
	return s
}

func (p *parser) renameStatement() statement {
	if p.acceptAny("TABLE", "TABLES") == "" {
		p.misunderstood()
	}
	s := &renameTable{}
	p.accept("IF EXISTS")
	for {
		from := p.table()
		p.wait()
		p.expect("TO")
		s.pairs = append(s.pairs, [2]schema.Name{from, p.table()})
		if !p.acceptMark(",") {
			return s
		}
	}
}

// createTable reads CREATE TABLE from the table's name on.
func (p *parser) createTable(replace bool) statement {
	s := &createTable{replace: replace, optional: p.ifNotExists()}
	s.name = p.table()
	if p.accept("LIKE") {
		s.like = p.table()
		return s
	}
	if p.peek().mark("(") && p.ahead(1).is("LIKE") {
		p.at += 2
		s.like = p.table()
		p.expectMark(")")
		return s
	}
	if p.peek().mark("(") && !p.queryAhead(1) {
		p.at++
		for {
			if p.accept("PERIOD FOR") {
				p.ident()
				p.names()
				s.unsure = "a period"
			} else if !p.element(&s.elements) {
				c := p.columnDef(p.column())
				s.columns = append(s.columns, c)
				s.columnElements(&c, p.ctx.Flavor)
			}
			if !p.acceptMark(",") {
				break
			}
		}
		p.expectMark(")")
	}
	for p.err == nil && (p.acceptMark(",") || p.option(&s.options)) {
	}
	if p.accept("PARTITION BY") {
		s.partition = p.partitioning()
	}
	p.createEnd(s)
	return s
}

// createEnd reads what follows the options: a query, or the mark of MySQL 8.0.21 and later that the rows of one follow in the log.
func (p *parser) createEnd(s *createTable) {
	if p.accept("START TRANSACTION") {
		s.logged = true
		return
	}
	p.acceptAny("IGNORE", "REPLACE")
	p.accept("AS")
	if p.queryAhead(0) {
		s.query = true
		for p.next().kind != end {
		}
	}
}

func (p *parser) queryAhead(n int) bool {
	for p.ahead(n).mark("(") {
		n++
	}
	t := p.ahead(n)
	return t.is("SELECT") || t.is("WITH") || t.is("VALUES") || t.is("TABLE")
}

// columnElements adds the indexes and constraints that a column's own definition brings.
func (e *elements) columnElements(c *columnDef, flavor schema.Flavor) {
	parts := []partDef{{column: c.name}}
	if c.primary {
		e.addIndex(indexDef{name: "PRIMARY", primary: true, unique: true, parts: parts})
	}
	if c.unique && (!c.primary || !flavor.MariaDB) {
		e.addIndex(indexDef{unique: true, parts: parts})
	}
	if c.parent != nil {
		e.addForeign(*c.parent)
	}
	if !flavor.HasColumnChecks() {
		e.checks = append(e.checks, c.checks...)
	}
}
