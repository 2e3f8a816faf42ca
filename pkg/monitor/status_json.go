package monitor

import (
	"time"

	"wherry/pkg/state"
)

// status is the one document of `wherry status --json`.
type status struct {
	Type      string          `json:"type"`
	Time      time.Time       `json:"time"`
	Move      string          `json:"move"`
	Over      bool            `json:"over"`
	Running   *runningPhase   `json:"running,omitempty"`
	Source    state.Server    `json:"source,omitzero"`
	Target    state.Server    `json:"target,omitzero"`
	Phases    []phaseStand    `json:"phases"`
	Tables    tableStand      `json:"tables"`
	Positions replicaStand    `json:"positions"`
	Spool     int64           `json:"spool_bytes,omitempty"` // of the source's log, kept on this machine
	Verify    *state.Verify   `json:"verify,omitempty"`
	Rehearsal state.Rehearsal `json:"rehearsal,omitzero"`
	Cutover   state.Cutover   `json:"cutover,omitzero"`
	Reverse   *state.Reverse  `json:"reverse,omitempty"`
	Next      Next            `json:"next"`
}

type runningPhase struct {
	Phase string `json:"phase"`
	PID   int    `json:"pid"`
}

type phaseStand struct {
	state.Phase
	Seconds float64 `json:"seconds,omitempty"` // that it took, or takes so far
}

type tableStand struct {
	tableSum
	List []state.Table `json:"list"`
}

type replicaStand struct {
	state.Positions
	LagSeconds float64  `json:"lag_seconds"`
	AgeSeconds *float64 `json:"applied_age_seconds,omitempty"` // since applied_at
}

// StatusJSON returns for programs what WriteStatus writes for people: one document of type "status", to be
// marshalled. Phases has all phases, those that never began as pending; one that was killed says so.
func StatusJSON(s state.State, live Live) any {
	out := status{
		Type: "status", Time: live.Now.UTC().Truncate(time.Millisecond), Move: s.Move, Over: s.Over(), Source: s.Source, Target: s.Target,
		Tables:    tableStand{tableSum: sumTables(s.Tables), List: make([]state.Table, 0, len(s.Tables))},
		Positions: replicaStand{Positions: s.Positions, LagSeconds: time.Duration(s.Positions.Lag).Seconds()},
		Rehearsal: s.Rehearsal, Cutover: s.Cutover, Next: NextStep(s, live), Spool: live.Spool,
	}
	if live.Running != "" {
		out.Running = &runningPhase{Phase: live.Running, PID: live.PID}
	}
	if s.Turned() {
		out.Reverse = &s.Reverse
	}
	for _, name := range phases(&s) {
		out.Phases = append(out.Phases, standOf(&s, name, live))
	}
	for _, t := range s.Tables {
		t.Definition = "" // long, and told by the source
		out.Tables.List = append(out.Tables.List, t)
	}
	if at := s.Positions.AppliedAt; !at.IsZero() {
		age := max(live.Now.Sub(at), 0).Seconds()
		out.Positions.AgeSeconds = &age
	}
	if !s.Verify.Started.IsZero() || len(s.Verify.Tables) > 0 {
		out.Verify = &s.Verify
	}
	return out
}

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
