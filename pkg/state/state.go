// Package state keeps the one durable record of a move: which phase is done, which tables there are, how far
// the target has come.
//
// Its one invariant: the file is always whole and belongs to one move. It is replaced atomically, never written in
// place; two processes may update it at the same time without losing either's change; and a file of another move, of a
// newer version or with damage is refused, not repaired. For example, start-replica writes its position while verify
// writes its result: each reads the file anew under a lock, changes its own part, and replaces the whole.
//
// It is the record for people and for the next command. It does not decide what the target holds: the position and the
// chunks that count are those in the target's own bookkeeping, which this file mirrors.
package state

import (
	"net"
	"time"
)

// CurrentVersion is the layout that this package writes. Any change of a field's name or meaning, and any new
// field, makes a new version and an entry in migrations.
const CurrentVersion = 3

// State is the content of the file. Zero values are left out of it.
type State struct {
	Version int    `yaml:"version" json:"version"`
	Move    string `yaml:"move" json:"move"`
	// Of the config, see config.Fingerprint.
	Fingerprint string    `yaml:"fingerprint,omitempty" json:"fingerprint,omitempty"`
	Wherry      string    `yaml:"wherry,omitempty" json:"wherry,omitempty"` // version of the last writer
	Source      Server    `yaml:"source,omitempty" json:"source,omitzero"`
	Target      Server    `yaml:"target,omitempty" json:"target,omitzero"`
	Phases      []Phase   `yaml:"phases,omitempty" json:"phases,omitempty"` // in the order of their first begin
	Tables      []Table   `yaml:"tables,omitempty" json:"tables,omitempty"`
	Positions   Positions `yaml:"positions,omitempty" json:"positions,omitzero"`
	Verify      Verify    `yaml:"verify,omitempty" json:"verify,omitzero"`
	Cutover     Cutover   `yaml:"cutover,omitempty" json:"cutover,omitzero"`
	Rehearsal   Rehearsal `yaml:"rehearsal,omitempty" json:"rehearsal,omitzero"`
	Reverse     Reverse   `yaml:"reverse,omitempty" json:"reverse,omitzero"`
	Progress    Progress  `yaml:"progress,omitempty" json:"progress,omitzero"`
}

// Server is who answered at one end.
type Server struct {
	UUID    string `yaml:"uuid,omitempty" json:"uuid,omitempty"`
	Host    string `yaml:"host,omitempty" json:"host,omitempty"`
	Port    string `yaml:"port,omitempty" json:"port,omitempty"`
	Version string `yaml:"version,omitempty" json:"version,omitempty"`
	Flavor  string `yaml:"flavor,omitempty" json:"flavor,omitempty"`
}

// Address is host:port, or the host alone when there is no port (a socket).
func (s Server) Address() string {
	if s.Port == "" {
		return s.Host
	}
	return net.JoinHostPort(s.Host, s.Port)
}

// The status of a table, in the order in which a table goes through them.
const (
	TablePlanned = "planned"
	TableCreated = "created"
	TableCopying = "copying"
	TableCopied  = "copied"
	TableIndexed = "indexed"
)

// Table is one source table. Definition is the source's CREATE TABLE when it was planned.
type Table struct {
	Source       string `yaml:"source" json:"source"` // db.table
	Target       string `yaml:"target" json:"target"`
	Status       string `yaml:"status,omitempty" json:"status,omitempty"`
	RowsEstimate int64  `yaml:"rows_estimate,omitempty" json:"rows_estimate,omitempty"`
	Rows         int64  `yaml:"rows,omitempty" json:"rows,omitempty"`
	Chunks       int    `yaml:"chunks,omitempty" json:"chunks,omitempty"`
	ChunksDone   int    `yaml:"chunks_done,omitempty" json:"chunks_done,omitempty"`
	Definition   string `yaml:"definition,omitempty" json:"definition,omitempty"`
}

