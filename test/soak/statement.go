package main

import (
	"fmt"
	"slices"
	"strings"
)

// part is one statement, or a few that belong together.
func (w *writer) part() error {
	t := w.tables[w.IntN(len(w.tables))]
	if w.large {
		return w.whole(t)
	}
	parts := []func(*table) error{
		w.insert, w.insert, w.insert, w.update, w.update, w.update, w.remove, w.moveKey, w.replace, w.upsert,
		w.removeRange, w.same, w.swap, w.free, w.shortLived, w.often, w.again,
	}
	return parts[w.IntN(len(parts))](t)
}

func (w *writer) insert(t *table) error {
	verb := "INSERT"
	if w.IntN(5) == 0 {
		verb = "INSERT IGNORE"
	}
	n := 1 + w.IntN(3)
	if w.IntN(15) == 0 {
		n = 60
	}
	return w.do(t.insert(w.Rand, verb, n, ""))
}

func (w *writer) replace(t *table) error {
	return w.do(t.insert(w.Rand, "REPLACE", 1+w.IntN(3), ""))
}

func (w *writer) upsert(t *table) error {
	return w.do(t.insert(w.Rand, "INSERT", 1+w.IntN(3), " ON DUPLICATE KEY UPDATE "+w.assign(t.plain())))
}

// assign sets one column or a few.
func (w *writer) assign(columns []*column) string {
	columns = slices.Clone(columns)
	w.Shuffle(len(columns), func(a, b int) { columns[a], columns[b] = columns[b], columns[a] })
	var list []string
	for _, c := range columns[:1+w.IntN(min(3, len(columns)))] {
		list = append(list, quote(c.name)+" = "+c.value(w.Rand))
	}
	return strings.Join(list, ", ")
}

// some is a condition that some rows meet, at most limit, in the order of the key.
func (w *writer) some(t *table, limit int) string {
	if len(t.key) == 0 {
		return w.someWithoutKey(t, limit)
	}
	c := t.column(t.key[0])
	relation := pick(w.Rand, ">=", ">=", ">=", "=", "<=")
	order := ""
	if relation == "<=" {
		order = " DESC"
	}
	return fmt.Sprintf(" WHERE %s %s %s ORDER BY %s%s LIMIT %d", quote(c.name), relation, c.kind.value(w.Rand),
		quotedList(t.key), order, limit)
}

// someWithoutKey leaves it to the server which of the rows that meet it are meant, equal ones among them.
func (w *writer) someWithoutKey(t *table, limit int) string {
	columns := t.written()
	c := columns[w.IntN(len(columns))]
	if c.kind.class == "json" || c.kind.class == "geometry" || w.IntN(3) == 0 {
		return fmt.Sprintf(" LIMIT %d", limit)
	}
	relation := pick(w.Rand, ">=", "=", "<=", "<>")
	return fmt.Sprintf(" WHERE %s %s %s LIMIT %d", quote(c.name), relation, c.kind.value(w.Rand), limit)
}

func quotedList(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = quote(name)
	}
	return strings.Join(list, ", ")
}

func (w *writer) update(t *table) error {
	columns := t.plain()
	if w.IntN(3) == 0 {
		columns = slices.DeleteFunc(t.written(), func(c *column) bool { return slices.Contains(t.key, c.name) })
	}
	return w.do("UPDATE " + t.quoted() + " SET " + w.assign(columns) + w.some(t, 1+w.IntN(5)))
}

func (w *writer) remove(t *table) error {
	return w.do("DELETE FROM " + t.quoted() + w.some(t, 1+w.IntN(2)))
}

func (w *writer) removeRange(t *table) error {
	if w.IntN(3) > 0 {
		return nil
	}
	return w.do("DELETE FROM " + t.quoted() + w.some(t, pick(w.Rand, 10, 30, 100)))
}

