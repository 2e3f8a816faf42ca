package move

import (
	"context"
	"sync"
	"time"

	"wherry/pkg/monitor"
	"wherry/pkg/state"
)

// mirrorEvery is how often a running phase's progress goes to the state file. cutover reads the lag from there, so this
// bounds how old that can be.
const mirrorEvery = 2 * time.Second

// mirrorShare bounds the time spent on the state file, which grows with the number of tables: after a write that
// took 1 s nothing is written for 20 s.
const mirrorShare = 20

// mirroring puts what is known of a phase's progress into the state.
type mirroring func(st *state.State, p monitor.Snapshot)

// observeEvery is how often a caller is told the progress.
const observeEvery = time.Second

// observed runs f with live progress on the terminal, for the caller and in the state file. It keeps observing while f
// winds up after ctx has ended, and each observer sees the final numbers once f has returned.
func (m *Move) observed(ctx context.Context, mirror mirroring, f func(ctx context.Context) error) error {
	observe := m.opts.Observe
	if observe == nil {
		observe = func(monitor.Snapshot) {}
	}
	observing, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wait sync.WaitGroup
	wait.Go(func() { m.progress.Run(observing) })
	wait.Go(func() {
		wait := mirrorEvery
		for {
			select {
			case <-observing.Done():
				return
			case <-time.After(wait):
				began := time.Now()
				m.mirror(mirror)
				wait = max(mirrorEvery, mirrorShare*time.Since(began))
			}
		}
	})
	wait.Go(func() {
		for {
			select {
			case <-observing.Done():
				return
			case <-time.After(observeEvery):
				observe(m.progress.Snapshot())
			}
		}
	})
	err := f(ctx)
	stop()
	wait.Wait()
	m.mirror(mirror)
	observe(m.progress.Snapshot())
	return err
}

// mirror copies progress to the state file. It is for people: what counts is on the target, so an error is only
// logged.
func (m *Move) mirror(mirror mirroring) {
	snapshot := m.progress.Snapshot()
	m.trim(snapshot)
	err := m.file.Update(func(st *state.State) error {
		mirror(st, snapshot)
		return nil
	})
	if err != nil {
		m.log.Warn().Err(err).Msg("state file not updated")
	}
}

// mirrorReplica is the replica's part of the state.
func (m *Move) mirrorReplica(st *state.State, p monitor.Snapshot) {
	mirrorPositions(m.half(st).Positions, p)
}

// mirrorVerify is a comparison's part of the state: how far it is, and how far changes are applied when it applies
// them itself.
func (m *Move) mirrorVerify(st *state.State, p monitor.Snapshot) {
	m.mirrorReplica(st, p)
	mirrorProgress(st, m.phase, p)
}

func mirrorPositions(at *state.Positions, p monitor.Snapshot) {
	if p.Replica.Position == "" {
		return
	}
	at.Applied, at.AppliedAt, at.Lag, at.RowsApplied = p.Replica.Position, p.Replica.At, p.Replica.Lag, p.Replica.Rows
}

// mirrorProgress records how far a phase that counts rows is.
func mirrorProgress(st *state.State, phase string, p monitor.Snapshot) {
	st.Progress = state.Progress{
		Phase: phase, Step: p.Step, Tables: len(p.Tables), TablesDone: p.TablesDone, Rows: p.Rows,
		RowsEstimate:  p.Estimate,
		RowsPerSecond: p.Rate, Left: p.ETA, At: time.Now().UTC().Truncate(time.Millisecond),
	}
}

// mirrorCopy is the copy's part of the state. Tables that the state file does not list are left out: they are listed
// when they are recorded.
func (m *Move) mirrorCopy(st *state.State, p monitor.Snapshot) {
	mirrorProgress(st, m.phase, p)
	records := make(map[string]*state.Table, len(st.Tables))
	for i := range st.Tables {
		records[st.Tables[i].Source] = &st.Tables[i]
	}
	for _, t := range p.Tables {
		record := records[t.Table]
		if record == nil {
			continue
		}
		record.RowsEstimate, record.Rows, record.Chunks, record.ChunksDone = t.Estimate, t.Rows, t.Chunks, t.ChunksDone
		switch {
		case t.Step != "":
			record.Status = t.Step
		case t.Chunks > 0:
			record.Status = state.TableCopying
		}
	}
	if p.Start != "" {
		st.Positions.Start = p.Start.String()
	}
	if p.Consistent != "" {
		st.Positions.Consistent = p.Consistent.String()
	}
	mirrorPositions(&st.Positions, p)
}
