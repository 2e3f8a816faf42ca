package mysql

import (
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// translation rewrites one text for the target, token by token: names of what moves, and, between the families,
// collations and the way in which strings are written.
type translation struct {
	m      *objectMapping
	src    string
	tokens []sqltext.Token
	out    strings.Builder
	done   int // bytes of src that are written
	// read and aliased are the tables that a view reads by their own names, and the aliases of others with the
	// databases of these: MySQL prints a column of a view that has an alias as db.alias.column.
	read, aliased map[schema.Name]bool
}

// translate returns the text as the target has to get it. What cannot be translated for sure is a fatal remark.
func (m *objectMapping) translate(src string) string {
	if src == "" || !m.renames() && !m.crossing && m.source.Kind != schema.ViewObject {
		return src
	}
	tokens, err := sqltext.Lex(src, sqltext.ModeRules(m.source.Session.SQLMode))
	if err != nil {
		m.fatal(byHand, "its text cannot be understood: %v", err)
		return src
	}
	t := &translation{m: m, src: src, tokens: tokens, read: map[schema.Name]bool{}, aliased: map[schema.Name]bool{}}
	if m.source.Kind == schema.ViewObject {
		t.sources()
	}
	for i := range tokens {
		if tokens[i].From >= t.done {
			t.token(i)
		}
	}
	return t.out.String() + src[t.done:]
}

// renames returns whether anything has another name on the target. If not, a text within one family stays as it is.
func (m *objectMapping) renames() bool {
	for from, to := range m.places.Tables {
		if from != to {
			return true
		}
	}
	for from, to := range m.places.Homes {
		if from != to {
			return true
		}
	}
	return false
}

// sources finds the tables that a view reads, and their aliases. In FROM `shop`.`a` `b` the alias is b, and MySQL
// prints its columns as `shop`.`b`.`id`, though shop may have another table b.
func (t *translation) sources() {
	for i := range t.tokens {
		switch name := (schema.Name{Database: t.at(i).Text, Table: t.at(i + 2).Text}); {
		case !t.isName(i) || !t.at(i+1).IsMark(".") || !t.isName(i+2) || t.at(i+3).IsMark(".") || !t.from(i):
		case t.at(i+3).Kind == sqltext.Name: // aliases stand in backticks
			t.aliased[schema.Name{Database: name.Database, Table: t.at(i + 3).Text}] = true
		default:
			t.read[name] = true
		}
	}
}

// replace writes text in place of the tokens from i to j.
func (t *translation) replace(i, j int, text string) {
	t.out.WriteString(t.src[t.done:t.tokens[i].From] + text)
	t.done = t.tokens[j].To
}

// at returns a token, or the end when there is none.
func (t *translation) at(i int) sqltext.Token {
	if i < 0 || i >= len(t.tokens) {
		return sqltext.Token{}
	}
	return t.tokens[i]
}

// isName returns whether a name stands at i: neither that of a variable, @a, nor one of an account, a@b.
func (t *translation) isName(i int) bool {
	k := t.at(i).Kind
	return (k == sqltext.Name || k == sqltext.Word) && !t.at(i-1).IsMark("@") && !t.at(i+1).IsMark("@")
}

// token translates what begins at token i, if anything has to be.
func (t *translation) token(i int) {
	tok := t.at(i)
	switch {
	case t.m.crossing && t.at(i-1).Is("COLLATE") && (t.isName(i) || tok.Kind == sqltext.String):
		t.collation(i)
	case t.m.crossing && tok.Kind == sqltext.String && t.m.source.Kind == schema.ViewObject:
		t.replace(i, i, Literal(tok.Text))
	case t.m.crossing && tok.Kind == sqltext.Word && t.m.source.Kind == schema.ViewObject && introduces(t.tokens, i) &&
		strings.HasPrefix(strings.ToLower(tok.Text), "_utf8"):
		t.replace(i, i, "") // see portable
	case !t.isName(i) || t.at(i-1).IsMark("."):
	case t.at(i+1).IsMark(".") && t.isName(i+2):
		t.qualified(i)
	default:
		t.bare(i)
	}
}

// collation translates the name behind COLLATE.
func (t *translation) collation(i int) {
	m, name := t.m, Modern(t.at(i).Text)
	near := m.collations.nearest(name, false)
	if near == "" {
		m.fatal(byHand, "%s has no collation like %s", m.flavor, name)
		return
	}
	if near != name {
		m.note("", "collation %s becomes %s", name, near)
	}
	t.replace(i, i, near)
}

// qualified translates db.name and db.table.column; alias.column stays.
func (t *translation) qualified(i int) {
	m := t.m
	name := schema.Name{Database: t.at(i).Text, Table: t.at(i + 2).Text}
	home, ours := m.places.Homes[name.Database]
	column := t.at(i+3).IsMark(".") && t.isName(i+4)
	to, moved := m.places.Tables[name]
	switch {
	case column && t.aliased[name] && !t.read[name]:
		t.replace(i, i+2, Quote(name.Table))
	case moved && column && m.source.Kind == schema.ViewObject && to.Table != name.Table:
		t.replace(i, i+2, Quote(name.Table)) // the alias that the table gets
	case moved && !column && m.source.Kind == schema.ViewObject && to.Table != name.Table &&
		t.at(i+3).Kind != sqltext.Name:
		// aliases stand in backticks
		t.replace(i, i+2, Quoted(to)+" "+Quote(name.Table))
	case moved && to != name:
		t.replace(i, i+2, Quoted(to))
	case moved:
	case ours && t.routine(i, 3):
		if home != name.Database {
			t.replace(i, i, Quote(home))
		}
	case ours && home != name.Database:
		m.fatal(byHand, "refers to %s, and %s becomes %s on the target", name, name.Database, home)
	case m.source.Kind == schema.ViewObject && (column || t.from(i)) && !t.routine(i, 3):
		m.fatal("include it, or exclude the view", "reads %s, which is not moved", name)
	}
}

// routine returns whether the name at i, of so many tokens, is that of a routine.
func (t *translation) routine(i, length int) bool {
	before := t.at(i - 1)
	return t.at(i+length).IsMark("(") || before.Is("CALL") || before.Is("PROCEDURE") || before.Is("FUNCTION")
}

// from returns whether a table stands at i in the text of a view, as servers print it.
func (t *translation) from(i int) bool {
	for ; i > 0 && t.at(i-1).IsMark("("); i-- {
	}
	before := t.at(i - 1)
	return before.Is("FROM") || before.Is("JOIN") || before.Is("STRAIGHT_JOIN")
}

// bare refuses names without a database that would mean something else on the target. A word that only may be such a
// name is refused too: without knowing the whole language nobody can distinguish the table orders from a variable
// orders.
func (t *translation) bare(i int) {
	m, text := t.m, t.at(i).Text
	if t.m.crossing && m.source.Kind == schema.ViewObject && t.at(i+1).IsMark("(") && t.at(i).Kind == sqltext.Word {
		if word := strings.ToLower(text); m.flavor.Family == schema.MariaDB && onlyMySQL[word] ||
			m.flavor.Family == schema.MySQL && onlyMariaDB[word] {
			m.fatal(byHand, "uses %s(), which %s does not have", word, m.flavor)
		}
	}
	if home, ours := m.places.Homes[text]; ours && home != text && !t.at(i-1).Is("AS") {
		m.fatal(byHand, "uses %s, which is a database that becomes %s on the target, as the name of something else",
			text, home)
	}
	if m.source.Kind == schema.ViewObject { // its text has every table with its database
		return
	}
	if word := strings.ToUpper(text); t.at(i).Kind == sqltext.Word && (word == "PREPARE" || word == "IMMEDIATE") &&
		m.renames() {
		m.fatal(byHand, "runs statements that it puts together (%s), and names in them cannot be translated", word)
	}
	for from, to := range m.places.Tables {
		if from.Database == m.source.Name.Database && strings.EqualFold(from.Table, text) &&
			to != (schema.Name{Database: m.home, Table: from.Table}) {
			m.fatal(byHand, "mentions %s, and the table of that name becomes %s on the target", text, to)
		}
	}
}

// onlyMySQL and onlyMariaDB are functions that the other family does not have. Lists like these are never complete:
// what is missing is found when the view is created, before writes are stopped.
var (
	onlyMySQL = wordSet(`regexp_like any_value bin_to_uuid uuid_to_bin is_uuid json_pretty json_storage_size
		json_storage_free json_schema_validation_report grouping statement_digest statement_digest_text
		format_bytes format_pico_time ps_thread_id ps_current_thread_id roles_graphml icu_version st_transform
		st_geohash st_latfromgeohash st_longfromgeohash st_pointfromgeohash st_longitude st_latitude st_swapxy
		st_validate st_frechetdistance st_hausdorffdistance to_vector string_to_vector vector_to_string
		from_vector vector_dim`)
	onlyMariaDB = wordSet(`nextval lastval setval median percentile_cont percentile_disc json_detailed
		json_loose json_compact json_query json_exists json_equals json_normalize json_array_intersect
		json_object_to_array natural_sort_key sformat to_char crc32c decode_histogram column_create column_add
		column_get column_delete column_list column_exists column_json column_check spider_direct_sql password
		old_password encode decode des_encrypt des_decrypt master_gtid_wait chr lengthb add_months sys_guid nvl
		nvl2 kdf binlog_gtid_pos vec_distance vec_fromtext vec_totext`)
)