// Positions are places in the source's change log, opaque here. Start is where the copy began, Consistent is
// where the target first equalled the source, Applied is how far the target is, Head is the source's end when
// it was last seen.
type Positions struct {
	Start       string    `yaml:"start,omitempty" json:"start,omitempty"`
	Consistent  string    `yaml:"consistent,omitempty" json:"consistent,omitempty"`
	Applied     string    `yaml:"applied,omitempty" json:"applied,omitempty"`
	Head        string    `yaml:"head,omitempty" json:"head,omitempty"`
	AppliedAt   time.Time `yaml:"applied_at,omitempty" json:"applied_at,omitzero"`
	Lag         Duration  `yaml:"lag,omitempty" json:"lag,omitzero"`
	RowsApplied int64     `yaml:"rows_applied,omitempty" json:"rows_applied,omitempty"`
}

// The modes of a comparison.
const (
	VerifyFull   = "full"   // of all tables
	VerifyTables = "tables" // of some, which proves nothing of the others
)

// Verify is the last comparison. Clean holds only if Finished is set.
type Verify struct {
	Mode     string        `yaml:"mode,omitempty" json:"mode,omitempty"`
	Position string        `yaml:"position,omitempty" json:"position,omitempty"`
	Started  time.Time     `yaml:"started,omitempty" json:"started,omitzero"`
	Finished time.Time     `yaml:"finished,omitempty" json:"finished,omitzero"`
	Tables   []VerifyTable `yaml:"tables,omitempty" json:"tables,omitempty"`
	Clean    bool          `yaml:"clean,omitempty" json:"clean,omitempty"`
}

// VerifyTable is the result for one source table, in rows.
type VerifyTable struct {
	Table     string `yaml:"table" json:"table"`
	Rows      int64  `yaml:"rows" json:"rows"`
	Differing int64  `yaml:"differing,omitempty" json:"differing,omitempty"`
	Missing   int64  `yaml:"missing,omitempty" json:"missing,omitempty"`
	Extra     int64  `yaml:"extra,omitempty" json:"extra,omitempty"`
	// How many of them are in generated columns only.
	Computed int64 `yaml:"computed,omitempty" json:"computed,omitempty"`
}

// Progress is how far the phase that counts rows is: init-copy, or verify. It is what was last said of the last one
// that ran.
type Progress struct {
	Phase         string    `yaml:"phase,omitempty" json:"phase,omitempty"` // as in the list of phases
	Step          string    `yaml:"step,omitempty" json:"step,omitempty"`
	Tables        int       `yaml:"tables,omitempty" json:"tables,omitempty"`
	TablesDone    int       `yaml:"tables_done,omitempty" json:"tables_done,omitempty"`
	Rows          int64     `yaml:"rows,omitempty" json:"rows,omitempty"`
	RowsEstimate  int64     `yaml:"rows_estimate,omitempty" json:"rows_estimate,omitempty"` // 0 is unknown
	RowsPerSecond int64     `yaml:"rows_per_second,omitempty" json:"rows_per_second,omitempty"`
	Left          Duration  `yaml:"left,omitempty" json:"left,omitzero"` // 0 is unknown
	At            time.Time `yaml:"at,omitempty" json:"at,omitzero"`
}

// Cutover is the journal of the switch: the last step that was recorded, and what is needed to undo the fence.
type Cutover struct {
	Step      string    `yaml:"step,omitempty" json:"step,omitempty"`
	FencedAt  time.Time `yaml:"fenced_at,omitempty" json:"fenced_at,omitzero"`
	FenceKind string    `yaml:"fence_kind,omitempty" json:"fence_kind,omitempty"`
	// Values before the fence.
	SourceReadOnly map[string]string `yaml:"source_read_only,omitempty" json:"source_read_only,omitempty"`
	Head           string            `yaml:"head,omitempty" json:"head,omitempty"`
	Blocked        Duration          `yaml:"blocked,omitempty" json:"blocked,omitzero"` // how long writes were blocked
	Done           bool              `yaml:"done,omitempty" json:"done,omitempty"`
	Note           string            `yaml:"note,omitempty" json:"note,omitempty"`
}

// Table returns the record of a source table (db.table), nil if there is none. The pointer is into s.
func (s *State) Table(source string) *Table {
	for i := range s.Tables {
		if s.Tables[i].Source == source {
			return &s.Tables[i]
		}
	}
	return nil
}
