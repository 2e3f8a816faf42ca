package binlog

import (
	"context"
	"testing"

	"github.com/go-mysql-org/go-mysql/replication"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// lackingTable is (id INT, x INT, v INT AS (..) VIRTUAL, s INT AS (..) STORED, y INT), with the values of a row at
// the given columns.
func lackingTable(columns ...int) *route.Route {
	number := schema.Type{Kind: schema.Integer, Size: 4}
	table := &schema.Table{
		Name: schema.Name{Database: "d", Table: "t"}, Engine: "InnoDB",
		Flavor: schema.Flavor{Family: schema.MariaDB, Version: 110800}, Columns: []schema.Column{
			{Name: "id", Type: number},
			{Name: "x", Type: number},
			{Name: "v", Type: number, Generated: schema.Virtual, Expr: "x * 2"},
			{Name: "s", Type: number, Generated: schema.Stored, Expr: "x * 3"},
			{Name: "y", Type: number},
		},
	}
	return &route.Route{
		Source: route.Relation{Table: table, Columns: columns},
		Target: route.Relation{Table: table, Columns: columns},
	}
}

// lackingEvent decodes the rest of a rows event: bitmaps of columns, then images.
func lackingEvent(t *testing.T, kind replication.EventType, r *route.Route, rest ...byte) ([]db.Change, error) {
	t.Helper()
	table, err := newDecodeTable(r, &tableMap{rest: []byte{5, 3, 3, 3, 3, 3, 0, 31}})
	require.NoError(t, err)
	rows, err := parseRows(kind, logReader{data: append([]byte{5}, rest...)}, table)
	if err != nil {
		return nil, err
	}
	a := newAssembler(context.Background(), &Config{Routes: []*route.Route{r}, maxPart: streamPart},
		newStreamQueue(Position{File: "b.000001", Offset: 4}, "", 1<<30))
	a.group.open = true
	if err := a.decode(table, rows); err != nil {
		return nil, err
	}
	return a.part.Changes, nil
}

func lackingRow(values ...string) db.Row {
	row := db.Row{}
	for _, v := range values {
		if v == "NULL" {
			row = append(row, nil)
		} else {
			row = append(row, []byte(v))
		}
	}
	return row
}

// TestImagesWithoutGeneratedColumns: a server may leave generated columns out of a row image whatever
// binlog_row_image says, as MariaDB 11.8 does; the null bits then count the columns that there are.
func TestImagesWithoutGeneratedColumns(t *testing.T) {
	const written = 0b10011 // id, x and y
	update := []byte{written, written, 0b000, 1, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 0b100, 1, 0, 0, 0, 8, 0, 0, 0}
	changes, err := lackingEvent(t, replication.UPDATE_ROWS_EVENTv1, lackingTable(0, 1, 4), update...)
	require.NoError(t, err)
	assert.Equal(t, lackingRow("1", "7", "9"), changes[0].Before)
	assert.Equal(t, lackingRow("1", "8", "NULL"), changes[0].After)
	assert.False(t, changes[0].Lacks, "nobody asked for more")

	compared := lackingTable(0, 1, 4).Compared()
	require.Equal(t, 1, compared.Source.Computed)
	changes, err = lackingEvent(t, replication.UPDATE_ROWS_EVENTv1, compared, update...)
	require.NoError(t, err)
	assert.Equal(t, lackingRow("1", "7", "9", "NULL"), changes[0].Before)
	assert.True(t, changes[0].Lacks)

	changes, err = lackingEvent(t, replication.DELETE_ROWS_EVENTv1, compared, written, 0, 1, 0, 0, 0, 7, 0, 0, 0, 9, 0,
		0,
		0, 0b010, 2, 0, 0, 0, 5, 0, 0, 0)
	require.NoError(t, err)
	require.Len(t, changes, 2)
	assert.Equal(t, lackingRow("2", "NULL", "5", "NULL"), changes[1].Before)
	assert.True(t, changes[1].Lacks)

	changes, err = lackingEvent(t, replication.WRITE_ROWS_EVENTv1, compared, 31, 0, 1, 0, 0, 0, 7, 0, 0, 0, 14, 0, 0, 0,
		21, 0, 0, 0, 9, 0, 0, 0)
	require.NoError(t, err)
	assert.Equal(t, lackingRow("1", "7", "9", "21"), changes[0].After)
	assert.False(t, changes[0].Lacks, "an INSERT has them all")

	_, err = lackingEvent(t, replication.DELETE_ROWS_EVENTv1, lackingTable(0, 1, 4), 0b01, 0, 1, 0, 0, 0)
	require.ErrorIs(t, err, db.ErrUnsupported)
	require.ErrorContains(t, err, "column x, a session writes with binlog_row_image other than FULL")

	key := lackingTable(0, 1, 3, 4)
	key.Source.Key = []int{2}
	_, err = lackingEvent(t, replication.DELETE_ROWS_EVENTv1, key, update...)
	require.ErrorIs(t, err, db.ErrUnsupported)
	require.ErrorContains(t, err, "generated column s, which is part of the key")
}
