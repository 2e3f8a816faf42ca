package binlog

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pingcap/tidb/pkg/parser"
	parsermysql "github.com/pingcap/tidb/pkg/parser/mysql"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver" // the parser needs a driver for literals

	"wherry/pkg/ddl"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
	"wherry/pkg/sqltext"
)

// queries finds the statements that touch tables of the move. It is used by one goroutine.
type queries struct {
	tables    map[schema.Name][]schema.Name // routed, or asked for, by the name in lower case
	databases map[string][]schema.Name      // likewise
	// Names that belong to the move, whether there is such a table or not; nil: none.
	follows func(schema.Name) bool
	flavor  dialect.Flavor
	foreign bool           // there are routed names that are not ASCII
	parser  *parser.Parser // made when first needed

	temporary temporaries // at the end of what was read
	server    uint32      // the source's server id
	since     uint32      // the source's sessions with higher numbers began after the log was first read
}

// queryVerdict is what a statement means for the routed tables; the zero value is nothing.
type queryVerdict struct {
	tables      []schema.Name // whose schema it changes
	database    string        // that it creates, alters or drops
	parsed      *ddl.Change   // a schema change as it was read; nil: it cannot be
	rows        []schema.Name // the routed tables whose rows it changes, in statement format
	unsupported string        // why it cannot be carried
	doubt       []schema.Name // tables of the move that it may have changed
	why         string        // the reason of the doubt
}

// newQueries prepares the tables by their names in lower case. On a server that tells names apart by case several
// tables may have one such name, which is why each has a list.
func newQueries(tables []schema.Name, follows func(schema.Name) bool, flavor dialect.Flavor) *queries {
	q := &queries{
		tables: map[schema.Name][]schema.Name{}, databases: map[string][]schema.Name{}, follows: follows,
		flavor: flavor,
	}
	for _, name := range tables {
		lower := queryLower(name)
		q.tables[lower] = append(q.tables[lower], name)
		q.databases[lower.Database] = append(q.databases[lower.Database], name)
		q.foreign = q.foreign || strings.ContainsFunc(name.String(), func(r rune) bool { return r >= utf8.RuneSelf })
	}
	return q
}

// queryLower folds a name to lower case. On servers that compare names without case, Orders and orders are one table.
// On others a statement on the wrong one of the two is examined for nothing, which does no harm.
func queryLower(n schema.Name) schema.Name {
	return schema.Name{Database: strings.ToLower(n.Database), Table: strings.ToLower(n.Table)}
}

// queryKind is what a statement is about, as its first words tell.
type queryKind int

const (
	queryPasses   queryKind = iota // never changes a table's rows or columns
	queryTable                     // a schema change of tables or indexes
	queryDatabase                  // CREATE, ALTER, DROP DATABASE
	queryRows                      // changes rows, in statement format
	queryRoutine                   // calls what may change rows, in statement format
	queryUnknown
)

// classify tells what a statement does to the routed tables. It goes from cheap to costly: the first words tell the
// kind, then it is searched for a routed name, and only then parsed. A log may hold thousands of statements a second
// that have nothing to do with the move.
func (q *queries) classify(e *queryEvent) queryVerdict {
	head := Tokens(e.statement, e.sqlMode, 64)
	kind := queryHead(head)
	if kind == queryRoutine {
		return queryVerdict{unsupported: "a routine called in statement format may change routed tables"}
	}
	if v, done := q.sift(e, kind); done {
		return v
	}
	if kind == queryPasses || !q.mentions(e, kind) {
		return queryVerdict{}
	}
	var touched []schema.Name
	var parsed *ddl.Change
	read := false
	if kind == queryTable || kind == queryDatabase {
		touched, parsed = q.change(e)
		read = parsed != nil
	} else {
		touched, read = q.parse(e)
	}
	if !read {
		touched = q.guess(e)
	}
	if kind == queryRows {
		touched = slices.DeleteFunc(slices.Clone(touched), func(n schema.Name) bool { return q.temporary.has(e.by, n) })
	}
	database := ""
	if kind == queryDatabase && read && q.follows != nil {
		database = parsed.Defaults()
	}
	switch {
	case len(touched) == 0 && database == "":
		return queryVerdict{}
	case kind == queryTable, kind == queryDatabase:
		slices.SortFunc(touched, func(a, b schema.Name) int { return strings.Compare(a.String(), b.String()) })
		return queryVerdict{tables: slices.Compact(touched), database: database, parsed: parsed}
	case kind == queryRows:
		return queryVerdict{rows: touched}
	default:
		return queryVerdict{unsupported: "a statement on " + touched[0].String() + " that this version does not know"}
	}
}

