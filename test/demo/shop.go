package main

import (
	"fmt"
	"strings"

	"wherry/test/internal/lab"
)

// table is one table of the shop: how it is created, and how row number i of its first content looks.
type table struct {
	name    string
	create  string   // what stands between the parentheses
	columns []string // as lab.Load takes them
	key     []string // the primary key
	row     func(r *random, out *lab.TSV, i int)
}

// shop is the database that moves, in an order in which foreign keys refer to tables above only.
func shop() []table {
	return []table{
		{
			name: "customers", key: []string{"id"}, row: customerRow,
			columns: []string{
				"id", "email", "name", "phone", "tier", "credit", "born", "note", "created_at",
				"seen_at",
			},
			create: `id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, email VARCHAR(190) NOT NULL,
				name VARCHAR(120) NOT NULL,
				phone VARCHAR(32) NULL, tier ENUM('basic','plus','vip') NOT NULL DEFAULT 'basic',
				credit DECIMAL(14,2) NOT NULL DEFAULT 0, edits INT UNSIGNED NOT NULL DEFAULT 0, born DATE NULL,
				note TEXT NULL,
				created_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), seen_at TIMESTAMP NULL DEFAULT NULL,
				PRIMARY KEY (id), UNIQUE KEY email (email), KEY name (name(20))`,
		},
		{
			name: "addresses", key: []string{"customer_id", "no"}, row: addressRow,
			columns: []string{"customer_id", "no", "street", "zip", "city", "country", "is_default"},
			create: `customer_id BIGINT UNSIGNED NOT NULL, no TINYINT UNSIGNED NOT NULL, street VARCHAR(200) NOT NULL,
				zip VARCHAR(12) NULL, city VARCHAR(100) NOT NULL, country CHAR(2) NOT NULL DEFAULT 'NL',
				is_default TINYINT(1) NOT NULL DEFAULT 0, PRIMARY KEY (customer_id, no), KEY city (country, city),
				CONSTRAINT addresses_customer FOREIGN KEY (customer_id) REFERENCES customers (id)`,
		},
		{
			name: "products", key: []string{"id"}, row: productRow,
			columns: []string{
				"id", "sku", "title", "description", "price", "weight",
				"attributes = CONVERT(@attributes USING utf8mb4)",
			},
			create: `id INT UNSIGNED NOT NULL, sku CHAR(12) NOT NULL, title VARCHAR(200) NOT NULL,
				description TEXT NULL,
				price DECIMAL(10,2) NOT NULL, weight DOUBLE NULL, attributes JSON NULL,
				PRIMARY KEY (id), UNIQUE KEY sku (sku), KEY price (price)`,
		},
		{
			name: "stock", key: []string{"warehouse", "product_id"}, row: stockRow,
			columns: []string{"warehouse", "product_id", "quantity", "shelf"},
			create: `warehouse SMALLINT NOT NULL, product_id INT UNSIGNED NOT NULL, quantity INT NOT NULL,
				shelf VARCHAR(16) NULL,
				PRIMARY KEY (warehouse, product_id), UNIQUE KEY shelf (warehouse, shelf),
				CONSTRAINT stock_product FOREIGN KEY (product_id) REFERENCES products (id)`,
		},
		{
			name: "orders", key: []string{"id"}, row: orderRow,
			columns: []string{"id", "customer_id", "status", "total", "coupon", "comment", "placed_at"},
			create: `id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, customer_id BIGINT UNSIGNED NOT NULL,
				status ENUM('new','paid','sent','returned') NOT NULL DEFAULT 'new', total DECIMAL(14,2) NOT NULL,
				coupon VARCHAR(20) NULL, comment TEXT NULL, placed_at DATETIME(6) NOT NULL, tx BIGINT NULL,
				PRIMARY KEY (id), KEY customer (customer_id), KEY placed (placed_at), KEY tx (tx),
				CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id)`,
		},
		{
			name: "order_lines", key: []string{"order_id", "line"}, row: orderLineRow,
			columns: []string{"order_id", "line", "product_id", "quantity", "price", "gift"},
			create: `order_id BIGINT UNSIGNED NOT NULL, line SMALLINT UNSIGNED NOT NULL,
				product_id INT UNSIGNED NOT NULL, quantity INT NOT NULL, price DECIMAL(10,2) NOT NULL,
				gift TINYINT(1) NOT NULL DEFAULT 0,
				PRIMARY KEY (order_id, line), KEY product (product_id),
				CONSTRAINT order_lines_order FOREIGN KEY (order_id) REFERENCES orders (id),
				CONSTRAINT order_lines_product FOREIGN KEY (product_id) REFERENCES products (id)`,
		},
		{
			name: "payments", key: []string{"id"}, row: paymentRow,
			columns: []string{"id", "order_id", "method", "amount", "reference", "paid_at"},
			create: `id BIGINT NOT NULL AUTO_INCREMENT, order_id BIGINT UNSIGNED NOT NULL,
				method ENUM('card','bank','cash') NOT NULL,
				amount DECIMAL(14,2) NOT NULL, reference VARBINARY(16) NULL, paid_at TIMESTAMP(3) NULL DEFAULT NULL,
				tx BIGINT NULL,
				PRIMARY KEY (id), UNIQUE KEY reference (reference), KEY order_id (order_id), KEY tx (tx),
				CONSTRAINT payments_order FOREIGN KEY (order_id) REFERENCES orders (id)`,
		},
		{
			name: "carts", key: []string{"id"}, row: cartRow,
			columns: []string{"id", "customer_id", "token", "touched_at"},
			create: `id BIGINT NOT NULL AUTO_INCREMENT, customer_id BIGINT UNSIGNED NULL, token BINARY(16) NOT NULL,
				touched_at DATETIME NOT NULL, PRIMARY KEY (id), UNIQUE KEY token (token), KEY customer (customer_id),
				CONSTRAINT carts_customer FOREIGN KEY (customer_id) REFERENCES customers (id)`,
		},
		{
			name: "cart_items", key: []string{"cart_id", "product_id"}, row: cartItemRow,
			columns: []string{"cart_id", "product_id", "quantity"},
			create: `cart_id BIGINT NOT NULL, product_id INT UNSIGNED NOT NULL, quantity SMALLINT NOT NULL DEFAULT 1,
				PRIMARY KEY (cart_id, product_id), KEY product (product_id),
				CONSTRAINT cart_items_cart FOREIGN KEY (cart_id) REFERENCES carts (id),
				CONSTRAINT cart_items_product FOREIGN KEY (product_id) REFERENCES products (id)`,
		},
		{
			name: "reviews", key: []string{"product_id", "customer_id"}, row: reviewRow,
			columns: []string{"product_id", "customer_id", "stars", "body", "written_on"},
			create: `product_id INT UNSIGNED NOT NULL, customer_id BIGINT UNSIGNED NOT NULL, stars TINYINT NOT NULL,
				body TEXT NULL,
				written_on DATE NOT NULL, PRIMARY KEY (product_id, customer_id), KEY customer (customer_id),
				CONSTRAINT reviews_product FOREIGN KEY (product_id) REFERENCES products (id),
				CONSTRAINT reviews_customer FOREIGN KEY (customer_id) REFERENCES customers (id)`,
		},
		{
			// One row per transaction of the writer, written in that transaction. Its key is not the
			// transaction's number, so that the database would not hide a transaction that was applied twice.
			name: "journal", key: []string{"id"},
			create: `id BIGINT NOT NULL AUTO_INCREMENT, tx BIGINT NOT NULL, kind VARCHAR(12) NOT NULL,
				ref BIGINT NOT NULL,
				detail INT NOT NULL, at DATETIME(6) NOT NULL, PRIMARY KEY (id), KEY tx (tx)`,
		},
	}
}

