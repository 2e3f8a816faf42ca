package binlog

import (
	"fmt"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// parseSince reads the positions once, and not for each transaction.
func parseSince(since db.Since) (map[*route.Route]Position, error) {
	parsed := make(map[*route.Route]Position, len(since))
	for r, pos := range since {
		p, err := ParsePosition(pos)
		if err != nil {
			return nil, fmt.Errorf("snapshot of %s: %w", r.Source.Name(), err)
		}
		parsed[r] = p
	}
	return parsed, nil
}

// passed tells whether the rows of a route contain the open group already, because they were loaded from a later
// snapshot. Applied a second time, an insert into a table without a key would make a second copy. The answer is kept
// for the group: all of its changes must get the same one.
func (a *assembler) passed(r *route.Route) (bool, error) {
	since, loaded := a.since[r]
	if !loaded {
		return false, nil
	}
	if passed, asked := a.group.passed[r]; asked {
		return passed, nil
	}
	passed, err := a.atOrBefore(since)
	if err != nil {
		return false, fmt.Errorf("%s: %w", r.Source.Name(), err)
	}
	if a.group.passed == nil {
		a.group.passed = map[*route.Route]bool{}
	}
	a.group.passed[r] = passed
	return passed, nil
}

// atOrBefore tells whether the open group is at or before a position: by its place in the file when the position is of
// this server, else by its own GTID. It is the group's own place that counts, not how far the log is read: transactions
// of several origins need not be in the order of their GTIDs.
func (a *assembler) atOrBefore(since Position) (bool, error) {
	if since.File != "" && since.Server == a.server && a.group.from.file != "" {
		base, number, ok1 := binlogNumber(a.group.from.file)
		sinceBase, sinceNumber, ok2 := binlogNumber(since.File)
		if ok1 && ok2 && base == sinceBase {
			return number < sinceNumber || number == sinceNumber && a.group.from.offset < since.Offset, nil
		}
	}
	if since.GTIDs != nil && a.group.hasRun {
		own := gtidsLike(&a.group.run)
		own.Add(a.group.run)
		if yes, ok := since.GTIDs.Contains(own); ok {
			return yes, nil
		}
	}
	return false, fmt.Errorf("%w: compare the transaction at %s:%d with the snapshot at %q: %w",
		db.ErrUnsupported, a.group.from.file, a.group.from.offset, since, errIncomparable)
}

// containedRoutes returns the routes whose rows contain the open group already.
func (a *assembler) containedRoutes() (map[*route.Route]bool, error) {
	contained := make(map[*route.Route]bool, len(a.since))
	for r := range a.since {
		passed, err := a.passed(r)
		if err != nil {
			return nil, err
		}
		contained[r] = passed
	}
	return contained, nil
}
