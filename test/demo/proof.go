package main

import (
	"context"
	"fmt"
	"slices"
)

// tally is what became of the application's transactions.
type tally struct {
	acknowledged int64
	refused      int64 // rolled back or refused, and the application knows it
	doubtful     int64 // no answer to the commit
	afterSwitch  int64 // acknowledged by the target
	lost         int64 // acknowledged, and not in the database
	doubled      int64 // more than once in the database
	ghosts       int64 // in the database though refused, or never begun
}

// proved says that no transaction is lost, doubled or invented.
func (t tally) proved() bool {
	return t.acknowledged > 0 && t.lost == 0 && t.doubled == 0 && t.ghosts == 0
}

// countTransactions holds the journal file against the journal table.
func countTransactions(ctx context.Context, db *pool, records map[int64]record) (tally, error) {
	present := make(map[int64]int)
	rows, err := db.QueryContext(ctx, "SELECT tx FROM journal")
	if err != nil {
		return tally{}, fmt.Errorf("read journal table: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var tx int64
		if err := rows.Scan(&tx); err != nil {
			return tally{}, fmt.Errorf("read journal table: %w", err)
		}
		present[tx]++
	}
	if err := rows.Err(); err != nil {
		return tally{}, fmt.Errorf("read journal table: %w", err)
	}
	return tallyUp(records, present), nil
}

// tallyUp compares what was said to be written with what is there: transaction by transaction, how often.
func tallyUp(records map[int64]record, present map[int64]int) tally {
	var t tally
	for tx, r := range records {
		n := present[tx]
		switch r.outcome {
		case acknowledged:
			t.acknowledged++
			if n == 0 {
				t.lost++
			}
		case abandoned:
			t.refused++
			if n > 0 {
				t.ghosts++
			}
		case doubtful:
			t.doubtful++
		}
		if n > 1 {
			t.doubled++
		}
	}
	for tx := range present {
		if _, known := records[tx]; !known {
			t.ghosts++
		}
	}
	return t
}

// effect is a statement about the rows that transactions wrote, beside their entries in the journal table.
// Its query returns the number of rows that speak against it, or that there are too many or too few.
type effect struct {
	name  string
	query string
	args  []any
}

// start is what the shop began with, for sums that transactions change in a known way.
type start struct {
	stock, edits, carts, cartItems, shelves int64
}

func readStart(ctx context.Context, db *pool) (start, error) {
	var s start
	for _, value := range []struct {
		query string
		into  *int64
	}{
		{"SELECT SUM(quantity) FROM stock", &s.stock},
		{"SELECT SUM(edits) FROM customers", &s.edits},
		{"SELECT COUNT(*) FROM carts", &s.carts},
		{"SELECT COUNT(*) FROM cart_items", &s.cartItems},
		{"SELECT COUNT(shelf) FROM stock", &s.shelves},
	} {
		if err := db.QueryRowContext(ctx, value.query).Scan(value.into); err != nil {
			return s, fmt.Errorf("%s: %w", value.query, err)
		}
	}
	return s, nil
}

// effects are what must hold on the target at the end.
func effects(s start) []effect {
	return []effect{
		{"every order of the journal is there, once", `SELECT COUNT(*) FROM journal j LEFT JOIN orders o ON o.tx = j.tx
			WHERE j.kind = 'order' AND (o.id IS NULL OR o.id <> j.ref)`, nil},
		{
			"no order is there without its journal entry",
			`SELECT COUNT(*) FROM orders o LEFT JOIN journal j ON j.tx = o.tx
			WHERE o.tx IS NOT NULL AND j.id IS NULL`, nil,
		},
		{"every order has its lines", `SELECT COUNT(*) FROM (SELECT j.detail - COALESCE(SUM(l.quantity), 0) AS lacking
			FROM journal j LEFT JOIN order_lines l ON l.order_id = j.ref WHERE j.kind = 'order'
			GROUP BY j.id, j.detail) x WHERE lacking <> 0`, nil},
		{"what is gone from stock was sold", `SELECT (SELECT SUM(quantity) FROM stock) - ? +
			(SELECT COALESCE(SUM(detail), 0) FROM journal WHERE kind = 'order')`, []any{s.stock}},
		{
			"every payment of the journal is there, once",
			`SELECT COUNT(*) FROM journal j LEFT JOIN payments p ON p.tx = j.tx
			WHERE j.kind = 'pay' AND (p.id IS NULL OR p.id <> j.ref OR p.order_id <> j.detail)`, nil,
		},
		{
			"no payment is there without its journal entry",
			`SELECT COUNT(*) FROM payments p LEFT JOIN journal j ON j.tx = p.tx
			WHERE p.tx IS NOT NULL AND j.id IS NULL`, nil,
		},
		{"customers were edited as often as the journal says", `SELECT (SELECT SUM(edits) FROM customers) - ? -
			(SELECT COUNT(*) FROM journal WHERE kind = 'edit')`, []any{s.edits}},
		{
			"carts were made and dropped as the journal says", `SELECT (SELECT COUNT(*) FROM carts) - ? -
			(SELECT COUNT(*) FROM journal WHERE kind = 'cart') + (SELECT COUNT(*) FROM journal WHERE kind = 'drop')`,
			[]any{s.carts},
		},
		{
			"so were the items in them", `SELECT (SELECT COUNT(*) FROM cart_items) - ? -
			(SELECT COALESCE(SUM(CASE kind WHEN 'cart' THEN detail ELSE -detail END), 0) FROM journal
			WHERE kind IN ('cart', 'drop'))`,
			[]any{s.cartItems},
		},
		{"every shelf that was swapped holds one product", `SELECT (SELECT COUNT(*) FROM
			(SELECT DISTINCT warehouse, shelf FROM stock WHERE shelf IS NOT NULL) x) - ?`, []any{s.shelves}},
	}
}

// wrongEffects returns the names of the effects that do not hold, and how many do.
func wrongEffects(ctx context.Context, db *pool, s start) (right int, wrong []string, err error) {
	for _, e := range effects(s) {
		var against int64
		if err := db.QueryRowContext(ctx, db.text(e.query), e.args...).Scan(&against); err != nil {
			return 0, nil, fmt.Errorf("check that %s: %w", e.name, err)
		}
		if against != 0 {
			wrong = append(wrong, fmt.Sprintf("%s: not so (%d)", e.name, against))
		} else {
			right++
		}
	}
	return right, wrong, nil
}

// compareSchema returns how many parts of a kind both sides have, and those that only one has.
func compareSchema(ctx context.Context, source, target *pool, sourceParts, targetParts string) (
	equal int, differ []string, err error,
) {
	left, err := stringsOf(ctx, source, sourceParts)
	if err != nil {
		return 0, nil, err
	}
	right, err := stringsOf(ctx, target, targetParts)
	if err != nil {
		return 0, nil, err
	}
	for _, part := range left {
		if slices.Contains(right, part) {
			equal++
		} else {
			differ = append(differ, "only on the source: "+part)
		}
	}
	for _, part := range right {
		if !slices.Contains(left, part) {
			differ = append(differ, "only on the target: "+part)
		}
	}
	return equal, differ, nil
}

func stringsOf(ctx context.Context, db *pool, query string) ([]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%.60s: %w", query, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, fmt.Errorf("%.60s: %w", query, err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
