package ddl

import (
	"fmt"
	"slices"

	"wherry/pkg/sqltext"
)

// partitionClause reads a clause about partitions and returns whether there was one. With IF [NOT] EXISTS the shape is
// left open: the clause may have done nothing.
func (p *parser) partitionClause(s *alterTable) bool {
	c := partitionChange{}
	switch {
	case p.Accept("PARTITION BY"):
		c.verb, c.by = "BY", p.partitioning()
	case p.Accept("REMOVE PARTITIONING"):
		c.verb = "REMOVE"
	case p.Accept("ADD PARTITION"):
		c.verb = "ADD"
		p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		if p.ifNotExists() {
			s.unsure = "a partition that may be there"
		}
		if p.Accept("PARTITIONS") {
			c.count = p.Integer()
		} else {
			c.parts = p.partitions()
		}
	case p.Accept("DROP PARTITION"):
		c.verb = "DROP"
		if p.Accept("IF EXISTS") {
			s.unsure = "a partition that may not be there"
		}
		c.names = p.list()
	case p.Accept("TRUNCATE PARTITION"):
		c.verb = "TRUNCATE"
		if !p.Accept("ALL") {
			c.names = p.list()
		}
	case p.Accept("COALESCE PARTITION"):
		c.verb = "COALESCE"
		p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		c.count = p.Integer()
	case p.Accept("REORGANIZE PARTITION"):
		c.verb = "REORGANIZE"
		p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		c.names = p.list()
		p.Expect("INTO")
		c.parts = p.partitions()
	default:
		return p.partitionService(s)
	}
	s.parts = append(s.parts, c)
	return true
}

// partitionService reads the clauses that leave the shape as it is, or move whole partitions between tables. CONVERT
// PARTITION p TO TABLE u is a DROP of p whose rows go on as u.
func (p *parser) partitionService(s *alterTable) bool {
	switch {
	case p.Accept("EXCHANGE PARTITION"):
		p.ident()
		p.Expect("WITH TABLE")
		s.exchange = p.table()
	case p.Accept("CONVERT PARTITION"):
		part := p.ident()
		p.Expect("TO TABLE")
		s.detached = p.table()
		s.parts = append(s.parts, partitionChange{verb: "DROP", names: []string{part}})
	case p.Accept("CONVERT TABLE"):
		s.absorbed = p.table()
		p.Expect("TO PARTITION")
		s.parts = append(s.parts, partitionChange{verb: "ADD", parts: []partition{p.partition()}})
	case p.acceptAny("ANALYZE PARTITION", "CHECK PARTITION", "OPTIMIZE PARTITION", "REBUILD PARTITION",
		"REPAIR PARTITION") != "":
		p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		p.list()
		for p.Peek().Kind == sqltext.Word {
			p.Next()
		}
	case p.Accept("DISCARD PARTITION"), p.Accept("IMPORT PARTITION"):
		p.list()
		p.Expect("TABLESPACE")
		s.opaque = "a partition's file was exchanged (TABLESPACE)"
	default:
		return false
	}
	return true
}

// empties returns the names of the partitions that lose their rows. TRUNCATE PARTITION ALL names none, so they are
// those of the table before.
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

// change returns the partitioning after the clause; nil means that the table has no partitions, before as afterwards.
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
	// A copy: the clauses before this one may be applied once more, in another reading of the statement.
	after := *d
	after.parts = slices.Clone(d.parts)
	switch c.verb {
	case "ADD":
		after.add(c)
	case "COALESCE": // fewer partitions of HASH and KEY; the last ones go, and their rows are spread over the others
		if after.count = max(d.count, 1) - c.count; len(d.parts) > 0 {
			after.count = 0
			after.parts = after.parts[:max(len(after.parts)-c.count, 1)]
		}
	case "DROP", "REORGANIZE":
		// REORGANIZE PARTITION without names spreads the rows of HASH and KEY anew; how they are printed is unknown.
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

// add does ADD PARTITION. Partitions of HASH and KEY without names are only counted; with names the server calls new
// ones by their number: p4 follows four others.
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

// replace removes partitions and puts others where the first of them was: REORGANIZE PARTITION p3 INTO (p3, p4).
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
