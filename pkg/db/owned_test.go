package db

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

// oldLedger is the bookkeeping of a version that kept no list of the move's tables.
type oldLedger struct {
	Ledger
	facts   map[string]string
	records []Record
	owned   Owned
}

func (l oldLedger) Get(_ context.Context, name string) (string, error) { return l.facts[name], nil }
func (l oldLedger) Records(context.Context) ([]Record, error)          { return l.records, nil }
func (l oldLedger) Owned(context.Context) (Owned, error)               { return l.owned, nil }

// TestReadOwnedOfOlderBookkeeping: there the move's tables are those that are recorded, of which some were found, and
// those of a schema change that was begun.
func TestReadOwnedOfOlderBookkeeping(t *testing.T) {
	name := func(table string) schema.Name { return schema.Name{Database: "a.b", Table: table} }
	record := func(table string) Record {
		return Record{Source: name(table), Target: name(table), Shape: &schema.Table{}}
	}
	put, err := EncodeRecord(record("begun"))
	require.NoError(t, err)
	change, err := json.Marshal(map[string]any{
		"put":   []string{put},
		"goals": []any{map[string]any{"pairs": [][2]schema.Name{{name("from"), name("to")}}}},
	})
	require.NoError(t, err)
	l := oldLedger{
		facts: map[string]string{
			FactTables: `["a.b.t","a.b.found","c.d"]`, FactFound: `["a.b.found"]`,
			FactChange: string(change),
		},
		records: []Record{record("t"), record("found"), record("streamed"), {
			Source: name("gone"),
			Target: name("gone"),
		}},
	}
	owned, err := ReadOwned(t.Context(), l)
	require.NoError(t, err)
	assert.Equal(t, Owned{
		name("t"): Made, name("found"): Found, name("streamed"): Made, name("begun"): Made, name("from"): Made,
		name("to"): Made,
	}, owned, "c.d is no longer recorded")
	l.records = nil
	owned, err = ReadOwned(t.Context(), l)
	require.NoError(t, err)
	assert.Equal(t, Made, owned[schema.Name{Database: "c", Table: "d"}])
	l.records = []Record{record("t")}

	delete(l.facts, FactTables) // as on the way back, whose tables were there before it
	delete(l.facts, FactFound)
	owned, err = ReadOwned(t.Context(), l)
	require.NoError(t, err)
	assert.Equal(t, Found, owned[name("t")])

	l.owned = Owned{name("listed"): Made}
	owned, err = ReadOwned(t.Context(), l)
	require.NoError(t, err)
	assert.Equal(t, l.owned, owned, "a list is all that counts")
}
