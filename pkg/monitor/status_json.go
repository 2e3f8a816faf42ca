package monitor

import (
	"time"

	"wherry/pkg/state"
)

// status is the one document of `wherry status --json`. docs/json.md says what its fields are. Where the state file has
// a duration as text, or another name, a shadow hides that field: a name stands for one thing in all output.
type status struct {
	Type         string         `json:"type"`
	Time         time.Time      `json:"time"`
	Move         string         `json:"move"`
	Over         bool           `json:"over"`
	Running      *runningPhase  `json:"running,omitempty"`
	Beside       *runningPhase  `json:"beside,omitempty"` // that works beside start-replica
	Progress     *progressStand `json:"progress,omitempty"`
	Source       state.Server   `json:"source,omitzero"`
	Target       state.Server   `json:"target,omitzero"`
	Phases       []phaseStand   `json:"phases"`
	Tables       int            `json:"tables"`
	TablesCopied int            `json:"tables_copied"`
	Rows         int64          `json:"rows"`
	RowsEstimate int64          `json:"rows_estimate"`
	TableList    []tableStand   `json:"table_list"`
	Positions    replicaStand   `json:"positions"`
	Spool        int64          `json:"spool_bytes,omitempty"` // of the source's log, kept on this machine
	Verify       *verifyStand   `json:"verify,omitempty"`
	Rehearsal    rehearsalStand `json:"rehearsal,omitzero"`
	Cutover      cutoverStand   `json:"cutover,omitzero"`
	Reverse      *reverseStand  `json:"reverse,omitempty"`
	Stand        Stand          `json:"stand"`
	Ends         []endAnswer    `json:"ends,omitempty"` // when the servers were asked
	Next         string         `json:"next"`           // the command to type; empty when there is none
	NextPhase    string         `json:"next_phase,omitempty"`
	Reason       string         `json:"reason"` // why that is next
}

// runningPhase is a phase that a process works on now.
type runningPhase struct {
	Phase string `json:"phase"`
	PID   int    `json:"pid"`
}

// phaseStand is a phase's record with how long it took.
type phaseStand struct {
	state.Phase
	Seconds float64 `json:"seconds,omitempty"` // that it took, or takes so far
}

// endAnswer is what a server said.
type endAnswer struct {
	End     string `json:"end"` // source or target
	Answers bool   `json:"answers"`
	Error   string `json:"error,omitempty"`
}

// tableStand is a table under the names that all output has: the state file says source and target, which elsewhere in
// this document are servers.
type tableStand struct {
	Table       string `json:"table"`
	TargetTable string `json:"target_table"`
	tableRecord
	Source *struct{} `json:"source,omitempty"` // never: Table
	Target *struct{} `json:"target,omitempty"` // never: TargetTable
}

// tableRecord is state.Table, embedded beside a field of that name.
type tableRecord = state.Table

// replicaStand is how far changes are applied, with the lag as status reckons it: the recorded one may be days old.
type replicaStand struct {
	state.Positions
	Lag        *struct{} `json:"lag,omitempty"`                 // never: LagSeconds is what the state file calls lag
	LagSeconds *float64  `json:"lag_seconds"`                   // null when it is not known
	LagAtMost  bool      `json:"lag_at_most,omitempty"`         // it may be less: nobody applies changes, or says so
	AgeSeconds *float64  `json:"applied_age_seconds,omitempty"` // since applied_at
}

// behind notes a lag that is known.
func (r *replicaStand) behind(l lag) {
	if !l.known {
		return
	}
	seconds := l.behind.Seconds()
	r.LagSeconds, r.LagAtMost = &seconds, l.atMost
}

// progressStand is how far a phase is, with the time left in seconds.
type progressStand struct {
	state.Progress
	Left *struct{} `json:"left,omitempty"`        // never: ETASeconds
	ETA  float64   `json:"eta_seconds,omitempty"` // 0: not known
}

// verifyStand is the last comparison; tables is a number everywhere else, so the list has another name.
type verifyStand struct {
	state.Verify
	Tables    *struct{}           `json:"tables,omitempty"` // never: TableList
	TableList []state.VerifyTable `json:"table_list,omitempty"`
}

// rehearsalStand is the last rehearsal, in seconds.
type rehearsalStand struct {
	At      time.Time `json:"at,omitzero"`
	Blocked float64   `json:"blocked_seconds,omitempty"`
	Fence   float64   `json:"fence_seconds,omitempty"`
	Drain   float64   `json:"drain_seconds,omitempty"`
	Verify  float64   `json:"verify_seconds,omitempty"`
}

