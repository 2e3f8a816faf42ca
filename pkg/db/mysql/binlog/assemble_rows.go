package binlog

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/go-mysql-org/go-mysql/replication"

	"wherry/pkg/db"
	"wherry/pkg/route"
)

const (
	// Flags of rows events (mysql-server libs/mysql/binlog/event/rows_event.h, enum enum_flag): the last one of a
	// statement; one whose session has foreign_key_checks=0, so that no foreign key acts.
	rowsEnd       = 1
	rowsUnchecked = 2
	// rowsCascadeLogged is seen on every rows event of MySQL 9.7 unless innodb_native_foreign_keys is on: the server
	// carries out the actions of foreign keys itself, and rows that they change have events of their own, before that
	// of the row referenced.
	rowsCascadeLogged = 16
	// changeOverhead is roughly what a change takes besides its values.
	changeOverhead = 64
	slotOverhead   = 24
)

// tableMap notes which table a number stands for. The table's shape is compared with the route's only if its rows
// matter: before the route's since it may have had other columns.
func (a *assembler) tableMap(e *logEvent) error {
	m, ok := parseTableMap(e.body, a.idSize)
	if !ok {
		return fmt.Errorf("%w: table map", errEvent)
	}
	opened := openMap{id: m.id}
	if r := a.route(&m); r != nil {
		passed, err := a.group.open, error(nil)
		if passed {
			passed, err = a.passed(r) // then it may have another shape
		}
		if err == nil && !passed {
			opened.table, err = a.decodeTable(r, &m)
		}
		if err != nil {
			return err
		}
	}
	a.open(opened)
	return nil
}

// open puts a table number in force.
func (a *assembler) open(m openMap) {
	for i := range a.maps {
		if a.maps[i].id == m.id {
			a.maps[i] = m
			return
		}
	}
	a.maps = append(a.maps, m)
}

// route finds the route of a table. The key is built on the stack: this runs for each statement of every table on the
// server.
func (a *assembler) route(m *tableMap) *route.Route {
	var scratch [256]byte
	name := append(append(append(scratch[:0], m.database...), 0), m.table...)
	return a.routes[string(name)]
}

// decodeTable returns the route's decoder, made anew when the table map is not the same as before.
func (a *assembler) decodeTable(r *route.Route, m *tableMap) (*decodeTable, error) {
	if table := a.tables[r]; table != nil && bytes.Equal(table.described, m.rest) {
		return table, nil
	}
	table, err := newDecodeTable(r, m)
	if err != nil {
		return nil, err
	}
	a.tables[r] = table
	return table, nil
}

// rowsEvent is a rows event of a routed table.
type rowsEvent struct {
	before, after bool // which images each row has
	partial       bool // JSON in after images may be given as differences
	cascades      bool // foreign keys acted, and what they did is not in the log
	lacks         bool // values that are only compared are not in the images
	images        []byte
	// present are the columns that the images before and after have, a bit each; nil: all.
	present [2][]byte
}

// rows takes a rows event: table number, flags, in version 2 extra data, the number of columns, a bitmap of the
// columns in each image, and the images up to the end.
//
// The number of all ones (or 1<<24-1) is a dummy with which MySQL ends a statement whose last rows went to no table.
func (a *assembler) rows(e *logEvent) error {
	r := logReader{data: e.body}
	id, flags := r.uint(a.idSize), r.uint(2)
	if flags&rowsEnd != 0 {
		defer func() { a.maps = a.maps[:0] }()
	}
	at := slices.IndexFunc(a.maps, func(m openMap) bool { return m.id == id })
	switch {
	case r.bad, at < 0 && id != 1<<(8*a.idSize)-1 && id != 1<<24-1:
		return fmt.Errorf("%w: rows of table number %d without a table map", errEvent, id)
	case at < 0, a.maps[at].table == nil: // the end of a statement that changed nothing, or not routed
		return nil
	}
	table := a.maps[at].table
	rows, err := parseRows(e.kind, r, table)
	if err != nil {
		return err
	}
	if !a.group.open {
		return fmt.Errorf("%w: rows outside of a transaction", errEvent)
	}
	if passed, err := a.passed(table.route); err != nil || passed {
		return err
	}
	rows.cascades = rows.before && flags&rowsUnchecked == 0 && (a.mariadb || flags&rowsCascadeLogged == 0)
	return a.decode(table, rows)
}

