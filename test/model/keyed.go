package model

import (
	"errors"
	"fmt"
	"math/bits"
)

// The scope of the keyed model.
const (
	keys         = 3 // at most
	transactions = 3 // at most
	none         = -1
)

// table holds for each key what the row's unique column is.
type table [keys]uint8

// What a row may be: absent, or present with NULL or a value in its unique column.
const (
	absent uint8 = iota
	null
	one
	two
)

// valid tells whether no two rows hold one unique value.
func (t table) valid() bool {
	var seen [two + 1]bool
	for _, u := range t {
		if u > null && seen[u] {
			return false
		}
		seen[u] = true
	}
	return true
}

// flaw is a rule that is broken.
type flaw uint

const (
	endOfLogStart  flaw = 1 << iota // copying starts from the end of the log instead of from a visible-safe position
	ignoreLoads                     // loads skip rows whose unique value is taken (INSERT IGNORE)
	ignoreChanges                   // so do changes
	doneBeforeRows                  // a chunk is recorded as done in a transaction before that of its rows
	noConvergence                   // the target counts as consistent right after the last chunk
	positionLate                    // the position commits after the changes, not with them
	noClaim                         // a chunk is loaded while a dead process's load of it may still commit
	noVanish                        // an applier reads the position while a dead one's commit may still come
	forgetOldKey                    // a change does not remove rows that are gone
	// a change of a row that was there before writes nothing where the target lacks it (UPDATE)
	updateOnly
	headBeforeCopied // the goal of convergence is read before the last chunk
)

// rules are one variant of the model.
type rules struct {
	uniquePresent bool // the target has its unique index during the copy
	keys          int
	transactions  int8 // that the writers commit, at most the constant
	batch         int  // most transactions that one batch joins
	crashes       uint8
	flaws         flaw
}

func (r rules) has(f flaw) bool { return r.flaws&f != 0 }

// world is everything: the source with its log, the target, and what the running process remembers.
type world struct {
	log      [transactions + 1]table // log[i] is the source after i transactions
	end, vis int8                    // transactions in the log; those that a read can see

	start, goal int8 // recorded on the target; none before
	consistent  bool
	target      table
	pos         int8  // recorded with the changes
	done        uint8 // chunks, one per key

	reads   [keys]uint8 // rows read and not yet written, plus one; 0 when no worker has the chunk
	applied int8        // position that the open applier goes on from; none when there is none

	lateLoad  [keys]uint8 // loads of dead processes that may yet commit: as reads
	lateBatch [2]int8     // a dead applier's batch that may yet commit: from, to; none
	crashes   uint8
}

func (w world) String() string {
	return fmt.Sprintf("log%v vis=%d start=%d goal=%d target%v pos=%d done=%03b consistent=%t", w.log[:w.end+1], w.vis,
		w.start, w.goal,
		w.target, w.pos, w.done, w.consistent)
}

func newWorld(t table) world {
	w := world{start: none, goal: none, pos: none, applied: none, lateBatch: [2]int8{none, none}}
	w.log[0] = t
	return w
}

// touched returns the keys whose rows change from one place in the log to another, however they end.
func (w *world) touched(from, to int8) (keysTouched uint8) {
	for i := from + 1; i <= to; i++ {
		for k := range keys {
			if w.log[i][k] != w.log[i-1][k] {
				keysTouched |= 1 << k
			}
		}
	}
	return keysTouched
}

// next returns all that may happen.
func (r rules) next(w world) []step[world] {
	var all []step[world]
	add := func(label string, n world) { all = append(all, step[world]{label, n}) }
	r.source(w, add)
	r.copy(w, add)
	r.apply(w, add)
	r.late(w, add)
	if w.crashes < r.crashes {
		n := w
		n.crashes++
		n.reads, n.applied = [keys]uint8{}, none
		add("crash", n)
	}
	return all
}

// source commits any transaction of up to two rows that the locks of invisible ones allow, and makes commits visible.
func (r rules) source(w world, add func(string, world)) {
	if w.vis < w.end {
		n := w
		n.vis++
		add("a commit becomes visible", n)
	}
	if w.end == r.transactions {
		return
	}
	locked := w.touched(w.vis, w.end)
	var values uint8 // unique values that invisible transactions take or free
	for i := w.vis; i <= w.end && locked != 0; i++ {
		for k := range keys {
			if locked&(1<<k) != 0 && w.log[i][k] > null {
				values |= 1 << w.log[i][k]
			}
		}
	}
	for code := range 1 << (2 * r.keys) {
		n := w
		after := &n.log[w.end+1]
		free := true
		for k := range keys {
			after[k] = uint8(code >> (2 * k) & 3)
			if before := w.log[w.end][k]; after[k] != before && values&(1<<after[k]|1<<before) != 0 {
				free = false
			}
		}
		n.end++
		changed := n.touched(w.end, n.end)
		if free && after.valid() && changed&locked == 0 && changed != 0 && bits.OnesCount8(changed) <= 2 {
			add("a transaction is logged", n)
		}
	}
}

