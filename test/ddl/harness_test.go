// Package ddl compares what pkg/ddl says of schema changes with what servers make of them.
package ddl

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wherry/pkg/db/mysql"
	"wherry/pkg/ddl"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// bench is a server with a session on it, and the databases that a test has there.
type bench struct {
	t       *testing.T
	flavor  dialect.Flavor
	session *sql.Conn
	source  *mysql.Source
	colls   dialect.Collations
	db      string
	other   string
	last    state // what the server showed after the last statement; nil when that is not known
}

// open connects to the first server of a flavor.
func open(t *testing.T, flavor, db string) *bench {
	t.Helper()
	server := harness.Find(t, flavor+"-1")
	admin := server.DB
	b := &bench{t: t, db: db, other: db + "_other"}
	var err error
	b.session, err = admin.Conn(t.Context())
	require.NoError(t, err)
	version, err := lab.Version(t.Context(), admin)
	require.NoError(t, err)
	b.flavor, err = dialect.ParseFlavor(version)
	require.NoError(t, err)
	b.source, err = mysql.OpenSource(t.Context(), mysql.Config{
		Host: server.Host, Port: server.Port, User: lab.User,
		Password: lab.Password,
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.source.Close() })
	b.collations()
	t.Cleanup(b.drop)
	return b
}

func (b *bench) collations() {
	column := "COLLATION_NAME"
	if b.flavor.HasFullCollationNames() {
		column = "FULL_COLLATION_NAME"
	}
	b.colls = dialect.Collations{
		Known: b.pairs("SELECT " + column + ", CHARACTER_SET_NAME FROM " +
			"information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE CHARACTER_SET_NAME IS NOT NULL"),
		Default: b.pairs("SELECT CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME FROM information_schema.CHARACTER_SETS"),
	}
}

func (b *bench) pairs(query string) map[string]string {
	rows, err := b.session.QueryContext(b.t.Context(), query)
	require.NoError(b.t, err)
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var key, value string
		require.NoError(b.t, rows.Scan(&key, &value))
		all[key] = value
	}
	require.NoError(b.t, rows.Err())
	return all
}

func (b *bench) drop() {
	for _, db := range []string{b.db, b.other} {
		_, err := b.session.ExecContext(context.WithoutCancel(b.t.Context()),
			"DROP DATABASE IF EXISTS "+dialect.Quote(db))
		if err != nil {
			b.t.Error(err)
		}
	}
}

// fresh makes the databases anew.
func (b *bench) fresh() {
	b.exec("SET foreign_key_checks = 0")
	b.drop()
	b.exec("CREATE DATABASE " + dialect.Quote(b.db) + " CHARACTER SET utf8mb4")
	b.exec("CREATE DATABASE " + dialect.Quote(b.other) + " CHARACTER SET utf8mb4")
	b.exec("USE " + dialect.Quote(b.db))
	b.exec("SET sql_mode = DEFAULT, foreign_key_checks = 1, explicit_defaults_for_timestamp = 1")
}

func (b *bench) exec(statement string) {
	b.last = nil
	_, err := b.session.ExecContext(b.t.Context(), statement)
	require.NoError(b.t, err, statement)
}

// context is that of the session.
func (b *bench) context() ddl.Context {
	var mode string
	var db sql.NullString
	var explicit bool
	row := b.session.QueryRowContext(b.t.Context(), "SELECT @@sql_mode, DATABASE(), @@explicit_defaults_for_timestamp")
	require.NoError(b.t, row.Scan(&mode, &db, &explicit))
	return ddl.Context{
		Database: db.String, Flavor: schema.Flavor(b.flavor), ANSIQuotes: strings.Contains(mode, "ANSI_QUOTES"),
		NoBackslashEscapes: strings.Contains(mode, "NO_BACKSLASH_ESCAPES"), ImplicitTimestamps: !explicit,
	}
}

// state is the tables at a moment.
type state map[schema.Name]*schema.Table

func (b *bench) state() state {
	if b.last != nil {
		return b.last
	}
	tables, err := b.source.Tables(b.t.Context(), func(n schema.Name) bool {
		return n.Database == b.db || n.Database == b.other
	})
	require.NoError(b.t, err)
	s := state{}
	for _, t := range tables {
		if t.Kind != schema.View && t.Kind != schema.Sequence {
			s[t.Name] = t
		}
	}
	b.last = s
	return s
}

