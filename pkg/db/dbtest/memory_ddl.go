package dbtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// The statements of the server's language: a verb and a JSON object, which is the part of a schema.Table that matters
// to it. For example, drop table {"Name":{"Database":"d","Table":"t"}}. It is no SQL, so that no phase can get away
// with writing SQL itself.
const (
	createDatabase = "create database "
	createTable    = "create table "
	replaceTable   = "replace table "
	truncateTable  = "truncate table "
	analyzeTable   = "analyze "
	dropTable      = "drop table "
	renameTable    = "rename table "
	renameTables   = "rename tables "
	alterTable     = "alter table "
	addIndexes     = "add indexes "
	addForeignKeys = "add foreign keys "
	setIncrement   = "set auto increment "
)

// operands are what the statements are about.
type operands struct {
	schema.Table
	To     schema.Name       // of renameTable
	Pairs  [][2]schema.Name  `json:",omitempty"` // of renameTables
	Former map[string]string // of alterTable: the names until now of the columns that are kept
}

// write is a statement: the verb and its operands.
func write(verb string, o operands) string {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err) // a table is plain data
	}
	return verb + string(text)
}

// CreateTable returns the statement that makes a table, with every index.
func CreateTable(t *schema.Table) string { return dialect{first}.CreateTable(t, false)[0] }

// AddForeignKeys returns the statement that gives a table its foreign keys.
func AddForeignKeys(t *schema.Table) string {
	return dialect{first}.AddForeignKeys(t, &schema.Table{})[0]
}

// ReplaceTable returns the statement that gives a table another definition: columns of the same name keep their
// values, others have their default. It stands for any ALTER TABLE that an application may run.
func ReplaceTable(t *schema.Table) string { return write(replaceTable, operands{Table: *t}) }

// TruncateTable returns the statement that empties a table.
func TruncateTable(n schema.Name) string {
	return write(truncateTable, operands{Table: schema.Table{Name: n}})
}

// DropTable returns the statement that removes a table.
func DropTable(n schema.Name) string { return write(dropTable, operands{Table: schema.Table{Name: n}}) }

// RenameTable returns the statement that gives a table another name.
func RenameTable(from, to schema.Name) string {
	return write(renameTable, operands{Table: schema.Table{Name: from}, To: to})
}

// DDL runs statements of the server's language, all or none, and logs them as one schema change with the text and
// database of change, which may be in any language. So a test logs "ALTER TABLE .." as a user would write it, and says
// itself what it does. When change names no tables they are those of the statements.
func (s *Server) DDL(change db.DDL, statements ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readOnly && !s.leaky {
		return errReadOnly
	}
	before, named, effects := maps.Clone(s.tables), []schema.Name(nil), []schema.Effect(nil)
	for _, statement := range statements {
		names, err := s.execute(statement)
		if err != nil {
			s.tables = before
			return err
		}
		named = append(named, names...)
		for i := 0; i < len(names); i++ {
			e := s.effect(before, names[i:], statement)
			if effects = append(effects, e); e.Kind == schema.Renamed {
				i++
			}
		}
	}
	if change.Tables == nil {
		change.Tables = named
	}
	change.Moment.Time = time.Now()
	s.append(entry{ddl: &change, effects: effects, time: change.Moment.Time})
	return nil
}

// effect tells what a statement that was executed did, as Source.Effects will be asked for it. names are the tables
// that it touched; of a rename the old and the new name.
func (s *Server) effect(before map[schema.Name]*table, names []schema.Name, statement string) schema.Effect {
	verb := statement[:strings.IndexByte(statement, '{')]
	e := schema.Effect{Name: names[0]}
	switch verb {
	case createTable:
		e.Kind = schema.Created
	case dropTable:
		e.Kind = schema.Dropped
	case renameTable, renameTables:
		e.Kind, e.To = schema.Renamed, names[1]
	case truncateTable:
		e.Kind = schema.Truncated
	}
	if e.Kind == schema.Created || e.Kind == schema.Altered {
		after := *s.tables[e.Name].def
		e.After, e.Former = &after, map[string]string{}
		for _, c := range after.Columns {
			if was := before[e.Name]; was != nil && was.def.Column(c.Name) >= 0 {
				e.Former[c.Name] = c.Name
			}
		}
		if verb == alterTable {
			e.Former = formerOf(statement)
		}
	}
	return e
}

