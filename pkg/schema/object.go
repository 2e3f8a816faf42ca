package schema

import (
	"fmt"
	"slices"
	"strings"
)

// ObjectKind is what a schema object besides tables is.
type ObjectKind string

// The kinds of objects.
const (
	ViewObject     ObjectKind = "view"
	TriggerObject  ObjectKind = "trigger"
	Procedure      ObjectKind = "procedure"
	Function       ObjectKind = "function"
	Package        ObjectKind = "package" // MariaDB's, listed and never moved
	EventObject    ObjectKind = "event"
	SequenceObject ObjectKind = "sequence"
)

// ObjectGroups are the names by which kinds are asked for.
var ObjectGroups = []string{"views", "triggers", "routines", "events", "sequences"}

// Group returns the one of ObjectGroups that the kind belongs to.
func (k ObjectKind) Group() string {
	switch k {
	case Procedure, Function, Package:
		return "routines"
	default:
		return string(k) + "s"
	}
}

// Object is a view, trigger, routine, event or sequence as a server defines it. Its texts are bytes in the character
// set of Session.Charset, as the server keeps them.
type Object struct {
	Kind    ObjectKind
	Name    Name    // Table is the object's own name
	Table   Name    // that a trigger is on
	Timing  string  // of a trigger, such as "BEFORE INSERT"
	Definer Account // zero for a sequence
	// Lead stands between CREATE and the kind besides the definer, such as "ALGORITHM=MERGE SQL SECURITY INVOKER".
	Lead string
	// what follows the name; of a trigger what follows FOR EACH ROW, of an event what follows whether it is enabled
	Body    string
	Session Session // that it was created in, and has to be created in again

	Schedule string   // of an event, from ON SCHEDULE to ON COMPLETION
	Columns  []string // of a view; none when the view is broken
	Enabled  bool     // whether an event fires
	Replica  bool     // whether an event is disabled because the server is, or was, a replica
	OneTime  bool     // whether an event fires once
	Next     string   // the next value that a sequence has not handed out to anybody yet
	Language string   // of a routine's body, when it is not SQL
	Unsafe   bool     // whether a function is declared as neither DETERMINISTIC, NO SQL nor READS SQL DATA

	Hidden     string // why the definition is not shown, or not understood; all else may be missing then
	Definition string // the server's own CREATE statement, verbatim
	Flavor     Flavor
}

// Session is what a definition depends on besides its text. Empty fields mean that it does not.
type Session struct {
	Database          string // that names without one are looked for in
	SQLMode           string
	Charset           string // character_set_client
	Collation         string // collation_connection
	DatabaseCollation string // of variables and parameters without one
	TimeZone          string // of an event's times
}

// String returns the kind and name, such as "view shop.v".
func (o *Object) String() string { return string(o.Kind) + " " + o.Name.String() }

// Same returns whether two readings of an object define the same thing. The values of a sequence do not count.
func (o *Object) Same(other *Object) bool {
	return o.Kind == other.Kind && o.Name == other.Name && o.Definition == other.Definition &&
		o.Session == other.Session &&
		o.Enabled == other.Enabled && slices.Equal(o.Columns, other.Columns)
}

// Invoker returns a view that reads with the rights of whoever asks, and belongs to who makes it.
func (o *Object) Invoker() *Object {
	plain := *o
	plain.Definer, plain.Lead = Account{}, "SQL SECURITY INVOKER"
	if algorithm, _, _ := strings.Cut(o.Lead, " "); strings.HasPrefix(algorithm, "ALGORITHM=") {
		plain.Lead = algorithm + " " + plain.Lead
	}
	return &plain
}

// Account is whom an object belongs to.
type Account struct {
	User string
	Host string // empty for a role of MariaDB
}

// IsZero returns whether a names nobody.
func (a Account) IsZero() bool { return a == Account{} }

// String returns user@host.
func (a Account) String() string {
	if a.Host == "" {
		return a.User
	}
	return a.User + "@" + a.Host
}

// Quoted returns 'user'@'host', as statements that grant rights have it.
func (a Account) Quoted() string {
	quotes := strings.NewReplacer("'", "''", `\`, `\\`)
	return "'" + quotes.Replace(a.User) + "'@'" + quotes.Replace(a.Host) + "'"
}

// ParseAccount reads user@host, where the last @ separates.
func ParseAccount(s string) (Account, error) {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 {
		return Account{}, fmt.Errorf("invalid account %q, not user@host", s)
	}
	return Account{s[:at], s[at+1:]}, nil
}

// Places says where things go on the target, for the names in definitions.
type Places struct {
	// Tables are the tables, views and sequences that the target will have, by their source's names.
	Tables map[Name]Name
	// Homes are the databases that routines and events of a source database go to.
	Homes map[string]string
	// Definer takes the place of every definer; zero keeps them, unless Current leaves them out: then it is who
	// creates it.
	Definer Account
	Current bool
}

// Remark is what is to be said about an object on its way to another server.
type Remark struct {
	Fatal bool // the object cannot be moved
	What  string
	Fix   string
}

// ObjectPlan is one object to create.
type ObjectPlan struct {
	Source *Object
	Target *Object
}

// ObjectDialect writes objects in one server's language.
type ObjectDialect interface {
	// MapObject returns the object as it will be on the dialect's server, and what is to be said about that. With a
	// fatal remark it cannot be there.
	MapObject(source *Object, places Places) (*Object, []Remark)
	// CreateObject returns the statement that makes an object, to be run in its Session; an event is made disabled.
	CreateObject(o *Object) string
	// DropObject returns the statement that removes an object, if it is there.
	DropObject(o *Object) string
	// DisableEvent returns the statement that keeps an event from firing, and may make this account its definer.
	DisableEvent(o *Object) string
	// EnableEvent returns the statement that lets an event fire, under the definer that o has.
	EnableEvent(o *Object) string
	// SetSequence returns the statement after which a sequence hands out next.
	SetSequence(o *Object, next string) string
}
