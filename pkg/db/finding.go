package db

import (
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// Level grades a finding.
type Level string

// A failed finding refuses the move; a warning is for the operator to weigh.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Fail Level = "fail"
)

// Finding is the outcome of one named check.
type Finding struct {
	Check   string `json:"check"`   // name of the check, such as "binlog_format"
	End     string `json:"end"`     // "source", "target" or "move"
	Level   Level  `json:"level"`   //
	Subject string `json:"subject"` // table, column or setting; empty when the server is meant
	What    string `json:"what"`    // what was found
	Fix     string `json:"fix"`     // what to do; empty when OK
	// Needs are all privileges that the checks of this end asked for, on one of its findings.
	Needs []Need `json:"-"`
}

// Need is a privilege that a move needs.
type Need struct {
	On        string // as GRANT has it: *.*, or a quoted database or table
	Privilege string
	Account   string // as GRANT has it
	Met       bool   // the account has it
}

// Phase is a phase of a move, for the checks that it relies on; its name is that of its command.
type Phase string

// The phases that repeat checks when they begin. A setting may have changed since `wherry check`. One that hides
// changes from the log, or makes a fence leak, would never be noticed later.
const (
	InitSchema   Phase = "init-schema"
	InitCopy     Phase = "init-copy"
	StartReplica Phase = "start-replica"
	Verify       Phase = "verify"
	Cutover      Phase = "cutover"
)

// Plan is what a move intends, for the checks of an engine.
type Plan struct {
	Phase         Phase // only the checks that this phase relies on are made; "" makes all
	Routes        []*route.Route
	Bookkeeping   string // the move's name
	Fence         FenceKind
	BinlogOnWrite bool   // whether loads on the target go to its own binlog
	LoadMethod    string // "auto", "load_data" or "insert"
	Accept        bool   // take target tables that exist, if they are empty and as planned
	Objects       []schema.ObjectPlan
	ObjectGroups  []string // of schema.ObjectGroups: what is asked for besides tables
}
