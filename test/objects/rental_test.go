package objects

import (
	"fmt"
	"strings"
)

// The database of a shop that rents films, with everything besides tables that such a shop collects in years. %d
// stands for the database.
const (
	owner = "wo_owner" // whom the objects belong to
	shops = 2
	films = 60
	staff = 4
)

func rentalTables() []string {
	ref := func(column, table string) string {
		return fmt.Sprintf("FOREIGN KEY (%s) REFERENCES %s (id) ON DELETE RESTRICT ON UPDATE CASCADE", column, table)
	}
	stamp := "last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"
	return []string{
		"CREATE TABLE country (id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) NOT NULL, " +
			stamp + ")",
		"CREATE TABLE city (id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) NOT NULL, " +
			"country_id SMALLINT UNSIGNED NOT NULL, " + ref("country_id", "country") + ")",
		"CREATE TABLE address (id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, street VARCHAR(50) NOT " +
			"NULL, zip VARCHAR(10), phone VARCHAR(20) NOT NULL, city_id SMALLINT UNSIGNED NOT NULL, " + ref("city_id",
			"city") + ")",
		"CREATE TABLE store (id TINYINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, manager_id TINYINT UNSIGNED " +
			"NOT NULL UNIQUE, address_id SMALLINT UNSIGNED NOT NULL, " + ref("address_id", "address") + ")",
		"CREATE TABLE staff (id TINYINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, first_name VARCHAR(45) NOT " +
			"NULL, last_name VARCHAR(45) NOT NULL, picture BLOB, store_id TINYINT UNSIGNED NOT NULL, address_id " +
			"SMALLINT UNSIGNED NOT NULL, " + ref("store_id", "store") + ", " + ref("address_id", "address") + ")",
		"CREATE TABLE customer (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, store_id TINYINT UNSIGNED NOT " +
			"NULL, first_name VARCHAR(45) NOT NULL, last_name VARCHAR(45) NOT NULL, active BOOLEAN NOT NULL DEFAULT " +
			"TRUE, address_id SMALLINT UNSIGNED NOT NULL, created DATETIME, KEY last_name (last_name), " +
			ref("store_id", "store") + ", " + ref("address_id", "address") + ")",
		"CREATE TABLE film (id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, title VARCHAR(255) NOT NULL, " +
			"description TEXT, release_year YEAR, days TINYINT UNSIGNED NOT NULL DEFAULT 3, rate DECIMAL(4,2) NOT " +
			"NULL DEFAULT 4.99, cost DECIMAL(5,2) NOT NULL DEFAULT 19.99, rating ENUM('G','PG','PG-13','R','NC-17') " +
			"DEFAULT 'G', features SET('Trailers','Commentaries','Deleted Scenes'), " + stamp + ", KEY title (title))",
		"CREATE TABLE film_text (film_id SMALLINT NOT NULL PRIMARY KEY, title VARCHAR(255) NOT NULL, description " +
			"TEXT, FULLTEXT KEY words (title, description))",
		"CREATE TABLE actor (id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, first_name VARCHAR(45) NOT " +
			"NULL, last_name VARCHAR(45) NOT NULL)",
		"CREATE TABLE film_actor (actor_id SMALLINT UNSIGNED NOT NULL, film_id SMALLINT UNSIGNED NOT NULL, PRIMARY " +
			"KEY (actor_id, film_id), " + ref("actor_id", "actor") + ", " + ref("film_id", "film") + ")",
		"CREATE TABLE category (id TINYINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(25) NOT NULL)",
		"CREATE TABLE film_category (film_id SMALLINT UNSIGNED NOT NULL, category_id TINYINT UNSIGNED NOT NULL, " +
			"PRIMARY KEY (film_id, category_id), " + ref("film_id", "film") + ", " + ref("category_id", "category") +
			")",
		"CREATE TABLE inventory (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, film_id SMALLINT UNSIGNED NOT " +
			"NULL, store_id TINYINT UNSIGNED NOT NULL, KEY of_store (store_id, film_id), " + ref("film_id",
			"film") + ", " + ref("store_id", "store") + ")",
		"CREATE TABLE rental (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, rented DATETIME NOT NULL, inventory_id INT " +
			"UNSIGNED NOT NULL, customer_id INT UNSIGNED NOT NULL, returned DATETIME, staff_id TINYINT UNSIGNED NOT " +
			"NULL, KEY (customer_id, rented), " + ref("inventory_id", "inventory") + ", " + ref("customer_id",
			"customer") + ", " + ref("staff_id", "staff") + ")",
		"CREATE TABLE payment (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id INT UNSIGNED NOT " +
			"NULL, staff_id TINYINT UNSIGNED NOT NULL, rental_id INT, amount DECIMAL(5,2) NOT NULL, paid DATETIME " +
			"NOT NULL, " + ref("customer_id", "customer") + ", " + ref("staff_id", "staff") +
			", FOREIGN KEY (rental_id) REFERENCES rental (id) ON DELETE SET NULL ON UPDATE CASCADE)",
		"CREATE TABLE fired (name VARCHAR(30) NOT NULL PRIMARY KEY, times INT NOT NULL, trace VARCHAR(200))",
	}
}