// definitions are the tables in the server's words.
func (b *bench) definitions() string {
	var all []string
	for _, t := range b.state() {
		all = append(all, t.Definition)
	}
	return strings.Join(all, "\n")
}

// catalog is what was before a statement.
func (b *bench) catalog(s state) ddl.Catalog {
	defaults := b.pairs("SELECT SCHEMA_NAME, CONCAT(DEFAULT_CHARACTER_SET_NAME, ' ', DEFAULT_COLLATION_NAME) FROM " +
		"information_schema.SCHEMATA")
	return ddl.Catalog{
		Table: func(n schema.Name) *schema.Table { return s[n] },
		Database: func(name string) (string, string) {
			charset, collation, _ := strings.Cut(defaults[name], " ")
			return charset, collation
		},
		Children: func(parent schema.Name) []*schema.Table {
			var children []*schema.Table
			for _, t := range s {
				if slices.ContainsFunc(t.ForeignKeys, func(f schema.ForeignKey) bool { return f.Parent == parent }) {
					children = append(children, t)
				}
			}
			return children
		},
		Collations: b.colls,
		UTC: func(local string) (string, bool) {
			var utc sql.NullString
			require.NoError(b.t, b.session.QueryRowContext(b.t.Context(), "SELECT CONVERT_TZ(?, @@SESSION.time_zone, "+
				"'+00:00')", local).Scan(&utc))
			return strings.TrimSuffix(utc.String, ".000000"), utc.Valid
		},
	}
}

// told is what the model said of one statement.
type told struct {
	effects []ddl.Effect
	unknown []string // tables whose shape it left open
}

// step runs one statement and compares the model with the server. err is the server's refusal.
func (b *bench) step(statement string) (told told, err error) {
	if !isChange(statement) {
		b.last = nil
		_, err := b.session.ExecContext(b.t.Context(), statement)
		return told, err
	}
	ctx, before := b.context(), b.state()
	change, parseErr := ddl.Parse(statement, ctx)
	var effects []ddl.Effect
	var applyErr error
	if parseErr == nil {
		effects, applyErr = change.Apply(b.catalog(before))
	}
	values := b.values(before)
	if _, err := b.session.ExecContext(b.t.Context(), statement); err != nil {
		return told, err
	}
	b.last = nil
	after := b.state()
	if parseErr != nil {
		require.ErrorIs(b.t, parseErr, ddl.ErrUnknown)
		return told, fmt.Errorf("%w: %w", errModel, parseErr)
	}
	if applyErr != nil { // nobody can tell then, and the server's word counts
		for _, name := range change.Tables() {
			told.unknown = append(told.unknown, name.String())
		}
		return told, nil
	}
	told.effects = effects
	var problems []string
	told.unknown, problems = b.compare(before, after, change, effects)
	problems = append(problems, b.compareValues(values, effects, after)...)
	if len(problems) > 0 {
		return told, fmt.Errorf("%w: %s", errModel, strings.Join(problems, "\n  "))
	}
	return told, nil
}

// errModel is that the model and the server disagree.
var errModel = errors.New("the model is wrong")

// isChange tells whether a statement is a schema change of tables.
func isChange(statement string) bool {
	words := strings.Fields(strings.ToUpper(comments.Replace(statement)))
	if len(words) < 2 {
		return false
	}
	head := strings.Join(words[:min(5, len(words))], " ")
	switch words[0] {
	case "CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE":
		return !strings.Contains(head, " VIEW") && !strings.Contains(head, " TRIGGER") &&
			!strings.Contains(head, " SEQUENCE")
	case "SET":
		return words[1] == "STATEMENT"
	}
	return strings.HasPrefix(statement, "/*")
}

var comments = strings.NewReplacer("/* gh-ost */", "")

