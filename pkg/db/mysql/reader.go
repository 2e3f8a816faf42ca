package mysql

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"wherry/pkg/db"
	"wherry/pkg/db/canon"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// Tables returns the tables, views and sequences whose names match. Sizes are read before definitions: a table that is
// created in between is not listed at all, and one that is dropped is left out.
func (s *server) Tables(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error) {
	listed, err := s.list(ctx, match)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", wire.Classify(err))
	}
	names := make([]schema.Name, len(listed))
	for i, t := range listed {
		names[i] = t.Name
	}
	sizes, err := s.Sizes(ctx, names)
	if err != nil {
		return nil, err
	}
	for _, t := range listed {
		t.Rows, t.Bytes = sizes[t.Name].Rows, sizes[t.Name].Bytes
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(describers)
	for i, t := range listed {
		if t.Kind == schema.View || t.Kind == schema.Sequence {
			continue
		}
		group.Go(func() error {
			full, err := s.describe(ctx, t)
			if wire.Number(err) == wire.NoTable { // dropped or renamed since it was listed
				listed[i] = nil
				return nil
			}
			if err != nil {
				return fmt.Errorf("describe table %s: %w", t.Name, wire.Classify(err))
			}
			listed[i] = full
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(listed, func(t *schema.Table) bool { return t == nil }), nil
}

// describers is how many tables are described at a time. The pool keeps as many connections idle, so that none is
// opened and closed per table.
const describers = 4

func (s *server) list(ctx context.Context, match func(schema.Name) bool) ([]*schema.Table, error) {
	rows, err := s.admin.QueryContext(ctx,
		`SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, COALESCE(ENGINE, ''), DEFAULT_COLLATION_NAME
		FROM information_schema.TABLES JOIN information_schema.SCHEMATA ON SCHEMA_NAME = TABLE_SCHEMA
		WHERE TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')
		ORDER BY TABLE_SCHEMA, TABLE_NAME`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var tables []*schema.Table
	for rows.Next() {
		t := &schema.Table{}
		var kind string
		if err := rows.Scan(&t.Name.Database, &t.Name.Table, &kind, &t.Engine, &t.DatabaseCollation); err != nil {
			return nil, err
		}
		switch kind {
		case "VIEW", "SYSTEM VIEW":
			t.Kind = schema.View
		case "SEQUENCE":
			t.Kind = schema.Sequence
		case "SYSTEM VERSIONED":
			t.Kind = schema.SystemVersioned
		}
		if match(t.Name) {
			tables = append(tables, t)
		}
	}
	return tables, rows.Err()
}

func (s *server) describe(ctx context.Context, listed *schema.Table) (*schema.Table, error) {
	var name, create string
	if err := s.admin.QueryRowContext(ctx, "SHOW CREATE TABLE "+dialect.Quoted(listed.Name)).Scan(&name,
		&create); err != nil {
		return nil, err
	}
	t, err := dialect.ParseCreate(create, listed.Name, s.flavor, s.collations)
	if err != nil {
		return nil, err
	}
	t.Kind, t.Rows, t.Bytes, t.DatabaseCollation = listed.Kind, listed.Rows, listed.Bytes, listed.DatabaseCollation
	return t, s.encodeLabels(ctx, t)
}

// Bound returns the key n rows after the given one. The key is compared as the index does, so this walks n entries of
// one index and reads no row.
func (s *server) Bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	return query(s.rows).bound(ctx, rel, after, n)
}

func (q query) bound(ctx context.Context, rel *route.Relation, after db.Row, n int) (db.Row, error) {
	if slices.ContainsFunc(rel.Key, func(at int) bool { return rel.Column(at).Type.Unordered() }) {
		return nil, nil // a key without a certain order cannot be cut: the table is one chunk
	}
	reading, own, err := ownRange(rel, db.Range{After: after})
	if err != nil {
		return nil, err
	}
	all := *rel
	all.Where = ""
	statement := "SELECT " + keyList(rel) + " FROM " + dialect.Quoted(rel.Name()) + keyIndex(rel) +
		condition(&all, own) + orderBy(rel) + " LIMIT 1 OFFSET " + itoa(n-1)
	rows, err := q(ctx, statement)
	if err != nil {
		return nil, fmt.Errorf("find chunk bound of %s: %w", rel.Name(), err)
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return nil, fmt.Errorf("find chunk bound of %s: %w", rel.Name(), err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return reading.Key(found[0])
}

// keyList returns the key's columns as bounds carry them: the plain column but where its text would lose something.
func keyList(rel *route.Relation) string { return selectList(rel, rel.Key) }

// Rows streams the rows of a range in key order.
func (s *server) Rows(ctx context.Context, rel *route.Relation, r db.Range) (db.Rows, error) {
	return query(s.rows).read(ctx, rel, r)
}

// query runs a statement that returns rows.
type query func(ctx context.Context, statement string) (db.Rows, error)

func (q query) read(ctx context.Context, rel *route.Relation, r db.Range) (db.Rows, error) {
	reading, r, err := ownRange(rel, r)
	if err != nil {
		return nil, err
	}
	statement := "SELECT " + selectList(rel, allColumns(rel)) + " FROM " + dialect.Quoted(rel.Name()) + keyIndex(rel) +
		condition(rel, r) + orderBy(rel)
	rows, err := q(ctx, statement)
	if err != nil {
		return nil, fmt.Errorf("read rows of %s: %w", rel.Name(), err)
	}
	return reading.Rows(rows), nil
}

// Fetch streams the rows that have one of the keys.
func (s *server) Fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	return query(s.rows).fetch(ctx, rel, keys)
}

func (q query) fetch(ctx context.Context, rel *route.Relation, keys []db.Row) (db.Rows, error) {
	reading, err := canon.NewReading(rel)
	if err != nil {
		return nil, err
	}
	if keys = reading.OwnKeys(keys); len(keys) == 0 {
		return noRows{}, nil
	}
	var b []byte
	b = append(b, "SELECT "+selectList(rel, allColumns(rel))+" FROM "+dialect.Quoted(rel.Name())+keyIndex(rel)+" "+
		"WHERE ("...)
	b = append(appendKeys(b, rel, keys), ')')
	if rel.Where != "" {
		b = append(b, " AND ("+rel.Where+")"...)
	}
	rows, err := q(ctx, string(b))
	if err != nil {
		return nil, fmt.Errorf("fetch rows of %s: %w", rel.Name(), err)
	}
	return reading.Rows(rows), nil
}

// rows runs a query on a connection that its rows give back when they are closed.
func (s *server) rows(ctx context.Context, statement string) (db.Rows, error) {
	w, err := s.get(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := w.Query(ctx, statement)
	if err != nil {
		s.put(w)
		return nil, wire.Classify(err)
	}
	rows.Release = func() { s.put(w) }
	return rows, nil
}

// noDigest stands in a sum for a row that is too large for the server to concatenate (CONCAT returns NULL beyond
// max_allowed_packet, and SUM would pass over a NULL silently). It has more digits than the sum of 2^35 hashes, so by
// its length a sum shows that such a row is in it.
const noDigest = "1000000000000000000000000000000"

// Sum returns the checksum of a range, computed by the server; rows too large for the server to concatenate are
// read and summed here, by the same rule.
func (s *server) Sum(ctx context.Context, rel *route.Relation, r db.Range) (db.Sum, error) {
	return query(s.rows).sum(ctx, rel, r)
}

func (q query) sum(ctx context.Context, rel *route.Relation, r db.Range) (db.Sum, error) {
	if rel.Formed() || readsOtherwise(rel) { // the server cannot tell what another one will make of it
		return q.sumHere(ctx, rel, r)
	}
	_, own, err := ownRange(rel, r)
	if err != nil {
		return db.Sum{}, err
	}
	// SHA-256 is most of the cost, so the hash is written once. Named in a derived table and used twice, it would be
	// computed twice: the server merges the derived table into the query.
	statement := "SELECT COUNT(*), COALESCE(SUM(COALESCE(CAST(CONV(LEFT(" + digest(rel) + ", 16), 16, 10) AS " +
		"UNSIGNED), " + noDigest + ")), 0) FROM " +
		dialect.Quoted(rel.Name()) + keyIndex(rel) + condition(rel, own)
	rows, err := q(ctx, statement)
	if err != nil {
		return db.Sum{}, fmt.Errorf("sum rows of %s: %w", rel.Name(), err)
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return db.Sum{}, fmt.Errorf("sum rows of %s: %w", rel.Name(), err)
	}
	if len(found[0][1]) >= len(noDigest) {
		return q.sumHere(ctx, rel, r)
	}
	var sum db.Sum
	if _, err := fmt.Sscan(string(found[0][0]), &sum.Rows); err != nil {
		return db.Sum{}, fmt.Errorf("sum rows of %s: %w", rel.Name(), err)
	}
	sum.Hash = string(found[0][1])
	return sum, nil
}

// sumHere reads the rows and sums them here. It costs the network all rows, and serves those that the server cannot
// hash.
func (q query) sumHere(ctx context.Context, rel *route.Relation, r db.Range) (db.Sum, error) {
	rows, err := q.read(ctx, rel, r)
	if err != nil {
		return db.Sum{}, err
	}
	return db.SumRows(rows)
}