func rentalRows() []string {
	s := []string{
		"INSERT INTO country (name) VALUES ('Österreich'), ('Ísland'), ('日本')",
		"INSERT INTO city (name, country_id) VALUES ('Wien', 1), ('Graz', 1), ('Reykjavík', 2), ('大阪', 3)",
		"INSERT INTO fired VALUES ('rental', 0, ''), ('payment', 0, ''), ('event', 0, '')",
		"INSERT INTO category (name) VALUES ('Action'), ('Comedy'), ('Family'), ('Music')",
	}
	add := func(n int, format string, values func(i int) []any) {
		for i := 1; i <= n; i++ {
			s = append(s, fmt.Sprintf(format, values(i)...))
		}
	}
	add(12, "INSERT INTO address (street, zip, phone, city_id) VALUES ('%d Main Street', 'Z%d', '+43 %d', %d)",
		func(i int) []any { return []any{i, i, i * 7919, i%4 + 1} })
	add(shops, "INSERT INTO store (manager_id, address_id) VALUES (%d, %d)", func(i int) []any { return []any{i, i} })
	add(staff, "INSERT INTO staff (first_name, last_name, store_id, address_id) VALUES ('Staff%d', 'O''Hara %d', "+
		"%d, %d)", func(i int) []any { return []any{i, i, i%shops + 1, i + 2} })
	add(40, "INSERT INTO customer (store_id, first_name, last_name, active, address_id) VALUES (%d, 'First%d', "+
		"'Näme%d', %d, %d)", func(i int) []any { return []any{i%shops + 1, i, i % 13, i % 5, i%12 + 1} })
	add(films, "INSERT INTO film (title, description, release_year, days, rate, features) VALUES ('FILM %d of zoë', "+
		"'A tale of %d and a %s', %d, %d, %d.99, 'Trailers,Deleted Scenes')", func(i int) []any {
		return []any{i, i * 3, []string{"shark", "robot", "queen"}[i%3], 1990 + i%30, i%5 + 2, i % 4}
	})
	add(20, "INSERT INTO actor (first_name, last_name) VALUES ('ANNA%d', 'KRÜGER%d')", func(i int) []any {
		return []any{i, i}
	})
	add(films*3, "INSERT IGNORE INTO film_actor VALUES (%d, %d)", func(i int) []any {
		return []any{i%20 + 1, i%films + 1}
	})
	add(films, "INSERT INTO film_category VALUES (%d, %d)", func(i int) []any { return []any{i, i%4 + 1} })
	add(films*2, "INSERT INTO inventory (film_id, store_id) VALUES (%d, %d)", func(i int) []any {
		return []any{i%films + 1, i%shops + 1}
	})
	add(100, rent, rented)
	add(100, pay, paid)
	return s
}

