package main

import (
	"slices"
	"sync"
)

// catalog is the tables that the application knows of, while somebody changes them. A table in it is never changed, but
// replaced.
type catalog struct {
	mu      sync.RWMutex
	tables  []*table
	version int // odd while a change is under way
}

func (c *catalog) now() (tables []*table, version int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.tables, c.version
}

// steady tells whether tables have been all the time what they were at a version.
func (c *catalog) steady(version int) bool {
	_, now := c.now()
	return now == version && now%2 == 0
}

// begin and end enclose a change.
func (c *catalog) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version++
}

func (c *catalog) end(tables []*table) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version++
	c.tables = tables
}

// clone is the same table under another name. It is nobody's child, and all its rows would move.
func (t *table) clone(name string) *table {
	n := *t
	n.name, n.filter, n.references = name, "", nil
	n.columns, n.indexes = slices.Clone(t.columns), slices.Clone(t.indexes)
	n.key, n.unique, n.pairs = slices.Clone(t.key), slices.Clone(t.unique), slices.Clone(t.pairs)
	return &n
}

// changed is a copy of a table in which something is changed.
func (t *table) changed(change func(*table)) *table {
	n := t.clone(t.name)
	n.filter, n.references = t.filter, t.references
	change(n)
	return n
}

// with returns the tables with one in another's place; nil takes it away.
func with(tables []*table, old, now *table) []*table {
	tables = slices.Clone(tables)
	i := slices.Index(tables, old)
	if now == nil {
		return slices.Delete(tables, i, i+1)
	}
	tables[i] = now
	return tables
}
