package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"wherry/test/internal/lab"
)

// How long the demo waits for things that take a moment.
const (
	patience = 30 * time.Second
	glance   = 2 * time.Millisecond
)

// command runs one of wherry's commands and shows it and what it said.
func (d *demo) command(ctx context.Context, args ...string) (*lab.Child, lab.Summary, error) {
	d.say("$ %s", d.wherry.Line(args...))
	child, summary, err := d.wherry.Run(ctx, args...)
	if err != nil {
		return nil, nil, err
	}
	d.answer(summary)
	return child, summary, nil
}

func (d *demo) answer(s lab.Summary) {
	fmt.Printf("         %s: %s\n", s.Text("phase"), s.Text("detail"))
}

func (d *demo) check(ctx context.Context) error {
	_, _, err := d.command(ctx, "check")
	return err
}

func (d *demo) initSchema(ctx context.Context) error {
	if _, _, err := d.command(ctx, "init-schema"); err != nil {
		return err
	}
	return d.targetDB.admit(ctx)
}

func (d *demo) initCopy(ctx context.Context) error {
	before, err := number(ctx, d.sourceApp, "SELECT COUNT(*) FROM journal")
	if err != nil {
		return err
	}
	child, summary, err := d.command(ctx, "init-copy")
	if err != nil {
		return err
	}
	d.report.copy, d.report.peakRSS = summary, child.PeakRSS
	if d.report.replayedRows, err = d.replayedRows(); err != nil {
		return err
	}
	after, err := number(ctx, d.targetApp, "SELECT COUNT(*) FROM journal")
	d.report.replayed = after - before
	return err
}

// replayedRows is how many changes init-copy has replayed, as the state file says.
func (d *demo) replayedRows() (int64, error) {
	text, err := os.ReadFile(filepath.Join(d.dir, "state.json"))
	if err != nil {
		return 0, fmt.Errorf("read state: %w", err)
	}
	var state struct {
		Positions struct {
			RowsApplied int64 `json:"rows_applied"`
		} `json:"positions"`
	}
	if err := json.Unmarshal(text, &state); err != nil {
		return 0, fmt.Errorf("read state: %w", err)
	}
	return state.Positions.RowsApplied, nil
}

// startReplica leaves wherry following the source, and waits until it has caught up.
func (d *demo) startReplica(ctx context.Context) (*lab.Child, error) {
	d.say("$ %s &", d.wherry.Line("start-replica"))
	child, err := d.wherry.Start(ctx, "start-replica")
	if err != nil {
		return nil, err
	}
	if _, err := d.lagSample(ctx); err != nil {
		endReplica(child)
		return nil, fmt.Errorf("wait for start-replica to catch up: %w\n%s", err, child.Log())
	}
	return child, pause(ctx, 3*time.Second)
}

// endReplica stops it if it runs still.
func endReplica(child *lab.Child) {
	_ = child.Signal(syscall.SIGTERM) // it has ended, or ends now
	select {
	case <-child.Done():
	case <-time.After(patience):
		_ = child.Signal(os.Kill)
		<-child.Done()
	}
}

// replicaEnds waits for start-replica to notice that the move is over.
func (d *demo) replicaEnds(ctx context.Context, child *lab.Child) error {
	select {
	case <-child.Done():
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(patience):
		return fmt.Errorf("start-replica still runs %s after the cutover", patience)
	}
	if err := child.Wait(); err != nil {
		return err
	}
	summary, err := lab.ParseSummary(child.Output())
	if err != nil {
		return err
	}
	d.report.replica = summary
	d.answer(summary)
	return nil
}

func (d *demo) verify(ctx context.Context) error {
	_, summary, err := d.command(ctx, "verify")
	d.report.verify = summary
	return err
}

// measureLag looks a few times how long it takes until a transaction of the source is on the target.
func (d *demo) measureLag(ctx context.Context) error {
	for range 5 {
		lag, err := d.lagSample(ctx)
		if err != nil {
			return err
		}
		d.report.lags = append(d.report.lags, lag)
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	slices.Sort(d.report.lags)
	return nil
}

// lagSample returns after what time the latest transaction on the source is on the target too.
func (d *demo) lagSample(ctx context.Context) (time.Duration, error) {
	const query = "SELECT COALESCE(MAX(id), 0) FROM journal"
	latest, err := number(ctx, d.sourceApp, query)
	if err != nil {
		return 0, err
	}
	for began := time.Now(); time.Since(began) < patience; {
		at, err := number(ctx, d.targetApp, query)
		if err != nil {
			return 0, err
		}
		if at >= latest {
			return time.Since(began), nil
		}
		if err := pause(ctx, glance); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("the target is more than %s behind", patience)
}

func number(ctx context.Context, db *pool, query string) (n int64, err error) {
	if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("%s: %w", query, err)
	}
	return n, nil
}

// cutover has wherry switch. Meanwhile it does what the application's operator would: it waits for the hook's word
// and points the application at the target, having sealed what the target holds at that moment.
func (d *demo) cutover(ctx context.Context) (*seal, error) {
	pool, err := d.target.Admin(database)
	if err != nil {
		return nil, err
	}
	if d.sealing, err = openConns(ctx, pool, readers); err != nil {
		return nil, err
	}
	d.report.cutoverAt = time.Since(d.journal.began)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	type switched struct {
		seal *seal
		err  error
	}
	done := make(chan switched, 1)
	go func() {
		s, err := d.awaitSwitch(watching)
		done <- switched{s, err}
	}()
	_, summary, err := d.command(ctx, "cutover", "--confirm="+moveName)
	if err != nil {
		return nil, err
	}
	d.report.cutover = summary
	select {
	case s := <-done:
		return s.seal, s.err
	case <-time.After(time.Second):
		return nil, fmt.Errorf("cutover is done, and its switch hook did not write %s", d.switchFile)
	}
}

// awaitSwitch waits for the hook's word and points the application at the target.
func (d *demo) awaitSwitch(ctx context.Context) (*seal, error) {
	for {
		text, err := os.ReadFile(d.switchFile)
		if err != nil {
			return nil, fmt.Errorf("watch for the switch: %w", err)
		}
		if strings.TrimSpace(string(text)) == "target" {
			break
		}
		if err := pause(ctx, glance); err != nil {
			return nil, err
		}
	}
	s, err := takeSeal(ctx, d.targetDB, d.sealing)
	d.writer.primary.Store(d.targetApp)
	d.report.switchedAt = time.Since(d.journal.began)
	return s, err
}