const (
	rent = "INSERT INTO rental (rented, inventory_id, customer_id, returned, staff_id) VALUES ('2024-05-01 10:00:00' " +
		"+ INTERVAL %d HOUR, %d, %d, IF(%d, '2024-05-09 10:00:00' + INTERVAL %d HOUR, NULL), %d)"
	pay = "INSERT INTO payment (customer_id, staff_id, rental_id, amount, paid) VALUES (%d, %d, (SELECT MAX(r.id) " +
		"FROM rental r WHERE r.id <= %d), %d.99, '2024-05-01 10:00:00' + INTERVAL %d HOUR)"
)

func rented(i int) []any {
	return []any{i % 900, i%(films*2) + 1, i%40 + 1, i % 7, i % 900, i%staff + 1}
}

func paid(i int) []any { return []any{i%40 + 1, i%staff + 1, i%100 + 1, i % 9, i % 900} }

// rentalViews: joins, aggregates, an ordered GROUP_CONCAT, one by the invoker, views on views in an order that does
// not follow their names, a stored function, a common table expression with a window, and one that checks what is
// written through it.
var rentalViews = []string{
	"CREATE VIEW customer_list AS SELECT cu.id AS ID, CONCAT(cu.first_name, _utf8mb4' ', cu.last_name) AS name, " +
		"a.street, a.zip AS `zip code`, city.name AS city, country.name AS country, IF(cu.active, 'active', '') AS " +
		"notes, cu.store_id AS SID FROM customer AS cu JOIN address AS a ON cu.address_id = a.id JOIN city ON " +
		"a.city_id = city.id JOIN country ON city.country_id = country.id",
	"CREATE VIEW film_list AS SELECT film.id AS FID, film.title, category.name AS category, film.rate AS price, " +
		"GROUP_CONCAT(CONCAT(actor.first_name, ' ', actor.last_name) ORDER BY actor.id SEPARATOR ', ') AS actors " +
		"FROM category JOIN film_category ON category.id = film_category.category_id JOIN film ON " +
		"film_category.film_id = film.id JOIN film_actor ON film.id = film_actor.film_id JOIN actor ON " +
		"film_actor.actor_id = actor.id GROUP BY film.id, film.title, category.name, film.rate",
	"CREATE VIEW staff_list AS SELECT s.id AS ID, CONCAT_WS(' ', s.first_name, s.last_name) AS name, a.phone, " +
		"s.store_id AS SID FROM staff s JOIN address a ON s.address_id = a.id WHERE s.last_name LIKE 'o\\'hara%'",
	"CREATE VIEW sales_by_store AS SELECT CONCAT(c.name, ',', cy.name) AS store, SUM(p.amount) AS total_sales, " +
		"COUNT(DISTINCT p.customer_id) AS customers FROM payment p JOIN rental r ON p.rental_id = r.id JOIN " +
		"inventory i ON r.inventory_id = i.id JOIN store s ON i.store_id = s.id JOIN address a ON s.address_id = " +
		"a.id JOIN city c ON a.city_id = c.id JOIN country cy ON c.country_id = cy.id GROUP BY s.id, c.name, cy.name " +
		"ORDER BY cy.name, c.name",
	"CREATE SQL SECURITY INVOKER VIEW actor_info AS SELECT a.id, a.last_name, GROUP_CONCAT(DISTINCT CONCAT(c.name, " +
		"': ', (SELECT GROUP_CONCAT(f.title ORDER BY f.title SEPARATOR ', ') FROM %d.film f JOIN %d.film_category fc " +
		"ON f.id = fc.film_id JOIN %d.film_actor fa ON f.id = fa.film_id WHERE fc.category_id = c.id AND fa.actor_id " +
		"= a.id)) ORDER BY c.name SEPARATOR '; ') AS films FROM %d.actor a LEFT JOIN %d.film_actor fa ON a.id = " +
		"fa.actor_id LEFT JOIN %d.film_category fc ON fa.film_id = fc.film_id LEFT JOIN %d.category c ON " +
		"fc.category_id = c.id GROUP BY a.id, a.last_name",
	"CREATE VIEW z_active AS SELECT * FROM customer_list WHERE notes = 'active' COLLATE utf8mb4_bin",
	"CREATE VIEW a_active_cities AS SELECT z_active.city, COUNT(*) AS people FROM z_active GROUP BY z_active.city",
	"CREATE VIEW owing AS SELECT customer.id, balance(customer.id, '2024-05-20 00:00:00') AS owes FROM customer " +
		"WHERE balance(customer.id, '2024-05-20 00:00:00') <> 0",
	"CREATE VIEW ranked AS WITH sums AS (SELECT customer_id, SUM(amount) AS total FROM payment GROUP BY customer_id) " +
		"SELECT customer_id, total, RANK() OVER (ORDER BY total DESC) AS place FROM sums",
	"CREATE ALGORITHM = MERGE VIEW cheap AS SELECT film.id, film.title, film.rate FROM film WHERE film.rate < 2 WITH " +
		"LOCAL CHECK OPTION",
}