// byText tells whether the characters of a statement matter: it changes a schema, or there are tables whose names are
// not ASCII. Only then is the server asked to decode it, which takes a round trip.
func (q *queries) byText(e *queryEvent) bool {
	switch kind := queryHead(Tokens(e.statement, e.sqlMode, 64)); kind {
	case queryTable, queryDatabase, queryUnknown:
		return true
	case queryPasses:
		return false
	default:
		return q.foreign
	}
}

// queryHead tells a statement's kind by its first keywords.
func queryHead(tokens []sqltext.Token) queryKind {
	for len(tokens) > 0 && (tokens[0].IsMark("(") || tokens[0].IsMark(";")) {
		tokens = tokens[1:]
	}
	if len(tokens) == 0 || tokens[0].Kind == sqltext.Name {
		return queryPasses
	}
	// MariaDB: SET STATEMENT variable = value FOR another statement.
	if len(tokens) > 1 && tokens[0].Is("SET") && tokens[1].Is("STATEMENT") {
		at := slices.IndexFunc(tokens, func(t sqltext.Token) bool { return t.Is("FOR") })
		return queryHead(tokens[at+1:])
	}
	switch strings.ToUpper(tokens[0].Text) {
	case "CREATE", "ALTER", "DROP":
		return queryObject(tokens)
	case "RENAME":
		if len(tokens) > 1 && tokens[1].Is("USER") {
			return queryPasses
		}
		return queryTable
	case "TRUNCATE", "IMPORT":
		return queryTable
	case "INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD", "WITH", "MERGE":
		return queryRows
	case "CALL", "DO", "SELECT", "EXECUTE", "VALUES":
		return queryRoutine
	case "GRANT", "REVOKE", "SET", "FLUSH", "ANALYZE", "OPTIMIZE", "REPAIR", "CHECK", "CHECKSUM", "INSTALL",
		"UNINSTALL", "USE", "SHOW", "BINLOG", "RESET", "CHANGE", "PURGE", "START", "STOP", "LOCK", "UNLOCK", "KILL",
		"SHUTDOWN", "XA", "CACHE", "HELP", "COMMENT":
		return queryPasses
	default:
		return queryUnknown
	}
}

// queryObject tells what CREATE, ALTER or DROP is about: the first word that names a kind of object. Words before it,
// such as OR REPLACE, UNIQUE or DEFINER=.., are passed over.
func queryObject(tokens []sqltext.Token) queryKind {
	temporary := false
	for i, t := range tokens[1:] {
		if t.Kind == sqltext.Name {
			continue
		}
		switch strings.ToUpper(t.Text) {
		case "TEMPORARY":
			temporary = true
		case "TABLE", "TABLES", "INDEX":
			if temporary {
				return queryPasses
			}
			return queryTable
		case "DATABASE", "SCHEMA":
			return queryDatabase
		case "VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "USER", "ROLE", "SERVER", "TABLESPACE", "LOGFILE",
			"SEQUENCE", "PACKAGE", "RESOURCE", "SPATIAL", "INSTANCE", "LIBRARY", "UNDO", "CATALOG":
			if strings.EqualFold(t.Text, "SPATIAL") && i+2 < len(tokens) && tokens[i+2].Is("INDEX") {
				return queryTable
			}
			return queryPasses
		}
	}
	return queryUnknown
}

