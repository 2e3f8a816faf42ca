package postgres

// NamesSQL lists what is named in the database besides PostgreSQL's own: schema, name, and the letter that ReadTable
// takes for its kind. Indexes, composite types and TOAST tables are left out.
const NamesSQL = `SELECT n.nspname::text, c.relname::text, c.relkind::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`

// CatalogSQL reads tables: a row of one text for each, which ReadTable reads. Its parameters are two arrays of text,
// the schemas and the names of the tables; what is not there has no row. It reads one snapshot, and expects a session
// with an empty search_path and TimeZone UTC, so that names have their schemas and times one form.
const CatalogSQL = `WITH wanted AS (
  SELECT c.oid, c.relkind, c.relname, c.relpersistence, c.reltuples, n.nspname, w.place
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(home, name, place)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.home
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f'))
SELECT pg_catalog.json_build_object(
  'schema', t.nspname, 'name', t.relname, 'kind', t.relkind, 'persistence', t.relpersistence,
  'rows', CASE WHEN t.reltuples > 0 THEN t.reltuples::bigint ELSE 0 END,
  'bytes', CASE WHEN t.relkind IN ('r', 'm') THEN pg_catalog.pg_total_relation_size(t.oid) ELSE 0 END,
  'comment', pg_catalog.obj_description(t.oid, 'pg_class'),
  'columns', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'notnull', a.attnotnull,
      'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid), 'identity', a.attidentity, 'generated', a.attgenerated,
      'collation', CASE WHEN a.attcollation <> y.typcollation THEN o.collname END,
      'comment', pg_catalog.col_description(a.attrelid, a.attnum),
      'next', CASE WHEN a.attidentity <> '' THEN (
        SELECT coalesce(pg_catalog.pg_sequence_last_value(q.seqrelid) + q.seqincrement, q.seqstart)::text
        FROM pg_catalog.pg_sequence q JOIN pg_catalog.pg_depend e ON e.objid = q.seqrelid
        WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.refobjid = a.attrelid
          AND e.refobjsubid = a.attnum AND e.deptype = 'i') END) ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_catalog.pg_collation o ON o.oid = a.attcollation
    WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'indexes', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', c.relname, 'primary', x.indisprimary, 'unique', x.indisunique, 'valid', x.indisvalid,
      'method', m.amname, 'comment', pg_catalog.obj_description(c.oid, 'pg_class'),
      'predicate', pg_catalog.pg_get_expr(x.indpred, x.indrelid), 'deferred', NOT x.indimmediate,
      'equal_nulls', coalesce((pg_catalog.to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false),
      'exclusion', x.indisexclusion, 'included', x.indnatts - x.indnkeyatts,
      'parts', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
          'column', a.attname, 'expr', CASE WHEN a.attname IS NULL
            THEN pg_catalog.pg_get_indexdef(x.indexrelid, k.place, false) END,
          'desc', (x.indoption[k.place - 1] & 1) = 1) ORDER BY k.place)
        FROM pg_catalog.generate_series(1, x.indnkeyatts) AS k(place)
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[k.place - 1]
          AND a.attnum > 0)) ORDER BY c.oid)
    FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = c.relam WHERE x.indrelid = t.oid),
  'constraints', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', s.conname, 'type', s.contype, 'valid', s.convalidated, 'deferrable', s.condeferrable,
      'expr', pg_catalog.pg_get_expr(s.conbin, s.conrelid), 'parent_schema', pn.nspname, 'parent', pc.relname,
      'ondelete', s.confdeltype, 'onupdate', s.confupdtype,
      'columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)
        FROM pg_catalog.unnest(s.conkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = s.conrelid AND a.attnum = k.number),
      'parent_columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)
        FROM pg_catalog.unnest(s.confkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = s.confrelid AND a.attnum = k.number)) ORDER BY s.oid)
    FROM pg_catalog.pg_constraint s LEFT JOIN pg_catalog.pg_class pc ON pc.oid = s.confrelid
    LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
    WHERE s.conrelid = t.oid AND s.contype IN ('c', 'f')),
  'triggers', (SELECT pg_catalog.json_agg(g.tgname ORDER BY g.tgname)
    FROM pg_catalog.pg_trigger g WHERE g.tgrelid = t.oid AND NOT g.tgisinternal)
)::text FROM wanted t ORDER BY t.place`