// copy records the start, and reads and writes chunks in any order.
func (r rules) copy(w world, add func(string, world)) {
	if w.start == none {
		n := w
		n.start = w.vis
		if r.has(endOfLogStart) {
			n.start = w.end
		}
		n.pos = n.start
		if r.has(headBeforeCopied) {
			n.goal = w.end
		}
		add("record the start", n)
		return
	}
	for k := range r.keys {
		bit := uint8(1) << k
		switch {
		case w.reads[k] != 0:
			r.load(w, k, add)
		case w.done&bit == 0 && (w.lateLoad[k] == 0 || r.has(noClaim)):
			n := w
			n.reads[k] = 1 + w.log[w.vis][k]
			if r.has(doneBeforeRows) {
				n.done |= bit
			}
			add(fmt.Sprintf("read chunk %d", k), n)
		}
	}
	if w.done != 1<<r.keys-1 || w.reads != [keys]uint8{} || w.consistent {
		return
	}
	n := w
	switch {
	case r.has(noConvergence):
		n.consistent, n.applied = true, none
		add("call it consistent", n)
	case w.goal == none:
		n.goal = w.end
		add("read the head", n)
	case w.pos >= w.goal:
		n.consistent, n.applied = true, none
		add("consistent", n)
	}
}

// load commits a chunk's rows with its record, now or, after a crash, perhaps later.
func (r rules) load(w world, k int, add func(string, world)) {
	n := w
	n.write(k, w.reads[k]-1, r.uniquePresent, r.has(ignoreLoads))
	n.done |= 1 << k
	n.reads[k] = 0
	add(fmt.Sprintf("write chunk %d", k), n)
	if w.crashes < r.crashes {
		late := w
		late.crashes++
		late.lateLoad[k] = w.reads[k]
		late.reads, late.applied = [keys]uint8{}, none
		add(fmt.Sprintf("crash while chunk %d commits", k), late)
	}
}

// write makes a row what it should be. With a unique index a row in the way is displaced; ignore leaves it and drops
// ours.
func (w *world) write(k int, u uint8, unique, ignore bool) {
	for other := range keys {
		if unique && other != k && u > null && w.target[other] == u {
			if ignore {
				return
			}
			w.target[other] = absent
		}
	}
	w.target[k] = u
}

// apply opens an applier and lets it apply batches of whole transactions, of which only the net effect counts.
func (r rules) apply(w world, add func(string, world)) {
	if w.start == none || w.done != 1<<r.keys-1 || w.reads != [keys]uint8{} || w.goal == none && !w.consistent {
		return
	}
	if w.applied == none {
		if w.lateBatch[0] == none || r.has(noVanish) {
			n := w
			n.applied = w.pos
			add("open an applier", n)
		}
		return
	}
	for to := w.applied + 1; to <= min(w.end, w.applied+int8(r.batch)); to++ {
		if !w.consistent && to > w.goal {
			break
		}
		n := w
		n.batch(r, w.applied, to)
		if r.has(positionLate) {
			late := n
			late.pos, late.applied = w.pos, none
			if w.crashes < r.crashes {
				late.crashes++
				add(fmt.Sprintf("crash between the batch to %d and its position", to), late)
			}
		}
		add(fmt.Sprintf("apply to %d", to), n)
		if w.crashes < r.crashes {
			late := w
			late.crashes++
			late.lateBatch, late.applied = [2]int8{w.applied, to}, none
			add(fmt.Sprintf("crash while the batch to %d commits", to), late)
		}
	}
}

// batch applies the net effect of the log from one place to another: removals first, then rows in key order.
func (w *world) batch(r rules, from, to int8) {
	unique := r.uniquePresent || w.consistent
	changed := w.touched(from, to)
	for k := range keys {
		if changed&(1<<k) != 0 && w.log[to][k] == absent && !r.has(forgetOldKey) {
			w.target[k] = absent
		}
	}
	for k := range keys {
		if changed&(1<<k) == 0 || w.log[to][k] == absent {
			continue
		}
		if r.has(updateOnly) && w.log[from][k] != absent && w.target[k] == absent {
			continue
		}
		w.write(k, w.log[to][k], unique, r.has(ignoreChanges))
	}
	w.pos, w.applied = to, to
}

// late lets what dead processes sent arrive, or be found to be gone.
func (r rules) late(w world, add func(string, world)) {
	for k := range keys {
		if w.lateLoad[k] == 0 {
			continue
		}
		n := w
		n.lateLoad[k] = 0
		add(fmt.Sprintf("the late load of chunk %d is gone", k), n)
		n.write(k, w.lateLoad[k]-1, r.uniquePresent || w.consistent, r.has(ignoreLoads))
		n.done |= 1 << k
		add(fmt.Sprintf("the late load of chunk %d commits", k), n)
	}
	if w.lateBatch[0] == none {
		return
	}
	n := w
	n.lateBatch = [2]int8{none, none}
	add("the late batch is gone", n)
	n.batch(r, w.lateBatch[0], w.lateBatch[1])
	n.applied = w.applied
	add("the late batch commits", n)
}

// The promises.
var (
	errWrong    = errors.New("the target is not what the source was at its position")
	errIndex    = errors.New("the unique index cannot be built: two rows hold one value")
	errBackward = errors.New("the position is beyond the log")
)

func (r rules) check(w world) error {
	switch {
	case w.pos > w.end:
		return errBackward
	case w.consistent && !w.target.valid():
		return errIndex
	case w.consistent && w.target != w.log[w.pos]:
		return errWrong
	}
	return nil
}
