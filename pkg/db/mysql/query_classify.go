package mysql

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pingcap/tidb/pkg/parser"
	parsermysql "github.com/pingcap/tidb/pkg/parser/mysql"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver" // the parser needs a driver for literals

	"wherry/pkg/ddl"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// queries finds the statements that touch tables of the move. It is used by one goroutine.
type queries struct {
	tables    map[schema.Name][]schema.Name // routed, by the name in lower case
	databases map[string][]schema.Name      // likewise
	follows   func(schema.Name) bool        // names that belong to the move, whether there is such a table or not; nil: none
	flavor    schema.Flavor
	parser    *parser.Parser // made when first needed
}

// queryVerdict is what a statement means for the routed tables; the zero value is nothing.
type queryVerdict struct {
	tables      []schema.Name // whose schema it changes
	rows        []schema.Name // the routed tables whose rows it changes, in statement format
	unsupported string        // why it cannot be carried
}

func newQueries(routes []*route.Route, follows func(schema.Name) bool, flavor schema.Flavor) *queries {
	q := &queries{tables: map[schema.Name][]schema.Name{}, databases: map[string][]schema.Name{}, follows: follows, flavor: flavor}
	for _, r := range routes {
		name, lower := r.Source.Name(), queryLower(r.Source.Name())
		q.tables[lower] = append(q.tables[lower], name)
		q.databases[lower.Database] = append(q.databases[lower.Database], name)
	}
	return q
}

// queryLower folds a name: on servers that compare names without case, another case is the same table, and on others to
// look twice does no harm.
func queryLower(n schema.Name) schema.Name {
	return schema.Name{Database: strings.ToLower(n.Database), Table: strings.ToLower(n.Table)}
}

// queryKind is what a statement is about, as its first words tell.
type queryKind int

const (
	queryPasses   queryKind = iota // never changes a table's rows or columns
	queryTable                     // a schema change of tables or indexes
	queryDatabase                  // DROP DATABASE
	queryRows                      // changes rows, in statement format
	queryRoutine                   // calls what may change rows, in statement format
	queryUnknown
)

// classify tells what a statement does to the routed tables.
func (q *queries) classify(e *queryEvent) queryVerdict {
	head := queryTokens(e.statement, e.sqlMode, 64)
	kind := queryHead(head)
	if kind == queryRoutine {
		return queryVerdict{unsupported: "a routine called in statement format may change routed tables"}
	}
	if kind == queryPasses || !q.mentions(e, kind) {
		return queryVerdict{}
	}
	var touched []schema.Name
	read := q.parse
	if kind == queryTable || kind == queryDatabase {
		read = q.change
	}
	if found, ok := read(e); ok {
		touched = found
	} else {
		touched = q.guess(e)
	}
	switch {
	case len(touched) == 0:
		return queryVerdict{}
	case kind == queryTable, kind == queryDatabase:
		slices.SortFunc(touched, func(a, b schema.Name) int { return strings.Compare(a.String(), b.String()) })
		return queryVerdict{tables: slices.Compact(touched)}
	case kind == queryRows:
		return queryVerdict{rows: touched}
	default:
		return queryVerdict{unsupported: "a statement on " + touched[0].String() + " that this version does not know"}
	}
}

// queryHead tells a statement's kind by its first keywords.
func queryHead(tokens []queryToken) queryKind {
	for len(tokens) > 0 && (tokens[0].is("(") || tokens[0].is(";")) {
		tokens = tokens[1:]
	}
	if len(tokens) == 0 || tokens[0].quoted {
		return queryPasses
	}
	if len(tokens) > 1 && tokens[0].is("SET") && tokens[1].is("STATEMENT") { // MariaDB: SET STATEMENT variable = value FOR another statement
		at := slices.IndexFunc(tokens, func(t queryToken) bool { return t.is("FOR") })
		return queryHead(tokens[at+1:])
	}
	switch strings.ToUpper(tokens[0].text) {
	case "CREATE", "ALTER", "DROP":
		return queryObject(tokens)
	case "RENAME":
		if len(tokens) > 1 && tokens[1].is("USER") {
			return queryPasses
		}
		return queryTable
	case "TRUNCATE", "IMPORT":
		return queryTable
	case "INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD", "WITH", "MERGE":
		return queryRows
	case "CALL", "DO", "SELECT", "EXECUTE", "VALUES":
		return queryRoutine
	case "GRANT", "REVOKE", "SET", "FLUSH", "ANALYZE", "OPTIMIZE", "REPAIR", "CHECK", "CHECKSUM", "INSTALL", "UNINSTALL", "USE", "SHOW",
		"BINLOG", "RESET", "CHANGE", "PURGE", "START", "STOP", "LOCK", "UNLOCK", "KILL", "SHUTDOWN", "XA", "CACHE", "HELP", "COMMENT":
		return queryPasses
	default:
		return queryUnknown
	}
}

