package db

import (
	"context"
	"encoding/json"
	"fmt"
)

// ReadNames reads a fact that is a list of tables, each as db.table; none when there is no such fact.
func ReadNames(ctx context.Context, l Ledger, fact string) (names []string, err error) {
	text, err := l.Get(ctx, fact)
	if err != nil || text == "" {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, fmt.Errorf("read fact %s: %w", fact, err)
	}
	return names, nil
}

// PutNames sets a fact that is a list of tables, each as db.table.
func PutNames(ctx context.Context, l Ledger, fact string, names []string) error {
	text, err := json.Marshal(names)
	if err != nil {
		return err
	}
	return l.Put(ctx, fact, string(text))
}
