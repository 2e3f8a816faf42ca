package ddl

import (
	"errors"
	"fmt"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
	"wherry/pkg/sqltext"
)

// Change is one schema-change statement.
type Change struct {
	statement statement
	ctx       Context
}

// statement is one kind of statement, as it was parsed.
type statement interface {
	// tables returns the base tables that the statement may change.
	tables() []schema.Name
	// apply returns what it does to them.
	apply(w *world) ([]Effect, error)
}

// Parse reads exactly one statement, in the context in which the server read it: `ALTER TABLE t ADD "a" INT` is an
// error unless ANSI_QUOTES is set. A statement that it cannot read is ErrUnknown, with the place.
func Parse(text string, c Context) (*Change, error) {
	p := newParser(text, c)
	statement := p.statement()
	for p.AcceptMark(";") {
	}
	if p.Err == nil && p.Peek().Kind != sqltext.End {
		p.Misunderstood()
	}
	// The message quotes the text from where it is not understood: clauses of newer servers are found that way.
	switch lost := (*sqltext.MisunderstoodError)(nil); {
	case errors.As(p.Err, &lost) && lost.Rest == "":
		return nil, fmt.Errorf("%w: it ends too early", ErrUnknown)
	case lost != nil:
		return nil, fmt.Errorf("%w: at %.40q", ErrUnknown, lost.Rest)
	case p.Err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnknown, p.Err)
	}
	return &Change{statement: statement, ctx: c}, nil
}

// Tables returns every base table whose rows, shape or name the statement may change, in the order of the statement:
// both names of a rename, the table that CREATE makes, the other table of EXCHANGE PARTITION. A temporary table is
// none of them.
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
	// OR REPLACE (MariaDB) drops the database and makes it anew.
	if d, ok := c.statement.(*database); ok && (d.drops || d.replaces) {
		return d.name
	}
	return ""
}

// Defaults returns the database whose defaults for new tables the statement sets or takes away, or "".
func (c *Change) Defaults() string {
	if d, ok := c.statement.(*database); ok {
		return d.name
	}
	return ""
}

// Under returns the statement in another context, which may differ in what a statement does (time zone, defaults), not
// in how it is read (quotes, version).
func (c *Change) Under(ctx Context) *Change { return &Change{statement: c.statement, ctx: ctx} }

// Apply returns what the statement does to the tables of the catalog, in order. An error means that it contradicts
// the catalog, such as DROP of a column that the table does not have: then the recorded shape is wrong. With
// Context.Open no shape is returned, since the text may mean something else.
func (c *Change) Apply(cat Catalog) ([]Effect, error) {
	effects, err := c.statement.apply(newWorld(c.ctx, cat))
	if err != nil {
		return nil, fmt.Errorf("apply schema change: %w", err)
	}
	for i := range effects {
		if e := &effects[i]; c.ctx.Open != "" && (e.Kind == Created || e.Kind == Altered) {
			e.After = nil
		}
	}
	return effects, nil
}

// statement reads a statement by its first words. Only statements on tables and databases are known.
func (p *parser) statement() statement {
	if p.Accept("SET STATEMENT") { // MariaDB: SET STATEMENT variable = value, .. FOR statement
		for p.Peek().Kind != sqltext.End && !p.Accept("FOR") {
			p.Next()
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
		p.Accept("TABLE")
		s := &truncateTable{name: p.table()}
		p.wait()
		return s
	}
	p.Misunderstood()
	return nil
}

// wait passes WAIT n and NOWAIT (MariaDB), which say how long to wait for locks.
func (p *parser) wait() {
	if p.Accept("WAIT") {
		p.Integer()
	} else {
		p.Accept("NOWAIT")
	}
}

// createStatement reads what follows CREATE. A temporary table is never replicated by its rows, and is none of the
// move's, so its text is passed over.
func (p *parser) createStatement() statement {
	replace := p.Accept("OR REPLACE")
	switch {
	case p.Accept("TEMPORARY TABLE"):
		// Its definition may have words that are not understood, and nothing depends on it.
		for p.Next().Kind != sqltext.End {
		}
		return nothing{}
	case p.Accept("TABLE"):
		return p.createTable(replace)
	case p.acceptAny("DATABASE", "SCHEMA") != "":
		s := &database{creates: true, replaces: replace, optional: p.ifNotExists()}
		s.name = p.ident()
		p.databaseOptions(s)
		return s
	}
	// Views, triggers and routines are no statements on tables: they end in an error there.
	return p.createIndex(replace)
}

// createIndex reads CREATE [UNIQUE] INDEX, which is ALTER TABLE with one clause. OR REPLACE (MariaDB) is a DROP clause
// before it.
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
	p.Expect("INDEX")
	def.optional = p.ifNotExists()
	def.name = p.ident()
	p.indexType(&def)
	p.Expect("ON")
	s := &alterTable{name: p.table()}
	p.wait()
	p.indexParts(&def)
	for p.alterHint() || p.indexOption(&def) {
	}
	if replace { // drops come before adds, whatever their order
		s.drops = append(s.drops, drop{what: dropIndex, name: def.name, optional: true})
	}
	s.addIndex(def)
	return s
}