// rentalRoutines: OUT parameters, cursors and handlers, a temporary table, labels, comments of every kind, names with
// and without their database, a variable without a character set.
var rentalRoutines = []string{
	`CREATE FUNCTION balance(p_customer INT, p_when DATETIME) RETURNS DECIMAL(7,2) DETERMINISTIC READS SQL DATA
BEGIN
  #OK, what is owed: fees of all rentals, one a day when overdue,
  -- and what was paid is taken off; it's simple
  DECLARE v_fees, v_paid DECIMAL(7,2); /* both "in" euros ` + "`" + ` */
  SELECT IFNULL(SUM(film.rate), 0) INTO v_fees FROM film, inventory, %d.rental WHERE film.id = inventory.film_id
    AND inventory.id = rental.inventory_id AND rental.rented <= p_when AND rental.customer_id = p_customer;
  SELECT IFNULL(SUM(payment.amount), 0) INTO v_paid FROM payment
    WHERE payment.paid <= p_when AND payment.customer_id = p_customer;
  RETURN v_fees - v_paid;
END`,
	`CREATE FUNCTION shout(p VARCHAR(50)) RETURNS VARCHAR(60) DETERMINISTIC
BEGIN
  DECLARE v VARCHAR(60) DEFAULT 'é!';
  SET v = CONCAT(UPPER(p), "! ", v);
  RETURN v;
END`,
	`CREATE PROCEDURE film_in_stock(IN p_film INT, IN p_store INT, OUT p_count INT) READS SQL DATA
COMMENT 'What''s there'
BEGIN
  SELECT id FROM inventory WHERE film_id = p_film AND store_id = p_store ORDER BY id;
  SELECT COUNT(*) INTO p_count FROM inventory WHERE film_id = p_film AND store_id = p_store;
END`,
	`CREATE PROCEDURE longest_name(OUT p_name VARCHAR(100), INOUT p_length INT) SQL SECURITY INVOKER
proc: BEGIN
  DECLARE done BOOLEAN DEFAULT FALSE;
  DECLARE v_name VARCHAR(100);
  DECLARE names CURSOR FOR SELECT CONCAT(first_name, ' ', last_name) FROM customer ORDER BY id;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = TRUE;
  IF p_length < 0 THEN LEAVE proc; END IF;
  OPEN names;
  each_name: LOOP
    FETCH names INTO v_name;
    IF done THEN LEAVE each_name; END IF;
    IF CHAR_LENGTH(v_name) > p_length THEN SET p_length = CHAR_LENGTH(v_name), p_name = shout(v_name); END IF;
  END LOOP;
  CLOSE names;
END`,
	`CREATE PROCEDURE rewards(IN min_payments TINYINT UNSIGNED, OUT rewarded INT) READS SQL DATA
BEGIN
  DROP TEMPORARY TABLE IF EXISTS chosen;
  CREATE TEMPORARY TABLE chosen (customer_id INT UNSIGNED NOT NULL PRIMARY KEY);
  INSERT INTO chosen SELECT p.customer_id FROM payment AS p GROUP BY p.customer_id HAVING COUNT(*) >= min_payments;
  SELECT COUNT(*) FROM chosen INTO rewarded;
  SELECT c.id, c.last_name FROM chosen AS t JOIN customer AS c ON t.customer_id = c.id ORDER BY c.id;
  DROP TEMPORARY TABLE chosen;
END`,
}

