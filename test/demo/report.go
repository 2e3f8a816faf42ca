package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"wherry/test/internal/lab"
)

// errNotProved is a move that may have lost or doubled something.
var errNotProved = errors.New("NOT PROVED")

// report is what a run has found.
type report struct {
	source, target string
	start          start

	// What wherry said, and what was seen of it.
	copy, replica, verify, cutover lab.Summary
	replayed                       int64           // transactions made during the copy
	replayedRows                   int64           // net changes of rows that they made
	peakRSS                        int64           // of the copy
	lags                           []time.Duration // sorted
	cutoverAt, switchedAt          time.Duration   // on the journal's clock
	gap                            time.Duration   // the longest between two acknowledged commits, from the cutover on

	// The proof.
	tally                        tally
	tables                       []comparison
	effectsRight                 int
	columns, indexes, references int // that both sides have
	problems                     []string
}

// prove gathers the evidence and prints the report.
func (d *demo) prove(ctx context.Context, sealed *seal) error {
	d.say("proof: %d tables row by row, and the journal against the target", len(d.tables))
	r := &d.report
	for _, step := range []func(context.Context) error{d.proveFrozen, func(ctx context.Context) error {
		return d.proveRows(ctx, sealed)
	}, d.proveSchema, d.proveJournal} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	d.print()
	if len(r.problems) > 0 {
		for _, problem := range r.problems {
			fmt.Println("  PROBLEM:", problem)
		}
		return fmt.Errorf("%w: %d problems, see above; journal, configuration and log are in %s", errNotProved,
			len(r.problems), d.dir)
	}
	fmt.Println("proved: nothing was lost, nothing was doubled")
	return nil
}

// proveFrozen makes sure that the source still refuses the application's writes, so that comparing it has a meaning.
func (d *demo) proveFrozen(ctx context.Context) error {
	_, err := d.sourceApp.ExecContext(ctx, "UPDATE journal SET detail = detail + 1 WHERE id = (SELECT id FROM "+
		"(SELECT MAX(id) AS id FROM journal) j)")
	if err == nil {
		d.report.problems = append(d.report.problems, "the source still takes writes")
	}
	return nil
}

func (d *demo) proveRows(ctx context.Context, sealed *seal) error {
	pool, err := d.source.Admin(database)
	if err != nil {
		return err
	}
	defer pool.Close()
	conns, err := openConns(ctx, pool, readers)
	if err != nil {
		return err
	}
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	r := &d.report
	sights := make([]string, len(d.tables))
	for i, t := range d.tables {
		if sights[i], err = d.targetApp.sight(ctx, t); err != nil {
			return err
		}
	}
	if r.tables, err = compare(ctx, conns, sealed, d.tables, sights); err != nil {
		return err
	}
	for _, t := range r.tables {
		if t.err != nil {
			r.problems = append(r.problems, fmt.Sprintf("table %s differs after %d equal rows: %v", t.table, t.rows,
				t.err))
		}
	}
	return nil
}

func (d *demo) proveSchema(ctx context.Context) error {
	r := &d.report
	source, target := alike, alike
	if d.targetApp.postgres {
		source, target = mysqlParts, postgresParts
	}
	for _, kind := range []struct {
		name           string
		source, target string
		equal          *int
	}{
		{"column", source.columns, target.columns, &r.columns},
		{"index column", source.indexes, target.indexes, &r.indexes},
		{"foreign key column", source.references, target.references, &r.references},
	} {
		equal, differ, err := compareSchema(ctx, d.sourceApp, d.targetApp, kind.source, kind.target)
		if err != nil {
			return err
		}
		*kind.equal = equal
		for _, part := range differ {
			r.problems = append(r.problems, kind.name+" "+part)
		}
	}
	return nil
}

func (d *demo) proveJournal(ctx context.Context) error {
	file, err := os.Open(filepath.Join(d.dir, "journal"))
	if err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	defer file.Close()
	records, err := readJournal(file)
	if err != nil {
		return err
	}
	r := &d.report
	if r.tally, err = countTransactions(ctx, d.targetApp, records); err != nil {
		return err
	}
	for _, record := range records {
		if record.outcome == acknowledged && record.begun > r.switchedAt {
			r.tally.afterSwitch++
		}
	}
	if !r.tally.proved() {
		r.problems = append(r.problems, fmt.Sprintf("journal: %d transactions lost, %d doubled, %d on the target "+
			"that were refused",
			r.tally.lost, r.tally.doubled, r.tally.ghosts))
	}
	if r.tally.afterSwitch == 0 {
		r.problems = append(r.problems, "the application has written nothing to the target")
	}
	r.gap = longestGap(records, r.cutoverAt)
	var wrong []string
	r.effectsRight, wrong, err = wrongEffects(ctx, d.targetApp, r.start)
	r.problems = append(r.problems, wrong...)
	return err
}

// equalRows is how many rows were found equal, and in how many tables all of them.
func (r *report) equalRows() (rows int64, tables int) {
	for _, t := range r.tables {
		rows += t.rows
		if t.err == nil {
			tables++
		}
	}
	return rows, tables
}

// count writes a number with thousands apart.
func count[T int | int64 | float64](n T) string {
	text := strconv.FormatInt(int64(n), 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// short writes a time with as many digits as matter.
func short(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}

// rate is n per second of d.
func rate[T int | int64 | float64](n T, d time.Duration) string {
	if d <= 0 {
		return "-"
	}
	return count(float64(n)/d.Seconds()) + "/s"
}
