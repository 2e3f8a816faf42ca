package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wherry/test/internal/lab"
)

// write makes the statements of one transaction, without its entry in the journal table.
func (c *clerk) write(ctx context.Context, tx *shopTx, kind string, number int64) (entry, error) {
	switch kind {
	case kindOrder:
		return c.order(ctx, tx, number)
	case kindPay:
		return c.pay(ctx, tx, number)
	case kindEdit:
		return c.edit(ctx, tx)
	case kindCart:
		return c.cart(ctx, tx)
	case kindDrop:
		return c.drop(ctx, tx)
	default:
		return c.swap(ctx, tx)
	}
}

// order takes up to 4 products from stock and sells them. The journal keeps the order and the pieces sold.
func (c *clerk) order(ctx context.Context, tx *shopTx, number int64) (entry, error) {
	customer, warehouse := 1+c.IntN(c.customers), c.IntN(warehouses)-1
	products := c.someProducts(1 + c.IntN(4))
	total, pieces := int64(0), 0
	var lines []string
	var args []any
	for i, product := range products {
		quantity, price := 1+c.IntN(5), 1+c.Int64N(50_000)
		pieces += quantity
		total += int64(quantity) * price
		lines = append(lines, "(@id, ?, ?, ?, ?, ?)")
		args = append(args, i+1, product, quantity, cents(price), c.IntN(2))
		_, err := tx.exec(ctx, "UPDATE stock SET quantity = quantity - ? WHERE warehouse = ? AND product_id = ?",
			quantity, warehouse, product)
		if err != nil {
			return entry{}, err
		}
	}
	id, err := tx.insert(ctx, "INSERT INTO orders (customer_id, total, comment, placed_at, tx) VALUES (?, "+
		"?, ?, CURRENT_TIMESTAMP(6), ?)",
		customer, cents(total), prose(c.Rand, 3), number)
	if err != nil {
		return entry{}, err
	}
	statement := "INSERT INTO order_lines (order_id, line, product_id, quantity, price, gift) VALUES " +
		strings.Join(lines, ", ")
	if _, err := tx.exec(ctx, strings.ReplaceAll(statement, "@id", fmt.Sprint(id)), args...); err != nil {
		return entry{}, err
	}
	_, err = tx.exec(ctx, "UPDATE customers SET credit = credit + ? WHERE id = ?", cents(total/100+1), customer)
	return entry{ref: id, detail: pieces, rows: 2*len(products) + 2}, err
}

// someProducts returns n different products, sorted, so that orders lock stock in one order.
func (c *clerk) someProducts(n int) []int {
	first := c.IntN(c.products)
	products := make([]int, min(n, c.products))
	for i := range products {
		products[i] = (first+i*13)%c.products + 1
	}
	slices.Sort(products)
	return slices.Compact(products)
}

func cents(n int64) string { return string(lab.AppendCents(nil, n)) }

// pay pays one of the orders that the shop began with.
func (c *clerk) pay(ctx context.Context, tx *shopTx, number int64) (entry, error) {
	order := 1 + c.IntN(c.orders)
	reference := token(c.Rand)
	id, err := tx.insert(ctx, "INSERT INTO payments (order_id, method, amount, reference, paid_at, tx) "+
		"VALUES (?, 'bank', ?, ?, CURRENT_TIMESTAMP(3), ?)",
		order, cents(c.Int64N(1_000_000)), reference[:], number)
	if err != nil {
		return entry{}, err
	}
	changed, err := changeOne(ctx, tx, "UPDATE orders SET status = CASE status WHEN 'paid' THEN 'sent' ELSE 'paid' "+
		"END WHERE id = ?",
		order)
	return entry{ref: id, detail: order, rows: 1 + changed}, err
}

// edit changes a customer and an address.
func (c *clerk) edit(ctx context.Context, tx *shopTx) (entry, error) {
	customer := 1 + c.IntN(c.customers)
	_, err := changeOne(ctx, tx, "UPDATE customers SET name = ?, note = ?, edits = edits + 1, seen_at = "+
		"CURRENT_TIMESTAMP WHERE id = ?",
		name(c.Rand), prose(c.Rand, 5), customer)
	if err != nil {
		return entry{}, err
	}
	_, err = tx.exec(ctx, "UPDATE addresses SET street = ?, zip = NULL WHERE "+
		"customer_id = ? AND no = 1", fmt.Sprintf("New street %d", c.IntN(1e9)), customer)
	return entry{ref: int64(customer), rows: 2}, err
}

// cart fills a new cart.
func (c *clerk) cart(ctx context.Context, tx *shopTx) (entry, error) {
	t := token(c.Rand)
	id, err := tx.insert(ctx, "INSERT INTO carts (customer_id, token, touched_at) VALUES (NULL, ?, "+
		"CURRENT_TIMESTAMP)", t[:])
	if err != nil {
		return entry{}, err
	}
	products := c.someProducts(1 + c.IntN(3))
	for _, product := range products {
		if _, err := tx.exec(ctx, "INSERT INTO cart_items (cart_id, product_id) VALUES (?, ?)", id,
			product); err != nil {
			return entry{}, err
		}
	}
	return entry{ref: id, detail: len(products), rows: 1 + len(products)}, nil
}

// drop removes one of the carts that the shop began with.
func (c *clerk) drop(ctx context.Context, tx *shopTx) (entry, error) {
	cart := c.nextCart
	items, err := tx.exec(ctx, "DELETE FROM cart_items WHERE cart_id = ?", cart)
	if err != nil {
		return entry{}, err
	}
	deleted, err := items.RowsAffected()
	if err != nil {
		return entry{}, err
	}
	_, err = changeOne(ctx, tx, "DELETE FROM carts WHERE id = ?", cart)
	return entry{ref: int64(cart), detail: int(deleted), rows: 1 + int(deleted)}, err
}

// swap lets two products change places: their unique values wander within one transaction.
func (c *clerk) swap(ctx context.Context, tx *shopTx) (entry, error) {
	warehouse := c.IntN(warehouses) - 1
	products := c.someProducts(2)
	shelves := make([]string, len(products))
	for i, product := range products {
		const read = "SELECT shelf FROM stock WHERE warehouse = ? AND product_id = ? FOR UPDATE"
		if err := tx.QueryRowContext(ctx, tx.on.text(read), warehouse, product).Scan(&shelves[i]); err != nil {
			return entry{}, err
		}
	}
	const move = "UPDATE stock SET shelf = ? WHERE warehouse = ? AND product_id = ?"
	for _, step := range []struct {
		product int
		shelf   any
	}{{products[0], nil}, {products[1], shelves[0]}, {products[0], shelves[1]}} {
		if _, err := changeOne(ctx, tx, move, step.shelf, warehouse, step.product); err != nil {
			return entry{}, err
		}
	}
	return entry{ref: int64(products[0]), detail: products[1], rows: 3}, nil
}

// changeOne runs a statement that must change exactly one row: anything else is a row that was lost or changed
// behind the application's back.
func changeOne(ctx context.Context, tx *shopTx, statement string, args ...any) (int, error) {
	result, err := tx.exec(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	changed, err := result.RowsAffected()
	if err == nil && changed != 1 {
		err = fmt.Errorf("%d rows changed instead of 1 by %s", changed, statement)
	}
	return int(changed), err
}
