package db

import (
	"context"
	"encoding/json"
	"fmt"

	"wherry/pkg/schema"
)

// Origin tells how a table of the target came to be the move's.
type Origin string

// The origins.
const (
	Made  Origin = "made"  // this move created it
	Found Origin = "found" // it was there before, and the move was allowed to take it
)

// Owned are the tables of the target that are the move's, with their origins. No statement is run on any other table.
type Owned map[schema.Name]Origin

// ReadOwned returns the tables that the ledger has as the move's. The bookkeeping of an older version has no such
// list: then they are the tables of its records and of a schema change that was begun, or before there are records,
// those that it claimed.
func ReadOwned(ctx context.Context, l Ledger) (Owned, error) {
	owned, err := l.Owned(ctx)
	if err != nil || owned != nil {
		return owned, err
	}
	owned = Owned{}
	claimed, err := ReadNames(ctx, l, FactTables)
	if err != nil {
		return nil, err
	}
	found, err := ReadNames(ctx, l, FactFound)
	if err != nil {
		return nil, err
	}
	origin := Made
	if len(claimed) == 0 { // the way back: its tables were there before it began
		origin = Found
	}
	records, err := l.Records(ctx)
	if err != nil {
		return nil, err
	}
	begun, err := begunNames(ctx, l)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if r.Shape != nil {
			begun = append(begun, r.Target)
		}
	}
	whole := map[string]schema.Name{} // a list has names in one piece, and a database's may have a dot in it
	for _, n := range begun {
		owned[n], whole[n.String()] = origin, n
	}
	name := func(s string) schema.Name {
		n, ok := whole[s]
		if !ok {
			n, _ = schema.ParseName(s)
		}
		return n
	}
	if len(records) == 0 { // else what is claimed and not recorded was dropped since, or has another name
		for _, s := range claimed {
			owned[name(s)] = Made
		}
	}
	for _, s := range found {
		owned[name(s)] = Found
	}
	return owned, nil
}

// begunNames returns the names that a schema change gives to tables of the target, if one was begun.
func begunNames(ctx context.Context, l Ledger) (names []schema.Name, err error) {
	text, err := l.Get(ctx, FactChange)
	if err != nil || text == "" {
		return nil, err
	}
	var change struct {
		Put   []string `json:"put"`
		Goals []struct {
			Pairs [][2]schema.Name `json:"pairs"`
		} `json:"goals"`
	}
	if err := json.Unmarshal([]byte(text), &change); err != nil {
		return nil, fmt.Errorf("read fact %s: %w", FactChange, err)
	}
	for _, text := range change.Put {
		r, err := DecodeRecord(text)
		if err != nil {
			return nil, err
		}
		names = append(names, r.Target)
	}
	for _, g := range change.Goals {
		for _, pair := range g.Pairs {
			names = append(names, pair[0], pair[1])
		}
	}
	return names, nil
}
