package dbtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// guarded runs a schema statement if it is about tables of the move alone, and keeps the list of these. Statements
// that are about no table, such as "create database", are not guarded.
func (t *target) guarded(statement string, run func() error) error {
	at := strings.IndexByte(statement, '{')
	var o operands
	if at < 0 || !strings.Contains(statement[:at], "table") && !strings.HasPrefix(statement, "add ") &&
		statement[:at] != setIncrement {
		return run()
	}
	if err := json.Unmarshal([]byte(statement[at:]), &o); err != nil {
		return fmt.Errorf("cannot understand %.60q: %w", statement, err)
	}
	before, after, err := t.owning(statement[:at], &o)
	if err != nil || after == nil {
		return err
	}
	err = run()
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	// Other statements may have run meanwhile, and this one may have taken effect although its answer was lost: so each
	// name is judged by what there is now.
	owned := maps.Clone(t.s.ledgers[t.move].owned)
	for n := range before {
		if _, stays := after[n]; !stays && (err == nil || t.s.tables[n] == nil) {
			delete(owned, n)
		}
	}
	for n, origin := range after {
		if before[n] != origin && (err == nil || t.s.tables[n] != nil) {
			if owned == nil {
				owned = db.Owned{}
			}
			owned[n] = origin
		}
	}
	t.s.ledgers[t.move].owned = owned
	return err
}

// owning returns which tables are the move's before and after a statement; nil: there is nothing to do, because a
// table to drop is gone already. Pairs of a rename are carried out in order, so a name may be freed by one and given
// by the next.
func (t *target) owning(verb string, o *operands) (before, after db.Owned, err error) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	b := t.s.ledgers[t.move]
	if b == nil {
		return nil, nil, errors.New("no bookkeeping")
	}
	before, after = maps.Clone(b.owned), maps.Clone(b.owned)
	notOwned := func(n schema.Name) error { return fmt.Errorf("%s%s: %w", verb, n, db.ErrNotOwned) }
	pairs := o.Pairs
	switch verb {
	case createTable:
		if t.s.tables[o.Name] != nil {
			return nil, nil, notOwned(o.Name)
		}
		after[o.Name] = db.Made
		return before, after, nil
	case renameTable:
		pairs = [][2]schema.Name{{o.Name, o.To}}
	case renameTables:
	default:
		switch _, ours := after[o.Name]; {
		case ours && verb == dropTable:
			delete(after, o.Name)
		case ours:
		case t.s.tables[o.Name] == nil && verb == dropTable:
			return nil, nil, nil
		default:
			return nil, nil, notOwned(o.Name)
		}
	}
	freed := map[schema.Name]bool{}
	for _, p := range pairs {
		origin, ours := after[p[0]]
		if !ours {
			return nil, nil, notOwned(p[0])
		}
		if !freed[p[1]] && after[p[1]] == "" && t.s.tables[p[1]] != nil {
			return nil, nil, notOwned(p[1])
		}
		freed[p[0]] = true
		delete(after, p[0])
		after[p[1]] = origin
	}
	return before, after, nil
}
