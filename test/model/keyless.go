package model

import (
	"errors"
	"fmt"
)

// bag is a table without a key: how many rows there are of each of two values.
type bag [2]int8

// Rules of the keyless model that may be broken.
const (
	ignoreSince       flaw = 1 << (16 + iota) // changes before the snapshot's position are applied too
	sinceOneEarly                             // the position counts one transaction less than the snapshot shows
	positionFirst                             // the position is read before the snapshot is taken, without a lock
	endOfLogSnapshot                          // the position is the end of the log, though a commit is not visible yet
	forgetPosition                            // a load that is tried again keeps the position of the first try
	keylessLate                               // the position commits after the changes, not with them
	keylessLateUnseen                         // an applier goes on while a dead one's commit may still come
)

// keylessWorld is a source with a table without a key, and a target that copies and follows it.
type keylessWorld struct {
	log      [transactions + 1]bag
	end, vis int8

	start, goal int8
	consistent  bool
	target      bag
	pos         int8
	copied      bool
	since       int8 // recorded with the rows

	read     bool // a snapshot is open: of the state at shown, with the position that will be recorded
	shown    int8
	snapshot int8
	first    int8 // forgetPosition and positionFirst only: a position read earlier
	applied  int8

	late    [2]int8 // a dead applier's batch that may yet commit
	crashes uint8
}

func (w keylessWorld) String() string {
	return fmt.Sprintf("log%v vis=%d start=%d since=%d goal=%d target%v pos=%d copied=%t consistent=%t",
		w.log[:w.end+1], w.vis, w.start,
		w.since, w.goal, w.target, w.pos, w.copied, w.consistent)
}

func newKeylessWorld(rows bag) keylessWorld {
	w := keylessWorld{
		start: none, goal: none, pos: none, since: none, applied: none, first: none,
		late: [2]int8{none, none},
	}
	w.log[0] = rows
	return w
}

func (r rules) nextKeyless(w keylessWorld) []step[keylessWorld] {
	var all []step[keylessWorld]
	add := func(label string, n keylessWorld) { all = append(all, step[keylessWorld]{label, n}) }
	r.keylessSource(w, add)
	switch {
	case w.start == none:
		n := w
		n.start, n.pos = w.vis, w.vis
		add("record the start", n)
	case !w.copied:
		r.keylessCopy(w, add)
	case w.goal == none:
		n := w
		n.goal = w.end
		add("read the head", n)
	default:
		r.keylessApply(w, add)
	}
	if w.crashes < r.crashes {
		n := w
		n.crashes++
		n.read, n.applied = false, none
		add("crash", n)
	}
	return all
}

// keylessSource inserts, deletes or changes one of several equal rows.
func (r rules) keylessSource(w keylessWorld, add func(string, keylessWorld)) {
	if w.vis < w.end {
		n := w
		n.vis++
		add("a commit becomes visible", n)
	}
	if w.end == r.transactions {
		return
	}
	for _, delta := range []bag{{1, 0}, {-1, 0}, {-1, 1}, {1, 1}, {0, -1}} {
		n := w
		n.end++
		n.log[n.end] = w.log[w.end].plus(delta, 1)
		if n.log[n.end].valid() {
			add(fmt.Sprintf("a transaction is logged: %v", delta), n)
		}
	}
}

func (b bag) plus(other bag, times int8) bag {
	return bag{b[0] + times*other[0], b[1] + times*other[1]}
}
func (b bag) valid() bool { return b[0] >= 0 && b[1] >= 0 }

// keylessCopy takes a snapshot under a lock, which waits until every commit of the table can be seen, and loads from
// it.
func (r rules) keylessCopy(w keylessWorld, add func(string, keylessWorld)) {
	switch {
	case w.read:
		n := w
		n.target, n.since, n.copied, n.read = w.log[w.shown], w.snapshot, true, false
		add("load the snapshot", n)
	case r.has(positionFirst) && w.first == none:
		n := w
		n.first = w.vis
		add("read a position", n)
	case w.vis == w.end || r.has(endOfLogSnapshot):
		n := w
		n.read, n.shown, n.snapshot = true, w.vis, w.end
		switch {
		case r.has(positionFirst):
			n.snapshot = w.first
		case r.has(sinceOneEarly):
			n.snapshot--
		case r.has(forgetPosition) && w.first != none:
			n.snapshot = w.first
		}
		if r.has(forgetPosition) && w.first == none {
			n.first = n.snapshot
		}
		add("take a snapshot", n)
	}
}

func (r rules) keylessApply(w keylessWorld, add func(string, keylessWorld)) {
	if w.pos >= w.goal && !w.consistent {
		n := w
		n.consistent, n.applied = true, none
		add("consistent", n)
	}
	if w.late[0] != none {
		n := w
		n.late = [2]int8{none, none}
		add("the late batch is gone", n)
		n.batch(r, w.late[0], w.late[1])
		n.applied = w.applied
		add("the late batch commits", n)
	}
	if w.applied == none {
		if w.late[0] == none || r.has(keylessLateUnseen) {
			n := w
			n.applied = w.pos
			add("open an applier", n)
		}
		return
	}
	for to := w.applied + 1; to <= min(w.end, w.applied+int8(r.batch)); to++ {
		n := w
		n.batch(r, w.applied, to)
		add(fmt.Sprintf("apply to %d", to), n)
		if w.crashes == r.crashes {
			continue
		}
		n.crashes, n.applied = n.crashes+1, none
		if r.has(keylessLate) {
			n.pos = w.pos
			add(fmt.Sprintf("crash between the batch to %d and its position", to), n)
		}
		late := w
		late.crashes++
		late.late, late.applied = [2]int8{w.applied, to}, none
		add(fmt.Sprintf("crash while the batch to %d commits", to), late)
	}
}

// batch applies the net effect of the transactions that the snapshot has not shown.
func (w *keylessWorld) batch(r rules, from, to int8) {
	for i := from + 1; i <= to; i++ {
		if i > w.since || r.has(ignoreSince) {
			w.target = w.target.plus(w.log[i], 1).plus(w.log[i-1], -1)
		}
	}
	w.pos, w.applied = to, to
}

var errLacks = errors.New("a row to be removed is not there")

func (r rules) checkKeyless(w keylessWorld) error {
	switch {
	case !w.target.valid():
		return errLacks
	case w.consistent && w.target != w.log[w.pos]:
		return errWrong
	}
	return nil
}