// dropStatement reads what follows DROP. DROP INDEX is ALTER TABLE with one clause.
func (p *parser) dropStatement() statement {
	if p.Accept("TEMPORARY") {
		for p.Next().Kind != sqltext.End {
		}
		return nothing{}
	}
	switch {
	case p.acceptAny("DATABASE", "SCHEMA") != "":
		p.Accept("IF EXISTS")
		return &database{drops: true, name: p.ident()}
	case p.acceptAny("TABLE", "TABLES") != "":
		s := &dropTable{}
		p.Accept("IF EXISTS")
		s.names = append(s.names, p.table())
		for p.AcceptMark(",") {
			s.names = append(s.names, p.table())
		}
		p.wait()
		p.acceptAny("RESTRICT", "CASCADE")
		return s
	}
	p.acceptAny("ONLINE", "OFFLINE")
	p.Expect("INDEX")
	d := drop{what: dropIndex, optional: p.Accept("IF EXISTS")}
	d.name = p.ident()
	p.Expect("ON")
	s := &alterTable{name: p.table()}
	p.wait()
	for p.alterHint() {
	}
	if strings.EqualFold(d.name, "PRIMARY") { // DROP INDEX `PRIMARY` ON t
		d.what = dropPrimary
	}
	s.drops = append(s.drops, d)
	return s
}

// renameStatement reads a TO b, c TO d, .. behind RENAME TABLE.
func (p *parser) renameStatement() statement {
	if p.acceptAny("TABLE", "TABLES") == "" {
		p.Misunderstood()
	}
	s := &renameTable{}
	p.Accept("IF EXISTS")
	for {
		from := p.table()
		p.wait()
		p.Expect("TO")
		s.pairs = append(s.pairs, [2]schema.Name{from, p.table()})
		if !p.AcceptMark(",") {
			return s
		}
	}
}

// createTable reads CREATE TABLE from the table's name on: LIKE, or columns and constraints, options, partitions, and a
// query at the end. Behind the name a parenthesis may open a list of columns or a query: `CREATE TABLE t (SELECT 1)`.
func (p *parser) createTable(replace bool) statement {
	s := &createTable{replace: replace, optional: p.ifNotExists()}
	s.name = p.table()
	if p.Accept("LIKE") {
		s.like = p.table()
		return s
	}
	if p.Peek().IsMark("(") && p.Ahead(1).Is("LIKE") {
		p.At += 2
		s.like = p.table()
		p.ExpectMark(")")
		return s
	}
	if p.Peek().IsMark("(") && !p.queryAhead(1) {
		p.At++
		for {
			if p.Accept("PERIOD FOR") {
				p.ident()
				p.names()
				s.unsure = "a period"
			} else if !p.element(&s.elements) {
				c := p.columnDef(p.column())
				s.columns = append(s.columns, c)
				s.columnElements(&c, p.ctx.Flavor)
			}
			if !p.AcceptMark(",") {
				break
			}
		}
		p.ExpectMark(")")
	}
	// Options may be separated by commas or by nothing.
	for p.Err == nil && (p.AcceptMark(",") || p.option(&s.options)) {
	}
	if p.Accept("PARTITION BY") {
		s.partition = p.partitioning()
	}
	p.createEnd(s)
	return s
}

// createEnd reads what follows the options: a query, or the mark of MySQL 8.0.21 and later that the rows of one
// follow in the log.
func (p *parser) createEnd(s *createTable) {
	if p.Accept("START TRANSACTION") {
		s.logged = true
		return
	}
	p.acceptAny("IGNORE", "REPLACE")
	p.Accept("AS")
	if p.queryAhead(0) {
		s.query = true
		for p.Next().Kind != sqltext.End {
		}
	}
}

// queryAhead returns whether a query begins n tokens ahead, perhaps in parentheses.
func (p *parser) queryAhead(n int) bool {
	for p.Ahead(n).IsMark("(") {
		n++
	}
	t := p.Ahead(n)
	return t.Is("SELECT") || t.Is("WITH") || t.Is("VALUES") || t.Is("TABLE")
}

// columnElements adds the indexes and constraints that a column's own definition brings: `id INT PRIMARY KEY`. Where
// servers keep a column's check with the column, it stays there.
func (e *elements) columnElements(c *columnDef, flavor schema.Flavor) {
	parts := []partDef{{column: c.name}}
	if c.primary {
		e.addIndex(indexDef{name: "PRIMARY", primary: true, unique: true, parts: parts})
	}
	// `id INT UNIQUE PRIMARY KEY`: MariaDB makes no second index over the column of the primary key.
	if c.unique && (!c.primary || flavor.Family == schema.MySQL) {
		e.addIndex(indexDef{unique: true, parts: parts})
	}
	if c.parent != nil {
		e.addForeign(*c.parent)
	}
	if !mysql.Flavor(flavor).HasColumnChecks() {
		e.checks = append(e.checks, c.checks...)
	}
}