// SchemaChanges returns those of the log between two positions.
func (s *source) SchemaChanges(
	ctx context.Context, after, until db.Position, tables []schema.Name,
) (found []*db.DDL, err error) {
	if err := s.s.enter(ctx, "schema_changes"); err != nil {
		return nil, err
	}
	from, err := parsePosition(after)
	if err != nil {
		return nil, err
	}
	to, err := parsePosition(until)
	if err != nil {
		return nil, err
	}
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	if err := s.s.retained(from); err != nil {
		return nil, err
	}
	for _, e := range s.s.log[from-s.s.first : to-s.s.first] {
		if change := s.s.touching(e.ddl, func(n schema.Name) bool {
			return slices.Contains(tables, n)
		}); change != nil {
			found = append(found, change)
		}
	}
	return found, nil
}

// touching returns a schema change with those of its tables that are followed or asked for; nil when there are none. It
// is a copy: several streams read one entry of the log.
func (s *Server) touching(d *db.DDL, asked func(schema.Name) bool) *db.DDL {
	if d == nil {
		return nil
	}
	change := *d
	change.Tables = slices.DeleteFunc(slices.Clone(change.Tables), func(n schema.Name) bool {
		return !asked(n) && (s.follows == nil || !s.follows(n))
	})
	if len(change.Tables) == 0 {
		return nil
	}
	return &change
}

// Databases tells that there are no character sets here.
func (s *source) Databases(ctx context.Context) (map[string]string, error) {
	return map[string]string{}, s.s.enter(ctx, "databases")
}

// Effects tells what an entry of the log did, which the server kept. So phases are tested without any parser.
func (s *source) Effects(ctx context.Context, change *db.DDL, _ []*schema.Table) ([]schema.Effect, error) {
	if err := s.s.enter(ctx, "effects"); err != nil {
		return nil, err
	}
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	for _, e := range s.s.log {
		if e.ddl != nil && e.ddl.Statement == change.Statement && e.time.Equal(change.Moment.Time) {
			return e.effects, nil
		}
	}
	return nil, fmt.Errorf("find %.60q in the log: %w", change.Statement, schema.ErrUnknownStatement)
}

// execute runs a statement by replacing whole tables, and returns the names that it touched. A table is never changed
// in place: open transactions notice at their commit that it is another one.
func (s *Server) execute(statement string) ([]schema.Name, error) {
	if ours, err := s.executeObject(statement); ours {
		return nil, err
	}
	at := strings.IndexByte(statement, '{')
	if at < 0 {
		return nil, fmt.Errorf("cannot understand %.60q", statement)
	}
	var o operands
	if err := json.Unmarshal([]byte(statement[at:]), &o); err != nil {
		return nil, fmt.Errorf("cannot understand %.60q: %w", statement, err)
	}
	// The plan says which source column a column comes from. A server does not store that, so a phase must not find
	// it there.
	for i := range o.Columns {
		o.Columns[i].From = "" // a server knows nothing of the source's names
	}
	verb, name := statement[:at], o.Name
	switch verb {
	case createDatabase:
		return nil, nil
	case renameTables:
		return s.renameAll(o.Pairs)
	case dropTable:
		if s.tables[name] == nil {
			return nil, nil // IF EXISTS
		}
	case createTable:
		if s.tables[name] != nil {
			return nil, fmt.Errorf("table %s exists", name)
		}
		s.tables[name] = newTable(s.family, &o.Table)
		return []schema.Name{name}, nil
	}
	t := s.tables[name]
	if t == nil {
		return nil, fmt.Errorf("open table %s: no such table", name)
	}
	def := *t.def
	switch verb {
	case dropTable:
		delete(s.tables, name)
		return []schema.Name{name}, nil
	case renameTable:
		if s.tables[o.To] != nil {
			return nil, fmt.Errorf("table %s exists", o.To)
		}
		delete(s.tables, name)
		def.Name = o.To
		return []schema.Name{name, o.To}, s.rebuild(t, &def, sameNames)
	case analyzeTable:
		return nil, nil
	case truncateTable:
		s.tables[name] = newTable(s.family, &def)
		return []schema.Name{name}, nil
	case alterTable:
		return []schema.Name{name}, s.alter(t, &o)
	case replaceTable:
		def = o.Table
	case addIndexes:
		def.Indexes = append(slices.Clone(def.Indexes), o.Indexes...)
	case addForeignKeys:
		def.ForeignKeys = append(slices.Clone(def.ForeignKeys), o.ForeignKeys...)
		for i := range o.ForeignKeys {
			if err := s.orphans(t, &o.ForeignKeys[i]); err != nil {
				return nil, err
			}
		}
	case setIncrement:
		def.AutoIncrement = o.AutoIncrement
	default:
		return nil, fmt.Errorf("cannot understand %.60q", statement)
	}
	return []schema.Name{name}, s.rebuild(t, &def, sameNames)
}

