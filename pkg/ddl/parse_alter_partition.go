package ddl

import (
	"fmt"
	"slices"
)

// partitionClause reads a clause about partitions and tells whether there was one.
func (p *parser) partitionClause(s *alterTable) bool {
	c := partitionChange{}
	switch {
	case p.accept("PARTITION BY"):
		c.verb, c.by = "BY", p.partitioning()
	case p.accept("REMOVE PARTITIONING"):
		c.verb = "REMOVE"
	case p.accept("ADD PARTITION"):
		c.verb = "ADD"
		p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		if p.ifNotExists() {
			s.unsure = "a partition that may be there"
		}
		if p.accept("PARTITIONS") {
			c.count = p.integer()
		} else {
			c.parts = p.partitions()
		}
	case p.accept("DROP PARTITION"):
		c.verb = "DROP"
		if p.accept("IF EXISTS") {
			s.unsure = "a partition that may not be there"
		}
		c.names = p.list()
	case p.accept("TRUNCATE PARTITION"):
		c.verb = "TRUNCATE"
		if !p.accept("ALL") {
			c.names = p.list()
		}
	case p.accept("COALESCE PARTITION"):
		c.verb = "COALESCE"
		p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		c.count = p.integer()
	case p.accept("REORGANIZE PARTITION"):
		c.verb = "REORGANIZE"
		p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		c.names = p.list()
		p.expect("INTO")
		c.parts = p.partitions()
	default:
		return p.partitionService(s)
	}
	s.parts = append(s.parts, c)
	return true
}

// partitionService reads the clauses that leave the shape as it is, or move whole partitions.
func (p *parser) partitionService(s *alterTable) bool {
	switch {
	case p.accept("EXCHANGE PARTITION"):
		p.ident()
		p.expect("WITH TABLE")
		s.exchange = p.table()
	case p.accept("CONVERT PARTITION"):
		part := p.ident()
		p.expect("TO TABLE")
		s.made = p.table()
		s.parts = append(s.parts, partitionChange{verb: "DROP", names: []string{part}})
	case p.accept("CONVERT TABLE"):
		s.taken = p.table()
		p.expect("TO PARTITION")
		s.parts = append(s.parts, partitionChange{verb: "ADD", parts: []partition{p.partition()}})
	case p.acceptAny("ANALYZE PARTITION", "CHECK PARTITION", "OPTIMIZE PARTITION", "REBUILD PARTITION", "REPAIR PARTITION") != "":
		p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		p.list()
		for p.peek().kind == word {
			p.next()
		}
	case p.accept("DISCARD PARTITION"), p.accept("IMPORT PARTITION"):
		p.list()
		p.expect("TABLESPACE")
		s.opaque = "a partition's file was exchanged (TABLESPACE)"
	default:
		return false
	}
	return true
}

// empties returns the names of the partitions that lose their rows.
func (s *alterTable) empties(before *partitioning) []string {
	var names []string
	for _, c := range s.parts {
		switch {
		case c.verb == "TRUNCATE" && c.names == nil && before != nil:
			names = append(names, before.all()...)
		case c.verb == "TRUNCATE", c.verb == "DROP":
			names = append(names, c.names...)
		}
	}
	return slices.Compact(names)
}

// change makes the partitioning what it is after the clause; before is nil of a table that has none.
func (c partitionChange) change(d *partitioning) (*partitioning, error) {
	switch c.verb {
	case "BY":
		return c.by, nil
	case "REMOVE":
		return nil, nil //nolint:nilnil // no partitions, as before PARTITION BY
	}
	if d == nil {
		return nil, fmt.Errorf("the table has no partitions")
	}
	after := *d
	after.parts = slices.Clone(d.parts)
	switch c.verb {
	case "ADD":
		after.add(c)
	case "COALESCE":
		if after.count = max(d.count, 1) - c.count; len(d.parts) > 0 {
			after.count = 0
			after.parts = after.parts[:max(len(after.parts)-c.count, 1)]
		}
	case "DROP", "REORGANIZE":
		if c.verb == "REORGANIZE" && len(d.parts) == 0 {
			after.unsure = "partitions without names"
			return &after, nil
		}
		if err := after.replace(c); err != nil {
			return nil, err
		}
	}
	return &after, nil
}

func (d *partitioning) add(c partitionChange) {
	switch {
	case len(d.parts) == 0 && len(c.parts) == 0:
		d.count = max(d.count, 1) + c.count
	case len(d.parts) == 0:
		d.unsure = "names beside partitions without names"
	case len(c.parts) > 0:
		d.parts = append(d.parts, c.parts...)
	default:
		for range c.count {
			d.parts = append(d.parts, partition{name: fmt.Sprintf("p%d", len(d.parts))})
		}
	}
}

// replace takes partitions out and puts others in their place.
func (d *partitioning) replace(c partitionChange) error {
	first := -1
	for _, name := range c.names {
		at := d.find(name)
		if at < 0 {
			return fmt.Errorf("the table has no partition %s", name)
		}
		d.parts = slices.Delete(d.parts, at, at+1)
		if first < 0 || at < first {
			first = at
		}
	}
	d.parts = slices.Insert(d.parts, first, c.parts...)
	return nil
}
