package state

import "slices"

// Amend adds the result of a later comparison of some tables. If the last result is of all tables, the later one
// replaces its part of it: a table that is equal at a later position is equal for the cutover too, which compares what
// changed since the earlier position. Without a result of all tables it proves nothing, and is kept only while rows
// differ.
func (v *Verify) Amend(later Verify) {
	full := v.Mode == VerifyFull && !v.Finished.IsZero()
	if !full {
		v.Mode, v.Position, v.Started, v.Finished = VerifyTables, later.Position, later.Started, later.Finished
	}
	for _, t := range later.Tables {
		i := slices.IndexFunc(v.Tables, func(x VerifyTable) bool { return x.Table == t.Table })
		if i < 0 { // it came into the move since
			v.Tables = append(v.Tables, t)
			continue
		}
		v.Tables[i] = t
	}
	equal := !slices.ContainsFunc(v.Tables, func(t VerifyTable) bool {
		return t.Differing != 0 || t.Missing != 0 || t.Extra != 0
	})
	if !full && equal {
		*v = Verify{}
		return
	}
	v.Clean = full && equal
}
