package main

import (
	"context"
	"database/sql"
	"fmt"

	"golang.org/x/sync/errgroup"

	"wherry/test/internal/lab"
)

// database is what moves; application is whom the shop's own software connects as, on both servers: an account
// that a read-only server does not make an exception for.
const (
	database    = "shop"
	application = "shop_app"
	appPassword = "shop-secret"
)

// loaders fill the shop at the same time.
const loaders = 3

// part is a range of rows of one table.
type part struct {
	table       int
	first, last int
}

// fill creates the shop on a server and loads it. Nothing of that is in the server's binary log.
func fill(ctx context.Context, db *sql.DB, tables []table, s sizes, seed uint64) error {
	create := []string{
		"SET sql_log_bin = 0", "CREATE DATABASE " + database + " CHARACTER SET utf8mb4",
		"USE " + database,
	}
	for _, t := range tables {
		create = append(create, t.statement())
	}
	if err := lab.Exec(ctx, db, create...); err != nil {
		return fmt.Errorf("create shop: %w", err)
	}
	parts := make(chan part)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(parts)
		for i, t := range tables {
			for first, rows := 0, s.rows(t.name); first < rows; first += 50_000 {
				select {
				case parts <- part{table: i, first: first, last: min(first+50_000, rows)}:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
		}
		return nil
	})
	for range loaders {
		group.Go(func() error { return load(ctx, db, tables, newRandom(s, seed), parts) })
	}
	return group.Wait()
}

// load loads the parts that it gets over one connection of its own.
func load(ctx context.Context, db *sql.DB, tables []table, r *random, parts <-chan part) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	if err := lab.ExecAll(ctx, conn, "SET sql_log_bin = 0", "SET foreign_key_checks = 0",
		"SET unique_checks = 0"); err != nil {
		return err
	}
	// The pool gets the connection back as it was.
	defer func() {
		_ = lab.ExecAll(context.WithoutCancel(ctx), conn, "SET sql_log_bin = 1", "SET foreign_key_checks = 1",
			"SET unique_checks = 1")
	}()
	for p := range parts {
		t := tables[p.table]
		write := func(out *lab.TSV, i int) {
			r.begin(p.table, i)
			t.row(r, out, i)
		}
		if err := lab.LoadRows(ctx, conn, database+"."+t.name, t.columns, p.first, p.last, 25_000, write); err != nil {
			return err
		}
	}
	return nil
}
