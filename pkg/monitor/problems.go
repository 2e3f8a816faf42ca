package monitor

import (
	"strings"

	"wherry/pkg/count"
	"wherry/pkg/state"
)

// problem is a row of the table of what can be wrong: all rows that hold are shown, in this order.
type problem struct {
	name string
	when func(f *facts) bool
	text func(f *facts) string
}

// problems is that table. Servers come first: while one is away, the rest may follow from that.
func problems() []problem {
	return []problem{
		{"source silent", func(f *facts) bool { return f.Source.silent() }, func(f *facts) string {
			return "the source does not answer: " + f.Source.Error
		}},
		{"target silent", func(f *facts) bool { return f.Target.silent() }, func(f *facts) string {
			return "the target does not answer: " + f.Target.Error
		}},
		{"failed", func(f *facts) bool { return f.failure() != nil && !f.way.Cutover.Done }, func(f *facts) string {
			p := f.failure()
			return strings.TrimPrefix(p.Name, state.ReversePrefix) + " failed " + ago(f.Now,
				p.Finished) + ": " + p.Error
		}},
		{"killed", func(f *facts) bool {
			return f.killed() != nil && f.failure() == nil && !f.way.Cutover.Done && !f.sealed() &&
				f.Running != state.PhaseCleanup
		}, func(f *facts) string {
			return strings.TrimPrefix(f.killed().Name, state.ReversePrefix) +
				" ended without a word: it is recorded as running, and nobody works on the move"
		}},
		{"differences", func(f *facts) bool {
			return unequal(*f.way.Verify) && !f.way.Cutover.Done
		}, func(f *facts) string {
			return "the last verify, " + ago(f.Now, f.way.Verify.Finished) + ", found rows that differ in " +
				count.Of(len(Differing(*f.way.Verify)), "table")
		}},
	}
}

// wrong lists what is wrong.
func (f *facts) wrong() (list []string) {
	for _, p := range problems() {
		if p.when(f) {
			list = append(list, clean(p.text(f)))
		}
	}
	return list
}
