package verify

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// Report is the outcome of a comparison.
type Report struct {
	// Position is the source position up to which the comparison holds: rows that changed later have to be compared
	// again.
	Position db.Position `json:"position"`
	Started  time.Time   `json:"started"`
	Finished time.Time   `json:"finished"`
	Tables   []Table     `json:"tables"`
}

// Table is the outcome for one table, in rows.
type Table struct {
	Source    schema.Name `json:"-"` // told as text, see MarshalJSON
	Target    schema.Name `json:"-"`
	Rows      int64       `json:"rows"`      // compared, by the source's count
	Differing int64       `json:"differing"` // on both ends, with other values
	Missing   int64       `json:"missing"`   // on the source only
	Extra     int64       `json:"extra"`     // on the target only
	InFlux    int64       `json:"in_flux"`   // changed between the reads each time; not differences, see prove
	Repaired  int64       `json:"repaired"`  // were different and are no more; not counted in the three above
	// Computed is how many of the differences are in generated columns only, which the target computes by itself: a
	// repair cannot write them.
	Computed int64        `json:"computed,omitempty"`
	Listed   []Difference `json:"listed,omitempty"`
}

// MarshalJSON tells the names of the table as db.table, as all output for programs does.
func (t Table) MarshalJSON() ([]byte, error) {
	type counts Table
	return json.Marshal(struct {
		Table       string `json:"table"`
		TargetTable string `json:"target_table"`
		counts
	}{t.Source.String(), t.Target.String(), counts(t)})
}

// Difference is one row that is not equal, or was not.
type Difference struct {
	Key      string `json:"key"` // as a person would write it; the whole row, shortened, in a table without a key
	Kind     Kind   `json:"kind"`
	Times    int64  `json:"times,omitempty"` // how often a row without a key is missing or extra
	Repaired bool   `json:"is_repaired,omitempty"`
	Computed bool   `json:"is_computed,omitempty"` // see Table
}

// Kind tells how a row differs.
type Kind string

// How a row may differ.
const (
	Differing Kind = "differing"
	Missing   Kind = "missing"
	Extra     Kind = "extra"
	InFlux    Kind = "in flux"
)

// Has tells whether a source table is in the report; not in a nil one.
func (r *Report) Has(table schema.Name) bool {
	return r != nil && slices.ContainsFunc(r.Tables, func(t Table) bool { return t.Source == table })
}

// Join returns a report of the tables of both, without those that have to be compared again. Its position is the
// earlier one, which is right for the later tables too: it only means that more of their changes are compared again.
func (r *Report) Join(later *Report, again func(schema.Name) bool) *Report {
	if r == nil || later == nil {
		r, later = cmp.Or(r, later), nil
	}
	if r == nil {
		return nil
	}
	out := *r
	out.Tables = slices.Clone(r.Tables)
	if later != nil {
		out.Tables, out.Finished = append(out.Tables, later.Tables...), later.Finished
	}
	if again != nil {
		out.Tables = slices.DeleteFunc(out.Tables, func(t Table) bool { return again(t.Source) })
	}
	return &out
}

// Clean tells whether no difference remains.
func (r *Report) Clean() bool { return r.Differences() == 0 }

// Differences returns how many rows remain different.
func (r *Report) Differences() int64 {
	return r.total(func(t *Table) int64 { return t.Differing + t.Missing + t.Extra })
}

// Rows returns how many rows were compared.
func (r *Report) Rows() int64 { return r.total(func(t *Table) int64 { return t.Rows }) }

// Repaired returns how many rows were mended.
func (r *Report) Repaired() int64 { return r.total(func(t *Table) int64 { return t.Repaired }) }

// Computed returns how many of the differences are in generated columns only.
func (r *Report) Computed() int64 { return r.total(func(t *Table) int64 { return t.Computed }) }

// InFlux returns how many rows changed between the reads each time.
func (r *Report) InFlux() int64 { return r.total(func(t *Table) int64 { return t.InFlux }) }

// total adds a count up over all tables.
func (r *Report) total(of func(*Table) int64) int64 {
	var n int64
	for i := range r.Tables {
		n += of(&r.Tables[i])
	}
	return n
}

// found is what one piece of work finds; only one goroutine has it.
type found struct {
	table Table // counts and list
	limit int   // of the list
}

// add counts a row and lists it when there is room. It tells whether there was.
func (f *found) add(key string, kind Kind, repaired bool) bool {
	switch {
	case repaired:
		f.table.Repaired++
	case kind == Differing:
		f.table.Differing++
	case kind == Missing:
		f.table.Missing++
	case kind == Extra:
		f.table.Extra++
	default:
		f.table.InFlux++
	}
	if len(f.table.Listed) >= f.limit {
		return false
	}
	f.table.Listed = append(f.table.Listed, Difference{Key: key, Kind: kind, Repaired: repaired})
	return true
}

// computed tells of the row added last that only generated columns of it differ.
func (f *found) computed(listed bool) {
	f.table.Computed++
	if listed {
		f.table.Listed[len(f.table.Listed)-1].Computed = true
	}
}

// addRows counts equal rows of a table without a key, and lists them when there is room.
func (f *found) addRows(row string, kind Kind, times int64) {
	if kind == Missing {
		f.table.Missing += times
	} else {
		f.table.Extra += times
	}
	if len(f.table.Listed) < f.limit {
		f.table.Listed = append(f.table.Listed, Difference{Key: row, Kind: kind, Times: times})
	}
}

// merge adds what was found to a table's outcome.
func (t *Table) merge(f *Table, limit int) {
	t.Rows += f.Rows
	t.Differing += f.Differing
	t.Missing += f.Missing
	t.Extra += f.Extra
	t.InFlux += f.InFlux
	t.Repaired += f.Repaired
	t.Computed += f.Computed
	room := max(0, limit-len(t.Listed))
	t.Listed = append(t.Listed, f.Listed[:min(room, len(f.Listed))]...)
}

// sort orders the listed rows by key: several workers found them in no order.
func (t *Table) sort() {
	slices.SortStableFunc(t.Listed, func(a, b Difference) int {
		return strings.Compare(a.Key, b.Key)
	})
}
