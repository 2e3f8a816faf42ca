package mysql

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"wherry/pkg/count"
	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// displaces tells whether rows that hold a unique value of a new row must give way to it. The target itself is asked,
// once per table: unique indexes that are planned may not be there yet, and then nothing conflicts. Where the target's
// collations may call two rows of the source equal, nothing gives way: the statement meets a duplicate, and the copy
// stops. Giving way would lose one of two rows that both belong there.
func (t *Target) displaces(ctx context.Context, r *route.Route) (bool, error) {
	if len(r.Target.Key) == 0 || !r.Target.Table.OtherUnique() {
		return false, nil
	}
	if known, ok := t.displacing.Load(r); ok {
		return known == true, nil
	}
	found, err := t.describe(ctx, &schema.Table{Name: r.Target.Name()})
	if err != nil {
		return false, fmt.Errorf("describe table %s: %w", r.Target.Name(), wire.Classify(err))
	}
	displace := len(schema.CompetingIndexes(r.Target.Table, found)) > 0 &&
		len(schema.RecollatedColumns(r.Source.Table, r.Target.Table, found)) == 0
	t.displacing.Store(r, displace)
	return displace, nil
}

// free refuses a chunk if the target already has rows with keys in its range. REPLACE would remove them without a word,
// as it removes a row that gives way for another unique value, and the counts do not tell one from the other. No other
// chunk has such keys, so the rows are somebody else's.
func free(ctx context.Context, w *wire.Conn, rel *route.Relation, r db.Range) error {
	rows, err := w.Query(ctx, "SELECT 1 FROM "+dialect.Quoted(rel.Name())+keyIndex(rel)+condition(rel, r)+" LIMIT 1")
	if err != nil {
		return wire.Classify(err)
	}
	found, err := db.ReadAll(rows)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("load rows into %s: the target has rows among their keys that this move did not bring; "+
			"empty the table: %w",
			rel.Name(), db.ErrUnsupported)
	}
	return err
}

// infoCount finds the counts of a statement's info. LOAD DATA has Records, Deleted, Skipped and Warnings, such as
// "Records: 3  Deleted: 0  Skipped: 0  Warnings: 0". A statement with several rows has Records, Duplicates and
// Warnings, where a REPLACE counts the rows that it removed as Duplicates. A statement with one row has no info.
var infoCount = regexp.MustCompile(`(Records|Deleted|Duplicates|Skipped): *(\d+)`)

// account proves that the target took every row, and returns how many it removed for them. One row may displace
// several, one for each unique index.
func account(
	ctx context.Context, w *wire.Conn, res wire.Result, rel *route.Relation, rows int64, displace bool,
) (displaced int64, err error) {
	displaced = int64(res.Affected) - rows //nolint:gosec // a count of rows
	good := res.Warnings == 0 && displaced >= 0 && (displace || displaced == 0)
	for _, m := range infoCount.FindAllStringSubmatch(res.Info, -1) {
		n, err := strconv.ParseInt(m[2], 10, 64)
		want := map[string]int64{"Records": rows, "Deleted": displaced, "Duplicates": displaced}[m[1]] // Skipped: 0
		good = good && err == nil && n == want
	}
	if good {
		return displaced, nil
	}
	return 0, fmt.Errorf("load %s into %s: the target took %d with %s (%s): %s: %w", count.Of(rows, "row"), rel.Name(),
		res.Affected, count.Of(res.Warnings, "warning"), res.Info, w.Warnings(ctx), db.ErrUnsupported)
}

// load sends the rows added, if any, and returns how many rows they displaced.
func (st *statement) load(ctx context.Context, w *wire.Conn, displace bool) (displaced int64, err error) {
	n := int64(st.rows)
	if n == 0 {
		return 0, nil
	}
	res, err := st.run(ctx, w)
	if err != nil {
		return 0, err
	}
	return account(ctx, w, res, st.rel, n, displace)
}