// mentions tells cheaply whether a statement has a routed name anywhere in it. It may say yes for nothing (a name in
// a comment), and never no for a statement on a routed table.
func (q *queries) mentions(e *queryEvent, kind queryKind) bool {
	lower := strings.ToLower(e.statement)
	if kind == queryTable && q.follows != nil {
		return true // it may bring a table in
	}
	if kind == queryDatabase {
		if q.follows != nil {
			return true
		}
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

// queryEscape returns the part of a name that any way of quoting leaves as it is. A backquote in a name is doubled
// within backquotes, so only what comes before it can be searched for.
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

// guess returns the tables that a statement may be about which could not be parsed: tables of the move that it names
// anywhere, and names that would belong to the move, where they stand in the place of a table's name. It must rather
// find too many: a table that is missed would be lost silently, one too many stops the move with an error.
func (q *queries) guess(e *queryEvent) []schema.Name {
	var touched []schema.Name
	tokens := Tokens(e.statement, e.sqlMode, len(e.statement))
	for i, t := range tokens {
		database, first := "", i
		if i >= 2 && tokens[i-1].IsMark(".") {
			database, first = tokens[i-2].Text, i-2
		}
		if i+1 < len(tokens) && tokens[i+1].IsMark(".") {
			continue // a database, or a table before its column
		}
		if t.Kind != sqltext.Name && (!queryName.MatchString(t.Text) || slices.ContainsFunc(queryNoNames, t.Is)) {
			continue
		}
		for _, name := range q.touch(database, t.Text, e) {
			if len(q.tables[queryLower(name)]) > 0 || queryNamesTable(tokens[:first]) {
				touched = append(touched, name)
			}
		}
	}
	return touched
}

// queryNoNames are keywords that may stand where a table's name may.
var queryNoNames = []string{"IF", "NOT", "EXISTS", "TABLE", "TABLES", "TO", "AS", "COLUMN", "INDEX", "KEY"}

// queryNamesTable tells whether a table's name may stand behind these words of a statement.
func queryNamesTable(before []sqltext.Token) bool {
	back := func(n int, words ...string) bool { // the n-th from the end
		return len(before) >= n && slices.ContainsFunc(words, before[len(before)-n].Is)
	}
	for back(1, "IF", "NOT", "EXISTS") || back(1, "AS") && back(2, "RENAME") {
		before = before[:len(before)-1]
	}
	has := func(word string) bool {
		return slices.ContainsFunc(before, func(t sqltext.Token) bool { return t.Is(word) })
	}
	switch {
	case back(1, "TABLE", "TABLES", "TRUNCATE", "RENAME", "INTO", "UPDATE", "FROM", "JOIN", "LIKE"):
		return true
	case back(1, "TO"):
		return !back(3, "COLUMN", "INDEX", "KEY")
	case back(1, "ON"):
		return has("INDEX") && !has("TABLE")
	default:
		return len(before) > 0 && before[len(before)-1].IsMark(",") && (before[0].Is("DROP") || before[0].Is("RENAME"))
	}
}

// queryName is what may be a name without quotes.
var queryName = regexp.MustCompile(`^[0-9]*[A-Za-z$_\x{80}-\x{ffff}][0-9A-Za-z$_\x{80}-\x{ffff}]*$`)

// change returns the tables of the move whose schema a statement changes, and the statement as it was read; nil when
// it cannot be read. DROP DATABASE touches all tables that are in it.
func (q *queries) change(e *queryEvent) (touched []schema.Name, parsed *ddl.Change) {
	parsed, err := ddl.Parse(e.statement, e.context(q.flavor))
	if err != nil {
		return nil, nil
	}
	for _, name := range parsed.Tables() {
		touched = append(touched, q.touch(name.Database, name.Table, e)...)
	}
	return append(touched, q.databases[strings.ToLower(parsed.Database())]...), parsed
}

// parse returns the routed tables whose rows a statement changes; ok is false when it cannot be parsed. The parser
// may panic on a statement of a newer server; that counts as a statement that cannot be parsed.
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
	changed, ok := queryChanges(statements[0])
	for _, t := range changed {
		touched = append(touched, q.touch(t.Schema.O, t.Name.O, e)...)
	}
	return touched, ok
}
