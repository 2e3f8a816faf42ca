package move

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/plan"
)

// wayBack is the finding of check on the way back: whether there can be one after the cutover. Many people do without,
// so what stands in its way is one warning, never a failure. It names at most five reasons: a database without a
// binary log would otherwise repeat itself for every table.
func (m *Move) wayBack(ctx context.Context) (db.Finding, error) {
	if !m.returns() {
		return db.Finding{
			Check: "way_back", End: "move", Level: db.Warn,
			What: "after the cutover there is no way back: changes of the target cannot be followed",
			Fix:  "keep the old source as it is until you are sure of the new one",
		}, nil
	}
	b := &back{m: m, forward: m.way}
	if err := b.connect(ctx); err != nil {
		return db.Finding{}, err
	}
	reversed := plan.Turn(m.plan)
	findings, err := b.check(ctx, reversed)
	if err != nil {
		return db.Finding{}, err
	}
	out := db.Finding{
		Check: "way_back", End: "move", Level: db.OK,
		What: "after the cutover start-replica --reverse can keep a way back open",
	}
	const most = 5
	first := func(list []string) string { return strings.Join(list[:min(len(list), most)], "; ") }
	var reasons, fixes []string
	for _, f := range plan.Failed(append(findings, reversed.Findings...)) {
		reason := fmt.Sprintf("%s (%s) %s %s", f.Check, f.End, f.Subject, f.What)
		reasons = append(reasons, strings.Join(strings.Fields(reason), " "))
		if f.Fix != "" && !slices.Contains(fixes, f.Fix) {
			fixes = append(fixes, f.Fix)
		}
	}
	if len(reasons) > 0 {
		out.Level, out.What = db.Warn, "after the cutover there would be no way back: "+first(reasons)
		if len(reasons) > most {
			out.What += fmt.Sprintf(", and %d more", len(reasons)-most)
		}
		out.Fix = "go without a way back, or: " + first(fixes)
		return out, nil
	}
	for _, f := range reversed.Findings {
		if f.Level == db.Warn {
			reasons, fixes = append(reasons, f.Subject+" "+f.What), append(fixes, f.Fix)
		}
	}
	if len(reasons) > 0 {
		out.Level, out.What, out.Fix = db.Warn, out.What+", but "+first(reasons), first(fixes)
	}
	return out, nil
}
