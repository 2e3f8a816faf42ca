package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/check"
	"wherry/pkg/db"
	"wherry/pkg/db/dbtest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// small holds numbers up to 100 only.
type small struct{ db.Target }

func (small) Misfits(r *route.Route) (db.Misfits, error) {
	at := r.Source.Table.ColumnOf("n")
	if at < 0 {
		return nil, nil //nolint:nilnil // nil: everything fits
	}
	return func(row db.Row, found []db.Misfit) []db.Misfit {
		if v := row[at]; len(v) > 2 && string(v) != "100" {
			found = append(found, db.Misfit{Value: at, Why: "is beyond 100", Fix: "a larger type"})
		}
		return found
	}, nil
}

// TestScan counts per column what does not fit, with the first key, also over a lost connection; it counts what an
// allowed loss changes, and rows that reference nothing.
func TestScan(t *testing.T) {
	parent := &schema.Table{
		Name: schema.Name{Database: "shop", Table: "parent"}, Engine: "InnoDB",
		Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Integer, Name: "int", Size: 4}}},
		Primary: &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "id"}}},
	}
	table := &schema.Table{
		Name: schema.Name{Database: "shop", Table: "numbers"}, Engine: "InnoDB",
		Columns: []schema.Column{
			{Name: "id", Type: schema.Type{Kind: schema.Integer, Name: "int", Size: 4}},
			{Name: "n", Type: schema.Type{Kind: schema.Integer, Name: "int", Size: 4}, Nullable: true},
			{Name: "born", Type: schema.Type{Kind: schema.Date, Name: "date"}, Nullable: true},
			{
				Name: "note", Nullable: true,
				Type: schema.Type{Kind: schema.Varchar, Name: "varchar", Size: 20, Charset: "utf8mb4"},
			},
		},
		Primary: &schema.Index{Name: "PRIMARY", Unique: true, Parts: []schema.Part{{Column: "id"}}},
		ForeignKeys: []schema.ForeignKey{{
			Name: "p", Columns: []string{"n"}, Parent: parent.Name, ParentColumns: []string{"id"},
		}},
	}
	source := dbtest.NewServer("one")
	for _, made := range []*schema.Table{parent, table} {
		_, err := source.MapTable(made, made.Name)
		require.NoError(t, err)
	}
	require.NoError(t, source.Exec(func(tx *dbtest.Tx) error {
		tx.Unchecked(true)
		for _, row := range []db.Row{
			dbtest.Values(1, 100, "2024-01-01", "fine"), dbtest.Values(2, 101, "0000-00-00", "a\x00b"),
			dbtest.Values(3, 7000, nil, nil), dbtest.Values(4, nil, "2024-02-30", ""),
		} {
			if err := tx.Insert(table.Name, row); err != nil {
				return err
			}
		}
		return tx.Insert(parent.Name, dbtest.Values(100))
	}))
	var routes []*route.Route
	for _, of := range []*schema.Table{parent, table} {
		r, err := route.New(of, of, "")
		require.NoError(t, err)
		routes = append(routes, r)
	}
	routes[1].Allow(map[string][]string{schema.ZeroDate: {"born"}, schema.ZeroByte: {"note"}})
	lost, read := false, map[string]int64{}
	source.OnStep(func(step string) error {
		if strings.HasPrefix(step, "rows") && !lost {
			lost = true
			source.Disconnect()
		}
		return nil
	})
	target := small{dbtest.NewServer("two").Target("m")}
	findings, err := check.NewScan(source.Source(), target, routes, check.ScanOptions{
		Observe: func(table schema.Name, rows int64, _ bool) { read[table.Table] += rows },
		Retry:   db.Retry{For: time.Minute, First: time.Millisecond},
	}).Run(t.Context())
	require.NoError(t, err)
	var found []string
	for _, f := range findings {
		found = append(found, string(f.Level)+" "+f.Subject+": "+f.What)
		assert.NotEmpty(t, f.Fix)
	}
	assert.Equal(t, []string{
		"warn shop.numbers.born: 2 of 4 rows: the value is no date of the calendar, and becomes NULL (the first: " +
			"id = 2)",
		"warn shop.numbers.note: 1 of 4 rows: the value has characters 0x00, which are taken out (the first: id = 2)",
		"fail shop.numbers.n: 2 of 4 rows: the value is beyond 100 (the first: id = 2)",
		"warn shop.numbers: 2 rows reference nothing in shop.parent by foreign key p",
	}, found)
	assert.Equal(t, int64(4), read["numbers"])

	findings, err = check.NewScan(source.Source(), dbtest.NewServer("two").Target("m"), routes[:1],
		check.ScanOptions{}).Run(t.Context())
	require.NoError(t, err)
	require.Len(t, findings, 1)
	assert.Equal(t, db.OK, findings[0].Level)
}
