package move

import (
	"context"

	"wherry/pkg/monitor"
	"wherry/pkg/schema"
	"wherry/pkg/state"
)

// expect tells the progress how many rows each table has: what the source estimates now, since a recorded estimate
// may be days old. A comparison takes the count of the copy instead, unless the estimate contradicts it: InnoDB's
// estimates are off by half at times, and "150 %" helps nobody. With a row filter the number is unknown (-1). If the
// source cannot say, the recorded estimates stay; the phase does not depend on them.
func (m *Move) expect(ctx context.Context, chosen func(schema.Name) bool) {
	var names []schema.Name
	for _, r := range m.plan.Routes {
		names = append(names, r.Source.Name())
	}
	sizes, err := m.source.Sizes(ctx, names)
	if err != nil {
		m.log.Debug().Err(err).Msg("sizes of tables are not known")
	}
	copied := m.file.Snapshot()
	for _, r := range m.plan.Routes {
		name := r.Source.Name()
		if chosen != nil && !chosen(name) {
			continue
		}
		if size, ok := sizes[name]; ok {
			r.Source.Table.Rows, r.Source.Table.Bytes = size.Rows, size.Bytes
		}
		rows := r.Source.Table.Rows
		if m.phase == state.PhaseVerify || m.phase == state.PhaseCutover {
			rows = likelier(copied.Table(name.String()), rows)
		}
		if r.Source.Where != "" {
			rows = -1
		}
		m.progress.Expect(name, rows)
	}
}

// likelier returns the count of the copy, unless the table has now less than half or more than twice as many rows.
func likelier(t *state.Table, estimate int64) int64 {
	counted := t != nil &&
		(t.Status == state.TableCopied || t.Status == state.TableIndexed || t.Status == monitor.StepVerify)
	if counted && t.Rows > estimate/2 && t.Rows/2 < estimate {
		return t.Rows
	}
	return estimate
}
