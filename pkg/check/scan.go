package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/db/canon"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Scan reads all rows of the source and finds the values that would stop the move, which only reading shows: numbers
// beyond the target's type, dates that no calendar has, text that is not valid in its character set. It also counts
// rows that reference nothing by a foreign key. For example, one row of ten million with the date 0000-00-00 stops
// init-copy after an hour; a scan tells before.
type Scan struct {
	source db.Source
	target db.Target
	routes []*route.Route
	opts   ScanOptions
}

// ScanOptions configure a Scan.
type ScanOptions struct {
	// Observe is told that more rows of a table were read, and when it is done; nil: nobody is.
	Observe func(table schema.Name, rows int64, done bool)
	Retry   db.Retry // of a table whose reading a lost connection interrupted
}

// scanStep is how many rows are read between two calls of Observe.
const scanStep = 10_000

// orphanLimit is up to how many rows that reference nothing are counted, per foreign key.
const orphanLimit = 1000

// NewScan returns a scan of the tables of some routes.
func NewScan(source db.Source, target db.Target, routes []*route.Route, opts ScanOptions) *Scan {
	if opts.Observe == nil {
		opts.Observe = func(schema.Name, int64, bool) {}
	}
	return &Scan{source: source, target: target, routes: routes, opts: opts}
}

// Run returns what was found, a finding per column and reason, with the number of rows and the key of the first.
func (s *Scan) Run(ctx context.Context) (findings []db.Finding, err error) {
	tables := 0
	for _, r := range s.routes {
		t, err := s.table(r)
		if err != nil {
			return findings, err
		}
		if t != nil {
			if err := s.opts.Retry.Do(ctx, func() error { return t.read(ctx) }); err != nil {
				return findings, fmt.Errorf("scan %s: %w", r.Source.Name(), err)
			}
			findings = append(findings, t.findings()...)
			tables++
		}
		s.opts.Observe(r.Source.Name(), 0, true)
		orphans, err := s.orphans(ctx, r)
		if err != nil {
			return findings, fmt.Errorf("scan %s: %w", r.Source.Name(), err)
		}
		findings = append(findings, orphans...)
	}
	if len(findings) == 0 {
		what := "every row of " + count.Of(tables, "table") + " fits"
		if tables == 0 {
			what = "the target holds whatever the source's columns can hold"
		}
		findings = []db.Finding{{Check: "scan", End: "source", Level: db.OK, What: what}}
	}
	return findings, nil
}

// orphans counts the rows that reference nothing. They are copied as they are; the target then holds a foreign key that
// some of its rows break, or cannot prove it.
func (s *Scan) orphans(ctx context.Context, r *route.Route) (findings []db.Finding, err error) {
	for i := range r.Source.Table.ForeignKeys {
		key := &r.Source.Table.ForeignKeys[i]
		for _, parent := range s.routes {
			if parent.Source.Name() != key.Parent {
				continue
			}
			n, err := s.source.Orphans(ctx, &r.Source, &parent.Source, *key, orphanLimit)
			if err != nil {
				return nil, err
			}
			if n > 0 {
				more := ""
				if n == orphanLimit {
					more = " or more"
				}
				findings = append(findings, db.Finding{
					Check: "scan", End: "source", Level: db.Warn, Subject: r.Source.Name().String(),
					What: fmt.Sprintf("%d%s rows reference nothing in %s by foreign key %s", n, more, key.Parent,
						key.Name),
					Fix: "remove them, or give them what they reference",
				})
			}
		}
	}
	return findings, nil
}

// tableScan is the scan of one table.
type tableScan struct {
	scan    *Scan
	route   *route.Route
	own     route.Relation // the source's, whose rows are as the source has them
	reading *canon.Reading
	fits    db.Misfits // nil: the target holds all
	reasons []*reason
	rows    int64
	row     db.Row
	found   []db.Misfit
	texts   [][]byte
}

// reason is what is wrong with values of a column.
type reason struct {
	db.Misfit
	level db.Level
	rows  int64
	first string // the key of the first
}