// statement creates the table.
func (t table) statement() string {
	return fmt.Sprintf("CREATE TABLE %s (%s) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci", t.name,
		t.create)
}

// ordered reads the whole table in the order of its key.
func (t table) ordered() string {
	return fmt.Sprintf("SELECT * FROM %s ORDER BY %s", t.name, strings.Join(t.key, ", "))
}

// sizes says how many of which there are, so that references always hit.
type sizes struct {
	customers, products, orders, payments, carts, reviews int
}

// warehouses is how many rows of stock there are per product.
const warehouses = 3

// unit is the number of rows that sizes are multiples of.
const unit = 300

// newSizes divides about rows rows among the tables. A group of 2 customers has 3 addresses; of 3 orders, 6 lines
// and 2 payments; every cart has 2 items.
func newSizes(rows int) sizes {
	u := max(rows/unit, 1)
	return sizes{customers: 18 * u, products: 6 * u, orders: 54 * u, payments: 36 * u, carts: 9 * u, reviews: 6 * u}
}

// rows is how many rows a table begins with.
func (s sizes) rows(name string) int {
	return map[string]int{
		"customers": s.customers, "addresses": s.customers / 2 * 3, "products": s.products,
		"stock":  s.products * warehouses,
		"orders": s.orders, "order_lines": s.orders * 2, "payments": s.payments, "carts": s.carts,
		"cart_items": s.carts * 2,
		"reviews":    s.reviews,
	}[name]
}

func (s sizes) total(tables []table) int {
	total := 0
	for _, t := range tables {
		total += s.rows(t.name)
	}
	return total
}