// rentalTriggers: the texts of films, and counters whose trace shows the order in which two triggers of one event fire.
var rentalTriggers = []string{
	"CREATE TRIGGER ins_film AFTER INSERT ON film FOR EACH ROW BEGIN INSERT INTO film_text (film_id, title, " +
		"description) VALUES (new.id, new.title, new.description); END",
	"CREATE TRIGGER upd_film AFTER UPDATE ON film FOR EACH ROW BEGIN IF (old.title != new.title) OR (old.description " +
		"!= new.description) THEN UPDATE film_text SET title = new.title, description = new.description WHERE " +
		"film_id = old.id; END IF; END",
	"CREATE TRIGGER del_film AFTER DELETE ON film FOR EACH ROW DELETE FROM film_text WHERE film_id = old.id",
	"CREATE TRIGGER second_rental AFTER INSERT ON rental FOR EACH ROW UPDATE fired SET trace = RIGHT(CONCAT(trace, " +
		"'b'), 200) WHERE name = 'rental'",
	"CREATE TRIGGER first_rental AFTER INSERT ON rental FOR EACH ROW PRECEDES second_rental UPDATE fired SET times = " +
		"times + 1, trace = RIGHT(CONCAT(trace, 'a'), 200) WHERE name = 'rental'",
	"CREATE TRIGGER `pay day` BEFORE INSERT ON %d.payment FOR EACH ROW BEGIN SET NEW.amount = NEW.amount + 1; UPDATE " +
		"fired SET times = times + 1 WHERE name = 'payment'; END",
}

var rentalEvents = []string{
	"CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 03:00:00' ON COMPLETION PRESERVE COMMENT 'it''s " +
		"night' DO BEGIN DELETE FROM film_text WHERE film_id < 0; END",
	"CREATE EVENT asleep ON SCHEDULE EVERY 1 HOUR DISABLE DO DELETE FROM film_text WHERE film_id < 0",
	"CREATE EVENT new_year ON SCHEDULE AT '2037-01-01 00:00:00' DO DELETE FROM film_text WHERE film_id < 0",
}

// beat fires all the time, and what it does can be counted.
const beat = "CREATE EVENT beat ON SCHEDULE EVERY 1 SECOND STARTS '2020-01-01 00:00:00' DO UPDATE fired SET times = " +
	"times + 1 WHERE name = 'event'"

var rentalSequences = []string{
	"CREATE SEQUENCE tickets START WITH 1000 INCREMENT BY 5 CACHE 20",
	"CREATE SEQUENCE down START WITH -1 INCREMENT BY -1 MINVALUE -1000 MAXVALUE -1 NOCACHE CYCLE",
}

// inDatabase puts the database's name into statements, as a definition would have it, and the owner.
func inDatabase(database string, statements []string) []string {
	out := make([]string, len(statements))
	for i, s := range statements {
		s = strings.ReplaceAll(s, "%d.", database+".")
		for _, kind := range []string{"VIEW", "FUNCTION", "PROCEDURE", "TRIGGER", "EVENT", "SQL SECURITY"} {
			if strings.HasPrefix(s, "CREATE "+kind) {
				s = "CREATE DEFINER = `" + owner + "`@`%` " + strings.TrimPrefix(s, "CREATE ")
			}
		}
		out[i] = s
	}
	return out
}