// cutoverStand is the cutover, with the blocked time in seconds.
type cutoverStand struct {
	state.Cutover
	Blocked        *struct{} `json:"blocked,omitempty"` // never: BlockedSeconds
	BlockedSeconds float64   `json:"blocked_seconds,omitempty"`
}

// reverseStand is the way back; absent until it was begun.
type reverseStand struct {
	Positions replicaStand `json:"positions,omitzero"`
	Verify    *verifyStand `json:"verify,omitempty"`
	Cutover   cutoverStand `json:"cutover,omitzero"`
}

// verifyOf returns nil if nothing was compared yet.
func verifyOf(v state.Verify) *verifyStand {
	if v.Started.IsZero() && len(v.Tables) == 0 {
		return nil
	}
	return &verifyStand{Verify: v, TableList: v.Tables}
}

// seconds is a duration as all JSON output has it.
func seconds(d state.Duration) float64 { return time.Duration(d).Seconds() }

func cutoverOf(c state.Cutover) cutoverStand {
	return cutoverStand{Cutover: c, BlockedSeconds: seconds(c.Blocked)}
}

// StatusJSON returns for programs what WriteStatus writes for people: one document of type "status", to be
// marshalled. Phases has all phases, those that never began as pending; one that was killed says so.
func StatusJSON(s state.State, live Live) any {
	out := status{
		Type: "status", Time: live.Now.UTC().Truncate(time.Millisecond), Move: s.Move, Over: s.Over(),
		Source: s.Source, Target: s.Target,
		TableList: make([]tableStand, 0, len(s.Tables)),
		Positions: replicaStand{Positions: s.Positions}, Stand: StandOf(s, live),
		Cutover: cutoverOf(s.Cutover), Spool: live.Spool,
		Rehearsal: rehearsalStand{
			At: s.Rehearsal.At, Blocked: seconds(s.Rehearsal.Blocked),
			Fence: seconds(s.Rehearsal.Fence), Drain: seconds(s.Rehearsal.Drain), Verify: seconds(s.Rehearsal.Verify),
		},
	}
	sum := sumTables(s.Tables)
	out.Tables, out.TablesCopied, out.Rows, out.RowsEstimate = sum.Total, sum.Copied, sum.Rows, sum.RowsEstimate
	out.Next, out.NextPhase, out.Reason = out.Stand.Next.Command, out.Stand.Next.Phase, out.Stand.Next.Text
	f := factsOf(&s, live)
	out.Positions.behind(f.lagOf(&s.Positions, f.follows() && f.prefix == ""))
	if live.Source.Asked || live.Target.Asked {
		out.Ends = []endAnswer{
			{End: "source", Answers: !live.Source.silent(), Error: live.Source.Error},
			{End: "target", Answers: !live.Target.silent(), Error: live.Target.Error},
		}
	}
	if live.Running != "" {
		out.Running = &runningPhase{Phase: live.Running, PID: live.PID}
	}
	if live.Beside != "" && live.Beside != live.Running {
		out.Beside = &runningPhase{Phase: live.Beside, PID: live.BesidePID}
	}
	if !s.Progress.At.IsZero() {
		out.Progress = &progressStand{Progress: s.Progress, ETA: seconds(s.Progress.Left)}
	}
	if s.Turned() {
		out.Reverse = &reverseStand{
			Positions: replicaStand{Positions: s.Reverse.Positions},
			Verify:    verifyOf(s.Reverse.Verify), Cutover: cutoverOf(s.Reverse.Cutover),
		}
		out.Reverse.Positions.behind(f.lagOf(&s.Reverse.Positions, f.follows() && f.prefix != ""))
	}
	for _, name := range phases(&s) {
		out.Phases = append(out.Phases, standOf(&s, name, live))
	}
	for _, t := range s.Tables {
		t.Definition = "" // long, and told by the source
		out.TableList = append(out.TableList, tableStand{Table: t.Source, TargetTable: t.Target, tableRecord: t})
	}
	if at := s.Positions.AppliedAt; !at.IsZero() {
		age := max(live.Now.Sub(at), 0).Seconds()
		out.Positions.AgeSeconds = &age
	}
	out.Verify = verifyOf(s.Verify)
	return out
}

// standOf is the record of a phase with its real status: pending if it never began, killed if nobody works on it.
func standOf(s *state.State, name string, live Live) phaseStand {
	p := s.Phase(name)
	if p == nil {
		return phaseStand{Phase: state.Phase{Name: name, Status: statusPending}}
	}
	out := phaseStand{Phase: *p}
	out.Status = phaseStatus(p, live)
	switch {
	case !p.Finished.IsZero():
		out.Seconds = p.Finished.Sub(p.Started).Seconds()
	case out.Status == state.StatusRunning:
		out.Seconds = max(live.Now.Sub(p.Started), 0).Seconds()
	}
	return out
}