// alter gives a table another definition. New automatic columns are numbered from 1.
func (s *Server) alter(t *table, o *operands) error {
	before := t.def.ForeignKeys
	if err := s.rebuild(t, &o.Table, func(column string) string { return o.Former[column] }); err != nil {
		return err
	}
	for i := range o.ForeignKeys {
		if slices.ContainsFunc(before, func(have schema.ForeignKey) bool {
			return have.Name == o.ForeignKeys[i].Name
		}) {
			continue
		}
		if err := s.orphans(s.tables[o.Name], &o.ForeignKeys[i]); err != nil {
			return err
		}
	}
	return nil
}

// formerOf returns what a statement that was executed tells of the names of columns.
func formerOf(statement string) map[string]string {
	var o operands
	if err := json.Unmarshal([]byte(statement[strings.IndexByte(statement, '{'):]), &o); err != nil {
		panic(err) // it was executed
	}
	return o.Former
}

func sameNames(column string) string { return column }

// renameAll renames tables one after the other, so a swap by a third name works. When one fails, those before it have
// been renamed; DDL then puts everything back.
func (s *Server) renameAll(pairs [][2]schema.Name) (names []schema.Name, err error) {
	for _, pair := range pairs {
		touched, err := s.execute(RenameTable(pair[0], pair[1]))
		if err != nil {
			return nil, err
		}
		names = append(names, touched...)
	}
	return names, nil
}

// rebuild puts the rows of a table into one of another definition. former returns the old name of a column, "" for a
// new one, which gets its default. It fails if a row does not fit, and the old table stays.
func (s *Server) rebuild(t *table, def *schema.Table, former func(string) string) error {
	from := make([]int, len(def.Columns))
	same := len(def.Columns) == len(t.def.Columns)
	for i := range def.Columns {
		from[i] = t.def.Column(former(def.Columns[i].Name))
		same = same && from[i] == i
	}
	built := newTable(s.family, def)
	built.next = max(t.next, def.AutoIncrement)
	keys, rows := t.sorted(), []*record(nil)
	for _, key := range keys {
		rec := t.rows[key]
		if !same {
			row := make(db.Row, len(from))
			for i, at := range from {
				if at < 0 {
					row[i] = initial(&def.Columns[i])
					if def.Columns[i].AutoIncrement {
						row[i] = strconv.AppendUint(nil, built.next, 10)
						built.next++
					}
					continue
				}
				row[i] = rec.row[at]
			}
			rec = &record{row}
		}
		if err := checkRow(def, rec.row); err != nil {
			return err
		}
		rows = append(rows, rec)
	}
	if err := built.fill(keys, rows); err != nil {
		return err
	}
	s.tables[def.Name] = built
	return nil
}

// orphans refuses a foreign key if a row of the child references nothing.
func (s *Server) orphans(child *table, fk *schema.ForeignKey) error {
	parent := s.tables[fk.Parent]
	if parent == nil {
		return fmt.Errorf("add foreign key %s of %s: no table %s", fk.Name, child.def.Name, fk.Parent)
	}
	own, theirs := positions(child.def, fk.Columns), positions(parent.def, fk.ParentColumns)
	if slices.Contains(own, -1) || slices.Contains(theirs, -1) {
		return errors.New("add foreign key " + fk.Name + ": no such column")
	}
	parents := unique{columns: theirs, owners: map[string]string{}}
	for key, rec := range parent.rows {
		if v, ok := parents.value(rec.row); ok {
			parents.owners[v] = key
		}
	}
	children := unique{columns: own}
	for _, rec := range child.rows {
		if v, ok := children.value(rec.row); ok && parents.owners[v] == "" {
			return fmt.Errorf("add foreign key %s of %s: no row %s in %s", fk.Name, child.def.Name,
				show(rec.row.Pick(own)), fk.Parent)
		}
	}
	return nil
}

// positions returns where columns are in a table, -1 for one that is not there.
func positions(def *schema.Table, columns []string) []int {
	at := make([]int, len(columns))
	for i, name := range columns {
		at[i] = def.Column(name)
	}
	return at
}
