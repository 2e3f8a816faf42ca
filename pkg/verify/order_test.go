package verify_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

// otherwise is a target that sorts keys as text, and backwards: nothing like the source does.
type otherwise struct{ db.Target }

func (o otherwise) all(ctx context.Context, rel *route.Relation, rng db.Range) ([]db.Row, error) {
	rows, err := o.Target.Rows(ctx, rel, db.Range{})
	if err != nil {
		return nil, err
	}
	all, err := db.ReadAll(rows)
	compare := func(a, b db.Row) int { return -bytes.Compare(a[0], b[0]) }
	slices.SortFunc(all, compare)
	return slices.DeleteFunc(all, func(row db.Row) bool {
		return rng.After != nil && compare(row, rng.After) <= 0 || rng.Upto != nil && compare(row, rng.Upto) > 0
	}), err
}

func (o otherwise) Rows(ctx context.Context, rel *route.Relation, rng db.Range) (db.Rows, error) {
	all, err := o.all(ctx, rel, rng)
	return &rowList{all}, err
}

func (o otherwise) Sum(ctx context.Context, rel *route.Relation, rng db.Range) (db.Sum, error) {
	all, err := o.all(ctx, rel, rng)
	if err != nil {
		return db.Sum{}, err
	}
	return db.SumRows(&rowList{all})
}

func (o otherwise) Bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	all, err := o.all(ctx, rel, db.Range{After: after})
	if err != nil || len(all) < n {
		return nil, err
	}
	return all[n-1].Pick(rel.Key), nil
}

type rowList struct{ rows []db.Row }

func (l *rowList) Next() (db.Row, error) {
	if len(l.rows) == 0 {
		return nil, io.EOF
	}
	row := l.rows[0]
	l.rows = l.rows[1:]
	return row, nil
}

func (l *rowList) Close() error { return nil }

func TestEndsThatSortDifferently(t *testing.T) {
	w := newWorld(t, 1500)
	w.opts.ChunkRows = 600
	w.right = otherwise{w.right}
	assert.True(t, w.run().Clean())

	w.damage(77, func(row db.Row) { row[3] = []byte("9") })
	w.remove(w.target, w.to, 1500)
	w.insert(w.target, w.to, rowOf(-3))
	w.insert(w.target, w.to, rowOf(20000))
	report := w.run()
	assert.Equal(t, "extra -3, missing 1500, extra 20000, differing 77", listed(report))
	assert.Equal(t, 1500, int(report.Rows()))

	w.opts.Repair = true
	assert.True(t, w.run().Clean())
	w.assertEqual()
}