// parseRows reads what precedes the images. The images must be full, but for generated columns that can do without.
func parseRows(kind replication.EventType, r logReader, t *decodeTable) (rows rowsEvent, err error) {
	version2, packed := false, false
	switch kind {
	case replication.WRITE_ROWS_EVENTv2, replication.UPDATE_ROWS_EVENTv2, replication.DELETE_ROWS_EVENTv2,
		replication.PARTIAL_UPDATE_ROWS_EVENT:
		version2 = true
	case replication.MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1, replication.MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1,
		replication.MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1:
		packed = true
	default:
	}
	switch kind {
	case replication.WRITE_ROWS_EVENTv0, replication.WRITE_ROWS_EVENTv1, replication.WRITE_ROWS_EVENTv2,
		replication.MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1:
		rows.after = true
	case replication.DELETE_ROWS_EVENTv0, replication.DELETE_ROWS_EVENTv1, replication.DELETE_ROWS_EVENTv2,
		replication.MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1:
		rows.before = true
	default:
		rows.before, rows.after = true, true
	}
	rows.partial = kind == replication.PARTIAL_UPDATE_ROWS_EVENT
	if version2 {
		r.bytes(int(r.uint(2)) - 2) //nolint:gosec // 2 bytes
	}
	if count := r.packed(); r.bad || count != uint64(len(t.columns)) {
		return rows, fmt.Errorf("%w: %d columns in rows of %s", errEvent, count, t.route.Source.Name())
	}
	for i, has := range []bool{rows.before, rows.after} {
		if !has {
			continue
		}
		bits := r.bytes((len(t.columns) + 7) / 8)
		if r.bad {
			return rows, errEvent
		}
		if fullBits(bits, len(t.columns)) {
			continue
		}
		rows.present[i] = bits
		lacks, err := t.without(bits)
		if err != nil {
			return rows, err
		}
		rows.lacks = rows.lacks || lacks
	}
	rows.images = r.data
	if packed {
		if rows.images, err = decodeInflate(r.data); err != nil {
			return rows, fmt.Errorf("%w: %w", errEvent, err)
		}
	}
	return rows, nil
}

// fullBits tells whether the first n bits are set, that is whether images have all columns.
func fullBits(bits []byte, n int) bool {
	for i := 0; i < n; i++ {
		if i/8 >= len(bits) || !hasBit(bits, i) {
			return false
		}
	}
	return true
}

func hasBit(bits []byte, i int) bool { return bits[i>>3]&(1<<(i&7)) != 0 }

// decode turns row images into changes and hands full parts over. The first image's size tells about how many follow,
// so that memory is reserved for all of them at once.
func (a *assembler) decode(t *decodeTable, rows rowsEvent) error {
	data, last := rows.images, 0
	if e := t.route.Source.Table.Engine; len(data) > 0 && a.group.permanent == "" && isNonTransactional(e) {
		a.group.permanent = t.route.Source.Name().String()
	}
	for len(data) > 0 {
		change := db.Change{Route: t.route, Cascades: rows.cascades, Lacks: rows.lacks}
		more := 0
		if last > 0 {
			more = len(data) / last
		}
		size := len(data)
		var err error
		var partial *partialImages
		if rows.partial {
			partial = &a.partial
			partial.reset(t.documents)
		}
		// With partial JSON the documents of the before image are kept: the after image may hold only how they
		// differ.
		if rows.before {
			change.Before, data, err = t.image(&a.decoder, data, rows.present[0], partial, more)
		}
		if err == nil && partial != nil {
			data, err = partial.options(data)
		}
		if err == nil && rows.after {
			change.After, data, err = t.image(&a.decoder, data, rows.present[1], partial, more)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.route.Source.Name(), err)
		}
		last = size - len(data)
		if err := a.add(change, more); err != nil {
			return err
		}
	}
	return nil
}

// add appends a change to the part, and hands the part over when it is full. Its memory is counted with what Go needs
// around the values: rows of many small values are mostly slice headers.
func (a *assembler) add(change db.Change, more int) error {
	if a.part == nil {
		a.part = &db.Part{Time: a.group.time, Changes: make([]db.Change, 0, min(more+1, 4096))}
	}
	a.part.Changes = append(a.part.Changes, change)
	if change.Cascades && a.part.Contained == nil {
		var err error
		if a.part.Contained, err = a.containedRoutes(); err != nil {
			return err
		}
	}
	a.part.Bytes += changeOverhead + change.Before.Size() + change.After.Size() +
		slotOverhead*(len(change.Before)+len(change.After))
	a.group.changes++
	if a.part.Bytes >= a.maxPart {
		return a.flush()
	}
	return nil
}

// isNonTransactional tells engines whose changes a ROLLBACK leaves in place.
func isNonTransactional(engine string) bool {
	return slices.Contains([]string{"MyISAM", "Aria", "MEMORY", "CSV", "ARCHIVE", "MRG_MyISAM", "BLACKHOLE"}, engine)
}