// queryObject tells what CREATE, ALTER or DROP is about: the first word that names a kind of object.
func queryObject(tokens []queryToken) queryKind {
	temporary := false
	for i, t := range tokens[1:] {
		if t.quoted {
			continue
		}
		switch strings.ToUpper(t.text) {
		case "TEMPORARY":
			temporary = true
		case "TABLE", "TABLES", "INDEX":
			if temporary {
				return queryPasses
			}
			return queryTable
		case "DATABASE", "SCHEMA":
			if tokens[0].is("DROP") || i > 0 && tokens[0].is("CREATE") { // CREATE OR REPLACE DATABASE (MariaDB) drops too
				return queryDatabase
			}
			return queryPasses
		case "VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "USER", "ROLE", "SERVER", "TABLESPACE", "LOGFILE", "SEQUENCE",
			"PACKAGE", "RESOURCE", "SPATIAL", "INSTANCE", "LIBRARY", "UNDO", "CATALOG":
			if strings.EqualFold(t.text, "SPATIAL") && i+2 < len(tokens) && tokens[i+2].is("INDEX") {
				return queryTable
			}
			return queryPasses
		}
	}
	return queryUnknown
}

// mentions tells cheaply whether a statement has a routed name anywhere in it.
func (q *queries) mentions(e *queryEvent, kind queryKind) bool {
	lower := strings.ToLower(e.statement)
	if kind == queryTable && q.follows != nil {
		return true // it may bring a table in
	}
	if kind == queryDatabase {
		for name := range q.databases {
			if strings.Contains(lower, queryEscape(name)) {
				return true
			}
		}
		return false
	}
	for name := range q.tables {
		if strings.Contains(lower, queryEscape(name.Table)) {
			return true
		}
	}
	return false
}

// queryEscape returns the part of a name that any way of quoting leaves as it is.
func queryEscape(name string) string {
	if at := strings.IndexAny(name, "`\""); at >= 0 {
		return name[:at]
	}
	return name
}

// touch returns the routed tables of a name.
func (q *queries) touch(database, table string, e *queryEvent) []schema.Name {
	if database == "" {
		database = e.database
	}
	name := schema.Name{Database: database, Table: table}
	routed := q.tables[queryLower(name)]
	if len(routed) == 0 && q.follows != nil && q.follows(name) {
		return []schema.Name{name}
	}
	return routed
}

// guess takes every name in a statement that could not be parsed for a table's.
func (q *queries) guess(e *queryEvent) []schema.Name {
	var touched []schema.Name
	tokens := queryTokens(e.statement, e.sqlMode, len(e.statement))
	for i, t := range tokens {
		database := ""
		if i >= 2 && tokens[i-1].is(".") {
			database = tokens[i-2].text
		}
		if i+1 < len(tokens) && tokens[i+1].is(".") {
			continue // a database, or a table before its column
		}
		if t.quoted || queryName.MatchString(t.text) {
			touched = append(touched, q.touch(database, t.text, e)...)
		}
	}
	return touched
}

// queryName is what may be a name without quotes.
var queryName = regexp.MustCompile(`^[0-9]*[A-Za-z$_\x{80}-\x{ffff}][0-9A-Za-z$_\x{80}-\x{ffff}]*$`)

// change returns the tables of the move whose schema a statement changes; ok is false when it cannot be read.
func (q *queries) change(e *queryEvent) (touched []schema.Name, ok bool) {
	parsed, err := ddl.Parse(e.statement, e.context(q.flavor))
	if err != nil {
		return nil, false
	}
	for _, name := range parsed.Tables() {
		touched = append(touched, q.touch(name.Database, name.Table, e)...)
	}
	return append(touched, q.databases[strings.ToLower(parsed.Database())]...), true
}

// parse returns the routed tables that a statement changes; ok is false when it cannot be parsed. A statement that the
// parser faults on is one that cannot be parsed.
func (q *queries) parse(e *queryEvent) (touched []schema.Name, ok bool) {
	defer func() {
		if recover() != nil {
			q.parser, touched, ok = nil, nil, false
		}
	}()
	if q.parser == nil {
		q.parser = parser.New()
	}
	var mode parsermysql.SQLMode
	if e.sqlMode&modeANSIQuotes != 0 {
		mode |= parsermysql.ModeANSIQuotes
	}
	if e.sqlMode&modeNoBackslashEscapes != 0 {
		mode |= parsermysql.ModeNoBackslashEscapes
	}
	q.parser.SetSQLMode(mode)
	statements, _, err := q.parser.ParseSQL(e.statement)
	if err != nil || len(statements) != 1 {
		return nil, false
	}
	changed, dropped, ok := queryChanges(statements[0])
	for _, t := range changed {
		touched = append(touched, q.touch(t.Schema.O, t.Name.O, e)...)
	}
	return append(touched, q.databases[strings.ToLower(dropped)]...), ok
}
