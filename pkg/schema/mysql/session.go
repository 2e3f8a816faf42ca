package mysql

import (
	"maps"
	"slices"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// SessionUse is a part of an expression whose value does not follow from the row alone: it depends on a variable of
// the session that computes it, which is the session that wrote the row for what is stored.
type SessionUse struct {
	Variable string // such as "time_zone"
	Part     string // of the expression: a function, an operator or a column
	// only certain values depend on it, or a setting that hardly anybody uses: most rows are the same anyway
	Rare bool
}

// sessionRule says on which variable a function depends, unless its arguments make that impossible.
type sessionRule struct {
	variable string
	rare     bool
	unless   func(s *sessionScan, at int) bool // at is where the function's name is
	has      func(Flavor) bool                 // whether the server has the variable; nil: all have
}

// sessionFunctions are the functions whose values depend on the session, as measured on both families (test:
// TestSessionExpressions). A server that forbids one in stored columns may still take it in a CHECK. Not here: what
// no server takes in an expression of a table, such as RAND(); what only the size of a value decides
// (max_allowed_packet); and what depends on the server rather than the session, such as CONVERT_TZ, which knows the
// zones that were loaded there. Comparing rows finds those.
var sessionFunctions = map[string]sessionRule{
	"from_unixtime":  {variable: "time_zone"},
	"unix_timestamp": {variable: "time_zone", unless: (*sessionScan).ofTimestamp},
	"dayname":        {variable: "lc_time_names"},
	"monthname":      {variable: "lc_time_names"},
	"date_format":    {variable: "lc_time_names", unless: (*sessionScan).withoutNames},
	"extract":        {variable: "default_week_format", unless: (*sessionScan).extractsNoWeek},
	"aes_encrypt":    {variable: "block_encryption_mode", has: Flavor.hasBlockModes},
	"aes_decrypt":    {variable: "block_encryption_mode", has: Flavor.hasBlockModes},
	"weight_string":  {variable: "default_collation_for_utf8mb4", rare: true, has: Flavor.hasUTF8Default},
	"str_to_date":    {variable: "sql_mode", rare: true},
}

// SessionFunctions returns the names of the functions whose values depend on the session, sorted.
func SessionFunctions() []string { return slices.Sorted(maps.Keys(sessionFunctions)) }

// regularExpressions depend on MariaDB's default_regex_flags.
var regularExpressions = wordSet("regexp rlike regexp_replace regexp_substr regexp_instr")

// dateFunctions read their argument as a date. A text is converted, a TIME becomes that time of the present day, and
// sql_mode decides what becomes of invalid dates.
var dateFunctions = wordSet(`date year month monthname day dayname dayofmonth dayofweek dayofyear week weekday
	weekofyear yearweek quarter to_days to_seconds last_day datediff timestampdiff timestampadd date_add
	date_sub adddate subdate date_format extract timestamp interval`)

// timeFunctions read their argument as a time.
var timeFunctions = wordSet("hour minute second microsecond time time_to_sec time_format addtime subtime timediff")

// sessionScan goes through the words of one expression.
type sessionScan struct {
	table  *schema.Table
	tokens []sqltext.Token
	result schema.Type // of the column that takes the value; the zero value for conditions and index parts
	uses   []SessionUse
	within []string // generated columns whose expressions are being scanned; they may use one another, not in a ring
}

// SessionUses returns on which variables of the session a generated column's values depend, in the order of its
// expression: of `h INT AS (HOUR(at))` over a TIMESTAMP that is time_zone, by the column at. A column that is written
// by clients depends on none.
func SessionUses(t *schema.Table, c *schema.Column) []SessionUse {
	// ROW START and ROW END are no expressions
	if c.Generated == schema.NotGenerated || strings.HasPrefix(c.Expr, "ROW ") {
		return nil
	}
	return sessionUses(t, c.Expr, c.Type, []string{strings.ToLower(c.Name)})
}

// conditionUses returns the same for an expression without a column: a CHECK, or a part of an index.
func conditionUses(t *schema.Table, expr string) []SessionUse {
	return sessionUses(t, expr, schema.Type{}, nil)
}

func sessionUses(t *schema.Table, expr string, result schema.Type, within []string) []SessionUse {
	tokens, err := sqltext.Lex(expr, printed)
	if err != nil {
		return nil // it was read before, or the table is refused for it
	}
	s := &sessionScan{table: t, tokens: tokens, result: result, within: within}
	for at := range tokens {
		s.token(at)
	}
	if result.Kind == schema.Timestamp {
		s.add("time_zone", "its type TIMESTAMP", false)
	}
	s.conversions()
	return s.uses
}

// add notes a use. One per variable is enough.
func (s *sessionScan) add(variable, part string, rare bool) {
	for i := range s.uses {
		if u := &s.uses[i]; u.Variable == variable && u.Rare == rare {
			return // one reason is enough
		}
	}
	s.uses = append(s.uses, SessionUse{variable, part, rare})
}

// at returns a token, or the end beyond both ends.
func (s *sessionScan) at(i int) sqltext.Token {
	if i < 0 || i >= len(s.tokens) {
		return sqltext.Token{}
	}
	return s.tokens[i]
}

// column returns the column that token i names, or nil. Servers print columns in backticks.
func (s *sessionScan) column(i int) *schema.Column {
	t := s.at(i)
	if t.Kind != sqltext.Name {
		return nil
	}
	if at := s.table.Column(t.Text); at >= 0 {
		return &s.table.Columns[at]
	}
	return nil
}

// token finds what begins at token i and depends on the session.
func (s *sessionScan) token(i int) {
	t := s.tokens[i]
	word := strings.ToLower(t.Text)
	switch {
	case t.Kind == sqltext.Name:
		if c := s.column(i); c != nil {
			s.reads(i, c)
		}
	case t.Kind == sqltext.Word:
		rule, known := sessionFunctions[word]
		known = known && s.at(i+1).IsMark("(") && (rule.has == nil || rule.has(Flavor(s.table.Flavor)))
		if known && (rule.unless == nil || !rule.unless(s, i)) {
			s.add(rule.variable, word+"()", rule.rare)
		}
		// MySQL writes the mode out when it is created
		if word == "week" && s.table.Flavor.Family == schema.MariaDB && s.at(i+1).IsMark("(") && s.arguments(i) == 1 {
			s.add("default_week_format", "week()", false)
		}
		if regularExpressions[word] && s.table.Flavor.Family == schema.MariaDB {
			s.add("default_regex_flags", word, true)
		}
	case t.IsMark("/") && !s.real(i-1) && !s.real(i+1):
		s.add("div_precision_increment", "/", false)
	case t.IsMark("-") && s.unsigned():
		s.add("sql_mode", "-", true) // NO_UNSIGNED_SUBTRACTION: a negative difference, or an error
	}
}

// real returns whether the operand that begins or ends at a token is plainly a floating-point number, whose division
// does not depend on div_precision_increment.
func (s *sessionScan) real(i int) bool {
	t := s.at(i)
	if c := s.column(i); c != nil {
		return c.Type.Kind == schema.Float || c.Type.Kind == schema.Double
	}
	cast := t.IsMark(")") && (s.at(i-1).Is("DOUBLE") || s.at(i-1).Is("FLOAT") || s.at(i-1).Is("REAL"))
	return cast || t.Kind == sqltext.Number && strings.ContainsAny(t.Text, "eE")
}

// unsigned returns whether an unsigned number takes part.
func (s *sessionScan) unsigned() bool {
	return slices.ContainsFunc(s.tokens, func(t sqltext.Token) bool { return t.Is("UNSIGNED") }) ||
		s.mentions(func(c *schema.Column) bool { return c.Type.Unsigned })
}

// mentions returns whether a column of some kind takes part.
func (s *sessionScan) mentions(some func(*schema.Column) bool) bool {
	for i := range s.tokens {
		if c := s.column(i); c != nil && some(c) && !s.onlyNull(i) {
			return true
		}
	}
	return false
}

// onlyNull returns whether the expression only asks if the column is NULL, which no session changes.
func (s *sessionScan) onlyNull(i int) bool {
	return s.at(i+1).Is("IS") || s.at(i-1).IsMark("(") && s.at(i-2).Is("ISNULL")
}

// reads notes what the value of a column depends on. A generated column depends on what its own expression does.
func (s *sessionScan) reads(i int, c *schema.Column) {
	if s.onlyNull(i) {
		return
	}
	name := strings.ToLower(c.Name)
	if c.Generated != schema.NotGenerated && !slices.Contains(s.within, name) {
		for _, use := range sessionUses(s.table, c.Expr, c.Type, append(slices.Clone(s.within), name)) {
			s.add(use.Variable, "column "+c.Name, use.Rare)
		}
	}
	function := "" // that the column is the first argument of
	if s.at(i - 1).IsMark("(") {
		function = strings.ToLower(s.at(i - 2).Text)
	}
	switch c.Type.Kind {
	case schema.Timestamp:
		if function != "unix_timestamp" || !s.at(i+1).IsMark(")") {
			s.add("time_zone", "column "+c.Name+" of type TIMESTAMP", false)
		}
	case schema.Time:
		if s.onPresentDay(i) {
			s.add("timestamp", "column "+c.Name+" of type TIME, which is put on the present day", false)
		}
	case schema.Char: // PAD_CHAR_TO_FULL_LENGTH; MariaDB refuses such expressions
		if s.table.Flavor.Family == schema.MySQL && function != "rtrim" && function != "trim" {
			s.add("sql_mode", "column "+c.Name+" of type CHAR", true)
		}
	default:
	}
}

// onPresentDay returns whether a TIME is converted to a date, by a function, a cast, a comparison or the column that
// gets the value. It then becomes that time of the day on which the row is written.
func (s *sessionScan) onPresentDay(i int) bool {
	if s.at(i - 1).IsMark("(") {
		switch function := strings.ToLower(s.at(i - 2).Text); {
		case function == "timestamp" && s.at(i+1).IsMark(","), function == "cast" && !isDateWord(s.at(i+2)):
		case dateFunctions[function], function == "cast":
			return true
		}
	}
	if isDay(s.result) && !slices.ContainsFunc(s.tokens, func(t sqltext.Token) bool {
		return t.Is("TIMESTAMP") || t.Is("ADDTIME") || t.Is("SUBTIME")
	}) {
		return true
	}
	for _, step := range []int{-1, 1} {
		if c := s.column(i + 2*step); c != nil && isDay(c.Type) &&
			slices.Contains([]string{"=", "<", ">", "<=", ">=", "<>", "!=", "<=>"}, s.at(i+step).Text) {
			return true
		}
	}
	return false
}

// isDay returns whether values of a type have a date.
func isDay(t schema.Type) bool {
	return t.Kind == schema.Date || t.Kind == schema.Datetime || t.Kind == schema.Timestamp
}

func isDateWord(t sqltext.Token) bool { return t.Is("DATE") || t.Is("DATETIME") }

// conversions finds what only some values depend on: text that is read as a date, invalid dates, and fractions that are
// rounded or cut.
func (s *sessionScan) conversions() {
	reads, casts := false, false
	for i, t := range s.tokens {
		word := strings.ToLower(t.Text)
		reads = reads || t.Kind == sqltext.Word && (dateFunctions[word] || timeFunctions[word])
		casts = casts || s.at(i-1).Is("AS") && (isDateWord(t) || t.Is("TIME"))
	}
	becomes := isDay(s.result) || s.result.Kind == schema.Time
	if !reads && !casts && !becomes {
		return
	}
	if s.mentions(func(c *schema.Column) bool {
		return c.Type.IsText() || c.Type.IsBytes() || c.Type.Kind == schema.JSON
	}) {
		s.add("sql_mode", "text that is read as a date or time", true)
		// '2024-03-05 10:00:00+07:00' is turned into the session's time zone (MySQL manual 13.2.2)
		if s.table.Flavor.Family == schema.MySQL {
			s.add("time_zone", "text that is read as a date or time", true)
		}
	}
	if s.mentions(func(c *schema.Column) bool {
		return c.Type.Kind == schema.Date || c.Type.Kind == schema.Datetime
	}) && (reads || casts) {
		s.add("sql_mode", "dates that are none", true) // NO_ZERO_IN_DATE
	}
	if s.mentions(func(c *schema.Column) bool {
		return (isDay(c.Type) || c.Type.Kind == schema.Time) && c.Type.Scale > 0 &&
			(casts || becomes && c.Type.Scale > s.result.Scale)
	}) {
		s.add("sql_mode", "fractions of seconds", true) // TIME_TRUNCATE_FRACTIONAL, TIME_ROUND_FRACTIONAL
	}
}

// arguments counts the arguments of the function whose name is at a place.
func (s *sessionScan) arguments(at int) int {
	depth, n := 0, 1
	for i := at + 1; i < len(s.tokens); i++ {
		switch t := s.tokens[i]; {
		case t.IsMark("("):
			depth++
		case t.IsMark(")"):
			if depth--; depth == 0 {
				return n
			}
		case t.IsMark(",") && depth == 1:
			n++
		}
	}
	return n
}

// ofTimestamp returns whether UNIX_TIMESTAMP has a TIMESTAMP column as its argument, which is stored as that number.
func (s *sessionScan) ofTimestamp(at int) bool {
	c := s.column(at + 2)
	return c != nil && c.Type.Kind == schema.Timestamp && s.at(at+3).IsMark(")")
}

// withoutNames returns whether the format of DATE_FORMAT is a literal without names of days and months.
func (s *sessionScan) withoutNames(at int) bool {
	depth := 0
	for i := at + 1; i < len(s.tokens); i++ {
		switch t := s.tokens[i]; {
		case t.IsMark("("):
			depth++
		case t.IsMark(")"):
			depth--
			if depth == 0 {
				format := s.tokens[i-1]
				return format.Kind == sqltext.String && (s.at(i-2).IsMark(",") || introduces(s.tokens, i-2)) &&
					!namesDays(format.Text)
			}
		}
	}
	return false
}

// namesDays returns whether a format has one of %a %b %M %W, which lc_time_names puts into words.
func namesDays(format string) bool {
	for i := 0; i+1 < len(format); i++ {
		if format[i] == '%' {
			i++
			if strings.IndexByte("abMW", format[i]) >= 0 {
				return true
			}
		}
	}
	return false
}

func (s *sessionScan) extractsNoWeek(at int) bool { return !s.at(at + 2).Is("WEEK") }