// table prepares the scan of a table; nil: there is nothing to look for in it.
func (s *Scan) table(r *route.Route) (*tableScan, error) {
	t := &tableScan{scan: s, route: r, own: r.Source}
	t.own.Rules = nil
	var err error
	if t.reading, err = canon.NewReading(&r.Source); err != nil {
		return nil, err
	}
	if t.fits, err = s.target.Misfits(r); err != nil {
		return nil, err
	}
	if t.fits == nil && r.Source.Rules == nil {
		return nil, nil //nolint:nilnil // nil means nothing to do
	}
	t.texts = make([][]byte, len(r.Source.Columns))
	return t, nil
}

// read reads the whole table, from its start.
func (t *tableScan) read(ctx context.Context) (err error) {
	t.reasons, t.rows = nil, 0
	rows, err := t.scan.source.Rows(ctx, &t.own, db.Range{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		own, err := rows.Next()
		if err == io.EOF { //nolint:errorlint // Next returns io.EOF itself, by contract
			break
		}
		if err != nil {
			return err
		}
		t.look(own)
		if t.rows++; t.rows%scanStep == 0 {
			t.scan.opts.Observe(t.route.Source.Name(), scanStep, false)
		}
	}
	t.scan.opts.Observe(t.route.Source.Name(), t.rows%scanStep, false)
	return nil
}

// look judges one row.
func (t *tableScan) look(own db.Row) {
	t.row = append(t.row[:0], own...)
	for i, v := range own {
		if v == nil || !t.reading.Changes(i) {
			continue
		}
		if t.reading.Null(v, i) {
			t.row[i] = nil
			t.note(own, db.Misfit{Value: i, Why: "is no date of the calendar, and becomes NULL", Fix: allowed}, db.Warn)
			continue
		}
		read, ok := t.reading.Append(t.texts[i][:0], v, i)
		if !ok {
			t.row[i] = nil
			t.note(own, db.Misfit{
				Value: i, Why: "is not valid in its character set, or has no exact form in the target's",
				Fix: "mend the value on the source",
			}, db.Fail)
			continue
		}
		if read == nil { // which would be NULL
			read = []byte{}
		}
		t.texts[i], t.row[i] = read, read
		if t.reading.Shortens(i) && len(read) < len(v) {
			t.note(own, db.Misfit{Value: i, Why: "has characters 0x00, which are taken out", Fix: allowed}, db.Warn)
		}
	}
	if t.fits == nil {
		return
	}
	t.found = t.fits(t.row, t.found[:0])
	for _, m := range t.found {
		t.note(own, m, db.Fail)
	}
}

const allowed = "nothing, if that is meant: schema.allow_losses allows it"

// note counts a value that does not fit.
func (t *tableScan) note(own db.Row, m db.Misfit, level db.Level) {
	for _, r := range t.reasons {
		if r.Value == m.Value && r.Why == m.Why {
			r.rows++
			return
		}
	}
	t.reasons = append(t.reasons, &reason{Misfit: m, level: level, rows: 1, first: t.name(own, m.Value)})
}

// name tells which row it is, by its key, or by the value if the table has none.
func (t *tableScan) name(own db.Row, value int) string {
	at := t.route.Source.Key
	if len(at) == 0 {
		at = []int{value}
	}
	var parts []string
	for _, i := range at {
		c := t.route.Source.Column(i)
		text := string(own[i])
		if !c.Type.IsNumber() {
			text = strconv.Quote(text[:min(len(text), 60)])
		}
		parts = append(parts, c.Name+" = "+text)
	}
	return strings.Join(parts, ", ")
}

func (t *tableScan) findings() (findings []db.Finding) {
	for _, r := range t.reasons {
		c := t.route.Source.Column(r.Value)
		fix := r.Fix
		if fix == "" {
			fix = "mend the values on the source, or exclude the table"
		}
		findings = append(findings, db.Finding{
			Check: "scan", End: "source", Level: r.level,
			Subject: t.route.Source.Name().String() + "." + c.Name,
			What: fmt.Sprintf("%d of %s: the value %s (the first: %s)", r.rows, count.Of(int(t.rows), "row"), r.Why,
				r.first),
			Fix: fix,
		})
	}
	return findings
}