// moveKey changes a key, also to one that the collation takes for equal.
func (w *writer) moveKey(t *table) error {
	if len(t.key) == 0 {
		return w.update(t)
	}
	c := t.column(t.key[w.IntN(len(t.key))])
	value := c.kind.value(w.Rand)
	switch {
	case c.kind.class == "int" && w.IntN(2) == 0:
		value = quote(c.name) + pick(w.Rand, " + 1", " - 1", " * -1", " + 1000")
	case c.kind.class == "text" && w.IntN(2) == 0:
		value = pick(w.Rand, "UPPER", "LOWER", "RTRIM") + "(" + quote(c.name) + ")"
	}
	return w.do("UPDATE " + t.quoted() + " SET " + quote(c.name) + " = " + value + w.some(t, 1+w.IntN(2)))
}

// same changes nothing, or something back and forth.
func (w *writer) same(t *table) error {
	columns := t.written()
	c := quote(columns[w.IntN(len(columns))].name)
	return w.do("UPDATE " + t.quoted() + " SET " + c + " = " + c + w.some(t, 3))
}

// fetch has the server keep a row's key and one more value in variables of the session.
func (w *writer) fetch(t *table, mark, extra string) (where string, err error) {
	var into, same []string
	for i, name := range t.key {
		into = append(into, fmt.Sprintf("@%s%d", mark, i))
		same = append(same, fmt.Sprintf("%s = @%s%d", quote(name), mark, i))
	}
	var clear []string
	for _, name := range append(into, "@"+mark) {
		clear = append(clear, name+" = NULL")
	}
	if err := w.do("SET " + strings.Join(clear, ", ")); err != nil {
		return "", err
	}
	into = append(into, "@"+mark)
	err = w.do(fmt.Sprintf("SELECT %s, %s INTO %s FROM %s%s FOR UPDATE", quotedList(t.key), quote(extra),
		strings.Join(into, ", "), t.quoted(), w.some(t, 1)))
	return " WHERE " + strings.Join(same, " AND "), err
}

// swap lets two rows exchange a unique value.
func (w *writer) swap(t *table) error {
	if len(t.key) == 0 || len(t.unique) == 0 {
		return w.update(t)
	}
	u := pick(w.Rand, t.unique...)
	a, err := w.fetch(t, "a", u)
	if err != nil {
		return err
	}
	b, err := w.fetch(t, "b", u)
	if err != nil {
		return err
	}
	set := "UPDATE " + t.quoted() + " SET " + quote(u) + " = "
	for _, s := range []string{set + "NULL" + a, set + "@a" + b, set + "@b" + a} {
		if err := w.do(s); err != nil {
			return err
		}
	}
	return nil
}

// free deletes a row and gives its unique value to another.
func (w *writer) free(t *table) error {
	if len(t.key) == 0 || len(t.unique) == 0 {
		return w.remove(t)
	}
	u := pick(w.Rand, t.unique...)
	a, err := w.fetch(t, "a", u)
	if err != nil {
		return err
	}
	if err := w.do("DELETE FROM " + t.quoted() + a); err != nil {
		return err
	}
	return w.do("UPDATE " + t.quoted() + " SET " + quote(u) + " = @a" + w.some(t, 1))
}

// shortLived inserts rows and deletes some at once.
func (w *writer) shortLived(t *table) error {
	if err := w.insert(t); err != nil {
		return err
	}
	if err := w.update(t); err != nil {
		return err
	}
	return w.remove(t)
}

// often changes few rows many times.
func (w *writer) often(t *table) error {
	where := w.some(t, 1)
	for range 2 + w.IntN(8) {
		if err := w.do("UPDATE " + t.quoted() + " SET " + w.assign(t.plain()) + where); err != nil {
			return err
		}
	}
	return nil
}

// again inserts rows that are there, where no key forbids it.
func (w *writer) again(t *table) error {
	if len(t.key) > 0 {
		return w.insert(t)
	}
	var names []string
	for _, c := range t.written() {
		names = append(names, c.name)
	}
	return w.do(fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s LIMIT %d", t.quoted(), quotedList(names),
		quotedList(names), t.quoted(), 1+w.IntN(5)))
}

// whole changes all rows of a table, or many.
func (w *writer) whole(t *table) error {
	switch w.IntN(5) {
	case 0:
		return w.do("DELETE FROM " + t.quoted())
	case 1:
		return w.do(t.insert(w.Rand, "INSERT IGNORE", 1500, ""))
	default:
		return w.do("UPDATE " + t.quoted() + " SET " + w.assign(t.plain()))
	}
}
