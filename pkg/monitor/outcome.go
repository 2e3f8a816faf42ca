package monitor

import (
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// The exit codes, which pkg/move maps errors to. The state file keeps that of an attempt that failed. Scripts and the
// systemd unit rely on the numbers; 64, 78 and 130 are those of sysexits.h and of shells.
const (
	CodeDone        = 0
	CodeFailed      = 1   // progress is saved, the same command may be run again
	CodeDifferences = 3   // rows differ, or a dry run has found something to do
	CodeState       = 10  // the state file is another move's, damaged, newer or missing
	CodeLocked      = 11  // another wherry holds the lock
	CodeRefused     = 12  // a precondition is not met, nothing was changed
	CodeGone        = 13  // the log no longer reaches back to the position
	CodeUnknown     = 14  // the answer of a commit was lost, and asking again did not help
	CodeUnfinished  = 15  // the target has taken over, something after that is not done
	CodeUsage       = 64  // wrong command line
	CodeConfig      = 78  // trying again does not help until somebody changes something
	CodeInterrupted = 130 // by a signal; progress is saved
)

// Outcome is how a command ended without having done what it should.
type Outcome struct {
	Code     int
	Phase    string   // as the state file names it: reverse:verify; empty for what is no phase
	Tables   []string // source tables that the outcome is about
	Advised  bool     // the error itself says what to do
	Nothing  bool     // nothing was begun: a server could not be reached
	Computed bool     // the differences are in generated columns only
	Pending  bool     // a dry run that has found something to do
	Journal  string   // last step of a cutover that is not finished
}

// Next is what to do now.
type Next struct {
	Phase   string // to run or, when Command only watches, that is running; empty when the move is over
	Text    string // why
	Command string // to type
}

// Line is both in one line.
func (n Next) Line() string {
	if n.Command == "" {
		return n.Text
	}
	return n.Text + ": " + n.Command
}

// Commands are how commands of one move are written.
type Commands struct {
	Move string
	Args string // options that lead to the move, such as "--config shop.yaml"
}

// write returns a command to type. --confirm comes last, where whoever copies the line sees it.
func (c Commands) write(phase string, options ...string) string {
	words := []string{"wherry", strings.TrimPrefix(phase, state.ReversePrefix)}
	if strings.HasPrefix(phase, state.ReversePrefix) {
		words = append(words, "--reverse")
	}
	words = append(words, options...)
	if c.Args != "" {
		words = append(words, c.Args)
	}
	if words[1] == state.PhaseCutover || len(options) > 0 && options[0] == "--abandon" {
		words = append(words, "--confirm="+c.Move)
	}
	return strings.Join(words, " ")
}

// remedy is a row of the table of outcomes: the first one that holds is what is said.
type remedy struct {
	name string
	when func(o *Outcome) bool
	text func(o *Outcome) string
	// command returns what to type. When it is nil, or returns "", the same command is to be run again, or the text
	// says what to do.
	command func(o *Outcome, c Commands) string
}

// says is the text of a row that is the same for every outcome.
func says(text string) func(*Outcome) string { return func(*Outcome) string { return text } }

// code is the condition of a row that depends on the exit code alone.
func code(codes ...int) func(*Outcome) bool {
	return func(o *Outcome) bool {
		for _, c := range codes {
			if o.Code == c {
				return true
			}
		}
		return false
	}
}

// reverse tells whether the outcome is of a phase on the way back.
func (o *Outcome) reverse() bool { return strings.HasPrefix(o.Phase, state.ReversePrefix) }

func (o *Outcome) cutover() bool { return strings.HasSuffix(o.Phase, state.PhaseCutover) }

// same is the command that had the outcome; "" if that was no phase.
func same(o *Outcome, c Commands) string {
	if o.Phase == "" {
		return ""
	}
	return c.write(o.Phase)
}

// tableOptions are --table options for the tables that the outcome is about.
func (o *Outcome) tableOptions() []string {
	var options []string
	for _, t := range o.Tables {
		options = append(options, "--table "+t)
	}
	return options
}

// outcomes is the table of what to do after a command that did not do what it should, for standard error and for status
// alike. The first row that holds counts, so special cases stand above general ones: "gone on the way back" comes
// before "gone", since giving up the move would drop the tables that applications use by then.
func outcomes() []remedy {
	const again = "progress is saved: run the same command again to continue"
	return []remedy{
		// The other process does the work, so watching it is more use than trying again.
		{
			"locked", code(CodeLocked), says("wait for the other wherry, or stop it"),
			func(_ *Outcome, c Commands) string { return c.write("status", "--watch") },
		},
		{"usage", code(CodeUsage), says(""), nil},
		// A dry run is read for what it lists; there is no advice.
		{"pending", func(o *Outcome) bool { return o.Code == CodeDifferences && o.Pending }, says(""), nil},
		// Above "differences": a repair cannot write generated columns, so that advice would never help.
		{"computed", func(o *Outcome) bool {
			return (o.Code == CodeDifferences || o.cutover() && o.Code == CodeRefused) && o.Computed
		}, says("the target computes what differs, so --repair cannot write it: if that is meant, write " +
			"allow_losses: [" + schema.SessionExpression +
			"] under schema in the configuration, and it is not compared"), same},
		{
			"differences", func(o *Outcome) bool {
				return o.Code == CodeDifferences || o.cutover() && o.Code == CodeRefused && len(o.Tables) > 0
			}, says("write the rows that differ anew from the source, and compare them again"),
			func(o *Outcome, c Commands) string {
				phase := state.PhaseVerify
				if o.reverse() {
					phase = state.ReversePrefix + phase
				}
				return c.write(phase, append([]string{"--repair"}, o.tableOptions()...)...)
			},
		},
		{"state", code(CodeState), says(""), nil},
		// The same command is safe here: the cutover asks the target before it does anything.
		{"unknown", code(CodeUnknown), says("writes may be blocked: look at the target as is said above, then run " +
			"the cutover again, which looks first"), same},
		{"unfinished", code(CodeUnfinished), func(o *Outcome) string {
			return "mend what is named above; the cutover then does what is left: " + left(o.Journal)
		}, same},
		// Such as a key that is missing in the configuration: whatever is added here would only repeat it.
		{"advised", func(o *Outcome) bool { return o.Advised }, says(""), nil},
		{"config", code(CodeConfig), says("progress is saved, but trying again does not help: mend what is named " +
			"above, then run the same command again"), same},
		// Above "gone": its advice, to give the move up, must not be read as "drop the tables on the target".
		{
			"gone on the way back", func(o *Outcome) bool { return o.Code == CodeGone && o.reverse() },
			says("leave the target as it is: it has the data; " +
				"this ends the way back, and to go back all the same, move the data from the target to the source as " +
				"a new move, with tables dropped on the source first"),
			func(_ *Outcome, c Commands) string { return c.write(state.PhaseCleanup, "--abandon") },
		},
		{
			"gone", code(CodeGone), says("the copy has to begin again: have the source keep its log for longer " +
				"(binlog_expire_logs_seconds, expire_logs_days), or set copy.spool, " +
				"which keeps it on this machine while rows are copied; then give this move up, which drops what it " +
				"made on the target, and begin with check"),
			func(_ *Outcome, c Commands) string { return c.write(state.PhaseCleanup, "--abandon") },
		},
		// start-replica has stopped before a schema change. On the way back nothing is copied, see the next row.
		{
			"copy again", func(o *Outcome) bool { return o.Code == CodeRefused && len(o.Tables) > 0 && !o.reverse() },
			says("copy again as it is now, then start-replica goes on; " +
				"or make the change on the target by hand, and go on with start-replica --skip-ddl"),
			func(o *Outcome, c Commands) string { return c.write(state.PhaseInitCopy, o.tableOptions()...) },
		},
		{
			"change by hand", func(o *Outcome) bool { return o.Code == CodeRefused && len(o.Tables) > 0 },
			says("make the change on the old source by hand, as is said above, then go on; " +
				"or do without a way back"), func(o *Outcome, c Commands) string {
				return c.write(o.Phase, "--skip-ddl")
			},
		},
		{"refused", code(CodeRefused), says("mend what is named above and run the same command again"), same},
		// Nothing was begun, so "progress is saved" would be confusing.
		{
			"unreachable", func(o *Outcome) bool { return o.Code == CodeFailed && o.Nothing },
			says("nothing was changed: look at the host, port and network of that end, and whether " +
				"the server runs, then run the same command again"), same,
		},
		{"failed", code(CodeFailed, CodeInterrupted), says(again), same},
		{"anything", func(*Outcome) bool { return true }, says(""), nil},
	}
}

// After returns what to do after an outcome. Its Text is empty when the error says it.
func After(o Outcome, c Commands) Next {
	for _, a := range outcomes() {
		if !a.when(&o) {
			continue
		}
		next := Next{Phase: o.Phase, Text: a.text(&o)}
		if a.command != nil {
			next.Command = a.command(&o, c)
		}
		return next
	}
	return Next{}
}

// left says what is left to do of a cutover whose takeover is recorded, by the last step in its journal (cutover.Step).
func left(step string) string {
	switch step {
	case "switched":
		return "hooks.after_cutover"
	case "finish":
		return "the end of its record"
	default:
		return "triggers and events on the target, hooks.switch, hooks.after_cutover"
	}
}