// compare applies the effects to what was before and compares the outcome with what is.
func (b *bench) compare(before, after state, change *ddl.Change, effects []ddl.Effect) (unknown, problems []string) {
	want := maps.Clone(before)
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	open := map[schema.Name]bool{}
	for _, e := range effects {
		switch e.Kind {
		case ddl.Dropped:
			delete(want, e.Name)
			delete(open, e.Name)
		case ddl.Renamed:
			if _, ok := want[e.Name]; !ok && !open[e.Name] {
				break // a view or sequence
			}
			delete(want, e.Name)
			open[e.To] = e.After == nil
			want[e.To] = e.After
		case ddl.Created:
			want[e.Name], open[e.Name] = e.After, e.After == nil
		case ddl.Altered:
			if _, ok := want[e.Name]; ok {
				want[e.Name], open[e.Name] = e.After, e.After == nil
			}
		default:
		}
	}
	if db := change.Database(); db != "" {
		maps.DeleteFunc(want, func(n schema.Name, _ *schema.Table) bool { return n.Database == db })
	}
	for _, n := range names(want, after) {
		model, real := want[n], after[n]
		_, expected := want[n]
		switch {
		case real == nil:
			complain("table %s is gone, which the model does not say", n)
		case !expected:
			complain("table %s is there, which the model does not say", n)
		case model == nil:
			unknown = append(unknown, n.String())
		default:
			for _, d := range dialect.New(b.flavor, b.colls).Differences(model, real, true, true) {
				complain("%s: %s", n, d)
			}
			if x, y := keyName(model), keyName(real); x != y {
				complain("%s: rows are known by %q, the model says %q", n, y, x)
			}
		}
		if real != nil && model != nil && before[n] != nil && before[n].Shape() != real.Shape() &&
			!touched(n, change, effects) {
			complain("%s changed and is not among the statement's tables", n)
		}
	}
	return unknown, problems
}

func touched(n schema.Name, change *ddl.Change, effects []ddl.Effect) bool {
	return slices.Contains(change.Tables(), n) || slices.ContainsFunc(effects, func(e ddl.Effect) bool {
		return e.Name == n || e.To == n
	})
}

func keyName(t *schema.Table) string {
	if index := t.KeyIndex(); index != nil {
		return index.Name
	}
	return ""
}

func names(states ...state) []schema.Name {
	seen := map[schema.Name]bool{}
	for _, s := range states {
		for n := range s {
			seen[n] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(x, y schema.Name) int {
		return strings.Compare(x.String(), y.String())
	})
}

// values reads the values of every column of every table, as a sorted list of bytes.
func (b *bench) values(s state) map[schema.Name]map[string][]string {
	all := map[schema.Name]map[string][]string{}
	for n, t := range s {
		all[n] = map[string][]string{}
		for _, c := range t.Columns {
			all[n][c.Name] = b.column(n, c)
		}
	}
	return all
}

func (b *bench) column(n schema.Name, c schema.Column) []string {
	expr := "HEX(CAST(" + dialect.Quote(c.Name) + " AS BINARY))"
	if c.Type.Kind == schema.Geometry {
		expr = "HEX(ST_AsBinary(" + dialect.Quote(c.Name) + "))"
	}
	rows, err := b.session.QueryContext(b.t.Context(), "SELECT "+expr+" FROM "+dialect.Quoted(n))
	if err != nil {
		return []string{"?"} // the file of the table is away
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var v sql.NullString
		require.NoError(b.t, rows.Scan(&v))
		list = append(list, fmt.Sprint(v))
	}
	require.NoError(b.t, rows.Err())
	sort.Strings(list)
	return list
}

// compareValues finds columns whose values changed though the effects do not say so.
func (b *bench) compareValues(before map[schema.Name]map[string][]string, effects []ddl.Effect,
	after state,
) (problems []string) {
	for _, e := range effects {
		if e.Kind != ddl.Altered || e.Former == nil || len(e.Empties) > 0 || e.Opaque != "" || after[e.Name] == nil {
			continue
		}
		if len(effects) > 1 && slices.ContainsFunc(effects, func(o ddl.Effect) bool {
			return o.Name != e.Name && o.Kind == ddl.Altered && o.After != nil && len(o.After.ForeignKeys) == 0
		}) {
			continue // EXCHANGE PARTITION
		}
		for to, from := range e.Former {
			at := after[e.Name].Column(to)
			if at < 0 {
				problems = append(problems, fmt.Sprintf("%s: no column %s, which the model says", e.Name, to))
				continue
			}
			if slices.Contains(e.Converts, to) {
				continue
			}
			if now := b.column(e.Name, after[e.Name].Columns[at]); !slices.Equal(now, before[e.Name][from]) {
				problems = append(problems, fmt.Sprintf("%s: values of %s changed from %.200q to %.200q", e.Name, to,
					before[e.Name][from], now))
			}
		}
	}
	return problems
}
