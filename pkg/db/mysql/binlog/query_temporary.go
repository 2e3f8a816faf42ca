package binlog

import (
	"fmt"
	"slices"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// flagThreadSpecific is set on statements that used a temporary table, and on what follows such a one in a procedure
// (mysql-server libs/mysql/binlog/event/binlog_event.h, LOG_EVENT_THREAD_SPECIFIC_F). MariaDB's RENAME TABLE of a
// temporary table has it not.
const flagThreadSpecific = 0x4

// sift filters out a statement that is about temporary tables alone. TRUNCATE TABLE orders, for example, empties the
// temporary table orders of its session, and not the real one. done: nothing is left of it, or the verdict says what is
// wrong.
func (q *queries) sift(e *queryEvent, kind queryKind) (v queryVerdict, done bool) {
	if !e.specific && len(q.temporary[e.by]) == 0 || kind == queryPasses && !e.specific {
		return v, false
	}
	tokens := Tokens(e.statement, e.sqlMode, len(e.statement))
	if len(tokens) > 1 && tokens[0].Is("SET") && tokens[1].Is("STATEMENT") { // MariaDB
		tokens = tokens[slices.IndexFunc(tokens, func(t sqltext.Token) bool { return t.Is("FOR") })+1:]
	}
	if len(tokens) < 2 {
		return v, false
	}
	if rest := afterWords(tokens[1:], "OR", "REPLACE"); len(rest) > 1 && rest[0].Is("TEMPORARY") &&
		rest[1].Is("TABLE") {
		return q.temporaryTable(e, tokens[0], afterWords(rest[2:], "IF", "NOT", "EXISTS")), true
	}
	if kind != queryTable {
		return v, false
	}
	switch verb := tokens[0]; {
	case verb.Is("RENAME"):
		return q.siftRename(e, afterWords(tokens[1:], "TABLE", "TABLES", "IF", "EXISTS"))
	case verb.Is("TRUNCATE"):
		return q.siftTable(e, afterWords(tokens[1:], "TABLE"), true)
	case verb.Is("CREATE"), verb.Is("ALTER"), verb.Is("DROP"):
	default:
		return v, false
	}
	at := slices.IndexFunc(tokens, func(t sqltext.Token) bool { return t.Is("TABLE") || t.Is("INDEX") })
	switch {
	case at < 0:
		return v, false
	case tokens[at].Is("INDEX"):
		on := slices.IndexFunc(tokens[at+1:], func(t sqltext.Token) bool { return t.Is("ON") })
		return q.siftTable(e, tokens[at+1+on+1:], false)
	case tokens[0].Is("ALTER"):
		return q.siftTable(e, afterWords(tokens[at+1:], "IF", "EXISTS"), false)
	case tokens[0].Is("CREATE"):
		return q.siftLike(e, afterWords(tokens[at+1:], "IF", "NOT", "EXISTS"))
	default: // servers log what DROP TABLE drops apart, by whether it is temporary
		return v, false
	}
}

// afterWords leaves keywords at the beginning out.
func afterWords(tokens []sqltext.Token, words ...string) []sqltext.Token {
	for len(tokens) > 0 && slices.ContainsFunc(words, tokens[0].Is) {
		tokens = tokens[1:]
	}
	return tokens
}

// temporaryTable follows CREATE and DROP TEMPORARY TABLE.
func (q *queries) temporaryTable(e *queryEvent, verb sqltext.Token, tokens []sqltext.Token) queryVerdict {
	var names []schema.Name
	for {
		n, rest, ok := q.name(e, tokens)
		if !ok {
			break
		}
		if names = append(names, n); !verb.Is("DROP") || len(rest) == 0 || !rest[0].IsMark(",") {
			break
		}
		tokens = rest[1:]
	}
	if verb.Is("DROP") {
		q.temporary = q.temporary.with(e.by, nil, names)
		return queryVerdict{}
	}
	return q.hide(e, names...)
}

// siftTable filters out a statement about one table. tokens begin with that table's name.
func (q *queries) siftTable(e *queryEvent, tokens []sqltext.Token, truncates bool) (v queryVerdict, done bool) {
	n, rest, ok := q.name(e, tokens)
	if !ok {
		return v, false
	}
	temporary, doubt := q.hides(e, n)
	to := RenameClause(rest)
	if doubt && (truncates || len(to) > 0) { // of other changes the table's shape tells
		return queryVerdict{
			doubt: q.touch(n.Database, n.Table, e),
			why:   "the session may have made a temporary table of that name before the log was read",
		}, true
	}
	if temporary && len(to) > 0 {
		if name, _, ok := q.name(e, to[1:]); ok {
			q.temporary = q.temporary.with(e.by, nil, []schema.Name{n})
			v = q.hide(e, name)
		}
	}
	return v, temporary
}

// siftRename filters out renames of temporary tables, which MariaDB has. A statement that renames real tables too is
// refused: which of them exist after it depends on the order.
func (q *queries) siftRename(e *queryEvent, tokens []sqltext.Token) (v queryVerdict, done bool) {
	if q.flavor.Family == schema.MySQL {
		return v, false
	}
	before, real := q.temporary, []schema.Name(nil)
	now := []schema.Name(nil) // names that this statement gives to temporary tables, of the move or not
	for {
		from, rest, ok := q.name(e, tokens)
		at := slices.IndexFunc(rest, func(t sqltext.Token) bool { return t.Is("TO") }) // WAIT n may be before it
		if !ok || at < 0 {
			break
		}
		to, rest, ok := q.name(e, rest[at+1:])
		if !ok {
			break
		}
		if q.temporary.has(e.by, from) || slices.Contains(now, queryLower(from)) {
			now = append(slices.DeleteFunc(now, queryLower(from).Equal), queryLower(to))
			q.temporary = q.temporary.with(e.by, nil, []schema.Name{from})
			if v = q.hide(e, to); v.unsupported != "" {
				return v, true
			}
			done = true
		} else {
			real = append(append(real, q.touch(from.Database, from.Table, e)...), q.touch(to.Database, to.Table, e)...)
		}
		if at = slices.IndexFunc(rest, func(t sqltext.Token) bool { return t.IsMark(",") }); at < 0 {
			break
		}
		tokens = rest[at+1:]
	}
	if done && len(real) > 0 {
		q.temporary = before
		return queryVerdict{doubt: real, why: "it was renamed with temporary tables in one statement"}, true
	}
	return v, done
}

// siftLike refuses a table that was made like a temporary one (CREATE TABLE a LIKE b): the columns of a temporary table
// are not known. tokens begin with the new table's name.
func (q *queries) siftLike(e *queryEvent, tokens []sqltext.Token) (v queryVerdict, done bool) {
	n, rest, ok := q.name(e, tokens)
	if len(rest) > 0 && rest[0].IsMark("(") {
		rest = rest[1:]
	}
	if !ok || len(rest) == 0 || !rest[0].Is("LIKE") {
		return v, false
	}
	base, _, ok := q.name(e, rest[1:])
	if !ok {
		return v, false
	}
	if temporary, doubt := q.hides(e, base); temporary || doubt {
		return queryVerdict{
			doubt: q.touch(n.Database, n.Table, e),
			why:   "it was made like " + base.String() + ", which may be a temporary table",
		}, true
	}
	return v, false
}

// hides tells whether a name stands for a temporary table in the session of a statement. doubt says that it cannot be
// known: the session may have begun before the log was first read, and may have made the table then.
func (q *queries) hides(e *queryEvent, n schema.Name) (temporary, doubt bool) {
	if q.temporary.has(e.by, n) {
		return true, false
	}
	known := e.by.server == q.server && e.by.thread > q.since
	return false, e.specific && !known && q.flavor.LogsTemporary() && len(q.touch(n.Database, n.Table, e)) > 0
}

// name reads a name, of the session's default database unless it has one.
func (q *queries) name(e *queryEvent, tokens []sqltext.Token) (n schema.Name, rest []sqltext.Token, ok bool) {
	if n, rest, ok = TableName(tokens); ok {
		return n, rest, true
	}
	if len(tokens) == 0 || tokens[0].Kind != sqltext.Name && !queryName.MatchString(tokens[0].Text) {
		return n, tokens, false
	}
	return schema.Name{Database: e.database, Table: tokens[0].Text}, tokens[1:], true
}

// hide keeps those of the names that the move has, as temporary tables of the session from now on.
func (q *queries) hide(e *queryEvent, names ...schema.Name) queryVerdict {
	names = slices.DeleteFunc(names, func(n schema.Name) bool { return len(q.touch(n.Database, n.Table, e)) == 0 })
	if len(names) == 0 {
		return queryVerdict{}
	}
	q.temporary = q.temporary.with(e.by, names, nil)
	if q.temporary.count() > maxTemporary {
		return queryVerdict{unsupported: fmt.Sprintf(
			"sessions have more than %d temporary tables with names of tables of the move", maxTemporary)}
	}
	return queryVerdict{}
}
